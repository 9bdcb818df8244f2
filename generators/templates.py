"""Prompts as Jinja templates in a sandbox: a name or a path, and values ─▶ the messages of a request.

Documents are values, never template text; an undefined variable is an error. A template sets its constants at its top
(how many facts and wordings to ask for, whether quotes are bound to statements) and has the blocks ``system`` and
``user``.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

from generators.errors import UsageError

SUFFIX = ".jinja"


@dataclass(frozen=True, slots=True)
class TemplateConstants:
    """What a template fixes about its requests.

    Attributes:
        facts_per_section: At most so many facts are asked of one section.
        wordings: Questions a fact, at least.
        sections_per_request: Small neighbours that may share a request.
        bound_quotes: Whether the reply's schema binds quotes and answers to the section's own statements.
    """

    facts_per_section: int = 12
    wordings: int = 3
    sections_per_request: int = 8
    bound_quotes: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt ready to render; ``sha256`` is of its source."""

    name: str
    sha256: str
    constants: TemplateConstants
    _compiled: Any

    def render(self, values: Mapping[str, object]) -> tuple[str, str]:
        """Fill in the values: (system text, user text). A missing variable raises ``UsageError``."""
        return self._block("system", values), self._block("user", values)

    def _block(self, block: str, values: Mapping[str, object]) -> str:
        from jinja2 import TemplateError

        try:
            context = self._compiled.new_context(dict(values))
            return "".join(self._compiled.blocks[block](context)).strip("\n")
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            known = ", ".join(sorted(values))
            raise UsageError(f"template {self.name}, block '{block}': {error} (it may use: {known})") from error


def builtin_templates() -> dict[str, Path]:
    """The prompts that ship with us: name → file."""
    folder = Path(str(resources.files("prompts")))
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def template_path(name: str) -> Path:
    """Where a template lies, by the name of ours or by the path of yours."""
    builtin = builtin_templates()
    if name in builtin:
        return builtin[name]
    path = Path(name).expanduser()
    if path.is_file():
        return path
    raise UsageError(f"no template '{name}': give a file, or one of {', '.join(builtin)} (see 'factory prompts show')")


def load_template(name: str) -> Template:
    """Read and compile a template; a syntax error or a missing block raises ``UsageError`` with its line."""
    from jinja2 import StrictUndefined, TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    path = template_path(name)
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the template {path}: {error}") from error
    # Prompts are plain text for a model: HTML escaping would change the documents.
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False
    )
    try:
        constants = _constants(environment.parse(source), path)
        compiled = environment.from_string(source)
    except TemplateSyntaxError as error:
        raise UsageError(f"template {path}, line {error.lineno}: {error.message}") from error
    missing = [block for block in ("system", "user") if block not in compiled.blocks]
    if missing:
        raise UsageError(
            f"template {path} has no block '{missing[0]}': write {{% block {missing[0]} %}}…{{% endblock %}}"
        )
    return Template(path.stem, hashlib.sha256(source.encode()).hexdigest(), constants, compiled)


def _constants(tree: Any, path: Path) -> TemplateConstants:  # noqa: ANN401 - jinja2's syntax tree, imported lazily
    """Read the ``{% set name = constant %}`` lines at the top level of a template."""
    from jinja2 import nodes

    found: dict[str, Any] = {}
    defaults = TemplateConstants()
    known = {field.name: type(getattr(defaults, field.name)) for field in fields(TemplateConstants)}
    for node in tree.body:
        if isinstance(node, nodes.Assign) and isinstance(node.target, nodes.Name) and node.target.name in known:
            name = node.target.name
            value: Any = node.node.as_const() if isinstance(node.node, nodes.Const) else None
            if type(value) is not known[name]:
                raise UsageError(
                    f"template {path}, line {node.lineno}: {name} must be a constant {known[name].__name__}"
                )
            if value is not False and value < 1:
                raise UsageError(f"template {path}, line {node.lineno}: {name} must be at least 1")
            found[name] = value
    return TemplateConstants(**found)
