"""Questions as sets of numbers, one for each five characters in a row: what ``alike_questions`` compares.

    ["What is the limit?", …] ─▶ how many grams each has, and their numbers question by question, the rarest first

Exact: equal grams have equal numbers, others have others. A gram is numbered character by character: the first few
together are numbered anew before the next joins, so that what is to be numbered stays small enough for a table.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
_GRAM = 5
_CODE_POINTS = 0x110000
_TABLE = 1 << 22  # larger numbers are numbered by sorting


def numbered(questions: Sequence[str]) -> tuple[Numbers, Numbers]:
    """How many grams each question has, in lower case and each once, and their numbers, question by question.

    Numbers go by rarity: of two grams the larger stands more often. A question of fewer than five characters is a gram
    by itself.
    """
    folded = [question.lower() for question in questions]
    lengths = np.fromiter(map(len, folded), np.int64, len(folded))
    counts = np.maximum(1, lengths - _GRAM + 1)
    # Behind each question stand five blanks, so that an empty one has as many characters, too.
    starts = np.cumsum(lengths + _GRAM) - (lengths + _GRAM)
    places = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts - starts, counts)
    ranks = _by_rarity(_grams(*_characters(folded, lengths), places))
    held = distinct(np.repeat(np.arange(len(folded)), counts) << 32 | ranks)
    return np.bincount(held >> 32, minlength=len(folded)), held & 0xFFFFFFFF


def distinct(numbers: Numbers) -> Numbers:
    """Each number once, sorted; where most are there once, faster than ``np.unique``."""
    ordered = np.sort(numbers)
    return ordered[_starts(ordered)]


def _starts(ordered: Numbers) -> NDArray[np.bool_]:
    """Where another number stands than before."""
    return np.concatenate([np.ones(min(1, len(ordered)), bool), ordered[1:] != ordered[:-1]])


def _characters(folded: Sequence[str], lengths: Numbers) -> tuple[Numbers, int]:
    """A small number for each character, 0 for the five blanks behind each question; and the bits of the largest."""
    codes = np.frombuffer("".join(folded).encode("utf-32-le", "surrogatepass"), np.uint32)
    known = np.zeros(_CODE_POINTS, bool)
    known[codes] = True
    numbers = np.cumsum(known)
    characters = np.zeros(len(codes) + _GRAM * len(folded), np.int64)
    behind = np.repeat(np.arange(len(folded)) * _GRAM, lengths)
    characters[np.arange(len(codes)) + behind] = numbers[codes]
    return characters, int(numbers[-1]).bit_length()


def _grams(characters: Numbers, bits: int, places: Numbers) -> Numbers:
    """A number, as small as can be, for the five characters that begin at each place."""
    grams, bound = characters[places], 1 << bits
    for step in range(1, _GRAM):
        if bound << bits > _TABLE:
            grams = _dense(grams, bound)
            bound = int(grams.max(initial=0)) + 1
        grams, bound = grams << bits | characters[places + step], bound << bits
    return _dense(grams, bound)


def _dense(numbers: Numbers, bound: int) -> Numbers:
    """Numbers from 0 on in the place of those below the bound; equal ones for equal ones."""
    dense: Numbers
    if bound <= _TABLE:
        known = np.zeros(bound, bool)
        known[numbers] = True
        dense = np.cumsum(known)[numbers] - 1
        return dense
    order = np.argsort(numbers)
    dense = np.empty(len(numbers), np.int64)
    dense[order] = np.cumsum(_starts(numbers[order])) - 1
    return dense


def _by_rarity(grams: Numbers) -> Numbers:
    """The place of each gram among all, the rarest first."""
    counts = np.bincount(grams)
    ranks = np.empty(len(counts), np.int64)
    ranks[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    return ranks[grams]
