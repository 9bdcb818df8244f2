"""Block-level nodes of a docutils tree, written as compact Markdown: what a person and a small model read best."""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from docutils import nodes
from docutils.utils import Reporter

from generators.docs import marks
from generators.docs.rst_inline import InlineWriter
from generators.docs.rst_signatures import signatures
from generators.docs.rst_sphinx import ADMONITIONS, VERSIONS, SphinxNode
from generators.docs.rst_tables import rows_of, spread

_FIELD_NAMES: Mapping[str, str] = {
    alias: name
    for name, aliases in {
        "Parameter": "param parameter arg argument key keyword kwarg kwparam",
        "Type of": "type paramtype vartype",
        "Raises": "raises raise except exception throws",
        "Returns": "returns return",
        "Return type": "rtype",
        "Variable": "var ivar cvar",
        "Query parameter": "query queryparameter queryparam qparam",
        "Form field": "form formparameter formparam fparam",
        "Request header": "reqheader requestheader <header",
        "Response header": "resheader responseheader >header",
        "Request JSON": "reqjson reqjsonobj reqjsonarr <json <jsonobj <jsonarr jsonparameter jsonparam",
        "Response JSON": "resjson resjsonobj resjsonarr >json >jsonobj >jsonarr",
        "Status": "statuscode status code",
    }.items()
    for alias in aliases.split()
}
# Directives that say by their name what language their content is in.
_LANGUAGES: Mapping[str, str] = {
    "console": "console",
    "digraph": "dot",
    "doctest": "pycon",
    "graph": "dot",
    "graphviz": "dot",
    "ipython": "python",
    "mermaid": "mermaid",
    "plantuml": "plantuml",
    "plot": "python",
    "terminal": "console",
    "testcode": "python",
    "testoutput": "",
    "productionlist": "",
    "uml": "plantuml",
}


def list_item(marker: str, text: str) -> str:
    """A list item whose further lines stand below the text of its first."""
    return f"{marker} " + marks.indented(text, " " * (len(marker) + 1))


def unparsed(complaint: nodes.system_message) -> list[str]:
    """The pieces of source that are nowhere else in the tree: an error leaves them out, a mere warning does not."""
    is_error = complaint["level"] >= Reporter.ERROR_LEVEL
    return [child.astext() for child in complaint.children if is_error and isinstance(child, nodes.literal_block)]


