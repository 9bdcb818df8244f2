"""The lines of a PDF put together to headings, paragraphs, list items and code, as a reader of the page sees them.

A PDF does not say what a line is. A gap, an indentation or a bullet starts a paragraph; fixed-width lines that stand
apart are code; see ``pdf_headings.py`` for headings.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from generators.docs.line_numbers import number_lines
from generators.docs.marks import fence
from generators.docs.pdf_headings import Bookmark, Heading, find_headings, text_size
from generators.docs.pdf_lines import Line, join_rows
from generators.records import Block, BlockKind

# Symbol fonts put their bullets into the private use area, or where there should be no character.
_BULLET = re.compile(r"\s*([•‣◦▪▸►●○■□∙·\x7f\ue000-\uf8ff]|[–*-](?=\s))\s*")
_NUMBERED = re.compile(r"\s*(\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
_SENTENCE_END = re.compile(r"[.!?:;]['\"”’)\]]*$")
_LEADERS = re.compile(r"(\s*\.){4,}\s*\w{0,6}\s*$")
_HYPHENATED = re.compile(r"(\w*[^\W\d_])[-\u00ad]$")
# Between lines of one paragraph there is less than this many times the usual distance.
_GAP = 1.35
# A document that has more of its text than this in fixed-width type is typewritten, and not code.
_TYPEWRITTEN = 0.6
_DEEPEST_INDENT = 80


@dataclass(slots=True)
class _Piece:
    """Lines that belong together."""

    kind: BlockKind
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Usual:
    """What is usual in a document: the text's type size, the distance of its lines, and their length in characters."""

    size: float
    pitch: float
    width: int


def build_blocks(lines: Sequence[Line], bookmarks: Sequence[Bookmark]) -> tuple[Block, ...]:
    """Put lines together to blocks; a block's lines are those of the extracted text."""
    lines = join_rows(line for line in lines if not _LEADERS.search(line.text))
    headings = find_headings(lines, bookmarks)
    usual = _usual(lines)
    code = _code_lines(lines, headings, usual)
    words = Counter(word for line in lines for word in re.findall(r"[\w-]+", line.text.casefold()))
    pieces: list[_Piece | Heading] = []
    index = 0
    while index < len(lines):
        if heading := headings.get(index):
            pieces.append(heading)
            index += heading.lines
            continue
        _place(lines[index], index in code, pieces, usual)
        index += 1
    return number_lines(_block(piece, words) for piece in pieces)


