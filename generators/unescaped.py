r"""A text as its reader sees it: without the marks that writers put between the letters of a word.

    unescaped(r"key: ghp\_16C7…").text ─▶ "key: ghp_16C7…";   .span(5, 41) ─▶ (5, 42), where it stands in the original

Converters write ``ghp\_16C7`` for ``ghp_16C7``, addresses ``jo%40acme.io``, pages ``gh<b>p_16C7</b>``, East Asian
texts ``＠`` for ``@``. What is private is looked for in both, and what is replaced is what stands in the
original. Only lines with such marks are here, each with those that follow it; so most texts cost next to nothing.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

_MARK = re.compile(
    r"[\\%&*<\uff01-\uff5e\ufe6b](?:"  # the class lets the engine skip what cannot be a mark
    r"(?<=\\)[!-/:-@\[-`{-~]"
    # A slash or a space in the password of "://user:p%2Fq@host" is none.
    r"|(?<=%)(?!2[Ff0][^\s/@\"'<>]{0,100}@)[2-7][0-9A-Fa-f]"
    r"|(?<=&)(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});"
    r"|(?<=<)/?(?:a|abbr|b|bdi|big|code|em|font|i|ins|kbd|mark|s|samp|small|span|strong|sub|sup|tt|u|wbr)"
    r"(?:\s[^<>]{0,200})?/?>"
    r"|(?<=[\uff01-\uff5e\ufe6b])"
    r"|(?<=[^*\s]\*)\*{0,2}(?!\*)|(?<=(?<!\*)\*)\*{0,2}(?=[^\s*]))"
)
_LINES_AFTER = 4  # a name's value may stand in the lines below it
_SEAM = "\n\n\n"  # between lines that are not neighbours: nothing is to be read across it


@dataclass(frozen=True, slots=True)
class Unescaped:
    """What a reader sees, and where it stands in the original.

    Attributes:
        text: The lines with marks, without their marks.
        offsets: Where in ``text`` each piece begins: a run of letters, or one letter that a mark stands for.
        origins: Where in the original each piece begins.
        widths: How many letters of the original a mark has; 0 for a run.
    """

    text: str
    offsets: list[int]
    origins: list[int]
    widths: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of ``text[start:end]``, which must not be empty."""
        first, last = (bisect_right(self.offsets, place) - 1 for place in (start, end - 1))
        stop = self.origins[last] + (self.widths[last] or end - self.offsets[last])
        return self.origins[first] + (0 if self.widths[first] else start - self.offsets[first]), stop


def unescaped(text: str) -> Unescaped | None:
    """The lines of a text that hold marks, as they are read; ``None`` if there are none."""
    pieces, offsets, origins, widths = list[str](), list[int](), list[int](), list[int]()
    length = 0
    for origin, width, piece in _pieces(text):
        pieces.append(piece)
        offsets.append(length)
        origins.append(origin)
        widths.append(width)
        length += len(piece)
    return Unescaped("".join(pieces), offsets, origins, widths) if pieces else None


def as_read(value: str) -> str:
    """A value without marks: what is written in two ways is one value."""
    return _MARK.sub(lambda found: _letter(found[0]), value)


def _pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """Where in the text each piece begins, its width if it is a mark, and what is read there."""
    at = end = -1
    for mark in _MARK.finditer(text):
        letter = _letter(mark[0])
        if letter == mark[0]:
            continue
        if mark.start() >= end:
            if end >= 0:
                yield at, 0, text[at:end] + _SEAM
            at, end = text.rfind("\n", max(end, 0), mark.start()) + 1 or max(end, 0), _end_of_lines(text, mark.end())
        if at < mark.start():
            yield at, 0, text[at : mark.start()]
        if letter:
            yield mark.start(), mark.end() - mark.start(), letter
        at = mark.end()
        end = max(end, at)
    if end >= 0:
        yield at, 0, text[at:end]


def _end_of_lines(text: str, at: int) -> int:
    for _ in range(_LINES_AFTER):
        line_end = text.find("\n", at)
        if line_end < 0:
            return len(text)
        at = line_end + 1
    return at


def _letter(mark: str) -> str:
    """What a reader sees of a mark: a letter, or nothing of a tag and of emphasis; the mark if it is none."""
    first = mark[0]
    if first == "\\":
        return mark[1]
    if first == "%":
        return chr(int(mark[1:], 16))
    if first == "&":
        letter = unescape(mark)
        return mark if len(letter) != 1 else " " if letter.isspace() else letter
    if first in "<*":
        return ""
    return "@" if first == "\ufe6b" else chr(ord(first) - 0xFEE0)
