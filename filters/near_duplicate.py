"""``near_duplicate``: two pairs that say the same in nearly the same words.

Jaccard similarity of the word 3-grams of question + answer, found by an exact join (``similar_rows``). Across facts
such twins are duplicates; the wordings of one fact are kept, up to a number. Pairs whose questions differ in an
identifier or a number are never twins, however alike: API prose is boilerplate, and ``POST /v1/keys`` and
``POST /v1/hooks`` are two facts.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from filters.apply import Candidate, Drop, Filter, FilterConfig
from filters.asked_names import names_asked, plain_names, tell_apart
from filters.similar_rows import SimilarRows
from generators.names import names


class _Row(NamedTuple):
    """What is kept of a pair beside its fingerprints."""

    pair: str
    fact: str
    question: str
    marked: tuple[str, ...]


class NearDuplicate:
    """Compares a pair with those that passed."""

    name = "near_duplicate"

    def __init__(self, config: FilterConfig) -> None:
        self.config = config
        self._similar = SimilarRows(config.near_duplicate)
        self._kept: dict[int, _Row] = {}
        self._numbers: dict[str, int] = {}
        self._remembered = set[str]()

    def digest(self, candidate: Candidate) -> int:
        """A number for what the question asks by name: pairs with different ones are not even compared."""
        asked = names_asked(candidate.pair.question)
        joined = "\n".join(asked).encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(joined, digest_size=8).digest()) if asked else 0

    def foresee(self, candidates: Sequence[Candidate], digests: Sequence[int]) -> None:
        """Fingerprint a block of candidates at once: many times as fast as one by one, with the same verdicts."""
        texts = [f"{each.pair.question} {each.pair.answer}" for each in candidates]
        numbers = self._similar.ahead(texts, digests)
        self._numbers = {each.pair.id: number for number, each in zip(numbers, candidates, strict=True)}

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop the twin of a pair that passed, with its id and the true similarity."""
        found = self._similar.twins(self._number(candidate))
        if not found:
            return None
        row = _row(candidate)
        alike = [(similarity, self._kept[other]) for similarity, other in found]
        alike = [twin for twin in alike if not _differ(row, twin[1])]
        wordings = [twin for twin in alike if twin[1].fact == row.fact]
        if len(wordings) >= self.config.wordings_a_fact:
            return _drop(f"the fact has {len(wordings)} wordings like this already", wordings)
        twins = [twin for twin in alike if twin[1].fact != row.fact]
        return _drop("says the same as another pair", twins) if twins else None

    def remember(self, candidate: Candidate) -> None:
        """Put a pair into the index."""
        if candidate.pair.id not in self._remembered:
            self._remembered.add(candidate.pair.id)
            number = self._number(candidate)
            self._similar.keep(number)
            self._kept[number] = _row(candidate)

    def _number(self, candidate: Candidate) -> int:
        """The number of a candidate among the rows; one that was not foreseen is taken in by itself."""
        if candidate.pair.id not in self._numbers:
            self.foresee([candidate], [self.digest(candidate)])
        return self._numbers[candidate.pair.id]


def _differ(one: _Row, other: _Row) -> bool:
    return tell_apart(one.question, other.question, one.marked, other.marked)


def _drop(detail: str, twins: list[tuple[float, _Row]]) -> Drop:
    similarity, row = max(twins, key=lambda twin: (twin[0], twin[1].pair))
    return Drop(detail, twin=row.pair, similarity=round(similarity, 4))


def _row(candidate: Candidate) -> _Row:
    pair = candidate.pair
    marked = _names_of(candidate.chunk.text) if candidate.chunk.text else plain_names(pair.answer)
    asked = pair.question.lower()
    return _Row(pair.id, pair.fact, pair.question, tuple(name for name in marked if name in asked))


@lru_cache(maxsize=1024)
def _names_of(text: str) -> frozenset[str]:
    """The names of a section that look like any word: ``limit`` and ``offset``, where it marks them as code."""
    return frozenset(name.lower() for name in names(text) if name.isalnum())


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return NearDuplicate(config)
