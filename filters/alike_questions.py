"""Which questions ask nearly the same: the vectorised part of ``leakage``, an exact join by character 5-grams.

    AlikeQuestions(questions, 4/5).first(seekers, others, may) ─▶ (seeker, the first such other, similarity), …

Two sets of n and m grams that are as similar as the threshold share at least a = threshold / (1 + threshold) * (n + m),
and so one of the n - a + 1 rarest of the one and the m - a + 1 rarest of the other. Only these are looked up, among
questions of fitting length: of questions that differ in one identifier the common part is never looked at. What is
found is compared by signatures of 256 bits, and what that leaves is counted. Where all ask alike, each finds its like
among the first few others, which are looked through before the rest.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from filters.gram_numbers import distinct, numbered
from filters.shingles import Shingles
from filters.similar_pairs import similarities

Rows = NDArray[np.int64]
# Others are looked through in blocks that grow by this factor, the first so large.
_FIRST_BLOCK, _GROWTH = 8, 8
_AT_ONCE = 1 << 20
# Questions of like length stand in one group: each is at most a twentieth longer than the last.
_STEP = 20
_PLACE_BITS, _GROUP_BITS = 16, 12
_WORDS = 4


class AlikeQuestions:
    """The questions, numbered as they were given."""

    def __init__(self, questions: Sequence[str], threshold: Fraction) -> None:
        self._threshold = threshold
        self._share = threshold / (1 + threshold)
        self._sizes, self._grams = numbered(questions)
        self._offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(self._sizes)])
        owners = np.repeat(np.arange(len(questions)), self._sizes)
        self._groups = _groups(self._sizes)
        self._signatures = _signatures(self._grams, owners, len(questions))
        self._shingles = Shingles(self._grams.view(np.uint64), self._offsets)
        places = np.arange(len(owners)) - np.repeat(self._offsets[:-1], self._sizes)
        rarest = self._sizes - _least(threshold, self._sizes) + 1
        held = places < rarest[owners]
        self._owners = owners[held]
        places = np.minimum(places[held], (1 << _PLACE_BITS) - 1)
        self._keys = _key(self._grams[held], self._groups[self._owners], places)

    def first(
        self, seekers: Rows, others: Rows, may: Callable[[Rows, Rows], NDArray[np.bool_]]
    ) -> Iterator[tuple[int, int, float]]:
        """Yield for each seeker that has one the first of the others, in their order, that asks alike.

        Args:
            seekers: Rows that look for their like.
            others: Rows among which, in the order that tells which is the first.
            may: Tells of pairs of rows whether they count.
        """
        start, size = 0, _FIRST_BLOCK
        while start < len(others) and len(seekers):
            found = self._within(seekers, others[start : start + size], may)
            yield from zip(*(column.tolist() for column in found), strict=True)
            seekers = np.setdiff1d(seekers, found[0])
            start, size = start + size, size * _GROWTH

    def _within(
        self, seekers: Rows, others: Rows, may: Callable[[Rows, Rows], NDArray[np.bool_]]
    ) -> tuple[Rows, Rows, NDArray[np.float64]]:
        """(seeker, first like among the others, similarity), one line a seeker."""
        index = self._index(others)
        hits = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
        for one, other in self._candidates(seekers, index):
            fitting = may(one, other)
            one, other = one[fitting], other[fitting]
            fitting = self._may_be_alike(one, other)
            one, other = one[fitting], other[fitting]
            similarity = similarities(self._shingles, one, self._shingles, other)
            alike = similarity >= float(self._threshold)
            hits.append((one[alike], other[alike], similarity[alike]))
        ones, twins, found = (np.concatenate(column) for column in zip(*hits, strict=True))
        places = np.empty(len(self._sizes), np.int64)
        places[others] = np.arange(len(others))
        order = np.lexsort((places[twins], ones))
        ones, twins, found = ones[order], twins[order], found[order]
        new = np.concatenate([np.ones(min(1, len(ones)), bool), ones[1:] != ones[:-1]])
        return ones[new], twins[new], found[new]

    def _index(self, others: Rows) -> tuple[NDArray[np.uint64], Rows, list[tuple[int, int, int]]]:
        """The rarest grams of the others as keys (gram, group of length, place), sorted; their rows; the groups."""
        chosen = np.zeros(len(self._sizes), bool)
        chosen[others] = True
        held = chosen[self._owners]
        owners, keys = self._owners[held], self._keys[held]
        order = np.argsort(keys, kind="stable")
        groups = []
        for group in np.unique(self._groups[others]).tolist():
            sizes = self._sizes[others][self._groups[others] == group]
            groups.append((group, int(sizes.min()), int(sizes.max())))
        return keys[order], owners[order], groups

    def _candidates(
        self, seekers: Rows, index: tuple[NDArray[np.uint64], Rows, list[tuple[int, int, int]]]
    ) -> Iterator[tuple[Rows, Rows]]:
        """Yield pairs (seeker, other) that share one of their rarest grams, each pair once in a batch."""
        keys, rows, groups = index
        known = np.zeros(int(self._grams.max(initial=0)) + 1, bool)
        known[(keys >> np.uint64(_GROUP_BITS + _PLACE_BITS)).view(np.int64)] = True
        batch: list[tuple[Rows, Rows, Rows]] = []
        waiting = 0
        sizes = self._sizes[seekers]
        for size in np.unique(sizes).tolist():
            own = seekers[sizes == size]
            for group, least, most in groups:
                if most < self._threshold * size or size < self._threshold * least:
                    continue
                mine = size - _ceiling(self._share * (size + least)) + 1
                theirs = most - int(self._share * (size + most)) + 1
                grams = self._grams[self._offsets[own][:, None] + np.arange(max(0, min(mine, size)))]
                which, place = np.nonzero(known[grams])
                sought = _key(grams[which, place], group, 0)
                first = np.searchsorted(keys, sought)
                last = np.searchsorted(keys, sought + np.uint64(min(theirs, (1 << _PLACE_BITS) - 1)), "left")
                last = np.maximum(first, last)
                batch.append((own[which], first, last))
                waiting += int((last - first).sum())
                if waiting > _AT_ONCE:
                    yield from _pairs(batch, rows)
                    batch, waiting = [], 0
        yield from _pairs(batch, rows)

    def _may_be_alike(self, one: Rows, other: Rows) -> NDArray[np.bool_]:
        """Grams that only one of two has: no fewer than the bits in which their signatures differ."""
        both = self._sizes[one] + self._sizes[other]
        apart = both - 2 * _least(self._share, both)
        bits = np.bitwise_count(self._signatures[one] ^ self._signatures[other]).sum(axis=1, dtype=np.int64)
        fitting: NDArray[np.bool_] = bits <= apart
        return fitting


def _pairs(batch: Sequence[tuple[Rows, Rows, Rows]], rows: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Unfold ranges of the index, so many at a time."""
    if not batch:
        return
    own, first, last = (np.concatenate(column) for column in zip(*batch, strict=True))
    counts = last - first
    ends = np.cumsum(counts)
    start = 0
    while start < len(own):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _AT_ONCE, "right")))
        many = counts[start:stop]
        places = np.arange(many.sum()) + np.repeat(first[start:stop] - (np.cumsum(many) - many), many)
        pairs = distinct(np.repeat(own[start:stop], many) << 32 | rows[places])
        if len(pairs):
            yield pairs >> 32, pairs & 0xFFFFFFFF
        start = stop


