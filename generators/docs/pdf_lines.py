"""The lines of a PDF's pages, with what shows their role: place, type size, and whether the font is fixed-width.

    pypdf's page ─▶ fragments of text, one a font change ─▶ Line, Line, …

Running headers, footers and page numbers are taken out: they are on most pages, at the same height, and say nothing.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import hypot
from typing import Any

from pypdf import PageObject
from pypdf.generic import DictionaryObject

_FIXED_WIDTH = re.compile(
    r"mono(?!type)|courier|consol|typewriter|cmtt|cmsltt|menlo|inconsolata|terminal|fixed|nimbusmon|sourcecode", re.I
)
_BOLD = re.compile(r"bold|black|heavy|cmbx|demi|-medi", re.I)
# Ligatures to letters, a hard space to a space, control characters to nothing.
_LETTERS = str.maketrans(
    dict.fromkeys(map(chr, (*range(9), *range(11, 32))))
    | {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ft", "ﬆ": "st", "\xa0": " "}
)
_PAGE_NUMBER = re.compile(r"\W*(page\s*)?([0-9]{1,5}|[ivxlc]{1,7})(\s*(of|/)\s*[0-9]{1,5})?\W*", re.I)
_OUTER_NUMBER = re.compile(r"^([0-9]+|[ivxlc]+)\b|\b([0-9]+|[ivxlc]+)$")
_BULLET = re.compile(r"[\W\ue000-\uf8ff]{1,3}|\(?\w{1,2}[.)]?")
_FIXED_PITCH_FLAG = 1
# Lines this near to each other in height (points) stand on the same line.
_SAME_HEIGHT = 3.0
# Running lines are at one of so many of the greatest and of the least heights of a page; of a short page, fewer.
_EDGE = 3
_FEWEST_PAGES = 3
# Parts of one line differ in height by no more than this share of the type size.
_BESIDE = 0.3
_FEWEST_LETTERS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page.

    Attributes:
        text: Without the line end; leading spaces as in the PDF.
        page: Index of the page, from 0.
        x: Where it starts, in points from the left.
        y: Height of its baseline, in points from the bottom.
        size: Type size in points, of the longest part.
        fixed_width: All of it is in a fixed-width font.
        bold: All of it is in a bold font.
        advance: Width of a character in points, for fixed-width lines.
        cells: The texts that the PDF writes apart from each other on this line, if it is a row of such.
    """

    text: str
    page: int
    x: float
    y: float
    size: float
    fixed_width: bool
    bold: bool
    advance: float
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Font:
    fixed_width: bool
    bold: bool
    advance: float  # of a character, as a share of the type size


@dataclass(slots=True)
class _Fragment:
    text: str
    x: float
    y: float
    size: float
    font: _Font


class LineReader:
    """Reads the lines of one page after another; remembers the fonts, which pages share."""

    def __init__(self) -> None:
        self._fonts: dict[int, _Font] = {}
        self._kept: list[DictionaryObject] = []  # an id is unique only as long as its object lives

    def lines(self, page: PageObject, index: int) -> list[Line]:
        """The lines of a page in the order in which the PDF writes them, which nearly always is reading order."""
        found: list[Line] = []
        row: list[_Fragment] = []
        for fragment in self._fragments(page):
            parts = fragment.text.split("\n")
            for number, part in enumerate(parts):
                if number:
                    found += _line(row, index)
                    row = []
                if part:
                    row.append(replace(fragment, text=part))
        return found + _line(row, index)

    def _fragments(self, page: PageObject) -> list[_Fragment]:
        fragments: list[_Fragment] = []

        def visit(text: str, cm: list[float], tm: list[float], font: DictionaryObject | None, size: float) -> None:
            if not text:
                return
            x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
            y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
            scale = hypot(tm[2] * cm[0] + tm[3] * cm[2], tm[2] * cm[1] + tm[3] * cm[3])
            fragments.append(_Fragment(text.translate(_LETTERS), x, y, abs(size) * scale, self._font(font)))

        page.extract_text(visitor_text=visit)
        return fragments

    def _font(self, resource: DictionaryObject | None) -> _Font:
        if resource is None:
            return _Font(fixed_width=False, bold=False, advance=0.6)
        if id(resource) not in self._fonts:
            self._fonts[id(resource)] = _describe(resource)
            self._kept.append(resource)
        return self._fonts[id(resource)]


