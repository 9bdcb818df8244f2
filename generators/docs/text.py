"""Plain text -> blocks: paragraphs, list items, and headings where they are unmistakable.

    Title            3.2  Numbered title         NAME
    =====                 (an RFC's)                 (a manual page's)

Left out: rules made of punctuation, and the footers and headers around the form feeds of a paged text (RFCs).
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from generators.docs.parsed import Parsed, decode_text
from generators.records import Block

_MAX_TITLE = 80  # characters
_RULE_CHARACTERS = frozenset("=-~^*+#\"'`:._")
_BULLET = re.compile(r"([ \t]*)(?:[-*+•o]|\d{1,3}[.)]|[a-z][.)])[ \t]+\S")
_NUMBERED = re.compile(
    r"(?:Appendix |Chapter |Section |Part )?(?P<number>\d{1,3}(?:\.\d{1,3})*|[A-Z](?:\.\d{1,3})+|(?<=Appendix )[A-Z])"
    r"[.:)]?[ \t]+(?P<title>[^\W\d_a-z].*)"
)
_PAGE_FOOTER = re.compile(r".*\[Page \d+\]\s*")
_PAGE_HEADER = re.compile(r"\S.*\S {3,}\S.*(?:19|20)\d\d\s*")


def read(data: bytes, name: str) -> Parsed:
    """Read a plain text file.

    Raises:
        UnreadableDocumentError: ``undecodable`` or ``binary``.
    """
    lines = decode_text(data, name).split("\n")
    _blank_page_breaks(lines)
    return Parsed("", tuple(_blocks(lines)))


def _blank_page_breaks(lines: list[str]) -> None:
    """Empty the lines around each form feed that a page repeats, so that line numbers stay true."""
    for number, line in enumerate(lines):
        if "\f" not in line:
            continue
        lines[number] = line.replace("\f", "")
        for near, pattern in (
            (range(number - 1, number - 4, -1), _PAGE_FOOTER),
            (range(number, number + 4), _PAGE_HEADER),
        ):
            found = next((at for at in near if 0 <= at < len(lines) and lines[at].strip()), None)
            if found is not None and pattern.fullmatch(lines[found]):
                lines[found] = ""


def _blocks(lines: list[str]) -> Iterator[Block]:
    underlines: list[str] = []  # kinds of underlines in the order met: the first kind is the top level
    paragraphs = list(_paragraphs(lines))
    for (first, last), (following, _) in pairwise([*paragraphs, (len(lines), len(lines))]):
        below = lines[following] if following < len(lines) else ""
        while first < last:
            heading = _underlined(lines, first, last, underlines)
            if heading is None:
                alone = last - first == 1
                under = below if alone else lines[first + 1]
                level = _plain_level(lines[first].rstrip(), under, alone=alone, capitals_level=1 + bool(underlines))
                if not level:
                    break
                heading = Block("heading", lines[first].rstrip(), first + 1, first + 1, level)
            yield heading
            first = heading.last_line
        yield from _content(lines, first, last)


def _paragraphs(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Runs of lines that are not blank: index of the first, index behind the last."""
    start = None
    for number, line in enumerate([*lines, ""]):
        if line.strip():
            start = number if start is None else start
        elif start is not None:
            yield start, number
            start = None


def _underlined(lines: list[str], first: int, last: int, underlines: list[str]) -> Block | None:
    """A title above a line of one punctuation character, perhaps below one, too."""
    over = _rule(lines[first])
    title = first + 1 if over else first
    if title + 1 >= last or len(lines[title].strip()) > _MAX_TITLE:
        return None
    under = _rule(lines[title + 1])
    text = lines[title].strip()
    if not under or not any(letter.isalnum() for letter in text) or (over and over[0] != under[0]):
        return None
    if len(under) < len(text) - 2 or (not over and lines[title][0].isspace()):
        return None
    kind = under[0] * (2 if over else 1)
    if kind not in underlines:
        underlines.append(kind)
    return Block("heading", text, first + 1, title + 2, min(underlines.index(kind) + 1, 6))


def _rule(line: str) -> str:
    """The line, if it is one punctuation character three times or more, else nothing."""
    rule = line.rstrip()
    return rule if rule[:1] in _RULE_CHARACTERS and len(rule) > 2 and rule == rule[0] * len(rule) else ""


def _plain_level(text: str, under: str, *, alone: bool, capitals_level: int) -> int:
    """Level of a title that has nothing but its numbers or its capitals to show for it; 0 for any other line."""
    if text[:1].isspace() or len(text) > _MAX_TITLE or text.endswith(tuple(".,;:!?")) or ". ." in text or ".." in text:
        return 0
    indented = under[:1].isspace()
    if alone and (level := _number_level(text, under, indented=indented)):
        return level
    letters = sum(map(str.isalpha, text))
    stands_out = indented or (alone and letters > 3 and bool(under))
    return capitals_level if text.isupper() and letters >= 3 and stands_out else 0


def _number_level(text: str, under: str, *, indented: bool) -> int:
    """Depth of a numbered title, or 0. "1. Do this" may be a list: it takes an indented text or 1.1 below it."""
    match = _NUMBERED.match(text)
    if not match:
        return 0
    depth = match["number"].count(".") + 1
    deeper = _NUMBERED.match(under)
    opens = deeper is not None and deeper["number"].startswith(match["number"] + ".")
    return min(depth, 6) if depth > 1 or indented or opens else 0


def _content(lines: list[str], first: int, last: int) -> Iterator[Block]:
    while first < last and _rule(lines[first].strip()):
        first += 1
    if first == last:
        return
    bullet = _BULLET.match(lines[first])
    starts = [first]
    if bullet:
        starts = [at for at in range(first, last) if (found := _BULLET.match(lines[at])) and found[1] == bullet[1]]
    for start, end in pairwise([*starts, last]):
        text = "\n".join(lines[start:end]).rstrip()
        yield Block("list_item" if bullet else "prose", text, start + 1, end)
