"""Texts as sets of numbers that can be compared fast: a fingerprint for each three words in a row.

    (["How do I rotate a key? Call …", …], salts) ─▶ Shingles(sorted fingerprints row by row, offsets)

Done on whole blocks of rows with numpy: words are found as the regular expression of ``generators.words`` finds them
(Chinese and Japanese characters are words by themselves), hashed, and hashed again by three. A fingerprint has 52 bits:
that two rows of forty words share one by accident has a chance of one in 10^12. The same text gives the same
fingerprints on every machine. A row's salt goes into its fingerprints, so that rows with different salts share none.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint64]
Offsets = NDArray[np.int64]
_In = TypeVar("_In")
_Out = TypeVar("_Out")
Codes = NDArray[np.uint8] | NDArray[np.uint32]

BITS = 52
MASK = np.uint64((1 << BITS) - 1)
# So many rows and about so many characters are worked on at once: what fits the processor's cache.
MOST_ROWS = 1 << (64 - BITS)
_MOST_CHARS = 1 << 17
# Of a longer text only the beginning is compared.
_LONGEST = 1 << 20
_BASE = 0x9E3779B97F4A7C15
_WORD, _BY_ITSELF = 1, 2
_APOSTROPHE = 0x27
_ONE_BY_ONE = ((0x3040, 0x3100), (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x32400))
_LAST_LETTER = 0x32400
_LETTERS = re.compile(r"[^\W_]+")
_THREADS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Shingles:
    """Fingerprints of many rows, each once in its row and in order; row i has those from offsets[i] to offsets[i+1]."""

    grams: Numbers
    offsets: Offsets


def shingle(texts: Sequence[str], salts: Sequence[int]) -> Shingles:
    """Fingerprint the rows; a text of one or two words has one fingerprint, one without words none."""
    found = at_once(lambda part: _shingle(texts[part], salts[part]), list(_blocks(texts)))
    sizes = np.concatenate([np.zeros(1, np.int64), *(sizes for _, sizes in found)])
    grams = np.concatenate([np.zeros(0, np.uint64), *(grams for grams, _ in found)])
    return Shingles(grams, np.cumsum(sizes))


def at_once(function: Callable[[_In], _Out], parts: Sequence[_In]) -> list[_Out]:
    """Work on the parts in threads: numpy leaves the interpreter to others while it computes."""
    if len(parts) < 2:
        return [function(part) for part in parts]
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(function, parts))


def _blocks(texts: Sequence[str]) -> Iterator[slice]:
    """Cut the rows into blocks of bearable size."""
    first = size = 0
    for index, text in enumerate(texts):
        if index > first and (size + len(text) > _MOST_CHARS or index - first == MOST_ROWS):
            yield slice(first, index)
            first, size = index, 0
        size += len(text)
    if texts:
        yield slice(first, len(texts))


def _shingle(texts: Sequence[str], salts: Sequence[int]) -> tuple[Numbers, Offsets]:
    """Fingerprints of a block, row by row, and how many each row has."""
    hashes, counts = _words(texts)
    rows = np.repeat(np.arange(len(texts), dtype=np.uint64), counts)
    grams, owners = _threes(hashes, rows)
    short = np.flatnonzero((counts > 0) & (counts < 3))
    if len(short):
        firsts = (np.cumsum(counts) - counts)[short]
        seconds = np.where(counts[short] == 2, hashes[firsts + counts[short] - 1], np.uint64(0))
        grams = np.concatenate([grams, _mixed(_combined(hashes[firsts], seconds, np.uint64(0)))])
        owners = np.concatenate([owners, short.astype(np.uint64)])
    salted = (grams ^ _mixed(np.array(salts, np.uint64))[owners]) >> np.uint64(64 - BITS)
    packed = np.sort(owners << np.uint64(BITS) | salted)
    packed = packed[np.concatenate([np.ones(min(1, len(packed)), bool), packed[1:] != packed[:-1]])]
    sizes = np.bincount((packed >> np.uint64(BITS)).view(np.int64), minlength=len(texts))
    return packed & MASK, sizes


def _threes(hashes: Numbers, rows: Numbers) -> tuple[Numbers, Numbers]:
    """A number for every three words in a row, and the row."""
    whole = rows[:-2] == rows[2:]
    return _mixed(_combined(hashes[:-2], hashes[1:-1], hashes[2:])[whole]), rows[:-2][whole]


def _combined(first: Numbers, second: Numbers, third: Numbers | np.uint64) -> Numbers:
    found: Numbers = (
        first * np.uint64(0xD6E8FEB86659FD93)
        + second * np.uint64(0xA0761D6478BD642F)
        + third * np.uint64(0xE7037ED1A0B428DB)
    )
    return found


def _mixed(numbers: Numbers) -> Numbers:
    """Spread every bit over all others (the end of splitmix64)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def _words(texts: Sequence[str]) -> tuple[Numbers, Offsets]:
    """A hash for every word of a block, in order, and how many words each row has.

    A word's hash is a polynomial in a fixed base over its characters, read off running sums over the whole block.
    """
    lowered = [text[:_LONGEST].lower()[:_LONGEST] for text in texts]
    codes = _codes("\n".join([*lowered, ""]))
    starts, ends = _spans(codes)
    powers, inverses = _powers(1 << len(codes).bit_length())
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum(codes * powers[: len(codes)], out=sums[1:])
    hashes = _mixed((sums[ends] - sums[starts]) * inverses[starts])
    lengths = np.fromiter(map(len, lowered), np.int64, len(lowered)) + 1
    bounds = np.searchsorted(starts, np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]))
    return hashes, np.diff(bounds)


def _codes(text: str) -> Codes:
    """The code points of a text."""
    if text.isascii():
        return np.frombuffer(text.encode(), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _spans(codes: Codes) -> tuple[Offsets, Offsets]:
    """Where words start and end."""
    kinds = np.take(_kinds(), codes, mode="clip")
    inner = np.flatnonzero(codes[1:-1] == _APOSTROPHE) + 1
    inner = inner[(kinds[inner - 1] == _WORD) & (kinds[inner + 1] == _WORD)]
    kinds[inner] = _WORD
    # A change from one kind to another bounds a word, and so does every character that is a word by itself.
    bounds = np.flatnonzero((kinds[1:] != kinds[:-1]) | (kinds[1:] == _BY_ITSELF)) + 1
    bounds = np.concatenate([np.zeros(1, np.int64), bounds, np.full(1, len(codes))])
    held = kinds[bounds[:-1]] > 0
    return bounds[:-1][held], bounds[1:][held]


@lru_cache(maxsize=1)
def _kinds() -> NDArray[np.uint8]:
    """By code point: part of a word, a word by itself, or neither."""
    letters = np.arange(_LAST_LETTER, dtype=np.uint32).tobytes().decode("utf-32-le", "surrogatepass")
    kinds = np.zeros(_LAST_LETTER, np.uint8)
    for found in _LETTERS.finditer(letters):
        kinds[found.start() : found.end()] = _WORD
    for first, last in _ONE_BY_ONE:
        kinds[first:last] *= _BY_ITSELF
    return np.append(kinds, np.uint8(0))


@lru_cache(maxsize=4)
def _powers(size: int) -> tuple[Numbers, Numbers]:
    """The powers of the base modulo 2^64, and their inverses."""
    found = []
    for base in (_BASE, pow(_BASE, -1, 1 << 64)):
        factors = np.full(size, base, np.uint64)
        factors[0] = 1
        found.append(np.cumprod(factors))
    return found[0], found[1]
