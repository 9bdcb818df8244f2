"""Secrets in tables: their names are at the top of the column or at the beginning of the row.

    | environment | api_key              |
    |-------------|----------------------|
    | prod        | 9f8e7d6c5b4a3f2e1d0c | ─▶ Finding("api_key", …)

The tables of all readers are written so. What stands under such a title is often a description or the name of a
parameter; so a cell is only looked at if it is one word, and must look more like a secret than after ``=``.
"""

import re
from collections.abc import Iterator, Sequence

from generators.detectors.guesses import is_code
from generators.detectors.secret_names import LOOSE, PROSE, SETTING, WORDS, Place, is_secret, kind_of_name
from generators.finding import Finding
from generators.unescaped import as_read

# The line below the titles.
_RULE = re.compile(r"^[ \t>]{0,12}\|?[ \t]{0,40}:?-{1,400}:?[ \t]{0,40}\|[-:| \t]*$", re.MULTILINE)
_CELL = re.compile(r"(?:[^|\\]|\\.)*")
_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_MARKS = " \t\r`*\"'"
_SHORTEST, _LONGEST = 6, 400


def find_table_secrets(text: str) -> Iterator[Finding]:
    """Find the cells that the title of their column, or the first cell of their row, gives away."""
    first = _RULE.search(text) if "|" in text else None
    if first is None:
        return
    before, kinds = "", list[str]()
    in_table = False
    for line in _LINE.finditer(text, text.rfind("\n", 0, max(first.start() - 1, 0)) + 1):
        row = line[0].removesuffix("\n")
        if "|" not in row:
            in_table = False
        elif in_table:
            yield from _in_row(text, line.start(), line.start() + len(row), kinds)
        elif "|" in before and _RULE.match(row):
            in_table, kinds = True, _kinds(before)
        before = row


def _kinds(titles: str) -> list[str]:
    """Of each column what its title names; empty for nothing private."""
    lowered = titles.lower()
    if not any(word in lowered for word in WORDS):
        return []
    return [kind_of_name(titles[start:end]) for start, end in _cells(titles, 0, len(titles))]


def _in_row(text: str, start: int, end: int, kinds: Sequence[str]) -> Iterator[Finding]:
    cells = _cells(text, start, end)
    named = kind_of_name(text[slice(*cells[0])]) if cells else ""
    for column, (first, last) in enumerate(cells):
        titled = kinds[column] if column < len(kinds) else ""
        value = text[first:last]
        for kind, place in ((titled, SETTING if titled == "key" else PROSE), (named if column else "", LOOSE)):
            if kind and _is_value(value, kind, place):
                yield Finding("api_key" if kind == "key" else kind, first, last)
                break


def _is_value(cell: str, kind: str, place: Place) -> bool:
    if not _SHORTEST <= len(cell) <= _LONGEST or " " in cell:
        return False
    value = as_read(cell)
    return not is_code(value) and is_secret(value, kind, place)


def _cells(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Where the cells of a row stand, without the marks around them."""
    spans, at = list[tuple[int, int]](), start
    if text[start:end].lstrip(" \t>").startswith("|"):
        at = text.index("|", start) + 1
    while at < end:
        found = _CELL.match(text, at, end)
        stop = found.end() if found else end
        cell = text[at:stop]
        first = at + len(cell) - len(cell.lstrip(_MARKS))
        spans.append((first, max(first, at + len(cell.rstrip(_MARKS)))))
        at = max(stop, at) + 1
    return spans
