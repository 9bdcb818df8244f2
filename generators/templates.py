"""Prompts as Jinja templates in a sandbox: a name or a path, and values ─▶ the messages of a request.

Documents are values, never template text; an undefined variable is an error. A template sets its constants at its top
(how many facts and wordings to ask for, whether quotes are bound to statements) and has the blocks ``system`` and
``user``.
"""

import hashlib
from collections.abc import Mapping, Set
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from traceback import walk_tb
from typing import Any

from generators.errors import UsageError

SUFFIX = ".jinja"
BLOCKS = ("system", "user")
# What a template may use; ``generators.qa`` fills them in.
VALUES = frozenset({"sections", "names", "facts", "wordings", "kinds", "product", "slot"})
# What a slip in a template's expressions may raise, besides jinja2's own errors.
_SLIPS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)


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
        """Fill in the values: (system text, user text). A missing variable raises ``UsageError`` with its line."""
        from jinja2 import TemplateError

        try:
            context = self._compiled.new_context(dict(values))
            self._run_top_level(context)
            system, user = ("".join(self._compiled.blocks[block](context)).strip("\n") for block in BLOCKS)
        except (TemplateError, *_SLIPS) as error:
            raise UsageError(f"template {self.name}, line {self._line(error)}: {error or 'too deep'}") from error
        return system, user

    def _run_top_level(self, context: Any) -> None:  # noqa: ANN401 - a context of jinja2, imported lazily
        """Define what the template sets at its top, for its blocks to use; the blocks themselves are not run yet."""
        blocks = context.blocks
        context.blocks = {name: [lambda _: ()] for name in blocks}
        for _ in self._compiled.root_render_func(context):
            pass
        context.blocks = blocks

    def _line(self, error: BaseException) -> int:
        """The template's line that an error comes from; the last one, since it may pass through several."""
        lines = [
            self._compiled.get_corresponding_lineno(line)
            for frame, line in walk_tb(error.__traceback__)
            if frame.f_code.co_filename == "<template>"
        ]
        return lines[-1] if lines else 1


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


def load_template(name: str, values: Set[str] = VALUES) -> Template:
    """Read and compile a template.

    Args:
        name: Of ours, or the path of yours.
        values: The names that it may use; those of prompts that ask for pairs, if not given.

    Raises:
        UsageError: No such template; a syntax error, an unknown variable or a missing block, with its line.
    """
    from jinja2 import StrictUndefined, TemplateSyntaxError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    path = template_path(name)
    try:
        source = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the template {path}: {error}") from error
    # Prompts are plain text for a model: HTML escaping would change the documents.
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False
    )
    try:
        tree = environment.parse(source)
        _check(tree, path, values, {*environment.globals})
        constants = _constants(tree, path)
        compiled = environment.from_string(source)
    except TemplateSyntaxError as error:
        raise UsageError(f"template {path}, line {error.lineno}: {error.message}") from error
    except RecursionError as error:
        raise UsageError(f"template {path} is nested too deeply") from error
    return Template(path.stem, hashlib.sha256(source.encode()).hexdigest(), constants, compiled)


def _check(tree: Any, path: Path, values: Set[str], built_in: Set[str]) -> None:  # noqa: ANN401 - jinja2's syntax tree
    """Find what would fail at the first request, before anything is spent."""
    from jinja2 import meta, nodes

    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        raise UsageError(f"template {path}, line {node.lineno}: a prompt is one file; it cannot include others")
    found = {block.name for block in tree.find_all(nodes.Block)}
    for block in BLOCKS:
        if block not in found:
            raise UsageError(f"template {path} has no block '{block}': write {{% block {block} %}}…{{% endblock %}}")
    assigned = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
    assigned |= {macro.name for macro in tree.find_all(nodes.Macro)}
    unknown = meta.find_undeclared_variables(tree) - values - built_in - assigned
    for name in tree.find_all(nodes.Name):
        if name.name in unknown:
            given = ", ".join(sorted(values))
            raise UsageError(f"template {path}, line {name.lineno}: unknown variable '{name.name}'; there are {given}")


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
