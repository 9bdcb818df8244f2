"""A description field (Markdown, often with HTML in it) -> plain Markdown, and Markdown -> blocks.

Words are kept verbatim; known HTML tags become their Markdown marks; anything else in angle brackets, such as
``Bearer <token>``, is text.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from generators.records import Block, BlockKind

# Longer ones are left as they are: HTMLParser is slow on hostile input.
MAX_HTML = 200_000

_BREAKS = {"p": "\n\n", "div": "\n\n", "ul": "\n\n", "ol": "\n\n", "table": "\n\n", "blockquote": "\n\n", "br": "\n"}
_BREAKS |= {"hr": "\n\n", "tr": "\n", "details": "\n\n", "dl": "\n\n", "dt": "\n\n", "dd": "\n"}
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "summary": "**"}
_MARKS |= {f"h{level}": "**" for level in range(1, 7)}
_PLAIN = {"span", "sup", "sub", "u", "small", "font", "thead", "tbody", "td", "th", "center", "kbd", "section"}
_KNOWN = {*_BREAKS, *_MARKS, *_PLAIN, "a", "code", "pre", "li", "img"}

_TAG = re.compile(r"</?(" + "|".join(sorted(_KNOWN)) + r")(?=[\s/>])[^<>]*>", re.IGNORECASE)
_INLINE_CODE = re.compile(r"(`+)[^`\n]+\1(?!`)")
_KEPT = re.compile("\ue000(\\d+)\ue001")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_ATX_HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t#]*$")


def plain_markdown(text: str) -> str:
    """Turn the known HTML tags of a description into Markdown; code and all other text stay verbatim."""
    text = text.strip()
    if "<" not in text or len(text) > MAX_HTML:
        return text
    bare, kept = _set_code_aside(text.replace("\ue000", ""))
    if not _TAG.search(bare):
        return text
    writer = _MarkdownWriter()
    writer.feed(bare)
    writer.close()
    markdown = re.sub(r"\n[ \t]*\n\s*\n", "\n\n", "".join(writer.parts))
    return _KEPT.sub(lambda match: kept[int(match.group(1))], markdown).strip()


def _set_code_aside(text: str) -> tuple[str, list[str]]:
    """Replace fences and inline code by placeholders: HTML in them is meant to be seen."""
    kept: list[str] = []

    def keep(code: str) -> str:
        kept.append(code)
        return f"\ue000{len(kept) - 1}\ue001"

    pieces = []
    for is_code, piece in _fences(text):
        bare = keep(piece) if is_code else _INLINE_CODE.sub(lambda match: keep(match.group()), piece)
        pieces.append(bare)
    return "\n".join(pieces), kept


def _fences(text: str) -> Iterator[tuple[bool, str]]:
    """The text in turns: what stands between fenced code (False) and each fence whole (True)."""
    piece: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            piece.append(line)
            if mark and mark.group(1).startswith(fence) and not line.strip().strip(fence[0]):
                yield True, "\n".join(piece)
                piece, fence = [], ""
        elif mark:
            if piece:
                yield False, "\n".join(piece)
            piece, fence = [line], mark.group(1)
        else:
            piece.append(line)
    if piece:
        yield bool(fence), "\n".join(piece)


class _MarkdownWriter(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._links: list[str] = []
        self._lists: list[int | None] = []
        self._in_pre = False

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in _KNOWN:
            self.parts.append(self.get_starttag_text() or "")
        elif tag in ("ul", "ol"):
            self._lists.append(1 if tag == "ol" else None)
            self.parts.append("\n" if len(self._lists) > 1 else "\n\n")
        elif tag == "li":
            self._start_item()
        elif tag == "a":
            self._links.append(values.get("href") or "")
            self.parts.append("[" if self._links[-1] else "")
        elif tag == "img":
            self.parts.append(values.get("alt") or "")
        elif tag == "pre":
            self._in_pre = True
            self.parts.append("\n\n```\n")
        elif tag in ("td", "th"):
            self.parts.append("" if self.parts and self.parts[-1].endswith("\n") else " | ")
        else:
            self._mark(tag, opening=True)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _KNOWN:
            self.parts.append(f"</{tag}>")
        elif tag == "a" and self._links:
            target = self._links.pop()
            self.parts.append(f"]({target})" if target else "")
        elif tag == "pre":
            self._in_pre = False
            self.parts.append("\n```\n\n")
        elif tag in ("ul", "ol"):
            if self._lists:
                self._lists.pop()
            self.parts.append("\n" if self._lists else "\n\n")
        elif tag not in ("li", "img", "td", "th", "tr"):
            self._mark(tag, opening=False)

    def _start_item(self) -> None:
        number = self._lists[-1] if self._lists else None
        if self._lists and number is not None:
            self._lists[-1] = number + 1
        margin = "  " * max(len(self._lists) - 1, 0)
        self.parts.append(f"\n{margin}{f'{number}.' if number is not None else '-'} ")

    def _mark(self, tag: str, *, opening: bool) -> None:
        if tag == "code":
            self.parts.append("" if self._in_pre else "`")
        elif tag in _BREAKS:
            self.parts.append(_BREAKS[tag])
        elif tag in _MARKS:
            around = "\n\n" if tag.startswith("h") else ""
            self.parts.append(f"{around}{_MARKS[tag]}" if opening else f"{_MARKS[tag]}{around}")


def markdown_blocks(text: str, lines: tuple[int, int], heading_level: int = 0) -> Iterator[Block]:
    """Split Markdown at blank lines, code fences whole.

    Args:
        text: The Markdown.
        lines: First and last line that every block is given.
        heading_level: Where to hang the text's own headings; 0 leaves them inside the prose.
    """
    for piece in _pieces(text):
        heading = _ATX_HEADING.fullmatch(piece) if heading_level else None
        if heading:
            level = min(heading_level + len(heading.group(1)) - 1, 6)
            yield Block("heading", heading.group(2), *lines, level=level)
            continue
        yield Block(_kind_of(piece), piece, *lines)


def _kind_of(piece: str) -> BlockKind:
    if _FENCE.match(piece):
        return "code"
    return "table" if all(line.lstrip().startswith("|") for line in piece.split("\n")) else "prose"


def _pieces(text: str) -> Iterator[str]:
    """Paragraphs, fences and heading lines, each without blank lines around it."""
    for is_code, turn in _fences(text):
        if is_code:
            yield turn
            continue
        piece: list[str] = []
        for line in (*turn.split("\n"), ""):
            is_heading = _ATX_HEADING.fullmatch(line) is not None
            if piece and (is_heading or not line.strip()):
                yield "\n".join(piece)
                piece = []
            if is_heading:
                yield line
            elif line.strip():
                piece.append(line)