def _usual(lines: Sequence[Line]) -> _Usual:
    size = text_size(lines)
    drops = Counter(
        round((before.y - line.y) * 2) / 2
        for before, line in pairwise(lines)
        if before.page == line.page and before.size == line.size == size and 0.8 * size < before.y - line.y < 3 * size
    )
    lengths = sorted(len(line.text) for line in lines if line.size == size)
    return _Usual(
        size, drops.most_common(1)[0][0] if drops else 1.2 * size, lengths[len(lengths) * 9 // 10] if lengths else 0
    )


def _code_lines(lines: Sequence[Line], headings: Mapping[int, Heading], usual: _Usual) -> set[int]:
    """Indices of fixed-width lines that are code: several in a row, or one that stands apart from the text."""
    total = sum(len(line.text) for line in lines)
    if sum(len(line.text) for line in lines if line.fixed_width) > _TYPEWRITTEN * total:
        return set()
    found: set[int] = set()
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and lines[end].fixed_width and end not in headings:
            end += 1
        if end - start > 1 or (end - start == 1 and _stands_apart(lines, start, headings, usual)):
            found.update(range(start, end))
        start = max(end, start + 1)
    return found


def _stands_apart(lines: Sequence[Line], index: int, headings: Mapping[int, Heading], usual: _Usual) -> bool:
    """Whether a line has space above and below it, or is indented against both its neighbours."""
    line = lines[index]
    before = lines[index - 1] if index and index - 1 not in headings else None
    after = lines[index + 1] if index + 1 < len(lines) and index + 1 not in headings else None
    if before and after and min(line.x - before.x, line.x - after.x) > line.advance:
        return True
    return (before is None or _parted(before, line, usual)) and (after is None or _parted(line, after, usual))


def _parted(before: Line, line: Line, usual: _Usual) -> bool:
    """Whether there is more space between two lines than within a paragraph, or a page break after a sentence."""
    drop = before.y - line.y
    if before.page != line.page or drop < -line.size:
        return bool(_SENTENCE_END.search(before.text)) or not _goes_on(line)
    return drop > _GAP * usual.pitch * max(line.size / usual.size, 1)


def _goes_on(line: Line) -> bool:
    return line.text.lstrip()[:1].islower()


def _place(line: Line, is_code: bool, pieces: list[_Piece | Heading], usual: _Usual) -> None:
    """Add a line to the piece that it continues, or let it start one."""
    last = pieces[-1] if pieces else None
    if isinstance(last, _Piece) and _continues(last, line, is_code, usual):
        last.lines.append(line)
        return
    pieces.append(_Piece(_kind(line, is_code), [line]))


def _kind(line: Line, is_code: bool) -> BlockKind:
    if is_code:
        return "code"
    if line.cells:
        return "table"
    return "list_item" if _starts_item(line) else "prose"


def _continues(piece: _Piece, line: Line, is_code: bool, usual: _Usual) -> bool:
    before = piece.lines[-1]
    if is_code or piece.kind == "code":
        return is_code and piece.kind == "code"
    if line.cells or piece.kind == "table":
        return len(line.cells) == len(before.cells)
    if _starts_item(line) or _parted(before, line, usual) or abs(before.size - line.size) > 0.1 * usual.size:
        return False
    return not _starts_paragraph(piece, before, line, usual)


def _starts_item(line: Line) -> bool:
    return bool(_BULLET.match(line.text) or _NUMBERED.match(line.text))


def _starts_paragraph(piece: _Piece, before: Line, line: Line, usual: _Usual) -> bool:
    """Whether a line starts a paragraph though no gap parts it from the one before."""
    if before.page != line.page or not _SENTENCE_END.search(before.text):
        return False
    indented = piece.kind == "prose" and line.x > before.x + 0.6 * line.size
    outdented = piece.kind == "list_item" and line.x <= piece.lines[0].x + 1 and before.x > piece.lines[0].x + 1
    return indented or outdented or len(before.text) < 0.6 * usual.width


def _block(piece: _Piece | Heading, words: Counter[str]) -> Block:
    """A block whose lines are not known yet."""
    if isinstance(piece, Heading):
        return Block("heading", piece.text, 0, 0, piece.level)
    kind, text = _written(piece, words)
    return Block(kind, text, 0, 0)


def _written(piece: _Piece, words: Counter[str]) -> tuple[BlockKind, str]:
    if piece.kind == "code":
        return "code", _code(piece.lines)
    if piece.kind == "table" and len(piece.lines) > 1:
        return "table", _table(piece.lines)
    return "prose" if piece.kind == "table" else piece.kind, _text(piece, words)


def _table(lines: Sequence[Line]) -> str:
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line.cells) + " |" for line in lines]
    return "\n".join([rows[0], "|" + " --- |" * len(lines[0].cells), *rows[1:]])


def _text(piece: _Piece, words: Counter[str]) -> str:
    """The lines of a paragraph, words that were parted at line ends put together again."""
    text = [" ".join(line.text.split()) for line in piece.lines]
    for index in range(len(text) - 1):
        if (match := _HYPHENATED.search(text[index])) and text[index + 1][:1].islower():
            head, _, rest = text[index + 1].partition(" ")
            text[index] = text[index][: match.end(1)] + _hyphen(match[1], head, words) + head
            text[index + 1] = rest
    text = [line for line in text if line]
    if piece.kind == "list_item" and (bullet := _BULLET.match(text[0])):
        text[0] = f"- {text[0][bullet.end() :]}"
    return ("\n  " if piece.kind == "list_item" else "\n").join(text)


def _hyphen(start: str, end: str, words: Counter[str]) -> str:
    """The hyphen at a line's end if it belongs to the word: the document writes it so elsewhere."""
    end = re.split(r"[^\w-]", end)[0].casefold()
    start = start.casefold()
    return "-" if words[f"{start}-{end}"] > words[f"{start}{end}"] else ""


def _code(lines: Sequence[Line]) -> str:
    """Code in a fence, indented as on the page; a gap is one blank line."""
    left = min(line.x for line in lines)
    drops = Counter(round(a.y - b.y) for a, b in pairwise(lines) if a.page == b.page and a.y > b.y)
    pitch = drops.most_common(1)[0][0] if drops else 0
    rows: list[str] = []
    for index, line in enumerate(lines):
        before = lines[index - 1] if index else line
        if before.page == line.page and pitch and before.y - line.y > 1.5 * pitch:
            rows.append("")
        indent = round((line.x - left) / line.advance) if line.advance > 0 else 0
        # pypdf takes the space before an indented line, or before the first, for a blank.
        text = line.text[1:] if re.match(r" \S", line.text) and (indent or not index) else line.text
        rows.append(" " * min(indent, _DEEPEST_INDENT) + text)
    return fence("\n".join(rows), "")
