"""Questions that stand on both sides of the test: found, and settled so that the test stays honest.

    pairs + their places ─▶ Settled(places, leaks): no two splits hold nearly the same question

A leak is a Jaccard similarity of at least 0.8 of the character 5-grams of the lower-cased questions. Identifiers make
no exception here: a model that was trained on one may guess the other. The test is kept and the rest gives way:

1. A wording that was just drawn for test or validation goes back to train if train holds its like (nothing is lost).
2. What is still alike is dropped from train, or from validation where the other is a test row.
3. A ``seen`` test row whose fact lost its last trained wording is dropped: it would not be seen.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filters.holdout import Place
from generators.records import Pair

Numbers = NDArray[np.int64]
LEAK = 0.8
_GRAM = 5
_STRONGER = {"test": 2, "validation": 1, "train": 0}
_MOST = max(_STRONGER.values())


@dataclass(frozen=True, slots=True)
class Leak:
    """A row that had to go: the row on the other side that asks nearly the same."""

    pair: Pair
    twin: str
    similarity: float
    detail: str


@dataclass(frozen=True, slots=True)
class Settled:
    """The places of the rows that stay, by pair id, and those that had to go."""

    places: Mapping[str, Place]
    leaks: Sequence[Leak]


def settle(pairs: Sequence[Pair], places: Mapping[str, Place], before: Collection[str]) -> Settled:
    """Move or drop what would let a model meet its test in training.

    Args:
        pairs: All accepted pairs.
        places: Pair id → where it was put.
        before: Ids of pairs whose place was published; it does not change.
    """
    twins = _Twins(pairs)
    settled = dict(places)
    movable = {
        pair.id
        for pair in pairs
        if pair.id not in before and places[pair.id].set != "unseen" and _rank(places[pair.id])
    }
    while found := {one.id for one, other, _ in twins.across(settled, movable) if _rank(settled[other.id]) < _MOST}:
        settled |= dict.fromkeys(found, Place("train"))
        movable -= found
    leaks = {
        weaker.id: Leak(weaker, stronger.id, similarity, f"a {settled[stronger.id].split} row asks nearly the same")
        for weaker, stronger, similarity in twins.across(settled)
    }
    trained = {pair.fact for pair in pairs if settled[pair.id].split == "train" and pair.id not in leaks}
    for pair in pairs:
        if settled[pair.id].set == "seen" and pair.fact not in trained:
            leaks[pair.id] = Leak(pair, "", 0.0, "no wording of its fact is trained any more")
    return Settled({pair.id: settled[pair.id] for pair in pairs if pair.id not in leaks}, list(leaks.values()))


def cross_twins(pairs: Sequence[Pair], places: Mapping[str, Place]) -> Iterator[tuple[Pair, Pair, float]]:
    """Yield each row that a stronger split asks nearly the same as, with the first such row and their similarity.

    Test is stronger than validation, validation than train.
    """
    yield from _Twins(pairs).across(places)


class _Twins:
    """Finds rows that ask alike, by counting the grams that two share; made once for a set of pairs."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self._pairs = sorted(pairs, key=lambda pair: pair.id)
        numbers: dict[str, int] = {}
        self._grams = [
            np.fromiter((numbers.setdefault(gram, len(numbers)) for gram in _grams(pair.question)), np.int64)
            for pair in self._pairs
        ]
        self._sizes = np.fromiter(map(len, self._grams), np.int64)
        self._known = len(numbers)

    def across(
        self, places: Mapping[str, Place], movable: Collection[str] | None = None
    ) -> Iterator[tuple[Pair, Pair, float]]:
        """Yield (row, the first row of another split that asks alike, similarity); one a row is enough.

        Without ``movable`` the rows are all, and the others are those of stronger splits; with it, the rows are these,
        and the others are those of weaker splits.
        """
        ranks = np.fromiter((_rank(places[pair.id]) for pair in self._pairs), np.int64)
        others = np.flatnonzero(ranks > 0 if movable is None else ranks < _MOST)
        sizes, index = self._sizes[others], _Index([self._grams[at] for at in others.tolist()], self._known)
        for at, pair in enumerate(self._pairs):
            if (movable is None and ranks[at] < _MOST) or (movable is not None and pair.id in movable):
                shared = index.shared(self._grams[at])
                similarity = shared / (self._sizes[at] + sizes - shared)
                alike = similarity >= LEAK
                alike &= ranks[others] > ranks[at] if movable is None else ranks[others] < ranks[at]
                for hit in np.flatnonzero(alike)[:1].tolist():
                    yield pair, self._pairs[others[hit]], round(float(similarity[hit]), 4)


class _Index:
    """Which rows hold a gram: counts for one row's grams how many each of these rows shares."""

    def __init__(self, rows: Sequence[Numbers], known: int) -> None:
        self._count = len(rows)
        grams = np.concatenate([np.zeros(0, np.int64), *rows])
        owners = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        order = np.argsort(grams, kind="stable")
        self._owners = owners[order]
        self._starts = np.searchsorted(grams[order], np.arange(known + 1))

    def shared(self, grams: Numbers) -> Numbers:
        """How many of the grams each row of the index holds."""
        firsts, lengths = self._starts[grams], self._starts[grams + 1] - self._starts[grams]
        places = np.repeat(firsts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
        return np.bincount(self._owners[places], minlength=self._count)


def _rank(place: Place) -> int:
    return _STRONGER[place.split]


def _grams(question: str) -> frozenset[str]:
    folded = question.lower()
    return frozenset(folded[at : at + _GRAM] for at in range(max(1, len(folded) - _GRAM + 1)))
