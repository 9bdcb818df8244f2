"""Cut a document into chunks: its leaf sections, along headings and operations.

    Document(blocks) ─▶ Chunk, Chunk, …

A chunk is what stands between one heading and the next, with the path of headings above it. A leaf that is too long is
split between blocks; a block that is too long by itself between its lines, or its sentences if it is prose. Where to
split depends on the text around the cut alone (the place whose hash is lowest), not on what came before, so that an
edit moves no cut but its own.

The id hashes the normalised text and the heading path: reflowing prose, CRLF, trailing spaces, moving or renaming the
file change nothing; a changed word, or a changed line of code, changes the id of that chunk and of no other.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, dropwhile, groupby, pairwise

from generators.records import Block, Chunk, ChunkKind, Document, content_id
from generators.statements import sentence_spans
from generators.tokens import count_tokens

_REFLOWING = ("prose", "list_item", "admonition")
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}(?=[^`\n]*$)|~{3,})")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_QUOTE = re.compile(r"^[ \t>]+", re.MULTILINE)
# Inside prose: a blank line, or a line that opens an item of a nested list.
_BREAK = re.compile(r"\n(?:[ \t>]*\n)+|\n(?=[ \t>]*(?:[-*+]|\d{1,3}[.)])[ \t])")


@dataclass(frozen=True, slots=True)
class ChunkConfig:
    """Sizes in tokens: a leaf above ``max_tokens`` is split into parts of at least ``min_tokens`` where it can be."""

    max_tokens: int = 900
    min_tokens: int = 300


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading's own blocks, before any split; it begins at the heading's line."""

    heading: tuple[str, ...]
    kind: ChunkKind
    first_line: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is not cut: a block, or a line or sentence (``start`` to ``end``) of one that is too long by itself."""

    block: Block
    start: int
    end: int
    first_line: int
    last_line: int
    normalised: str
    size: int


def chunk_document(document: Document, config: ChunkConfig | None = None) -> Iterator[Chunk]:
    """Yield the document's chunks in reading order; sections without text (a heading alone) yield none."""
    config = config or ChunkConfig()
    for section in _sections(document):
        whole = _chunk(document, section, section.blocks, section.first_line)
        if whole.tokens <= config.max_tokens:
            yield whole
            continue
        for number, part in enumerate(_parts(section.blocks, config)):
            if blocks := list(_fragments(part)):
                yield _chunk(document, section, blocks, blocks[0].first_line if number else section.first_line)


def chunk_id(heading: Sequence[str], texts: Sequence[str]) -> str:
    """Hash the heading path and the normalised texts of the blocks."""
    return content_id([_one_line(title) for title in heading], texts)


def _sections(document: Document) -> Iterator[_Section]:
    """Group the blocks under their headings; a title from the metadata heads a document that does not repeat it."""
    path = [(0, _one_line(document.title))] if document.title and not _titled(document) else []
    opened: Block | None = None
    for is_heading, run in groupby(document.blocks, lambda block: block.kind == "heading"):
        if is_heading:
            for opened in run:
                while path and path[-1][0] >= opened.level:
                    path.pop()
                path.append((opened.level, _one_line(opened.text)))
            continue
        blocks = tuple(block for block in run if block.text.strip())
        if blocks:
            first_line = min(opened.first_line if opened else blocks[0].first_line, blocks[0].first_line)
            kind: ChunkKind = opened.section if opened else "section"
            yield _Section(tuple(title for _, title in path), kind, first_line, blocks)


def _titled(document: Document) -> bool:
    """Whether the first heading says the title already."""
    first = next((block for block in document.blocks if block.kind == "heading"), None)
    return first is not None and (first.level == 1 or _one_line(first.text) == _one_line(document.title))


def _parts(blocks: Sequence[Block], config: ChunkConfig) -> Iterator[list[_Piece]]:
    """Split the blocks of one section into runs of at most ``max_tokens``; looks no further ahead than it must."""
    window, total = list[_Piece](), 0
    for piece in chain(_pieces(blocks, config.max_tokens), [None]):
        if piece:
            window.append(piece)
            total += piece.size
        bound = config.max_tokens + config.min_tokens if piece else config.max_tokens
        while total > bound and len(window) > 1:
            cut = _cut(window, total, config)
            yield window[:cut]
            total -= sum(piece.size for piece in window[:cut])
            del window[:cut]
    yield window


def _cut(window: Sequence[_Piece], total: int, config: ChunkConfig) -> int:
    """How many pieces the next part takes: the best place within the limits, and of equals the one of lowest hash."""
    prefix, fitting = 0, 1
    places = list[tuple[int, bytes, int]]()
    for index, (piece, following) in enumerate(pairwise(window), 1):
        prefix += piece.size
        if prefix > config.max_tokens:
            break
        fitting = index
        if prefix >= config.min_tokens and total - prefix >= config.min_tokens:
            places.append((_badness(piece, following), _fingerprint(piece, following), index))
    return min(places)[2] if places else fitting


def _badness(piece: _Piece, following: _Piece) -> int:
    """Cut between blocks, if possible not after a line that introduces the next; else at blank lines; else anywhere."""
    if piece.block is not following.block:
        return int(piece.block.kind == "prose" and piece.normalised.endswith(":"))
    return 3 if piece.normalised else 2


def _fingerprint(piece: _Piece, following: _Piece) -> bytes:
    """Hash what stands next to a cut, and no more: what is edited further away must not move it."""
    beside = f"{piece.normalised[-80:]}\n{following.normalised[:80]}"
    return hashlib.sha256(beside.encode("utf-8", "surrogatepass")).digest()