class MarkdownWriter:
    """Writes the nodes of one document.

    Attributes:
        inline: Writes what is within a line.
        language: Of code blocks that do not name theirs; the ``highlight`` directive sets it.
    """

    def __init__(self, document: nodes.document) -> None:
        self.inline = InlineWriter(document)
        self.language = ""

    def block(self, node: nodes.Node) -> str:
        """Any node that stands on its own, with all that is in it; empty if a reader sees nothing of it."""
        write = _BLOCKS.get(type(node))
        return write(self, node).strip("\n") if write else ""

    def blocks(self, found: Iterable[nodes.Node]) -> str:
        """Several nodes, a blank line between each."""
        return "\n\n".join(text for text in map(self.block, found) if text.strip())

    def items(self, node: nodes.Element) -> Iterator[tuple[nodes.Element, str]]:
        """The items of a list of any kind, with the text of each."""
        write = _ITEMS[type(node)]
        for index, child in enumerate(node.children):
            if isinstance(child, nodes.Element) and (text := write(self, child, index)):
                yield child, text

    def split_title(self, node: nodes.Element) -> tuple[str, list[nodes.Node]]:
        """A node's title without markup, empty if it has none, and its other children."""
        first = node.children[0] if node.children else None
        if isinstance(first, nodes.title):
            return self.inline.plain(first), list(node.children[1:])
        return "", list(node.children)

    def text(self, node: nodes.Element) -> str:
        """A paragraph or another node that holds text."""
        return self.inline.write(node)

    def code(self, node: nodes.Element) -> str:
        """Preformatted text in a fence."""
        if isinstance(node, nodes.doctest_block):
            return marks.fence(node.astext(), "pycon")
        if not isinstance(node, SphinxNode):
            return marks.fence(node.astext(), self.language)
        if node.name == "math":
            return "\n".join(part for part in ("$$", node.argument, node.content, "$$") if part)
        argument = (node.argument.split() or [self.language])[0]
        return marks.fence(node.content, _LANGUAGES.get(node.name, argument)) if node.content.strip() else ""

    def admonition(self, node: SphinxNode) -> str:
        """``**Note:** text``, with all of its body."""
        title, body = self.split_title(node)
        label = title or ADMONITIONS.get(node.name) or f"{VERSIONS.get(node.name, '')} {node.argument}".strip()
        text = self.blocks(body)
        if text:
            return f"**{label}:** {text}"
        return f"{label}." if node.kind == "version" else ""

    def directive(self, node: SphinxNode) -> str:
        """A directive within another block, where it opens no section of its own."""
        match node.kind:
            case "dropped" | "title" | "highlight":
                return ""
            case "literal":
                return self.code(node)
            case "admonition" | "version":
                return self.admonition(node)
            case "file":
                return f"File: {marks.code(node.argument)}"
            case "object":
                title, body = "\n".join(map(marks.code, signatures(node))), list(node.children)
            case _:
                title, body = self.split_title(node)
                title = title and f"**{title}**"
        return "\n\n".join(part for part in (title, self.blocks(body)) if part)

    def list_of(self, node: nodes.Element) -> str:
        """A whole list, its items close together unless one of them has several paragraphs."""
        texts = [text for _, text in self.items(node)]
        return ("\n\n" if any("\n\n" in text for text in texts) else "\n").join(texts)

    def nested(self, node: nodes.Element) -> str:
        """A node that only holds others."""
        return self.blocks(node.children)

    def titled(self, node: nodes.Element) -> str:
        """A section within another block."""
        title, body = self.split_title(node)
        return "\n\n".join(part for part in (f"**{title}**", self.blocks(body)) if part)

    def lines(self, node: nodes.Element) -> str:
        """A line block: line breaks and indentation are kept."""
        return "\n".join(
            textwrap.indent(self.lines(child), "  ") if isinstance(child, nodes.line_block) else self.text(child)
            for child in node.children
            if isinstance(child, nodes.Element)
        )

    def note(self, node: nodes.Element) -> str:
        """A footnote or citation, with its label."""
        label = node.children[0].astext() if node.children and isinstance(node.children[0], nodes.label) else ""
        text = self.blocks(node.children[1:] if label else node.children)
        return f"[{label}] {text}" if label else text

    def complaint(self, node: nodes.system_message) -> str:
        """The source that docutils could not parse, as it stands: nothing of a document is lost to its mistakes."""
        return "\n\n".join(marks.fence(source, "") for source in unparsed(node))

    def table(self, node: nodes.table) -> str:
        """A pipe table; a cell that spans rows is repeated, one that spans columns is followed by empty ones."""
        head = [self._cells(row) for row in rows_of(node, nodes.thead)]
        body = [self._cells(row) for row in rows_of(node, nodes.tbody)]
        grid = spread([*head, *body])
        width = max((len(row) for row in grid), default=0)
        if not width:
            return ""
        lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in grid]
        rule = "|" + " --- |" * width
        heads = max(1, len(head))
        return "\n".join([*lines[:heads], rule, *lines[heads:]] if head else ["|" + "  |" * width, rule, *lines])

    def _cells(self, row: nodes.Element) -> list[tuple[str, int, int]]:
        """The cells of a row: text, further rows, further columns."""
        return [
            (self._cell(entry), entry.get("morerows", 0), entry.get("morecols", 0))
            for entry in row.children
            if isinstance(entry, nodes.entry)
        ]

    def _cell(self, entry: nodes.Element) -> str:
        """A cell's text on one line; blocks and lines that matter are parted by ``<br>``."""
        parts: list[str] = []
        for child in entry.children:
            if isinstance(child, nodes.literal_block | nodes.doctest_block):
                parts += [marks.code(line) for line in child.astext().splitlines() if line.strip()]
            elif isinstance(child, nodes.paragraph):
                parts.append(" ".join(self.text(child).split()))
            else:
                parts += [line.rstrip() for line in self.block(child).splitlines() if line.strip()]
        return "<br>".join(part for part in parts if part).replace("|", "\\|")

    def bullet(self, item: nodes.Element, _index: int) -> str:
        """``- text``."""
        text = self.blocks(item.children)
        return list_item("-", text) if text else ""

    def enumerated(self, item: nodes.Element, index: int) -> str:
        """``1. text``; letters and Roman numerals become numbers too, as Markdown knows no others."""
        text = self.blocks(item.children)
        parent = item.parent
        number = index + (parent.get("start", 1) if parent is not None else 1)
        return list_item(f"{number}.", text) if text else ""

    def definition(self, item: nodes.Element, _index: int) -> str:
        """``- **term** (classifier): definition``."""
        terms = [self.text(child) for child in item.children if isinstance(child, nodes.term)]
        classes = [self.text(child) for child in item.children if isinstance(child, nodes.classifier)]
        body = self.blocks(child for child in item.children if isinstance(child, nodes.definition))
        return _labelled_item(", ".join(terms), ", ".join(classes), body)

    def field(self, item: nodes.Element, _index: int) -> str:
        """``- Parameter `x` (int): text`` for the fields of API descriptions, ``- **name**: text`` for others."""
        name, body = item.children
        assert isinstance(name, nodes.Element)
        word, *arguments = name.astext().split() or [""]
        text = self.block(body)
        label = _FIELD_NAMES.get(word)
        if label is None:
            return _labelled_item(self.inline.write(name), "", text)
        kind = " ".join(arguments[:-1]) if label in ("Parameter", "Variable") or "JSON" in label else ""
        named = " ".join(arguments[-1:] if kind else arguments)
        return _labelled_item(f"{label} {marks.code(named)}" if named else label, kind, text, bold=False)

    def option(self, item: nodes.Element, _index: int) -> str:
        """``- `-a, --all`: text``."""
        group, description = item.children
        options = ", ".join(option.astext() for option in group.children)
        return _labelled_item(marks.code(options), "", self.block(description))


