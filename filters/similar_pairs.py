"""Pairs of rows that share a key, and how similar two rows are: the vectorised part of ``similar_rows``.

    keys of rows ─▶ pairs of rows that share one;  pairs ─▶ Jaccard similarity of their fingerprints

All by sorting: a number that holds a group above and a member below stands, sorted, beside its equals.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from filters.shingles import BITS, MASK, MOST_ROWS, Numbers, Offsets, Shingles, at_once

# Keys that more rows of a block share are boilerplate: such rows are compared one by one, with kept rows only.
_MOST_SHARING = 16
_COUNT_BITS = 8
BUCKETS = 1 << 21
MOST_COUNTED = (1 << _COUNT_BITS) - 1


def bucket(grams: Numbers) -> Offsets:
    """Where a fingerprint is counted."""
    return (grams & np.uint64(BUCKETS - 1)).view(np.int64)


def rarest(rows: Shingles, rarity: NDArray[np.uint8], threshold: float) -> tuple[Numbers, Offsets]:
    """Of each row the fingerprints of which a twin must share one, as keys that begin with their count, row by row."""
    sizes = np.diff(rows.offsets)
    wanted = np.minimum(sizes, sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int64) + 1)

    def of(first: int) -> Numbers:
        own = sizes[first : first + MOST_ROWS]
        part = rows.grams[rows.offsets[first] : rows.offsets[first + len(own)]]
        # The count stands above what is left of the fingerprint: a shared key is a hint, rows are compared whole.
        keys = rarity[bucket(part)].astype(np.uint64) << np.uint64(BITS - _COUNT_BITS) | part >> np.uint64(_COUNT_BITS)
        packed = np.sort(np.repeat(np.arange(len(own), dtype=np.uint64), own) << np.uint64(BITS) | keys)
        places = np.arange(len(packed)) - np.repeat(np.cumsum(own) - own, own)
        first_ones: Numbers = packed[places < np.repeat(wanted[first : first + len(own)], own)] & MASK
        return first_ones

    parts = at_once(of, range(0, len(sizes), MOST_ROWS))
    return np.concatenate([np.zeros(0, np.uint64), *parts]), np.concatenate([np.zeros(1, np.int64), np.cumsum(wanted)])


def sharing(keys: Numbers, owners: Offsets) -> tuple[Offsets, Offsets, NDArray[np.bool_]]:
    """The pairs of rows of a block that share a key, each once, and which keys are boilerplate and left to others."""
    bits = max(1, len(keys)).bit_length()
    # As much of the key as fits above its place: by what is cut off more pairs are compared, and none is missed.
    packed = np.sort(
        (keys << np.uint64(64 - BITS)) >> np.uint64(bits) << np.uint64(bits) | np.arange(len(keys), dtype=np.uint64)
    )
    key, place = packed >> np.uint64(bits), (packed & np.uint64((1 << bits) - 1)).view(np.int64)
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(key)), bool), key[1:] != key[:-1]]))
    sizes = np.diff(np.append(starts, len(key)))
    group = np.repeat(sizes, sizes)
    boilerplate = np.zeros(len(keys), bool)
    boilerplate[place[group > _MOST_SHARING]] = True
    few = (group > 1) & (group <= _MOST_SHARING)
    key, rows = key[few], owners[place[few]]
    found = [np.zeros(0, np.uint64)]
    for step in range(1, _MOST_SHARING):
        same = key[step:] == key[:-step]
        if not same.any():
            break
        one, other = rows[:-step][same].view(np.uint64), rows[step:][same].view(np.uint64)
        found.append(np.minimum(one, other) << np.uint64(32) | np.maximum(one, other))
    pairs = np.unique(np.concatenate(found))
    return (pairs >> np.uint64(32)).view(np.int64), (pairs & np.uint64(0xFFFFFFFF)).view(np.int64), boilerplate


def similarities(a: Shingles, these: Offsets, b: Shingles, those: Offsets) -> NDArray[np.float64]:
    """Jaccard similarity of rows of ``a`` with rows of ``b``, pair by pair."""
    found = [np.zeros(0)]
    for first in range(0, len(these), MOST_ROWS):
        part = slice(first, first + MOST_ROWS)
        left, left_sizes = _members(a, these[part])
        right, right_sizes = _members(b, those[part])
        packed = np.sort(np.concatenate([left, right]))
        twice = packed[1:][packed[1:] == packed[:-1]]
        shared = np.bincount((twice >> np.uint64(BITS)).view(np.int64), minlength=len(left_sizes))
        found.append(shared / np.maximum(1, left_sizes + right_sizes - shared))
    return np.concatenate(found)


def _members(rows: Shingles, chosen: Offsets) -> tuple[Numbers, Offsets]:
    """The fingerprints of the chosen rows, each below the place of its row, and how many each has."""
    starts = rows.offsets[chosen]
    sizes = rows.offsets[chosen + 1] - starts
    places = np.arange(sizes.sum()) + np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
    owners = np.repeat(np.arange(len(chosen), dtype=np.uint64), sizes)
    return owners << np.uint64(BITS) | rows.grams[places], sizes


def hits(keys: Numbers, sought: Numbers, most: int) -> Iterator[tuple[Offsets, Offsets]]:
    """Where the sought keys stand among sorted ones: (places in ``sought``, places in ``keys``), so many at a time."""
    first = np.searchsorted(keys, sought, "left")
    counts = np.searchsorted(keys, sought, "right") - first
    held = np.flatnonzero(counts)
    ends = np.cumsum(counts[held])
    start = 0
    while start < len(held):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + most, "right")))
        part, own = held[start:stop], counts[held[start:stop]]
        places = np.arange(own.sum()) + np.repeat(first[part] - (np.cumsum(own) - own), own)
        yield np.repeat(part, own), places
        start = stop
