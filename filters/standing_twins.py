"""Which rows ask alike, looked up again and again while rows come, go and change sides: only what changed is compared.

    standing = StandingTwins(4/5); rows = standing.rows(pairs)
    standing.first(rows, ranks, seekers, others, 1) ─▶ (place in rows, place of the first such other, similarity), …

A version is settled several times in a run, each time with a few rows more or less. What a row found stays its first
like until one of the two goes or changes sides, or a row that changed comes before: the answers are those of a new
search (``alike_questions``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from filters.alike_questions import AlikeQuestions, Rows
from generators.records import Pair

Flags = NDArray[np.bool_]
_ABSENT = -1


@dataclass(slots=True)
class _Known:
    """By row: the ranks at the last search in one direction, who sought, and the first like that each found."""

    ranks: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    sought: Flags = field(default_factory=lambda: np.zeros(0, bool))
    twins: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    similarity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def grow(self, count: int) -> None:
        """Make room for more rows, of which nothing is known."""
        more = count - len(self.ranks)
        self.ranks = np.concatenate([self.ranks, np.full(more, _ABSENT)])
        self.sought = np.concatenate([self.sought, np.zeros(more, bool)])
        self.twins = np.concatenate([self.twins, np.full(more, _ABSENT)])
        self.similarity = np.concatenate([self.similarity, np.zeros(more)])


class StandingTwins:
    """All rows that were ever looked at, and what each found last."""

    def __init__(self, threshold: Fraction) -> None:
        self._threshold = threshold
        self._numbers: dict[str, int] = {}
        self._questions: list[str] = []
        self._index = AlikeQuestions([], threshold)
        self._known = {1: _Known(), -1: _Known()}

    def rows(self, pairs: Sequence[Pair]) -> Rows:
        """The numbers of pairs, which keep them; new ones are taken in."""
        for pair in pairs:
            if pair.id not in self._numbers:
                self._numbers[pair.id] = len(self._questions)
                self._questions.append(pair.question)
        if len(self._questions) > len(self._known[1].ranks):
            self._index = AlikeQuestions(self._questions, self._threshold)
            for known in self._known.values():
                known.grow(len(self._questions))
        return np.fromiter((self._numbers[pair.id] for pair in pairs), np.int64, len(pairs))

    def first(
        self, rows: Rows, ranks: Rows, seekers: Flags, others: Flags, direction: int
    ) -> Iterator[tuple[int, int, float]]:
        """Yield each seeker that has one with the first of the others that asks alike and stands on the other side.

        Args:
            rows: All that are there, by number, in the order that tells which is the first.
            ranks: Their sides, from 0.
            seekers: Which of them look for their like.
            others: Which of them among; the same ranks, the same others.
            direction: 1 if the other's rank is to be higher, -1 if it is to be lower.
        """
        known = self._known[direction]
        now = np.full(len(self._questions), _ABSENT)
        now[rows] = ranks
        changed = now != known.ranks
        gone = (known.twins >= 0) & changed[known.twins]
        asking = rows[seekers]
        stale = ~known.sought[asking] | changed[asking] | gone[asking]
        known.twins[asking[stale]] = _ABSENT
        order = np.zeros(len(now), np.int64)
        order[rows] = np.arange(len(rows))
        for these, those in ((asking[stale], rows[others]), (asking[~stale], rows[others & changed[rows]])):
            self._look(known, these, those, now * direction, order)
        known.ranks = now
        known.sought[:] = False
        known.sought[asking] = True
        found = asking[known.twins[asking] >= 0]
        twins = known.twins[found]
        columns = (order[found], order[twins], known.similarity[found])
        yield from zip(*(column.tolist() for column in columns), strict=True)

    def _look(self, known: _Known, seekers: Rows, others: Rows, sides: Rows, order: Rows) -> None:
        """Note what seekers find among the others, where it comes before what they have."""
        found = self._index.first(seekers, others, lambda one, other: sides[other] > sides[one])
        for row, twin, similarity in found:
            if known.twins[row] == _ABSENT or order[twin] < order[known.twins[row]]:
                known.twins[row], known.similarity[row] = twin, similarity