def _labelled_item(label: str, note: str, body: str, *, bold: bool = True) -> str:
    label = f"**{label}**" if bold and not re.search(r"[`*\[]", label) else label
    head = f"{label} ({note})" if note else label
    return list_item("-", f"{head}: {body}" if body else head)


_BLOCKS: Mapping[type[nodes.Node], Callable[[MarkdownWriter, Any], str]] = {
    SphinxNode: MarkdownWriter.directive,
    nodes.attribution: MarkdownWriter.text,
    nodes.block_quote: MarkdownWriter.nested,
    nodes.bullet_list: MarkdownWriter.list_of,
    nodes.citation: MarkdownWriter.note,
    nodes.definition: MarkdownWriter.nested,
    nodes.definition_list: MarkdownWriter.list_of,
    nodes.description: MarkdownWriter.nested,
    nodes.doctest_block: MarkdownWriter.code,
    nodes.enumerated_list: MarkdownWriter.list_of,
    nodes.field_body: MarkdownWriter.nested,
    nodes.field_list: MarkdownWriter.list_of,
    nodes.footnote: MarkdownWriter.note,
    nodes.image: lambda _, node: str(node["alt"]),
    nodes.line_block: MarkdownWriter.lines,
    nodes.literal_block: MarkdownWriter.code,
    nodes.option_list: MarkdownWriter.list_of,
    nodes.paragraph: MarkdownWriter.text,
    nodes.section: MarkdownWriter.titled,
    nodes.system_message: MarkdownWriter.complaint,
    nodes.table: MarkdownWriter.table,
}
_ITEMS: Mapping[type[nodes.Element], Callable[[MarkdownWriter, nodes.Element, int], str]] = {
    nodes.bullet_list: MarkdownWriter.bullet,
    nodes.definition_list: MarkdownWriter.definition,
    nodes.enumerated_list: MarkdownWriter.enumerated,
    nodes.field_list: MarkdownWriter.field,
    nodes.option_list: MarkdownWriter.option,
}
