"""Markdown and MDX -> title and blocks, each block the verbatim lines of the source.

CommonMark with tables and footnotes is parsed by pulldown-cmark (``pyromark``), whose byte ranges lead back to the
lines. What CommonMark does not know is found beforehand: front matter (``front_matter.py``), admonitions, directives
and MDX components (``containers.py``).

Left out, because it is no content: front matter, HTML and MDX comments, ``<script>`` and ``<style>``, MDX imports and
exports, link reference definitions, thematic breaks, headings without text, and the payload of ``data:`` addresses.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyromark
from pyromark.event import Event, Range

from generators.docs.containers import CALLOUT_NAMES, Region, cut_containers
from generators.docs.front_matter import split_front_matter
from generators.docs.html_in_markdown import hidden_spans, html_blocks, mask, unmask
from generators.docs.parsed import Parsed, decode_text
from generators.records import Block, BlockKind

_OPTIONS = pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_FOOTNOTES
_KINDS: dict[str, BlockKind] = {"CodeBlock": "code", "Table": "table", "Item": "list_item"}
_CALLOUTS = "|".join(sorted(CALLOUT_NAMES))
_CALLOUT_QUOTE = re.compile(rf"\s*>\s*(?:\[!\w+\]|(?:\*\*|__)(?:{_CALLOUTS})\b)", re.IGNORECASE)
_CALLOUT_FENCE = re.compile(rf"\s*[`~:]{{3,}}\s*\{{(?:{_CALLOUTS})\}}", re.IGNORECASE)
_ATTRIBUTES = re.compile(r" ?\{(?::? ?[#.][^{}]*|:[^{}]*|/\*[^{}]*\*/)\}$")
_MAX_HEADING = 2_000  # bytes; a longer one is a paragraph that happens to stand above a line of dashes
# Type parameters look like tags (Promise<string>). Only what HTML knows as inline markup is left out of a title.
_TYPE_PARAMETER = re.compile(
    r"<(?!(?:a|abbr|b|br|code|del|em|i|img|kbd|mark|s|small|span|strong|sub|sup|u|wbr)\b)\w+>", re.IGNORECASE
)
_DATA_ADDRESS = re.compile(r"(data:[\w/+.-]{1,80};base64,)[A-Za-z0-9+/=]{256,}")


def read(data: bytes, name: str) -> Parsed:
    """Read a Markdown or MDX file.

    Raises:
        UnreadableDocumentError: ``undecodable`` or ``binary``.
    """
    text = decode_text(data, name)
    title, body = split_front_matter(text)
    first_line = 1 + text.count("\n", 0, len(text) - len(body))
    return Parsed(title, tuple(markdown_blocks(body, first_line)))


def markdown_blocks(text: str, first_line: int = 1) -> Iterator[Block]:
    """Cut Markdown without front matter into blocks; ``first_line`` is the number of the text's first line."""
    if ";base64," in text:
        text = _DATA_ADDRESS.sub(r"\1…", text)
    line = first_line
    for region in cut_containers(text):
        yield from _region_blocks(region, line)
        line += region.text.count("\n")


def _region_blocks(region: Region, line: int) -> Iterator[Block]:
    if region.kind == "markdown":
        yield from _parsed_blocks(region.text, line)
    elif region.kind != "dropped":
        text, first, last = unmask(region.text, line)
        if text:
            yield Block(region.kind, text, first, last)


@dataclass(slots=True)
class _Piece:
    """A top-level element or list item: its byte range, and the events inside that still matter."""

    name: str
    level: int
    start: int
    end: int
    events: list[tuple[Event, Range]] = field(default_factory=list)


def _parsed_blocks(text: str, line: int) -> Iterator[Block]:
    source = text.encode()
    counted = 0
    for piece in _pieces(text, source):
        start = source.rfind(b"\n", 0, piece.start) + 1
        line += source.count(b"\n", counted, start)
        counted = start
        yield from _piece_blocks(piece, source[start : piece.end], piece.start - start, line)


