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

# A number for what a question asks by name, and the words in it that are marked as names elsewhere.
_Named = tuple[int, tuple[str, ...]]


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
        # The block that is judged now: pair id → number of the row, and the marked words of its question.
        self._foreseen: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._remembered = set[str]()

    def digest(self, candidate: Candidate) -> _Named:
        """What the question asks by name."""
        asked = names_asked(candidate.pair.question)
        return _salt(asked) if asked else 0, _marked(candidate)

    def foresee(self, candidates: Sequence[Candidate], digests: Sequence[_Named]) -> None:
        """Fingerprint a block of candidates at once: many times as fast as one by one, with the same verdicts."""
        texts = [f"{each.pair.question} {each.pair.answer}" for each in candidates]
        numbers = self._similar.ahead(texts, [salt for salt, _ in digests])
        self._foreseen = {
            each.pair.id: (number, marked)
            for number, each, (_, marked) in zip(numbers, candidates, digests, strict=True)
        }

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop the twin of a pair that passed, with its id and the true similarity."""
        number, marked = self._foreseen.get(candidate.pair.id) or self._taken_in(candidate)
        found = self._similar.twins(number)
        if not found:
            return None
        row = _row(candidate, marked)
        alike = [(similarity, self._kept[other]) for similarity, other in found]
        alike = [twin for twin in alike if not _differ(row, twin[1])]
        wordings = [twin for twin in alike if twin[1].fact == row.fact]
        if len(wordings) >= self.config.wordings_a_fact:
            return _drop(f"the fact has {len(wordings)} wordings like this already", wordings)
        twins = [twin for twin in alike if twin[1].fact != row.fact]
        return _drop("says the same as another pair", twins) if twins else None

    def remember(self, candidate: Candidate) -> None:
        """Put a pair into the index."""
        name = candidate.pair.id
        if name not in self._remembered:
            self._remembered.add(name)
            number, marked = self._foreseen.get(name) or self._taken_in(candidate)
            self._similar.keep(number)
            self._kept[number] = _row(candidate, marked)

    def _taken_in(self, candidate: Candidate) -> tuple[int, tuple[str, ...]]:
        """Take in a candidate that was not foreseen, by itself."""
        self.foresee([candidate], [self.digest(candidate)])
        return self._foreseen[candidate.pair.id]


def _differ(one: _Row, other: _Row) -> bool:
    return tell_apart(one.question, other.question, one.marked, other.marked)


def _drop(detail: str, twins: list[tuple[float, _Row]]) -> Drop:
    similarity, row = max(twins, key=lambda twin: (twin[0], twin[1].pair))
    return Drop(detail, twin=row.pair, similarity=round(similarity, 4))


def _row(candidate: Candidate, marked: tuple[str, ...]) -> _Row:
    pair = candidate.pair
    return _Row(pair.id, pair.fact, pair.question, marked)


def _salt(asked: Sequence[str]) -> int:
    """A number for what is asked by name: pairs with different ones are not even compared."""
    return int.from_bytes(blake2b("\n".join(asked).encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _marked(candidate: Candidate) -> tuple[str, ...]:
    """The words of a question that its section, or where there is none its answer, marks as names."""
    pair = candidate.pair
    marked = _names_of(candidate.chunk.text) if candidate.chunk.text else plain_names(pair.answer)
    if not marked:
        return ()
    asked = pair.question.lower()
    return tuple(name for name in marked if name in asked)


@lru_cache(maxsize=1024)
def _names_of(text: str) -> frozenset[str]:
    """The names of a section that look like any word: ``limit`` and ``offset``, where it marks them as code."""
    return frozenset(name.lower() for name in names(text) if name.isalnum())


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return NearDuplicate(config)