def _pieces(blocks: Iterable[Block], limit: int) -> Iterator[_Piece]:
    """All blocks; one that is too long by itself in pieces, each with its own lines."""
    for block in blocks:
        normalised = _normalised(block)
        size = count_tokens(f"\n{normalised}")
        if size <= limit:
            yield _Piece(block, 0, len(block.text), block.first_line, block.last_line, normalised, size)
        else:
            yield from _cut_up(block, limit)


def _cut_up(block: Block, limit: int) -> Iterator[_Piece]:
    """The sentences of prose and the lines of anything else; together they are all of the block."""
    line, last_line = block.first_line, block.last_line
    is_source = block.text.count("\n") == last_line - line  # a rendering's lines are not those of the source
    for start, end, reflows in _regions(block):
        # The marks of a quote come and go with its line breaks: they must not tell where to cut.
        seen = _QUOTE.sub(lambda mark: " " * len(mark[0]), block.text) if reflows else block.text
        for a, b in _bounded(seen, _spans(seen, start, end, reflows=reflows), limit):
            text = block.text[a:b]
            normalised = _one_line(_QUOTE.sub("", text)) if reflows else text.rstrip()
            if is_source:
                last_line = line + text.rstrip().count("\n")
            yield _Piece(block, a, b, line, last_line, normalised, count_tokens(f"\n{normalised}"))
            line += text.count("\n") if is_source else 0


def _spans(text: str, start: int, end: int, *, reflows: bool) -> Iterator[tuple[int, int]]:
    if not reflows:
        yield from (line.span() for line in _LINE.finditer(text, start, end))
        return
    for stop in (*(found.end() for found in _BREAK.finditer(text, start, end)), end):
        yield from ((start + a, start + b) for a, b in sentence_spans(text[start:stop]))
        start = stop


def _bounded(text: str, spans: Iterable[tuple[int, int]], limit: int) -> Iterator[tuple[int, int]]:
    """Cut lines and 'sentences' without an end (minified data, a wall of words) between words or items, or anywhere."""
    width = max(1, limit - 2)  # no character is more than a token
    # Not between a name and its value, nor inside one: half a key would not be known for a secret.
    word = re.compile(rf"(?:\S{{1,{width}}}(?=\s|$)|\S{{1,{width}}}(?<=[,;&|)>}}\]])|\S{{1,{width}}})\s*")
    for start, end in spans:
        used = 0
        said = " ".join(text[start:end].split()) if end - start > width else ""
        if len(said) > width and count_tokens(said) > width:
            for found in word.finditer(text, start, end):
                length = len(found[0].rstrip()) + 1
                if used and used + length > width:
                    yield start, found.start()
                    start, used = found.start(), 0
                used += length
        yield start, end


def _fragments(part: Iterable[_Piece]) -> Iterator[Block]:
    """Join the pieces of one block again; blank lines at the edges fall away."""
    for _, run in groupby(part, lambda piece: id(piece.block)):
        pieces = list(dropwhile(lambda piece: not piece.normalised, run))
        if pieces:
            block, first, last = pieces[0].block, pieces[0], pieces[-1]
            text = block.text[first.start : last.end]
            fragment = Block(block.kind, text.rstrip(), first.first_line, last.last_line)
            yield block if text == block.text else fragment


def _chunk(document: Document, section: _Section, blocks: Sequence[Block], first_line: int) -> Chunk:
    normalised = [_normalised(block) for block in blocks]
    text, rows = _text(blocks)
    return Chunk(
        id=chunk_id(section.heading, normalised),
        document=document.path,
        heading=section.heading,
        text=text,
        first_line=first_line,
        last_line=max(block.last_line for block in blocks),
        tokens=count_tokens("\n".join(normalised)),
        kind=section.kind,
        rows=rows,
    )


def _text(blocks: Sequence[Block]) -> tuple[str, tuple[tuple[int, int, int], ...]]:
    """Join the blocks: items of one list, and tables or code line by line, stay together; else a blank line between."""
    parts, row, rows = list[str](), 0, list[tuple[int, int, int]]()
    for before, block in zip((None, *blocks), blocks, strict=False):
        if before:
            is_tight = block.kind == before.kind and block.kind in ("list_item", "code", "table")
            parts.append("\n" if is_tight and block.first_line <= before.last_line + 1 else "\n\n")
            row += before.text.count("\n") + len(parts[-1])
        parts.append(block.text)
        is_source = block.text.count("\n") == block.last_line - block.first_line  # a rendering's lines are its own
        rows.append((row, block.first_line, block.last_line if is_source else block.first_line))
    return "".join(parts), tuple(rows)


def _normalised(block: Block) -> str:
    """Text that reflowing does not change: prose on one line without the marks of a quote; code by line, as it is."""
    return "\n".join(
        _one_line(_QUOTE.sub("", block.text[start:end]) if ">" in block.text else block.text[start:end])
        if reflows
        else "\n".join(line.rstrip() for line in block.text[start:end].split("\n"))
        for start, end, reflows in _regions(block)
    )


def _regions(block: Block) -> Iterator[tuple[int, int, bool]]:
    """The block's parts (start, end, whether it may be reflowed): prose, and the code fences inside."""
    text, start, fence = block.text, 0, ""
    if block.kind not in _REFLOWING or ("```" not in text and "~~~" not in text):
        yield 0, len(text), block.kind in _REFLOWING
        return
    for line in _LINE.finditer(text):
        mark = _FENCE.match(line[0])
        if mark and not fence:
            if line.start() > start:
                yield start, line.start(), True
            start, fence = line.start(), mark[1]
        elif mark and mark[1].startswith(fence):
            yield start, line.end(), False
            start, fence = line.end(), ""
    if start < len(text):
        yield start, len(text), not fence


def _one_line(text: str) -> str:
    return " ".join(text.split())
