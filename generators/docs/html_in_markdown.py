"""Raw HTML inside Markdown: hide what no reader of the page sees, and find headings written as tags.

Hidden spans are masked with NUL characters, which a decoded document cannot hold, line for line, so that line numbers
stay true; ``unmask`` then drops the NULs and the lines that held nothing else.
"""

import html
import re
from collections.abc import Iterator

from generators.records import Block, BlockKind

_MASK = "\0"
_HIDDEN_OPENING = re.compile(r"<!--|<(script|style)\b", re.IGNORECASE)
_HEADING_TAG = re.compile(r"<(/?)h([1-6])\b[^<>]*>", re.IGNORECASE)
_ALTERNATIVE_TEXT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_KINDS: dict[str, BlockKind] = {"table": "table", "pre": "code"}


def hidden_spans(text: str) -> Iterator[tuple[int, int]]:
    """Find comments, scripts and style sheets; one that is never closed hides nothing."""
    lowered = text.lower() if len(text.lower()) == len(text) else text
    position = 0
    while match := _HIDDEN_OPENING.search(text, position):
        closing = f"</{match[1].lower()}" if match[1] else "-->"
        end = lowered.find(closing, match.end())
        if end < 0:
            return
        end += len(closing)
        if match[1]:
            end = text.find(">", end) + 1 or len(text)
        yield match.start(), end
        position = end


def mask(text: str, spans: Iterator[tuple[int, int]] | list[tuple[int, int]]) -> str:
    """Replace the spans (in order, apart) by NULs, line for line."""
    pieces, position = [], 0
    for start, end in spans:
        pieces += [text[position:start], _MASK + f"\n{_MASK}" * text.count("\n", start, end)]
        position = end
    return "".join(pieces) + text[position:] if pieces else text


def unmask(text: str, line: int) -> tuple[str, int, int]:
    """Take out NULs and the lines that held nothing else; return the rest, its first and its last line."""
    if _MASK not in text:
        text = text.rstrip()
        return text, line, line + text.count("\n")
    first, last, kept = 0, line, []
    for number, piece in enumerate(text.split("\n"), line):
        bare = piece.replace(_MASK, "")
        if bare.strip():
            first, last = first or number, number
        if bare == piece or bare.strip():
            kept.append(bare)
    return "\n".join(kept).strip("\n").rstrip(), first or line, last


def html_blocks(text: str, line: int) -> Iterator[Block]:
    """Cut one block of raw HTML, comments and all, at its ``<h1>`` to ``<h6>``."""
    masked = mask(text, hidden_spans(text))
    position = 0
    for start, end, level, title in _headings(masked):
        yield from _verbatim(masked[position:start], line)
        line += masked.count("\n", position, start)
        last = line + masked.count("\n", start, end)
        yield Block("heading", title, line, last, level)
        line, position = last, end
    yield from _verbatim(masked[position:], line)


def _headings(text: str) -> Iterator[tuple[int, int, int, str]]:
    opening = None
    for tag in _HEADING_TAG.finditer(text):
        if not tag[1]:
            opening = tag
        elif opening and opening[2] == tag[2]:
            title = _plain(text[opening.end() : tag.start()])
            if title:
                yield opening.start(), tag.end(), int(tag[2]), title
            opening = None


def _plain(markup: str) -> str:
    """The words of a heading; of its images, if it has no words."""
    words = _TAG.sub("", markup).replace(_MASK, "")
    if not words.strip():
        words = " ".join(double or single for double, single in _ALTERNATIVE_TEXT.findall(markup))
    return " ".join(html.unescape(words).split())


def _verbatim(masked: str, line: int) -> Iterator[Block]:
    content = masked.lstrip("\n")
    text, first, last = unmask(content, line + len(masked) - len(content))
    if text:
        name = re.match(r"\s*<(\w+)", text)
        yield Block(_KINDS.get(name[1].lower(), "prose") if name else "prose", text, first, last)
