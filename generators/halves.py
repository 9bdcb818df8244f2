"""A request that is too long for its teacher, as two: sections by sections, or one section cut near its middle.

    (chunk, chunk, chunk) ─▶ (chunk, chunk), (chunk);     (chunk) ─▶ (its first half), (its second half) | nothing

A half keeps its chunk's id, so that what is found in it belongs to the chunk.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from generators.records import Chunk
from generators.tokens import count_tokens

# A smaller piece is no section any more.
_LEAST = 200
# Where to cut, the best first: between paragraphs, lines, sentences, words.
_SEAMS = (re.compile(r"\n[ \t]*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?])\s+"), re.compile(r"\s+"))


def halves(chunks: Sequence[Chunk]) -> list[tuple[Chunk, ...]]:
    """Two groups that together are the chunks; none where nothing is left to be cut."""
    if len(chunks) > 1:
        middle = len(chunks) // 2
        return [tuple(chunks[:middle]), tuple(chunks[middle:])]
    [chunk] = chunks
    cut = _seam(chunk.text)
    parts = (chunk.text[:cut], chunk.text[cut:])
    if min(len(part.strip()) for part in parts) < _LEAST:
        return []
    return [(replace(chunk, text=part.strip("\n"), tokens=count_tokens(part)),) for part in parts]


def _seam(text: str) -> int:
    """The best place within the middle half of a text, and of equals the nearest to its middle."""
    middle, reach = len(text) / 2, len(text) / 4
    for seam in _SEAMS:
        places = [found.end() for found in seam.finditer(text) if abs(found.end() - middle) <= reach]
        if places:
            return min(places, key=lambda place: abs(place - middle))
    return int(middle)