def _describe(resource: DictionaryObject) -> _Font:
    """What a font's name and flags tell of it."""
    name = str(resource.get("/BaseFont", "")).rpartition("+")[2]
    descriptor: Any = resource.get("/FontDescriptor")
    descriptor = descriptor.get_object() if descriptor is not None else {}
    flags = descriptor.get("/Flags", 0) if isinstance(descriptor, DictionaryObject) else 0
    flagged = isinstance(flags, int) and bool(flags & _FIXED_PITCH_FLAG)
    widths: Any = resource.get("/Widths")
    known = [w for w in (widths.get_object() if widths is not None else []) if isinstance(w, int | float) and w > 0]
    return _Font(
        fixed_width=flagged or bool(_FIXED_WIDTH.search(name)),
        bold=bool(_BOLD.search(name)),
        advance=float(Counter(known).most_common(1)[0][0]) / 1000 if known else 0.6,
    )


def _line(row: Sequence[_Fragment], page: int) -> list[Line]:
    """Join the fragments of a line; none or spaces alone make no line."""
    seen = [fragment for fragment in row if fragment.text.strip()]
    if not seen:
        return []
    longest = max(seen, key=lambda fragment: len(fragment.text.strip()))
    return [
        Line(
            text="".join(fragment.text for fragment in row).rstrip(),
            page=page,
            x=row[0].x,
            y=longest.y,
            size=round(longest.size, 1),
            fixed_width=all(fragment.font.fixed_width for fragment in seen),
            bold=all(fragment.font.bold for fragment in seen),
            advance=longest.font.advance * longest.size,
        )
    ]


def without_running_lines(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Take out headers and footers: what is at one height at the edge of many pages, or counts the pages."""
    edges = [line for lines in pages for line in _edges(lines)]
    running = _repeated(edges, len(pages)) | _counting(edges)
    kept = [[line for line in lines if line not in running] for lines in pages]
    return kept if any(kept) else [list(lines) for lines in pages]


def _edges(lines: Sequence[Line]) -> list[Line]:
    heights = sorted({_height(line) for line in lines})
    depth = min(_EDGE, max(1, len(heights) // 3))
    outer = {*heights[:depth], *heights[-depth:]}
    return [line for line in lines if _height(line) in outer]


def _repeated(edges: Iterable[Line], pages: int) -> set[Line]:
    """Lines that say the same, page numbers aside, at one height on three pages or more and on a fifth of all."""
    groups: defaultdict[tuple[str, int], list[Line]] = defaultdict(list)
    for line in edges:
        if sum(map(str.isalpha, line.text)) >= _FEWEST_LETTERS:
            groups[_OUTER_NUMBER.sub("", line.text.strip().casefold()), _height(line)].append(line)
    enough = max(_FEWEST_PAGES, pages / 5)
    return {line for lines in groups.values() if len({line.page for line in lines}) >= enough for line in lines}


def _counting(edges: Iterable[Line]) -> set[Line]:
    """Lines with the page's number: at one height, it differs from the page's index by the same on most pages."""
    heights: defaultdict[int, list[Line]] = defaultdict(list)
    for line in edges:
        heights[_height(line)].append(line)
    found: set[Line] = set()
    for lines in heights.values():
        numbered = [line for line in lines if _offsets(line)]
        offsets = Counter(offset for line in numbered for offset in _offsets(line))
        offset, count = offsets.most_common(1)[0] if offsets else (0, 0)
        bare = all(_PAGE_NUMBER.fullmatch(line.text) for line in numbered)
        if count >= (2 if bare else _FEWEST_PAGES) and count > len(numbered) / 2:
            found |= {line for line in lines if offset in _offsets(line) or _PAGE_NUMBER.fullmatch(line.text)}
    return found


def _offsets(line: Line) -> set[int]:
    """How far the first and the last number of a line are from its page's index."""
    numbers = re.findall(r"\d{1,5}", line.text)
    return {int(number) - line.page for number in numbers[:1] + numbers[-1:]}


def _height(line: Line) -> int:
    return round(line.y / _SAME_HEIGHT)


def join_rows(lines: Iterable[Line]) -> list[Line]:
    """Put together what a PDF writes apart on one line: a bullet and its text, or the cells of a table's row."""
    rows: list[list[Line]] = []
    for line in lines:
        before = rows[-1][-1] if rows else None
        beside = before and before.page == line.page and abs(before.y - line.y) <= _BESIDE * line.size
        if before and beside and line.x > before.x:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_row(row) for row in rows]


def _row(lines: Sequence[Line]) -> Line:
    """One line of what stands side by side; a bullet is no cell of its own."""
    if len(lines) == 1:
        return lines[0]
    cells = [" ".join(line.text.split()) for line in lines]
    if _BULLET.fullmatch(cells[0]):
        cells[:2] = [f"{cells[0]} {cells[1]}"]
    longest = max(lines, key=lambda line: len(line.text))
    return replace(longest, text="  ".join(cells), x=lines[0].x, cells=tuple(cells) if len(cells) > 1 else ())
