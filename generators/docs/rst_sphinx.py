"""Sphinx's directives for docutils, read for their text: reStructuredText source -> docutils tree.

docutils knows a few dozen directives and reports every other as an error. Here each directive, known or not, becomes
a ``SphinxNode`` that carries its name, argument, options and parsed content; roles are in ``rst_roles.py``. Nothing
is included, executed or fetched: a directive that names a file keeps the name only.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Directive, Parser, directives, roles
from docutils.parsers.rst.directives.misc import Replace, Unicode
from docutils.parsers.rst.directives.tables import CSVTable, ListTable, RSTTable
from docutils.parsers.rst.states import Inliner
from docutils.statemachine import StringList
from docutils.utils import new_document

from generators.docs.rst_roles import text_role

ADMONITIONS: Mapping[str, str] = {
    "attention": "Attention",
    "caution": "Caution",
    "danger": "Danger",
    "error": "Error",
    "hint": "Hint",
    "important": "Important",
    "note": "Note",
    "seealso": "See also",
    "tip": "Tip",
    "todo": "Todo",
    "warning": "Warning",
}
VERSIONS: Mapping[str, str] = {
    "versionadded": "Added in version",
    "version-added": "Added in version",
    "versionchanged": "Changed in version",
    "version-changed": "Changed in version",
    "deprecated": "Deprecated since version",
    "version-deprecated": "Deprecated since version",
    "deprecated-removed": "Deprecated since version",
    "versionremoved": "Removed in version",
    "version-removed": "Removed in version",
}
# Directive name -> what it is to a reader of the built page; the names that no table can list are in `_kind`.
_KINDS: Mapping[str, str] = {
    name: kind
    for kind, names in {
        # Navigation, settings and text for machines, which no reader of the built page sees.
        "dropped": "toctree contents include raw index meta sectnum header footer target-notes tabularcolumns "
        "testsetup testcleanup currentmodule py:currentmodule program default-domain date",
        # Preformatted text, and drawings whose source is all that can be read.
        "literal": "code code-block code-tab sourcecode parsed-literal prompt console terminal testcode testoutput "
        "doctest productionlist mermaid graphviz digraph graph uml plantuml plot ipython jinja math",
        "object": "function method classmethod staticmethod exception data attribute property decorator "
        "decoratormethod type describe object option cmdoption envvar confval",
        # Containers whose argument stands above the content.
        "labelled": "tab tab-item group-tab md-tab-item tabbed dropdown collapse details card grid-item-card topic "
        "sidebar centered",
        "container": "container compound only ifconfig tabs tab-set grid rst-class cssclass epigraph highlights "
        "pull-quote line-block hlist acks",
        "admonition": " ".join((*ADMONITIONS, "admonition")),
        "version": " ".join(VERSIONS),
        "file": "literalinclude",
        "module": "module",
        "names": "autosummary",
        **{kind: kind for kind in ("default-role", "figure", "glossary", "highlight", "role", "rubric", "title")},
    }.items()
    for name in names.split()
}
_WITHOUT_ARGUMENT = frozenset((*ADMONITIONS, "epigraph", "glossary", "highlights", "line-block", "pull-quote"))
_OPTION = re.compile(r":([^:\s`][^:`]*):(?=\s|$)\s*(.*)")
_SIGNATURE = re.compile(r"[\w.:/@$<>{}+-]+(\s*\(.*\))?")


class SphinxNode(nodes.General, nodes.Element):
    """One directive: a title child where the argument is text, then the parsed content.

    Attributes:
        kind: What the directive is to a reader, a value of ``_KINDS``.
        name: The directive's name in lower case, such as ``py:function``.
        argument: The text between the name and the options.
        options: The options as they stand.
        content: The content's lines as they stand, without their common indentation.
    """

    kind: str
    name: str
    argument: str
    options: Mapping[str, str]
    content: str


class _AnyDirective(Directive):
    """Any directive: docutils hands over all of it as content, and we tell argument, options and content apart."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Make the node; see ``SphinxNode``."""
        node, lines, offset = _split(self)
        match node.kind:
            case "dropped" | "highlight" | "title" | "literal":
                return [node]
            case "role" | "default-role":
                self._define_role(node)
                return [node]
            case "glossary":
                node += _glossary(self, lines, offset)
                return [node]
            case "object":
                node += self._facts(node)
            case "labelled" | "rubric" | "admonition":
                node += self._inline(nodes.title, node.argument)
            case "version":
                node.argument, *text = node.argument.split(None, 1) or [""]
                node += self._inline(nodes.paragraph, "".join(text))
        node += _parse_content(self, lines, offset)
        return [node]

    def _define_role(self, node: SphinxNode) -> None:
        """``role:: name(base)`` gives the role a base, ``default-role`` gives the nameless role one."""
        custom_roles = self.state.document.settings.custom_roles
        if node.kind == "default-role":
            custom_roles[""] = node.argument.lower()
        else:
            name, _, base = node.argument.lower().replace(" ", "").partition("(")
            custom_roles[name] = base.rstrip(")") or "inline"

    def _facts(self, node: SphinxNode) -> list[nodes.Node]:
        """What an object's options say to a reader, as one paragraph."""
        lines: list[nodes.Node] = []
        for name in ("type", "value", "default", "required", "choices"):
            if text := node.options.get(name):
                found, _ = self.state.inline_text(text, self.lineno)
                is_plain = all(isinstance(part, nodes.Text) for part in found)
                value = [nodes.literal(text, text)] if is_plain else found
                lines += [nodes.Text(("\n" if lines else "") + f"{name.capitalize()}: "), *value]
        return [nodes.paragraph("", "", *lines)] if lines else []

    def _inline(self, kind: type[nodes.TextElement], text: str) -> list[nodes.Node]:
        if not text:
            return []
        children, _ = self.state.inline_text(text, self.lineno)
        return [kind(text, "", *children)]


