"""Which rows, of those kept so far, say nearly the same: an exact join by word 3-grams, no sampling and no bands.

    rows = SimilarRows(0.7); [a, b] = rows.ahead(["…", "…"], [0, 0]); rows.keep(a); rows.twins(b) ─▶ [(similarity, a)]

Two sets as similar as the threshold share one of their rarest members, once all members stand in one order (the prefix
filter of set-similarity joins): of forty 3-grams the thirteen rarest. Only those are looked up, and in most rows none
of them stands anywhere else. What is found is compared whole. The order, and nothing but the order, comes from the
first block of rows: how often each 3-gram stands there.

For a million short rows that are kept the index takes about 0.5 GB.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filters.shingles import BITS, MASK, MOST_ROWS, Numbers, Offsets, shingle

_BUCKETS = 1 << 21
_MOST_COUNTED = 255
_COUNT_BITS = 8
# Sets of rows that were compared are kept at hand, up to so many.
_SETS_AT_HAND = 20_000


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows in order with their fingerprints, and the rarest of these, by which they are found."""

    rows: Offsets
    grams: Numbers
    offsets: Offsets
    keys: Numbers
    key_offsets: Offsets

    @property
    def owners(self) -> Offsets:
        """The row of each key."""
        return np.repeat(self.rows, np.diff(self.key_offsets))


