"""The retriever that a student must justify itself against: BM25 over the sections, handed to the untrained base.

    Retriever(chunks).top("Which status code …?", 3) ─▶ [Chunk, Chunk, Chunk]

Okapi BM25 (Robertson & Zaragoza 2009) over stems of content words and exact values; the heading counts as text.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from generators.names import values
from generators.records import Chunk
from generators.words import content_words, words

K1, B = 1.2, 0.75
# What is handed over: at most so many sections, of so many tokens in all.
SECTIONS, TOKENS = 3, 1200


class Retriever:
    """Finds the sections that a question is about; built once, of any number of chunks."""

    def __init__(self, chunks: Iterable[Chunk], k1: float = K1, b: float = B) -> None:
        self._chunks = list(chunks)
        self._k1 = k1
        self._postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        lengths = []
        for place, chunk in enumerate(self._chunks):
            counts = Counter(_terms(f"{' '.join(chunk.heading)}\n{chunk.text}"))
            lengths.append(counts.total())
            for term, count in counts.items():
                self._postings[term].append((place, count))
        mean = sum(lengths) / len(lengths) if lengths else 0.0
        self._norms = [k1 * (1 - b + b * length / mean) if mean else k1 for length in lengths]

    def top(self, question: str, count: int = SECTIONS, tokens: int = TOKENS) -> list[Chunk]:
        """The best sections, best first, that fit into so many tokens; the best one even if it alone does not."""
        scores: dict[int, float] = defaultdict(float)
        for term in set(_terms(question)):
            found = self._postings.get(term, ())
            weight = math.log(1 + (len(self._chunks) - len(found) + 0.5) / (len(found) + 0.5))
            for place, often in found:
                scores[place] += weight * often * (self._k1 + 1) / (often + self._norms[place])
        ranked = sorted(scores, key=lambda place: (-scores[place], place))
        return _fitting([self._chunks[place] for place in ranked[:count]], tokens)


def _fitting(chunks: Sequence[Chunk], tokens: int) -> list[Chunk]:
    taken: list[Chunk] = []
    for chunk in chunks:
        if taken and sum(each.tokens for each in taken) + chunk.tokens > tokens:
            continue
        taken.append(chunk)
    return taken


def _terms(text: str) -> list[str]:
    """Stems, each as often as it stands there, and the exact values once more as they are."""
    return [stem for word in words(text) for stem in _stems(word)] + [value.lower() for value in values(text)]


@lru_cache(maxsize=1 << 16)
def _stems(word: str) -> tuple[str, ...]:
    return tuple(content_words(word))