class _Image(_AnyDirective):
    """An image, inline, so that it may stand in a substitution; its alternative text is all that can be read."""

    def run(self) -> list[nodes.Node]:
        """A linked image is nearly always a badge, whose text is only its name."""
        options = _split(self)[0].options
        image = nodes.image(self.block_text, alt="" if "target" in options else options.get("alt", ""))
        image.line = self.lineno
        return [image]


class _AnyOption(dict[str, Any]):
    """An option table that takes every option as text, except those it has a converter for."""

    def __missing__(self, key: str) -> Callable[[str | None], str]:
        return lambda value: value or ""


_TABLE_OPTIONS = {"widths": lambda _: "auto", "class": lambda _: [], "align": lambda _: "left"}


class _Table(RSTTable):
    option_spec = _AnyOption(_TABLE_OPTIONS)


class _ListTable(ListTable):
    option_spec = _AnyOption(ListTable.option_spec | _TABLE_OPTIONS)


class _CSVTable(CSVTable):
    option_spec = _AnyOption(CSVTable.option_spec | _TABLE_OPTIONS)

    def run(self) -> list[nodes.Node]:  # type: ignore[override]
        """A table from its own lines; one from a file or an address is named, never read."""
        source = self.options.get("file") or self.options.get("url")
        if not source:
            return list(super().run())
        node = SphinxNode(self.block_text)
        node.kind, node.name, node.argument, node.options, node.content = "file", self.name, source, {}, ""
        node.line = self.lineno
        return [node]


_CLASSES: Mapping[str, type[Directive]] = {
    "csv-table": _CSVTable,
    "flat-table": _ListTable,
    "image": _Image,
    "list-table": _ListTable,
    "replace": Replace,
    "table": _Table,
    "unicode": Unicode,
}


def parse(text: str) -> nodes.document:
    """Parse a whole document; docutils' complaints stay in the tree, and nothing is printed.

    Raises:
        RecursionError: The source is nested deeper than docutils can follow.
    """
    settings = get_default_settings(Parser)
    settings.report_level = settings.halt_level = 5
    settings.warning_stream = ""
    settings.file_insertion_enabled = settings.raw_enabled = False
    settings.line_length_limit = 1_000_000
    settings.custom_roles = {}
    document = new_document("document", settings)
    inliner = Inliner()
    # Bare addresses stay text: nothing is to be linked here, and docutils recurses over each of them.
    inliner.implicit_inline = lambda text, lineno: [nodes.Text(text)] if text else []  # type: ignore[method-assign]  # noqa: ARG005
    with _sphinx_vocabulary():
        Parser(inliner=inliner).parse(text, document)
    return document


