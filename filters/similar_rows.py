"""Which rows, of those kept so far, say nearly the same: an exact join by word 3-grams, no sampling and no bands.

    rows = SimilarRows(0.7); [a, b] = rows.ahead(["…", "…"], [0, 0]); rows.keep(a); rows.twins(b) ─▶ [(similarity, a)]

Two sets as similar as the threshold share one of their rarest members, once all members stand in one order (the prefix
filter of set-similarity joins): of forty 3-grams one of the thirteen rarest. Only those are looked up, and in most rows
none of them stands anywhere else. What is found is compared whole. The order, and nothing but the order, comes from the
first block of rows: how often each 3-gram stands there.

A kept row of fifty words takes about 1.5 kB: 400,000 rows of which 320,000 were kept took 0.67 GB in all.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filters.shingles import Numbers, Offsets, Shingles, shingle
from filters.similar_pairs import BUCKETS, MOST_COUNTED, bucket, hits, rarest, sharing, similarities

# Rows of which sets were made are kept at hand, up to so many; pairs are compared so many at a time.
_SETS_AT_HAND = 20_000
_PAIRS_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Block:
    """Numbers of rows, in order, and their fingerprints."""

    rows: Offsets
    shingles: Shingles


class SimilarRows:
    """Holds the rows that were kept; numbers rows as they come."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._count = 0
        self._rarity: NDArray[np.uint8] | None = None
        # Of earlier blocks only kept rows, and their keys, sorted, in runs.
        self._blocks: list[_Block] = []
        self._starts = np.zeros(0, np.int64)
        self._runs: list[tuple[Numbers, NDArray[np.uint32]]] = []
        # Of the last block: fingerprints, keys and their rows, twins by row, and what is looked up one by one.
        self._last = _Block(np.zeros(0, np.int64), Shingles(np.zeros(0, np.uint64), np.zeros(1, np.int64)))
        self._keys: tuple[Numbers, Offsets] = (np.zeros(0, np.uint64), np.zeros(0, np.int64))
        self._alike: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        self._boilerplate: defaultdict[int, list[int]] = defaultdict(list)
        self._holders: defaultdict[int, list[int]] = defaultdict(list)
        self._kept = set[int]()
        self._sets: dict[int, frozenset[int]] = {}

    def ahead(self, texts: Sequence[str], salts: Sequence[int]) -> range:
        """Take in a block of rows to be judged, and return their numbers; earlier ones not kept by now are forgotten.

        Rows of different salts are never twins. Many rows at once are much faster than one by one.
        """
        self._settle()
        found = shingle(texts, salts)
        if self._rarity is None:
            counts = np.bincount(bucket(found.grams), minlength=BUCKETS)
            self._rarity = np.minimum(counts, MOST_COUNTED).astype(np.uint8)
        numbers = range(self._count, self._count + len(texts))
        self._count = numbers.stop
        self._last = _Block(np.arange(numbers.start, numbers.stop), found)
        keys, offsets = rarest(found, self._rarity, self.threshold)
        owners = np.repeat(np.arange(len(texts)), np.diff(offsets))
        self._keys = keys, owners
        self._compare_within(keys, owners)
        self._compare_with_earlier(keys, owners)
        return numbers

    def twins(self, row: int) -> list[tuple[float, int]]:
        """Kept rows as similar as the threshold to a row of the last block: (similarity, row), most similar first."""
        if row not in self._alike and row not in self._boilerplate:
            return []
        first = self._count - len(self._last.rows)
        found = {
            other: similarity for similarity, other in self._alike.get(row, ()) if other < first or other in self._kept
        }
        for key in self._boilerplate.get(row, ()):
            for other in self._holders.get(key, ()):
                if other != row and other not in found:
                    found[other] = self._similarity(row, other)
        alike = ((similarity, other) for other, similarity in found.items() if similarity >= self.threshold)
        return sorted(alike, key=lambda twin: (-twin[0], twin[1]))

    def keep(self, row: int) -> None:
        """Keep a row of the last block: later ones are compared with it."""
        if row not in self._kept:
            self._kept.add(row)
            for key in self._boilerplate.get(row, ()):
                self._holders[key].append(row)

    def _compare_within(self, keys: Numbers, owners: Offsets) -> None:
        """Find the twins within the last block."""
        these, those, boilerplate = sharing(keys, owners)
        found = similarities(self._last.shingles, these, self._last.shingles, those)
        first = self._count - len(self._last.rows)
        for pair in np.flatnonzero(found >= self.threshold).tolist():
            one, other, similarity = first + int(these[pair]), first + int(those[pair]), float(found[pair])
            self._alike[one].append((similarity, other))
            self._alike[other].append((similarity, one))
        for row, key in zip(owners[boilerplate].tolist(), keys[boilerplate].tolist(), strict=True):
            self._boilerplate[first + row].append(key)

    def _compare_with_earlier(self, keys: Numbers, owners: Offsets) -> None:
        """Find the twins of the last block's rows among the kept rows of earlier blocks."""
        for run_keys, run_rows in self._runs:
            for sought, places in hits(run_keys, keys, _PAIRS_AT_ONCE):
                pairs = np.unique(run_rows[places].astype(np.int64) << 32 | owners[sought])
                early, late = pairs >> 32, pairs & 0xFFFFFFFF
                homes = np.searchsorted(self._starts, early, "right") - 1
                for home in np.unique(homes).tolist():
                    self._compare_with(self._blocks[home], early[homes == home], late[homes == home])

    def _compare_with(self, block: _Block, early: Offsets, late: Offsets) -> None:
        """Note which of these pairs of a row of an earlier block and one of the last are twins."""
        places = np.searchsorted(block.rows, early)
        found = similarities(block.shingles, places, self._last.shingles, late)
        first = self._count - len(self._last.rows)
        for pair in np.flatnonzero(found >= self.threshold).tolist():
            self._alike[first + int(late[pair])].append((float(found[pair]), int(early[pair])))

    def _settle(self) -> None:
        """Put the kept rows of the last block into the index for good, and forget the others."""
        kept = np.fromiter((row in self._kept for row in self._last.rows.tolist()), bool, len(self._last.rows))
        if kept.any():
            sizes = np.diff(self._last.shingles.offsets)
            offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes[kept])])
            rows = self._last.rows[kept]
            self._blocks.append(_Block(rows, Shingles(self._last.shingles.grams[np.repeat(kept, sizes)], offsets)))
            self._starts = np.append(self._starts, rows[0])
            keys, owners = self._keys
            self._add_run(keys[kept[owners]], self._last.rows[owners[kept[owners]]].astype(np.uint32))
        for held in (self._alike, self._boilerplate, self._holders, self._kept, self._sets):
            held.clear()

    def _add_run(self, keys: Numbers, rows: NDArray[np.uint32]) -> None:
        """Add keys; runs of like size are merged, so that there are few."""
        while self._runs and len(self._runs[-1][0]) < 2 * len(keys):
            early_keys, early_rows = self._runs.pop()
            keys, rows = np.concatenate([early_keys, keys]), np.concatenate([early_rows, rows])
        order = np.argsort(keys, kind="stable")
        self._runs.append((keys[order], rows[order]))

    def _similarity(self, one: int, other: int) -> float:
        a, b = self._set(one), self._set(other)
        shared = len(a & b)
        return shared / (len(a) + len(b) - shared) if shared else 0.0

    def _set(self, row: int) -> frozenset[int]:
        """The fingerprints of a row of the last block."""
        if row not in self._sets:
            if len(self._sets) >= _SETS_AT_HAND:
                self._sets.clear()
            grams, offsets = self._last.shingles.grams, self._last.shingles.offsets
            place = row - (self._count - len(self._last.rows))
            self._sets[row] = frozenset(grams[offsets[place] : offsets[place + 1]].tolist())
        return self._sets[row]
