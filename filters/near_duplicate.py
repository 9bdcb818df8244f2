"""``near_duplicate``: two pairs that say the same in nearly the same words.

Jaccard similarity of the word 3-grams of question + answer, found by an exact join (``similar_rows``). Across facts
such twins are duplicates; the wordings of one fact are kept, up to a number. Pairs whose questions differ in an
identifier or a number are never twins, however alike: API prose is boilerplate, and ``POST /v1/keys`` and
``POST /v1/hooks`` are two facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from filters.apply import Candidate, Drop, Filter, FilterConfig
from filters.asked_names import names_asked, plain_names, tell_apart
from generators.names import names

if TYPE_CHECKING:
    from filters.similar_rows import SimilarRows


@dataclass(frozen=True, slots=True)
class _Row:
    """What is kept of a pair beside its fingerprints."""

    pair: str
    fact: str
    question: str
    marked: frozenset[str]


class NearDuplicate:
    """Compares a pair with those that passed."""

    name = "near_duplicate"

    def __init__(self, config: FilterConfig) -> None:
        self.config = config
        self._similar: SimilarRows | None = None
        self._rows: dict[int, _Row] = {}
        self._ahead: dict[str, tuple[int, _Row]] = {}
        self._remembered = set[str]()

    def foresee(self, candidates: Sequence[Candidate]) -> None:
        """Fingerprint a block of candidates at once: many times as fast as one by one, with the same verdicts."""
        if self._similar is None:
            from filters.similar_rows import SimilarRows

            self._similar = SimilarRows(self.config.near_duplicate)
        texts = [f"{each.pair.question} {each.pair.answer}" for each in candidates]
        numbers = self._similar.ahead(texts, [_salt(names_asked(each.pair.question)) for each in candidates])
        self._ahead = {each.pair.id: (number, _row(each)) for number, each in zip(numbers, candidates, strict=True)}

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop the twin of a pair that passed, with its id and the true similarity."""
        number, row, similar = self._foreseen(candidate)
        alike: list[tuple[float, _Row]] = []
        for similarity, other in similar.twins(number):
            kept = self._rows[other]
            if not tell_apart(row.question, kept.question, row.marked, kept.marked):
                alike.append((similarity, kept))
        wordings = [each for each in alike if each[1].fact == row.fact]
        if len(wordings) >= self.config.wordings_a_fact:
            return _drop(f"the fact has {len(wordings)} wordings like this already", wordings)
        twins = [each for each in alike if each[1].fact != row.fact]
        return _drop("says the same as another pair", twins) if twins else None

    def remember(self, candidate: Candidate) -> None:
        """Put a pair into the index."""
        if candidate.pair.id not in self._remembered:
            number, row, similar = self._foreseen(candidate)
            similar.keep(number)
            self._rows[number] = row
            self._remembered.add(row.pair)

    def _foreseen(self, candidate: Candidate) -> "tuple[int, _Row, SimilarRows]":
        if candidate.pair.id not in self._ahead or self._similar is None:
            self.foresee([candidate])
        assert self._similar is not None
        return *self._ahead[candidate.pair.id], self._similar


def _drop(detail: str, twins: list[tuple[float, _Row]]) -> Drop:
    similarity, row = max(twins, key=lambda twin: (twin[0], twin[1].pair))
    return Drop(detail, twin=row.pair, similarity=round(similarity, 4))


def _row(candidate: Candidate) -> _Row:
    pair = candidate.pair
    marked = _names_of(candidate.chunk.text) if candidate.chunk.text else plain_names(pair.answer)
    return _Row(pair.id, pair.fact, pair.question, marked)


def _salt(asked: tuple[str, ...]) -> int:
    """Rows that ask by other names get other fingerprints: they are not even compared."""
    joined = "\n".join(asked).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(joined, digest_size=8).digest()) if asked else 0


@lru_cache(maxsize=1024)
def _names_of(text: str) -> frozenset[str]:
    """The names of a section that look like any word: ``limit`` and ``offset``, where it marks them as code."""
    return frozenset(name.lower() for name in names(text) if name.isalnum())


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return NearDuplicate(config)
