"""The content of a page -> blocks, in reading order and without recursion.

Elements are walked as they open and close. What is kept whole (a list item, a note, a quotation) collects its pieces
until it closes. Pages that leave end tags out nest their elements oddly: an item that opens closes its neighbour.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from bs4 import Tag

from generators.docs.html_chrome import attribute, classes, is_admonition, is_dropped, is_text, shown_strings
from generators.docs.html_code import code_in
from generators.docs.html_frames import HEADINGS, PageBlocks
from generators.docs.html_names import BLOCK_TAGS
from generators.docs.html_signatures import Signature, has_signatures, signature
from generators.docs.html_tables import caption, grid_table, pipe_table
from generators.docs.marks import fence
from generators.records import Block

_LISTS = ("ul", "ol", "menu", "dir")
MAX_TITLE = 120


@dataclass(slots=True)
class _List:
    """A list that is open; for ``dl``, the terms that wait for their definition."""

    tag: Tag
    number: int | None = None
    terms: list[str] = field(default_factory=list)
    signature_level: int = 0
    signatures: list[Signature] = field(default_factory=list)
    has_named: bool = False


class Walker:
    """Collects the blocks of a page."""

    def __init__(self, roots: list[Tag]) -> None:
        self._page = PageBlocks()
        self._lists: list[_List] = []
        self._tabs: list[str] = []
        self._with_headings = _ancestors_of_headings(roots)
        self._openers: dict[str, Callable[[Tag], bool]] = {
            **dict.fromkeys(HEADINGS, self._open_heading),
            **dict.fromkeys(_LISTS, self._open_list),
            "dl": self._open_definitions,
            "li": self._open_item,
            "dt": self._open_term,
            "dd": self._open_definition,
            "table": self._open_table,
            "blockquote": lambda tag: self._page.open_frame("quote", tag),
            "img": self._take_image,
            "math": self._take_formula,
            "br": self._take_break,
            "td": self._open_cell,
            "th": self._open_cell,
            "summary": self._open_summary,
        }

    def walk(self, root: Tag) -> None:
        """Walk one element."""
        waiting: list[tuple[object, bool]] = [(root, False)]
        while waiting:
            node, is_left = waiting.pop()
            if is_text(node):
                self._page.inline.add(str(node))
            elif not isinstance(node, Tag):
                continue
            elif is_left:
                self._leave(node)
            elif node is root or not is_dropped(node):
                self._page.inline.line = node.sourceline or self._page.inline.line
                if self._enter(node):
                    waiting.append((node, True))
                    waiting.extend((child, False) for child in reversed(node.contents))
        self._page.flush()

    def blocks(self) -> tuple[Block, ...]:
        """All blocks of the elements that were walked."""
        return self._page.blocks()

    # Opening: each returns whether to go on with what is inside.

    def _enter(self, tag: Tag) -> bool:
        found = code_in(tag)
        if found is not None:
            return self._take_code(found)
        if attribute(tag, "role") in ("tablist", "tabpanel"):
            return self._open_tabs(tag)
        if tag.name in self._openers:
            return self._openers[tag.name](tag)
        if "summary-table" in classes(tag):
            return self._take_grid(tag)
        if is_admonition(tag):
            return self._page.open_frame("admonition", tag)
        if attribute(tag, "role") == "heading":
            return self._open_heading(tag)
        if tag.name in BLOCK_TAGS:
            self._page.flush()
        elif self._page.heading is None:
            self._page.inline.open_mark(tag)
        return True

    def _open_heading(self, tag: Tag) -> bool:
        self._page.finish_heading()
        self._page.flush()
        self._page.heading = tag
        return True

    def _open_list(self, tag: Tag) -> bool:
        self._page.finish_heading()
        self._page.flush()
        start = attribute(tag, "start")
        number = int(start) if start.isascii() and start.isdecimal() else 1
        self._lists.append(_List(tag, min(number, 9999) if tag.name == "ol" else None))
        return True

    def _open_item(self, tag: Tag) -> bool:
        self._page.flush()
        if not self._lists or id(tag) in self._with_headings:
            return True
        self._close_neighbour()
        owner = self._lists[-1]
        marker = "- " if owner.number is None else f"{owner.number}. "
        if owner.number is not None:
            owner.number += 1
        return self._page.open_frame("item", tag, len(self._lists), marker)

    def _open_definitions(self, tag: Tag) -> bool:
        self._page.finish_heading()
        self._page.flush()
        above = next((own.signature_level for own in reversed(self._lists) if own.signature_level), 0)
        level = min((above or self._page.outline.level) + 1, 6) if has_signatures(tag) else 0
        self._lists.append(_List(tag, signature_level=level))
        return True

    def _open_term(self, tag: Tag) -> bool:
        self._page.flush()
        owner = self._lists[-1] if self._lists else None
        self._close_neighbour()
        if owner is not None and owner.signature_level:
            found = signature(tag, owner.tag, self._page.inline.line)
            owner.signatures += [found] if found.text else []
            return False
        return owner is None or self._page.open_frame("term", tag, len(self._lists))

    def _open_definition(self, tag: Tag) -> bool:
        self._page.flush()
        owner = self._lists[-1] if self._lists else None
        self._close_neighbour()
        if owner is None or owner.signature_level:
            if owner is not None:
                self._finish_signatures(owner)
            return True
        terms, owner.terms = ", ".join(owner.terms), []
        if id(tag) in self._with_headings:
            if terms:
                self._page.emit(Block("prose", terms, self._page.inline.line, self._page.inline.line))
            return True
        return self._page.open_frame("item", tag, len(self._lists), "- ", f"{terms}: " if terms else "")

    def _open_table(self, tag: Tag) -> bool:
        self._page.finish_heading()
        self._page.flush()
        table = None if self._is_in_icon_note() else pipe_table(tag)
        if table is None:
            return True
        line = self._page.inline.line
        last = max((row.sourceline or line for row in tag.find_all(True)), default=line)
        if caption(tag):
            self._page.emit(Block("prose", f"{caption(tag).rstrip(':.')}:", line, line))
        self._page.emit(Block("table", table, line, last))
        return False

    def _open_cell(self, _: Tag) -> bool:
        """A cell of a table that is only layout: what stands beside each other stays on one line."""
        self._page.inline.add(" ")
        return True

    def _is_in_icon_note(self) -> bool:
        """Asciidoctor lays out a note as a table of icon and text."""
        tag = self._page.frames[-1].tag
        return tag is not None and "admonitionblock" in classes(tag)

    def _open_summary(self, tag: Tag) -> bool:
        self._page.flush()
        if id(tag) not in self._with_headings:
            self._page.inline.open_mark(tag)
        return True

    def _open_tabs(self, tag: Tag) -> bool:
        """The names on a tab bar stand before the panels that they open."""
        self._page.flush()
        if attribute(tag, "role") == "tablist":
            tabs = tag.find_all(True, attrs={"role": "tab"})
            self._tabs = [" ".join("".join(shown_strings(tab)).split()) for tab in tabs if isinstance(tab, Tag)]
            return False
        if self._tabs:
            self._page.emit(Block("prose", f"{self._tabs.pop(0)}:", self._page.inline.line, self._page.inline.line))
        return True

    # Taking: elements that are written at once.

    def _take_code(self, pieces: list[tuple[str, str]]) -> bool:
        self._page.finish_heading()
        self._page.flush()
        for text, language in pieces:
            first = self._page.inline.line
            self._page.inline.line += text.count("\n")
            if text.strip():
                self._page.emit(Block("code", fence(text, language), first, self._page.inline.line))
        return False

    def _take_grid(self, tag: Tag) -> bool:
        """Javadoc lays out its summaries as a grid of ``div``."""
        self._page.flush()
        table = grid_table(tag)
        if table:
            last = max((cell.sourceline or 0 for cell in tag.find_all(True)), default=0)
            self._page.emit(Block("table", table, self._page.inline.line, max(last, self._page.inline.line)))
        return not table

    def _finish_signatures(self, owner: _List) -> None:
        """A documented name: a heading, and all its forms as code."""
        if not owner.signatures:
            return
        found, owner.signatures = owner.signatures, []
        titles = list(dict.fromkeys(one.title for one in found))
        title = titles[0] if sum(map(len, titles)) > MAX_TITLE else ", ".join(titles)
        line = found[0].line
        if self._page.is_at_top:
            self._page.emit(Block("heading", title, line, line, level=owner.signature_level))
            owner.has_named = True
        text = "\n".join(one.text for one in found)
        self._page.emit(Block("code", fence(text, found[0].language), line, found[-1].line))

    def _take_image(self, tag: Tag) -> bool:
        self._page.inline.add(attribute(tag, "alt"))
        return False

    def _take_formula(self, tag: Tag) -> bool:
        source = tag.find("annotation", attrs={"encoding": "application/x-tex"})
        text = source.get_text() if isinstance(source, Tag) else attribute(tag, "alttext")
        if text:
            self._page.inline.add(f"${text.strip()}$")
        return not text

    def _take_break(self, _: Tag) -> bool:
        self._page.inline.add_break()
        return False

    # Closing.

    def _leave(self, tag: Tag) -> None:
        if tag is self._page.heading:
            self._page.finish_heading()
        self._page.inline.close_mark(tag)
        if tag.name in BLOCK_TAGS or tag.name in _LISTS or tag.name == "summary":
            self._page.flush()
        if any(frame.tag is tag for frame in self._page.frames):
            self._page.flush()
            while self._page.frames[-1].tag is not tag:
                self._close_frame()
            self._close_frame()
        if self._lists and self._lists[-1].tag is tag:
            self._close_list(self._lists.pop())

    def _close_list(self, closed: _List) -> None:
        self._finish_signatures(closed)
        for term in closed.terms:
            self._page.emit(Block("list_item", f"- {term}", self._page.inline.line, self._page.inline.line))
        if closed.has_named and self._page.is_at_top:
            self._page.outline.leave(closed.signature_level)

    def _close_frame(self) -> None:
        term = self._page.close_frame()
        if term and self._lists:
            self._lists[-1].terms.append(term)

    def _close_neighbour(self) -> None:
        """An item or term ends where the next one of the same list begins, whether or not the page says so."""
        while self._page.frames[-1].kind in ("item", "term") and self._page.frames[-1].depth == len(self._lists):
            self._close_frame()


def _ancestors_of_headings(roots: list[Tag]) -> set[int]:
    """Elements that hold headings: a list item or definition among them only lays out sections."""
    found: set[int] = set()
    for root in roots:
        for heading in root.find_all(HEADINGS):
            for parent in heading.parents:
                if id(parent) in found:
                    break
                found.add(id(parent))
    return found
