"""Questions that stand on both sides of the test: found, and settled so that the test stays honest.

    pairs + their places ─▶ Settled(places, leaks): no two splits hold nearly the same question

A leak is a Jaccard similarity of at least 0.8 of the character 5-grams of the lower-cased questions. Identifiers make
no exception here: a model that was trained on one may guess the other. With ``[filters] semantic = true`` a question
that means the same as one of another fact is a leak, too (``alike_meanings``); another wording of the same fact is what
a ``seen`` row is asked beside, and a leak only where the row is ``unseen``. The test is kept and the rest gives way:

1. A wording that was just drawn for test or validation goes back to train if train holds its like (nothing is lost).
2. What is still alike is dropped from train, or from validation where the other is a test row.
3. A ``seen`` test row whose fact lost its last trained wording is dropped: it would not be seen.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from filters.alike_meanings import AlikeMeanings, ByMeaning
from filters.holdout import Place
from filters.standing_twins import StandingTwins
from generators.records import Pair

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
LEAK = Fraction(4, 5)
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


def settle(
    pairs: Sequence[Pair],
    places: Mapping[str, Place],
    before: Collection[str],
    meaning: ByMeaning | None = None,
    known: StandingTwins | None = None,
) -> Settled:
    """Move or drop what would let a model meet its test in training.

    Args:
        pairs: All accepted pairs.
        places: Pair id → where it was put.
        before: Ids of pairs whose place was published; it does not change.
        meaning: How questions are compared by meaning, if they are.
        known: What was found when nearly the same pairs were settled; it learns.
    """
    ways = [_Twins(pairs, known), *([_Kin(pairs, meaning)] if meaning else [])]
    settled = _drawn_back(ways, pairs, places, before)
    leaks: dict[str, Leak] = {}
    for way in ways:
        for weaker, stronger, similarity in way.across(settled):
            detail = f"a {settled[stronger.id].split} row {way.says}"
            leaks.setdefault(weaker.id, Leak(weaker, stronger.id, similarity, detail))
    trained = {pair.fact for pair in pairs if settled[pair.id].split == "train" and pair.id not in leaks}
    for pair in pairs:
        if settled[pair.id].set == "seen" and pair.fact not in trained:
            leaks[pair.id] = Leak(pair, "", 0.0, "no wording of its fact is trained any more")
    return Settled({pair.id: settled[pair.id] for pair in pairs if pair.id not in leaks}, list(leaks.values()))


def _drawn_back(
    ways: Sequence["_Twins"], pairs: Sequence[Pair], places: Mapping[str, Place], before: Collection[str]
) -> dict[str, Place]:
    """The places, with those that were just drawn for another split, and whose like is trained, back in train."""
    settled = dict(places)
    movable = {
        pair.id
        for pair in pairs
        if pair.id not in before and places[pair.id].set != "unseen" and _rank(places[pair.id])
    }
    while found := {
        one.id for way in ways for one, other, _ in way.across(settled, movable) if _rank(settled[other.id]) < _MOST
    }:
        settled |= dict.fromkeys(found, Place("train"))
        movable -= found
    return settled


def cross_twins(
    pairs: Sequence[Pair], places: Mapping[str, Place], meaning: ByMeaning | None = None
) -> Iterator[tuple[Pair, Pair, float]]:
    """Yield each row that a stronger split asks nearly the same as, with the first such row and their similarity.

    Test is stronger than validation, validation than train. With ``meaning`` they are compared by that alone.
    """
    yield from (_Kin(pairs, meaning) if meaning else _Twins(pairs)).across(places)


class _Twins:
    """Finds rows that ask alike by their letters; made once for a set of pairs."""

    says = "asks nearly the same"

    def __init__(self, pairs: Iterable[Pair], known: StandingTwins | None = None) -> None:
        self._pairs = sorted(pairs, key=lambda pair: pair.id)
        self._known = known or StandingTwins(LEAK)
        self._rows = self._known.rows(self._pairs)

    def across(
        self, places: Mapping[str, Place], movable: Collection[str] | None = None
    ) -> Iterator[tuple[Pair, Pair, float]]:
        """Yield (row, the first row of another split that asks alike, similarity); one a row is enough.

        Without ``movable`` the rows are all, and the others are those of stronger splits; with it, the rows are these,
        and the others are those of weaker splits.
        """
        ranks = np.array([_STRONGER[places[pair.id].split] for pair in self._pairs], np.int64)
        if movable is None:
            seekers, others, direction = ranks < _MOST, ranks > 0, 1
        else:
            seekers = np.fromiter((pair.id in movable for pair in self._pairs), bool, len(self._pairs))
            others, direction = ranks < _MOST, -1
        for row, other, similarity in sorted(self._first(places, ranks, seekers, others, direction)):
            yield self._pairs[row], self._pairs[other], round(similarity, 4)

    def _first(
        self, places: Mapping[str, Place], ranks: Rows, seekers: Flags, others: Flags, direction: int
    ) -> Iterator[tuple[int, int, float]]:
        """Yield each seeker that has one with the first of the others that asks alike on the other side."""
        del places  # letters tell without
        return self._known.first(self._rows, ranks, seekers, others, direction)


class _Kin(_Twins):
    """Finds rows that ask the same by meaning."""

    says = "asks the same by meaning"

    def __init__(self, pairs: Iterable[Pair], meaning: ByMeaning) -> None:
        self._pairs = sorted(pairs, key=lambda pair: pair.id)
        self._finder = AlikeMeanings(self._pairs, meaning)
        facts: dict[str, int] = {}
        self._facts = np.array([facts.setdefault(pair.fact, len(facts)) for pair in self._pairs], np.int64)

    def _first(
        self, places: Mapping[str, Place], ranks: Rows, seekers: Flags, others: Flags, direction: int
    ) -> Iterator[tuple[int, int, float]]:
        """Yield as above; another wording of a fact is no leak, but beside an unseen row."""
        unseen = np.fromiter((places[pair.id].set == "unseen" for pair in self._pairs), bool, len(self._pairs))

        def may(one: Rows, other: Rows) -> Flags:
            counts: Flags = (self._facts[one] != self._facts[other]) | unseen[one] | unseen[other]
            counts &= (ranks[other] - ranks[one]) * direction > 0
            return counts

        return self._finder.first(np.flatnonzero(seekers), np.flatnonzero(others), may)


def _rank(place: Place) -> int:
    return _STRONGER[place.split]
