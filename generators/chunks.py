"""Cut a document into chunks: its leaf sections, along headings and operations.

    Document(blocks) ─▶ Chunk, Chunk, …

A chunk is what stands between one heading and the next, with the path of headings above it. A leaf that is too long is
split between blocks; a block that is too long by itself between its lines. Where to split depends on the text around
the cut alone (the block whose hash is lowest), not on what came before, so that an edit moves no cut but its own.

The id hashes the normalised text and the heading path: reflowing prose, CRLF, trailing spaces, moving or renaming the
file change nothing; a changed word, or a changed line of code, changes the id of that chunk and of no other.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from generators.records import Block, Chunk, ChunkKind, Document, content_id
from generators.statements import sentences
from generators.tokens import count_tokens

_INLINE_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class ChunkConfig:
    """Sizes in tokens: a leaf above ``max_tokens`` is split into parts of at least ``min_tokens`` where it can be."""

    max_tokens: int = 900
    min_tokens: int = 300


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading's own blocks, before any split."""

    heading: tuple[str, ...]
    kind: ChunkKind
    first_line: int
    blocks: tuple[Block, ...]


def chunk_document(document: Document, config: ChunkConfig | None = None) -> Iterator[Chunk]:
    """Yield the document's chunks in reading order; sections without text (a heading alone) yield none."""
    config = config or ChunkConfig()
    for section in _sections(document):
        for blocks in _parts(section.blocks, config):
            yield _chunk(document, section, blocks)


def chunk_id(heading: Sequence[str], blocks: Sequence[Block]) -> str:
    """Hash the heading path and the normalised text of the blocks."""
    return content_id([_one_line(title) for title in heading], [_normalised(block) for block in blocks])


def _sections(document: Document) -> Iterator[_Section]:
    """Group the blocks under their headings; a title from the metadata heads a document that does not repeat it."""
    top = [(0, document.title)] if document.title and not _titled(document) else []
    path, kind, first, own = list(top), "section", 1, list[Block]()
    for block in document.blocks:
        if block.kind != "heading":
            own.append(block)
            continue
        if own:
            yield _Section(tuple(title for _, title in path), kind, first, tuple(own))  # type: ignore[arg-type]
        while path and path[-1][0] >= block.level:
            path.pop()
        path.append((block.level, _one_line(block.text)))
        kind, first, own = block.section, block.first_line, []
    if own:
        yield _Section(tuple(title for _, title in path), kind, first, tuple(own))  # type: ignore[arg-type]


def _titled(document: Document) -> bool:
    """Whether the first heading says the title already."""
    first = next((block for block in document.blocks if block.kind == "heading"), None)
    return first is not None and (first.level == 1 or _one_line(first.text) == _one_line(document.title))


def _parts(blocks: Sequence[Block], config: ChunkConfig) -> Iterator[Sequence[Block]]:
    """Split the blocks of one section into runs of at most ``max_tokens``, between blocks."""
    sizes = [count_tokens(block.text) for block in blocks]
    if sum(sizes) <= config.max_tokens:
        yield blocks
        return
    pieces = [piece for block in blocks for piece in _pieces(block, config.max_tokens)]
    sizes = [count_tokens(piece.text) for piece in pieces]
    start = 0
    while start < len(pieces):
        end = _cut(pieces, sizes, start, config)
        yield pieces[start:end]
        start = end


def _cut(pieces: Sequence[Block], sizes: Sequence[int], start: int, config: ChunkConfig) -> int:
    """Where the part that begins at ``start`` ends: within the limit, after the piece whose hash is lowest."""
    total, candidates = 0, list[int]()
    for index in range(start, len(pieces)):
        total += sizes[index]
        if total > config.max_tokens and index > start:
            break
        if total >= config.min_tokens and not _introduces(pieces, index):
            candidates.append(index + 1)
    else:
        return len(pieces)
    if not candidates:
        return max(index, start + 1)
    return min(candidates, key=lambda cut: hashlib.sha256(_normalised(pieces[cut - 1]).encode()).digest())


def _introduces(pieces: Sequence[Block], index: int) -> bool:
    """A line that ends in a colon belongs to the code, list or table below it."""
    return index + 1 < len(pieces) and pieces[index].kind == "prose" and pieces[index].text.rstrip().endswith(":")


def _pieces(block: Block, limit: int) -> Iterator[Block]:
    """A block as it is, or, if it is too long by itself, in runs of whole lines (prose on one line: of sentences)."""
    if count_tokens(block.text) <= limit:
        yield block
        return
    lines = block.text.split("\n")
    if len(lines) == 1:
        for run in _runs(_spread(block.text, limit), limit, " "):
            yield Block(block.kind, run, block.first_line, block.last_line)
        return
    line = block.first_line
    for run in _runs(lines, limit, "\n"):
        height = run.count("\n")
        yield Block(block.kind, run, min(line, block.last_line), min(line + height, block.last_line))
        line += height + 1


def _spread(text: str, limit: int) -> list[str]:
    """Sentences, or where a 'sentence' has no end (minified data, a wall of words) pieces of bounded length."""
    width = limit * 3
    found = sentences(text)
    return [sentence[at : at + width] for sentence in found for at in range(0, len(sentence), width)]


def _runs(parts: Sequence[str], limit: int, glue: str) -> Iterator[str]:
    run, size = list[str](), 0
    for part in parts:
        length = count_tokens(part)
        if run and size + length > limit:
            yield glue.join(run)
            run, size = [], 0
        run.append(part)
        size += length
    if run:
        yield glue.join(run)


def _chunk(document: Document, section: _Section, blocks: Sequence[Block]) -> Chunk:
    text = _text(blocks)
    first = section.first_line if blocks[0] is section.blocks[0] else blocks[0].first_line
    return Chunk(
        id=chunk_id(section.heading, blocks),
        document=document.path,
        heading=section.heading,
        text=text,
        first_line=min(first, blocks[0].first_line),
        last_line=max(blocks[-1].last_line, first),
        tokens=count_tokens(text),
        kind=section.kind,
    )


def _text(blocks: Sequence[Block]) -> str:
    """Join the blocks: items of one list, and the pieces of a split block, stay together; else a blank line between."""
    parts = [blocks[0].text]
    for before, block in pairwise(blocks):
        tight = before.kind == block.kind == "list_item" or (
            block.kind == before.kind and block.kind in ("code", "table")
        )
        adjoining = block.first_line <= before.last_line + 1
        parts += ["\n" if tight and adjoining else "\n\n", block.text]
    return "".join(parts)


def _normalised(block: Block) -> str:
    """Text that reflowing does not change; code and tables keep their lines, without trailing spaces."""
    if block.kind in ("prose", "list_item", "admonition") and "```" not in block.text and "~~~" not in block.text:
        return _one_line(block.text)
    return "\n".join(line.rstrip() for line in block.text.replace("\r\n", "\n").split("\n"))


def _one_line(text: str) -> str:
    return _INLINE_SPACE.sub(" ", text).strip()