def _pieces(text: str, source: bytes) -> Iterator[_Piece]:
    """Parse; a list gives its items, a thematic break nothing, anything else at the top level one piece."""
    piece: _Piece | None = None
    end, wants_all, wants_html = 0, False, False
    for event, span in pyromark.events_with_range(text, options=_OPTIONS):
        start = span["start"]
        if start < end:
            if piece and (wants_all or (wants_html and ("InlineHtml" in event or event == _NESTED_HTML))):
                piece.events.append((event, span))
            continue
        opened = _piece(event, span)
        if opened is None:
            continue
        if piece:
            yield piece
        piece, end = opened, opened.end
        wants_all = piece.level > 0
        wants_html = source.find(b"<!--", start, end) >= 0
    if piece:
        yield piece


_NESTED_HTML = {"Start": "HtmlBlock"}


def _piece(event: Event, span: Range) -> _Piece | None:
    """The piece that starts here; None for a thematic break and around a list's items."""
    if isinstance(event, str) or "Start" not in event:
        return None
    tag, start, end = event["Start"], span["start"], span["end"]
    if isinstance(tag, str):
        return _Piece(tag, 0, start, end)
    if "Heading" in tag:
        level = int(tag["Heading"]["level"].removeprefix("H"))
        return _Piece("Heading", level if end - start <= _MAX_HEADING else 0, start, end)
    return None if "List" in tag else _Piece(next(iter(tag)), 0, start, end)


def _piece_blocks(piece: _Piece, source: bytes, offset: int, line: int) -> Iterator[Block]:
    """Turn the piece's lines (its element starts ``offset`` bytes into them) into blocks."""
    if piece.name == "HtmlBlock":
        yield from html_blocks(source.decode(), line)
        return
    if piece.level:
        title = _title(event for event, _ in piece.events)
        if title:
            last = line + source.rstrip().count(b"\n")
            yield Block("heading", title, line, last, piece.level)
        return
    if piece.events:
        source = _without_comments(piece, source, offset)
    text, first, last = unmask(source.decode(), line)
    if text:
        yield Block(_kind(piece.name, text), text, first, last)


def _kind(name: str, text: str) -> BlockKind:
    if (name == "BlockQuote" and _CALLOUT_QUOTE.match(text)) or (name == "CodeBlock" and _CALLOUT_FENCE.match(text)):
        return "admonition"
    return _KINDS.get(name, "prose")


def _without_comments(piece: _Piece, source: bytes, offset: int) -> bytes:
    """Mask the comments inside a paragraph, list item, quote or table; those in code spans and fences are code."""
    text = source.decode("latin-1")  # one character a byte, so that byte ranges are character ranges
    hidden = []
    for event, span in piece.events:
        start, end = (span[edge] - piece.start + offset for edge in ("start", "end"))
        if event == _NESTED_HTML:
            hidden += [(start + first, start + last) for first, last in hidden_spans(text[start:end])]
        elif text.startswith("<!--", start):
            hidden.append((start, end))
    return mask(text, hidden).encode("latin-1")


def _title(events: Iterable[Event]) -> str:
    """The heading's plain words; the alternative text of its images only if it has no words (badges, logos)."""
    words: list[str] = []
    images: list[str] = []
    depth = 0
    for event in events:
        (images if depth else words).append(_words(event))
        if isinstance(event, dict) and "Start" in event and "Image" in event["Start"]:
            depth += 1
        elif isinstance(event, dict) and "End" in event and event["End"] == "Image":
            depth -= 1
    title = " ".join("".join(words).split())
    return _ATTRIBUTES.sub("", title).rstrip() if title else " ".join(" ".join(images).split())


def _words(event: Event) -> str:
    if isinstance(event, str):
        return " " if event in ("SoftBreak", "HardBreak") else ""
    if "InlineHtml" in event:
        return event["InlineHtml"] if _TYPE_PARAMETER.fullmatch(event["InlineHtml"]) else ""
    if "Text" in event:
        return event["Text"]
    return event["Code"] if "Code" in event else ""  # noqa: SIM401 (mypy narrows by ``in``, not by ``get``)