@contextmanager
def _sphinx_vocabulary() -> Iterator[None]:
    """Have docutils ask us for directives and roles. Sphinx itself replaces these functions: there is no other way."""
    before = directives.directive, roles.role
    directives.directive = lambda name, *_: (_CLASSES.get(name.lower(), _AnyDirective), [])
    roles.role = lambda *_: (text_role, [])  # type: ignore[assignment]
    try:
        yield
    finally:
        directives.directive, roles.role = before


def _split(directive: Directive) -> tuple[SphinxNode, StringList, int]:
    """A directive's node, as yet without children, and its content with the offset of its first line.

    The argument stands on the directive's own line and on those right below; then come options, up to a blank line.
    Text that follows the options at once is content, though docutils would refuse it.
    """
    lines, offset = directive.content, directive.content_offset
    lines.disconnect()
    node = SphinxNode(directive.block_text)
    node.line, node.name = directive.lineno, directive.name.lower()
    has_head = offset <= directive.lineno  # else a blank line stands below the directive's own
    head = next((at for at, line in enumerate(lines) if not line.strip()), len(lines)) if has_head else 0
    start = next((at for at in range(head) if _OPTION.match(lines[at])), head)
    end = next((at for at in range(start, head) if not _OPTION.match(lines[at]) and lines[at][:1] != " "), head)
    argument = start
    if _KINDS.get(node.name) == "literal":
        argument = int(bool(start) and offset < directive.lineno)
    elif node.name in _WITHOUT_ARGUMENT:
        argument = 0
    node.argument = "\n".join(lines[:argument])
    node.options = _options(lines[start:end])
    for at in range(start, end):
        lines[at] = ""
    content = lines[argument:]
    node.content = "\n".join(content).strip("\n")
    node.kind = _KINDS.get(node.name) or _kind(node)
    return node, content, offset + argument


def _options(lines: Iterable[str]) -> dict[str, str]:
    """``:name: value`` lines, and lines that continue them."""
    options: dict[str, str] = {}
    name = ""
    for line in lines:
        if match := _OPTION.match(line):
            name = match[1].lower()
            options[name] = match[2].strip()
        else:
            options[name] = f"{options[name]} {line.strip()}".strip()
    return options


def _kind(node: SphinxNode) -> str:
    """Guess what a directive is that no table lists: other extensions' and a project's own."""
    if node.name == "class":  # Sphinx's, which has a signature, or docutils', which has style names
        return "object" if re.search(r"[A-Z(.]", node.argument) else "container"
    if ":" in node.name:
        return "module" if node.name.endswith(("module", "namespace")) else "object"
    if node.name.startswith("auto") or (node.content and _SIGNATURE.fullmatch(node.argument)):
        return "object"
    return "labelled" if node.content or len(node.argument.split()) > 2 else "container"


def _parse_content(directive: Directive, lines: StringList, offset: int) -> list[nodes.Node]:
    """Parse a directive's content, in which sections may stand at any level, as in a document of its own."""
    holder = nodes.Element()
    memo = directive.state.memo
    outside = memo.title_styles, memo.section_level
    memo.title_styles, memo.section_level = [], 0
    try:
        directive.state.nested_parse(lines, offset, holder, match_titles=True)
    finally:
        memo.title_styles, memo.section_level = outside
    return list(holder.children)


def _glossary(directive: Directive, lines: StringList, offset: int) -> nodes.definition_list:
    """A definition list in which several terms, a line each, may share a definition."""
    found = nodes.definition_list()
    start = 0
    while start < len(lines):
        body = next((at for at in range(start, len(lines)) if lines[at][:1] in ("", " ")), len(lines))
        end = next((at for at in range(body, len(lines)) if lines[at][:1] not in ("", " ")), len(lines))
        terms = [line.partition(" : ")[0].strip() for line in lines[start:body] if not line.startswith("..")]
        children, _ = directive.state.inline_text(", ".join(terms), directive.lineno)
        definition = lines[body:end]
        definition.trim_left(min((len(line) - len(line.lstrip()) for line in definition if line.strip()), default=0))
        item = nodes.definition_list_item("", nodes.term("", "", *children))
        item.line = offset + start + 1
        item += nodes.definition("", *_parse_content(directive, definition, offset + body))
        if terms:
            found += item
        start = end
    return found
