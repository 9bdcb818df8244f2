"""Which questions mean the same in other words: the part of ``leakage`` that compares by embeddings.

    AlikeMeanings(pairs, ByMeaning(0.85, embed)).first(seekers, others, may) ─▶ (seeker, first such other, cosine), …

What tells two pairs apart for ``semantic_duplicate`` does so here: names, numbers, values that only one answer holds.
So most questions of reference pages are never embedded: no other side asks by the same names. What is embedded is
compared by matrix products, block by block.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filters.apply import FilterConfig
from filters.asked_names import names_asked
from filters.embeddings import Vectors, check_installed, embedder
from filters.semantic_duplicate import same_names
from generators.records import Pair

Rows = NDArray[np.int64]
May = Callable[[Rows, Rows], NDArray[np.bool_]]
# A block of cosines takes 32 MB.
_SEEKERS_AT_ONCE, _OTHERS_AT_ONCE = 1 << 10, 1 << 13


@dataclass(frozen=True, slots=True)
class ByMeaning:
    """How questions are compared.

    Attributes:
        least: Cosine of their embeddings from which two mean the same, 0 to 1.
        embed: Texts → unit vectors, a row a text.
    """

    least: float
    embed: Callable[[Sequence[str]], Vectors]


def by_meaning(config: FilterConfig) -> ByMeaning | None:
    """As ``[filters]`` has it; None if nothing is compared by meaning, ``MissingExtraError`` if nothing can be."""
    if not config.semantic:
        return None
    check_installed()
    return ByMeaning(config.semantic_duplicate, embedder().embed)


class AlikeMeanings:
    """The questions of these pairs, numbered as they were given."""

    def __init__(self, pairs: Sequence[Pair], how: ByMeaning) -> None:
        self._pairs, self._how = pairs, how
        numbers: dict[tuple[str, ...], int] = {}
        asked = (numbers.setdefault(names_asked(pair.question), len(numbers)) for pair in pairs)
        self._names = np.fromiter(asked, np.int64, len(pairs))

    def first(self, seekers: Rows, others: Rows, may: May) -> Iterator[tuple[int, int, float]]:
        """Yield for each seeker that has one the first of the others, in their order, that means the same.

        Args:
            seekers: Rows that look for their like.
            others: Rows among which; in ascending order.
            may: Tells of pairs of rows whether they count.
        """
        seekers = seekers[np.isin(self._names[seekers], self._names[others])]
        others = others[np.isin(self._names[others], self._names[seekers])]
        if not len(seekers):
            return
        ours, theirs = self._vectors(seekers), self._vectors(others)
        for start in range(0, len(seekers), _SEEKERS_AT_ONCE):
            part = slice(start, start + _SEEKERS_AT_ONCE)
            found: dict[int, tuple[int, float]] = {}
            for row, other, similarity in self._alike(seekers[part], ours[part], others, theirs, may):
                if row not in found and same_names(self._pairs[row], self._pairs[other]):
                    found[row] = other, min(similarity, 1.0)
            yield from ((row, other, similarity) for row, (other, similarity) in found.items())

    def _vectors(self, rows: Rows) -> Vectors:
        return self._how.embed([self._pairs[row].question for row in rows.tolist()])

    def _alike(
        self, seekers: Rows, ours: Vectors, others: Rows, theirs: Vectors, may: May
    ) -> Iterator[tuple[int, int, float]]:
        """Yield (seeker, other, cosine) of what is as alike as it takes; the others of a seeker in their order."""
        for start in range(0, len(others), _OTHERS_AT_ONCE):
            cosines = ours @ theirs[start : start + _OTHERS_AT_ONCE].T
            line, column = np.nonzero(cosines >= self._how.least)
            one, other = seekers[line], others[start + column]
            counts = (self._names[one] == self._names[other]) & may(one, other)
            columns = one[counts], other[counts], cosines[line, column][counts]
            yield from zip(*(each.tolist() for each in columns), strict=True)