def _groups(sizes: Rows) -> Rows:
    """The group of each length: 0, 1, 2, … for the short ones, then several lengths a group."""
    bounds, size = [1], 1
    while size <= sizes.max(initial=1):
        size += max(1, size // _STEP)
        bounds.append(size)
    return np.searchsorted(np.array(bounds), sizes, "right").astype(np.int64)


def _signatures(grams: Rows, owners: Rows, count: int) -> NDArray[np.uint64]:
    """A row's grams as bits, several to a bit."""
    mixed = grams.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    word = (mixed >> np.uint64(40)).view(np.int64) % _WORDS
    bit = np.uint64(1) << (mixed >> np.uint64(58))
    found = np.zeros((count, _WORDS), np.uint64)
    np.bitwise_or.at(found, (owners, word), bit)
    return found


def _key(grams: Rows, groups: Rows | int, places: Rows | int) -> NDArray[np.uint64]:
    packed = grams << (_GROUP_BITS + _PLACE_BITS) | np.int64(groups) << _PLACE_BITS | places
    return np.asarray(packed, np.int64).view(np.uint64)


def _least(share: Fraction, numbers: Rows) -> Rows:
    """The share of each, rounded up."""
    found: Rows = -(-numbers * share.numerator // share.denominator)
    return found


def _ceiling(number: Fraction) -> int:
    return -(-number.numerator // number.denominator)