class SimilarRows:
    """Holds the rows that were kept; numbers rows as they come."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._count = 0
        self._rarity: Numbers | None = None
        self._blocks: list[_Block] = []
        self._runs: list[tuple[Numbers, Offsets]] = []
        self._pending: _Block | None = None
        self._kept = set[int]()
        self._keys: dict[int, list[int]] = {}
        self._older: dict[int, list[int]] = {}
        self._recent: defaultdict[int, list[int]] = defaultdict(list)
        self._sets: dict[int, frozenset[int]] = {}

    def ahead(self, texts: Sequence[str], salts: Sequence[int]) -> range:
        """Take in a block of rows to be judged, and return their numbers; earlier ones not kept by now are forgotten.

        Rows of different salts are never twins. Many rows at once are much faster than one by one.
        """
        self._settle()
        found = shingle(texts, salts)
        if self._rarity is None:
            counts = np.bincount((found.grams % _BUCKETS).astype(np.int64), minlength=_BUCKETS)
            self._rarity = np.minimum(counts, _MOST_COUNTED).astype(np.uint64)
        keys, key_offsets = _rarest(found.grams, found.offsets, self._rarity, self.threshold)
        numbers = range(self._count, self._count + len(texts))
        self._pending = _Block(np.arange(numbers.start, numbers.stop), found.grams, found.offsets, keys, key_offsets)
        self._count = numbers.stop
        self._keys = _shared_keys(self._pending)
        self._older = self._found_in_runs(self._pending)
        return numbers

    def twins(self, row: int) -> list[tuple[float, int]]:
        """Kept rows as similar as the threshold to a row of the last block: (similarity, row), most similar first."""
        candidates = set(self._older.get(row, ()))
        for key in self._keys.get(row, ()):
            if key in self._recent:
                candidates.update(self._recent[key])
        candidates.discard(row)
        scored = ((self.similarity(row, other), other) for other in candidates)
        return sorted((twin for twin in scored if twin[0] >= self.threshold), key=lambda twin: (-twin[0], twin[1]))

    def keep(self, row: int) -> None:
        """Keep a row of the last block: later ones are compared with it."""
        if row not in self._kept:
            self._kept.add(row)
            for key in self._keys.get(row, ()):
                self._recent[key].append(row)

    def similarity(self, one: int, other: int) -> float:
        """Jaccard similarity of two rows, kept or of the last block."""
        a, b = self._set(one), self._set(other)
        shared = len(a & b)
        return shared / (len(a) + len(b) - shared) if shared else 0.0

    def _set(self, row: int) -> frozenset[int]:
        if row not in self._sets:
            if len(self._sets) >= _SETS_AT_HAND:
                self._sets.clear()
            block = self._block_of(row)
            place = int(np.searchsorted(block.rows, row))
            self._sets[row] = frozenset(block.grams[block.offsets[place] : block.offsets[place + 1]].tolist())
        return self._sets[row]

    def _block_of(self, row: int) -> _Block:
        if self._pending is not None and len(self._pending.rows) and row >= self._pending.rows[0]:
            return self._pending
        return self._blocks[bisect_right(self._blocks, row, key=lambda block: int(block.rows[0])) - 1]

    def _settle(self) -> None:
        """Put the kept rows of the last block into the index for good, as sorted arrays, and forget the others."""
        if self._pending is None:
            return
        flags = np.fromiter((row in self._kept for row in self._pending.rows.tolist()), bool, len(self._pending.rows))
        if flags.any():
            self._blocks.append(_kept(self._pending, flags))
            with_key = np.repeat(flags, np.diff(self._pending.key_offsets))
            self._add_run(self._pending.keys[with_key], self._pending.owners[with_key])
        for row in self._pending.rows[~flags].tolist():
            self._sets.pop(row, None)
        self._pending, self._kept, self._recent = None, set(), defaultdict(list)

    def _add_run(self, keys: Numbers, rows: Offsets) -> None:
        """Add sorted keys; runs of like size are merged, so that there are few."""
        self._runs.append(_sorted_run(keys, rows))
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 2 * len(self._runs[-1][0]):
            (late_keys, late_rows), (keys, rows) = self._runs.pop(), self._runs.pop()
            self._runs.append(_sorted_run(np.concatenate([keys, late_keys]), np.concatenate([rows, late_rows])))

    def _found_in_runs(self, block: _Block) -> dict[int, list[int]]:
        """For each row of the block the rows of earlier blocks that it has a key with."""
        found: dict[int, list[int]] = defaultdict(list)
        owners = block.owners
        for keys, rows in self._runs:
            first = np.searchsorted(keys, block.keys, "left")
            last = np.searchsorted(keys, block.keys, "right")
            for hit in np.flatnonzero(last > first).tolist():
                found[int(owners[hit])].extend(rows[first[hit] : last[hit]].tolist())
        return found


def _sorted_run(keys: Numbers, rows: Offsets) -> tuple[Numbers, Offsets]:
    order = np.argsort(keys, kind="stable")
    return keys[order], rows[order]


def _rarest(grams: Numbers, offsets: Offsets, rarity: Numbers, threshold: float) -> tuple[Numbers, Offsets]:
    """Of each row the fingerprints of which a twin must share one, as keys that hold their count, row by row."""
    sizes = np.diff(offsets)
    wanted = np.minimum(sizes, sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int64) + 1)
    parts = [np.zeros(0, np.uint64)]
    for first in range(0, len(sizes), MOST_ROWS):
        own = sizes[first : first + MOST_ROWS]
        part = grams[offsets[first] : offsets[first + len(own)]]
        rows = np.repeat(np.arange(len(own), dtype=np.uint64), own)
        # The count stands above what is left of the fingerprint: a shared key is a hint, the sets are compared whole.
        keys = rarity[part % np.uint64(_BUCKETS)] << np.uint64(BITS - _COUNT_BITS) | part >> np.uint64(_COUNT_BITS)
        packed = np.sort(rows << np.uint64(BITS) | keys)
        places = np.arange(len(packed)) - np.repeat(np.cumsum(own) - own, own)
        parts.append(packed[places < np.repeat(wanted[first : first + len(own)], own)] & MASK)
    return np.concatenate(parts), np.concatenate([np.zeros(1, np.int64), np.cumsum(wanted)])


def _shared_keys(block: _Block) -> dict[int, list[int]]:
    """For each row its keys that another row of the block may have too; most rows have none."""
    buckets = (block.keys % _BUCKETS).astype(np.int64)
    shared = np.bincount(buckets, minlength=_BUCKETS)[buckets] > 1
    owners = block.owners[shared]
    found: dict[int, list[int]] = defaultdict(list)
    for row, key in zip(owners.tolist(), block.keys[shared].tolist(), strict=True):
        found[row].append(key)
    return found


def _kept(block: _Block, kept: NDArray[np.bool_]) -> _Block:
    """The rows of a block that are kept, without the keys: these stand in the runs."""
    sizes = np.diff(block.offsets)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes[kept])])
    return _Block(block.rows[kept], block.grams[np.repeat(kept, sizes)], offsets, block.keys[:0], offsets[:0])
