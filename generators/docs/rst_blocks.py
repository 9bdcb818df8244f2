"""A docutils tree cut into blocks, in reading order and with the lines that they stand on."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from docutils import nodes

from generators.docs import marks
from generators.docs.rst_markdown import MarkdownWriter, list_item, unparsed
from generators.docs.rst_signatures import short_signature, signature_language, signatures
from generators.docs.rst_sphinx import SphinxNode
from generators.records import Block, BlockKind

# Fields at the top of a document that are for tools and bookkeeping; a reader asks nothing about them.
_METADATA = re.compile(
    "title|orphan|tocdepth|no-?comments|no-?search|authors?|organization|address|date|revision|copyright|dedication"
    "|keywords|og:.*"
)
_UNSEEN = (nodes.comment, nodes.target, nodes.substitution_definition, nodes.transition, nodes.pending)
_LISTS = (nodes.bullet_list, nodes.definition_list, nodes.enumerated_list, nodes.field_list, nodes.option_list)
_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*\s*")


@dataclass(slots=True)
class _Draft:
    """A block whose last line is not known until the next one is found."""

    kind: BlockKind
    text: str
    first_line: int
    level: int = 0


@dataclass(slots=True)
class _Scope:
    """What content belongs to: a heading, if there is one, and how deep it stands."""

    level: int
    heading: _Draft | None = None


class BlockWalker:
    """Walks one document; ``title`` and ``blocks()`` are what it found.

    A heading in the middle of a section (a function's signature, say) takes all that follows it. Where the section
    goes on after the function's description, the section's own heading is given again.

    Attributes:
        title: The document's title: its metadata's, else its one top-level heading.
    """

    def __init__(self, document: nodes.document, lines: list[str]) -> None:
        self.title = ""
        self._lines = lines
        self._writer = MarkdownWriter(document)
        self._drafts: list[_Draft] = []
        self._starts: list[int] = []  # of everything that was met, shown or not
        self._open: _Draft | None = None
        self._walk(document.children, _Scope(0))
        self.title = self.title or self._only_title(document)

    def _only_title(self, document: nodes.document) -> str:
        """The title of the one section that holds everything, if there is such a section."""
        sections = sum(isinstance(child, nodes.section) for child in document.children)
        first = self._drafts[0] if self._drafts else None
        return first.text if first and first.kind == "heading" and sections == 1 else ""

    def blocks(self) -> tuple[Block, ...]:
        """The blocks; each ends before whatever starts next."""
        starts = sorted(set(self._starts))
        return tuple(
            Block(draft.kind, draft.text, draft.first_line, self._last_line(draft, starts), draft.level)
            for draft in self._drafts
        )

    def _last_line(self, draft: _Draft, starts: list[int]) -> int:
        following = bisect_right(starts, draft.first_line)
        last = starts[following] - 1 if following < len(starts) else len(self._lines)
        while last > draft.first_line and not self._lines[last - 1].strip():
            last -= 1
        return max(last, draft.first_line)

    def _walk(self, children: Iterable[nodes.Node], scope: _Scope) -> None:
        for node in children:
            self._visit(node, scope)

    def _visit(self, node: nodes.Node, scope: _Scope) -> None:
        line = self._start(node)
        match node:
            case nodes.section():
                self._section(node, scope, line)
            case SphinxNode():
                self._directive(node, scope, line)
            case nodes.block_quote():
                self._walk(node.children, scope)
            case _ if isinstance(node, _LISTS):
                self._list(node, scope, line)
            case nodes.literal_block() | nodes.doctest_block():
                self._add("code", self._writer.code(node), line, scope)
            case nodes.table():
                self._table(node, scope, line)
            case nodes.system_message():
                self._complaint(node, scope, line)
            case _ if not isinstance(node, _UNSEEN):
                self._add("prose", self._writer.block(node), line, scope)

    def _start(self, node: nodes.Node, default: int = 0) -> int:
        """The line where a node starts, which also ends whatever stands before it."""
        found = _line(node) or default or (self._starts or [1])[-1]
        found = min(max(found, 1), max(len(self._lines), 1))
        if isinstance(node, nodes.section):
            found = self._title_start(found)
        if isinstance(node, nodes.comment):  # docutils gives a line within the comment, or the one after it
            before = self._starts[-1] if self._starts else 0
            found = next((at for at in range(found, before, -1) if self._lines[at - 1].lstrip()[:2] == ".."), found)
        self._starts.append(found)
        return found

    def _title_start(self, line: int) -> int:
        """From the line of a title's text or underline to that of its first line, which may be an overline."""
        if line > 1 and _ADORNMENT.fullmatch(self._lines[line - 1]):
            line -= 1
        return line - 1 if line > 1 and _ADORNMENT.fullmatch(self._lines[line - 2]) else line

    def _add(self, kind: BlockKind, text: str, line: int, scope: _Scope) -> None:
        if not text.strip():
            return
        if scope.heading is not None and scope.heading is not self._open:
            self._heading(scope.heading.text, line, scope, scope.heading.level)
        self._drafts.append(_Draft(kind, text.strip("\n"), line))

    def _heading(self, text: str, line: int, scope: _Scope, level: int) -> None:
        """Open a section for what the scope holds from here on."""
        self._open = scope.heading = _Draft("heading", text, line, min(max(level, 1), 6))
        self._drafts.append(self._open)

    def _section(self, node: nodes.section, scope: _Scope, line: int) -> None:
        title, body = self._writer.split_title(node)
        inner = _Scope(scope.level + 1, scope.heading)
        if title:
            self._heading(title, line, inner, inner.level)
        self._walk(body, inner)

    def _directive(self, node: SphinxNode, scope: _Scope, line: int) -> None:
        match node.kind:
            case "object":
                self._object(node, scope, line)
            case "rubric" if title := self._writer.split_title(node)[0]:
                self._heading(title, line, scope, scope.level + 1)
            case "literal":
                self._literal(node, scope, line)
            case "admonition" | "version":
                self._add("admonition", self._writer.admonition(node), line, scope)
            case "highlight":
                self._writer.language = node.argument.partition(" ")[0]
            case "title":
                self.title = node.argument
            case _:
                self._add("prose", self._label(node), line, scope)
                self._walk(self._writer.split_title(node)[1], scope)

    def _object(self, node: SphinxNode, scope: _Scope, line: int) -> None:
        """A described object (function, endpoint, option): a section of its own, if anything is said of it.

        Its signatures stand in the text too: defaults and types are facts, and a heading cannot be quoted.
        """
        names = signatures(node)
        is_auto = node.name.startswith("auto")  # what it describes stands in source code that is not here
        inner = _Scope(scope.level + 1, scope.heading)
        before, opened = len(self._drafts), self._open
        if names:
            self._heading(short_signature(names[0]), line, inner, inner.level)
            if not is_auto:
                self._signatures(node, names, line, inner)
        named = len(self._drafts)
        self._walk(node.children, inner)
        if len(self._drafts) == named:
            del self._drafts[before:]
            self._open = opened
            if not is_auto:
                self._signatures(node, names, line, scope)

    def _signatures(self, node: SphinxNode, names: list[str], line: int, scope: _Scope) -> None:
        if any("(" in name for name in names) and not node.name.startswith("http:"):
            self._add("code", marks.fence("\n".join(names), signature_language(node)), line, scope)
        else:
            self._add("prose", "\n".join(map(marks.code, names)), line, scope)

    def _literal(self, node: SphinxNode, scope: _Scope, line: int) -> None:
        label = node.options.get("caption", "")
        if node.name == "code-tab":
            label = node.argument.partition(" ")[2] or label
        self._add("prose", label and f"**{label}**", line, scope)
        self._add("code", self._writer.code(node), line, scope)

    def _label(self, node: SphinxNode) -> str:
        """What stands above a container's content, for those that have such a line."""
        match node.kind:
            case "labelled":
                title = self._writer.split_title(node)[0]
                return title and f"**{title}**"
            case "file":
                caption = node.options.get("caption", "")
                return f"{caption or 'File'}: {marks.code(node.argument)}"
            case "module" if "synopsis" in node.options:
                return f"{marks.code(node.argument)}: {node.options['synopsis']}"
            case "names":
                names = [line.strip().lstrip("~") for line in node.content.splitlines()]
                return "\n".join(list_item("-", marks.code(name)) for name in names if name and name[0] != ":")
        return ""

    def _table(self, node: nodes.table, scope: _Scope, line: int) -> None:
        title, _ = self._writer.split_title(node)
        self._add("prose", title and f"**{title}**", line, scope)
        self._add("table", self._writer.table(node), line, scope)

    def _complaint(self, node: nodes.system_message, scope: _Scope, line: int) -> None:
        """What docutils could not parse: a title at a level that it did not expect, or a block to keep as it is."""
        sources = unparsed(node)
        lines = sources[0].strip().splitlines() if sources else []
        if 2 <= len(lines) <= 3 and _ADORNMENT.fullmatch(lines[-1]):
            self._heading(lines[-2].strip(), line, scope, scope.level + 1)
        else:
            self._add("code", self._writer.complaint(node), line, scope)

    def _list(self, node: nodes.Element, scope: _Scope, line: int) -> None:
        """Each item is a block. A field list that stands first is the document's metadata, some of it for tools."""
        is_metadata = isinstance(node, nodes.field_list) and all(draft.kind == "heading" for draft in self._drafts)
        for item, text in self._writer.items(node):
            at = self._start(item, line)
            name = item.children[0].astext().lower() if is_metadata else ""
            if name == "title":
                self.title = item.children[1].astext()
            if not _METADATA.fullmatch(name):
                self._add("list_item", text, at, scope)


def _line(node: nodes.Node) -> int:
    """The line that docutils gives a node or the first part of it that has one; 0 if none has."""
    if isinstance(node, nodes.system_message) and "line" in node:
        return int(node["line"])
    if isinstance(node, nodes.Element) and not node.line:
        return next((int(part.line) for part in node.findall() if part.line), 0)
    return int(node.line or 0)
