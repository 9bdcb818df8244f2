"""Questions that stand on both sides of the test: found, and settled so that the test stays honest.

    pairs + their places ─▶ Settled(places, leaks): no two splits hold nearly the same question

A leak is a Jaccard similarity of at least 0.8 of the character 5-grams of the lower-cased questions. Identifiers make
no exception here: a model that was trained on one may guess the other. The test is kept and the rest gives way:

1. A wording that was just drawn for test or validation goes back to train if train holds its like (nothing is lost).
2. What is still alike is dropped from train, or from validation where the other is a test row.
3. A ``seen`` test row whose fact lost its last trained wording is dropped: it would not be seen.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from filters.holdout import Place
from generators.records import Pair

LEAK = 0.8
_GRAM = 5
_STRONGER = {"test": 2, "validation": 1, "train": 0}


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
    settled = dict(places)
    for weaker, stronger, _ in cross_twins(pairs, settled):
        new = stronger.id not in before and settled[stronger.id].set != "unseen"
        if new and settled[weaker.id].split != "test":
            settled[stronger.id] = Place("train")
    leaks: dict[str, Leak] = {}
    for weaker, stronger, similarity in cross_twins(pairs, settled):
        if weaker.id not in leaks:
            there = settled[stronger.id].split
            leaks[weaker.id] = Leak(weaker, stronger.id, similarity, f"a {there} row asks nearly the same")
    trained = {pair.fact for pair in pairs if settled[pair.id].split == "train" and pair.id not in leaks}
    for pair in pairs:
        if settled[pair.id].set == "seen" and pair.fact not in trained:
            leaks[pair.id] = Leak(pair, "", 0.0, "no wording of its fact is trained any more")
    return Settled({pair.id: settled[pair.id] for pair in pairs if pair.id not in leaks}, list(leaks.values()))


def cross_twins(pairs: Iterable[Pair], places: Mapping[str, Place]) -> Iterator[tuple[Pair, Pair, float]]:
    """Yield (row of the weaker split, row of the stronger, similarity) for all that ask nearly the same across splits.

    Test is stronger than validation, validation than train. Ordered by content.
    """
    ordered = sorted(pairs, key=lambda pair: pair.id)
    grams = {pair.id: _grams(pair.question) for pair in ordered}
    counts = Counter(gram for own in grams.values() for gram in own)
    index: dict[str, list[Pair]] = defaultdict(list)
    for pair in ordered:
        if _STRONGER[places[pair.id].split]:
            for gram in _prefix(grams[pair.id], counts):
                index[gram].append(pair)
    for pair in ordered:
        rank = _STRONGER[places[pair.id].split]
        near = {other.id: other for gram in _prefix(grams[pair.id], counts) for other in index.get(gram, ())}
        for other in near.values():
            similarity = _jaccard(grams[pair.id], grams[other.id])
            if similarity >= LEAK and _STRONGER[places[other.id].split] > rank:
                yield pair, other, round(similarity, 4)


def _grams(question: str) -> frozenset[str]:
    folded = question.lower()
    return frozenset(folded[at : at + _GRAM] for at in range(max(1, len(folded) - _GRAM + 1)))


def _prefix(grams: frozenset[str], counts: Mapping[str, int]) -> list[str]:
    """The rarest grams, of which two questions that are alike share at least one."""
    ordered = sorted(grams, key=lambda gram: (counts[gram], gram))
    return ordered[: len(ordered) - ceil(LEAK * len(ordered)) + 1]


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)
