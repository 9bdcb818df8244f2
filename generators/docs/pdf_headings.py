"""Which lines of a PDF are headings, and how deep: by its bookmarks, and by type that is larger than the text's."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from generators.docs.pdf_lines import Line

# A heading's type is this much larger than the text's, its lines are few and short, and such type is rare.
_LARGER = 1.12
_MOST_LINES = 3
_LONGEST = 120
_SHORT = 30
_GREATEST_SHARE = 0.2
_SECTION_NUMBER = re.compile(
    r"((chapter|appendix|part|section)\s+\w+|\d+(\.\d+)*|[A-Z](\.\d+)*)[.:]?\s+(?=\S)", re.IGNORECASE
)
_NUMBERED_TITLE = re.compile(r"(\d+(?:\.\d+)*)\.?\s+[A-Z].*[^.,;:]")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of the outline: its title, the index of its page, its depth from 1."""

    title: str
    page: int
    level: int


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that stands on ``lines`` lines from the one it is found at."""

    text: str
    level: int
    lines: int


def text_size(lines: Sequence[Line]) -> float:
    """The type size that most text is in; short lines, as in drawings and tables, count only if there are no others."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text) * (1_000 if len(line.text) >= _SHORT else 1)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def find_headings(lines: Sequence[Line], bookmarks: Sequence[Bookmark]) -> dict[int, Heading]:
    """Headings by the index of their first line."""
    found = dict(_bookmarked(lines, bookmarks))
    runs = [run for run in _large_runs(lines) if run[0] not in found]
    if found:  # on a title page, only the title is a heading; its other large type is names and dates
        first = min(found)
        title = max((lines[start].size for start, _ in runs if start < first), default=0.0)
        runs = [run for run in runs if run[0] > first or lines[run[0]].size == title]
    levels = _levels(lines, found, runs)
    for start, count in runs:
        found[start] = Heading(_joined(lines[start : start + count]), levels[_class(lines[start])], count)
    if not bookmarks:
        deepest = max((heading.level for heading in found.values()), default=0)
        found.update(_numbered(lines, found, deepest))
    return found


def largest_on_first_page(lines: Sequence[Line]) -> str:
    """The text in the largest type of the first page, where that is larger than the document's text."""
    first = [line for line in lines if line.page == lines[0].page]
    largest = max((line.size for line in first), default=0.0)
    text = _joined([line for line in first if line.size == largest])
    return text if largest >= _LARGER * text_size(lines) and len(text) <= _LONGEST else ""


def _bookmarked(lines: Sequence[Line], bookmarks: Sequence[Bookmark]) -> Iterator[tuple[int, Heading]]:
    """Find each bookmark's title on its page, or on the next if a page break came between."""
    by_page: dict[int, list[int]] = {}
    for index, line in enumerate(lines):
        by_page.setdefault(line.page, []).append(index)
    taken: set[int] = set()
    for bookmark in bookmarks:
        places = by_page.get(bookmark.page, []) + by_page.get(bookmark.page + 1, [])
        matches = [(at, count) for at in places if at not in taken and (count := _matched(lines, at, bookmark.title))]
        if matches:
            start, count = max(matches, key=lambda match: (lines[match[0]].size, -match[0]))
            taken.update(range(start, start + count))
            text = _joined(lines[start : start + count])
            yield start, Heading(text, min(bookmark.level, 6), count)


def _matched(lines: Sequence[Line], start: int, title: str) -> int:
    """How many lines from ``start`` together say the title, with or without its number; 0 if they do not."""
    wanted = {_letters(title), _letters(_SECTION_NUMBER.sub("", title, count=1))} - {""}
    for count in range(1, _MOST_LINES + 1):
        text = _joined(lines[start : start + count])
        if len(text) > len(title) + 30:
            return 0
        if {_letters(text), _letters(_SECTION_NUMBER.sub("", text, count=1))} & wanted:
            return count
    return 0


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def _large_runs(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Runs of lines in large type that read like headings: start and number of lines."""
    body = text_size(lines)
    shares: Counter[float] = Counter()
    for line in lines:
        shares[line.size] += len(line.text)
    common = {size for size, share in shares.items() if share > _GREATEST_SHARE * shares.total()}
    large = {at for at, line in enumerate(lines) if line.size >= _LARGER * body and not line.fixed_width}
    large -= {at for at in large if lines[at].size in common}
    runs: list[tuple[int, int]] = []
    for index in sorted(large):
        start, count = runs[-1] if runs else (0, 0)
        if runs and start + count == index and _continues(lines[index - 1], lines[index]):
            runs[-1] = (start, count + 1)
        else:
            runs.append((index, 1))
    return [run for run in runs if run[1] <= _MOST_LINES and _reads_like_a_title(_joined(lines[run[0] : sum(run)]))]


def _continues(before: Line, line: Line) -> bool:
    near = before.page == line.page and 0 <= before.y - line.y <= 1.5 * line.size
    return near and _class(before) == _class(line) and not _NUMBERED_TITLE.match(line.text.strip())


def _reads_like_a_title(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    return letters >= 2 and letters >= len(text) / 3 and len(text) <= _LONGEST and not text.endswith((".", ",", ";"))


def _class(line: Line) -> tuple[int, bool]:
    return round(line.size), line.bold


def _levels(
    lines: Sequence[Line], found: Mapping[int, Heading], runs: Sequence[tuple[int, int]]
) -> dict[tuple[int, bool], int]:
    """The level of each kind of large type: below the larger kinds, and as the bookmarks have it where they do."""
    known: dict[tuple[int, bool], int] = {}
    for start, heading in found.items():
        kind = _class(lines[start])
        known[kind] = min(heading.level, known.get(kind, 6))
    levels: dict[tuple[int, bool], int] = {}
    deepest = 0
    for kind in sorted({*known, *(_class(lines[start]) for start, _ in runs)}, reverse=True):
        deepest = levels[kind] = known.get(kind, min(deepest + 1, 6))
    return levels


def _numbered(lines: Sequence[Line], found: Mapping[int, Heading], above: int) -> Iterator[tuple[int, Heading]]:
    """Bold lines in the text's own size that stand alone and begin with a section number."""
    for index, line in enumerate(lines):
        match = _NUMBERED_TITLE.fullmatch(line.text.strip())
        alone = index + 1 == len(lines) or not lines[index + 1].bold
        if match and line.bold and alone and index not in found and len(line.text) <= _LONGEST:
            yield index, Heading(_joined([line]), min(above + 1 + match[1].count("."), 6), 1)


def _joined(lines: Sequence[Line]) -> str:
    return " ".join(" ".join(line.text for line in lines).split())
