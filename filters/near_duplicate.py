"""``near_duplicate``: two pairs that say the same in nearly the same words, found by MinHash and verified by Jaccard.

Word 3-grams of question + answer. Across facts such twins are duplicates; the wordings of one fact are kept, up to a
number. Pairs whose questions differ in an identifier or a number are never twins, however alike: API prose is
boilerplate, and ``POST /v1/keys`` and ``POST /v1/hooks`` are two facts.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.names import names, spoken_numbers, values
from generators.words import words

_PERMUTATIONS = 128
_GRAM = 3
# Names that are made of signs: C++, C#, -v, and `==` or `**` in code spans.
_SIGNS = re.compile(r"\w[+#]+(?!\w)|(?<![\w-])--?[A-Za-z]\b|`[^\w\s`]+`")


@dataclass(frozen=True, slots=True)
class _Row:
    pair: str
    fact: str
    grams: frozenset[str]
    signature: Any
    question_words: frozenset[str]
    question_values: frozenset[str]
    identifiers: frozenset[str]


@dataclass(slots=True)
class NearDuplicate:
    """Keeps a MinHash index of the pairs that passed."""

    config: FilterConfig
    name: str = "near_duplicate"
    _index: Any = None
    _rows: dict[str, _Row] = field(default_factory=dict)
    _facts: dict[str, list[_Row]] = field(default_factory=lambda: defaultdict(list))
    _latest: tuple[Candidate, _Row] | None = None

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop the twin of a pair that passed, with its id and the true similarity."""
        row = self._row(candidate)
        alike = self._twins(row, self._facts.get(row.fact, ()))
        if len(alike) >= self.config.wordings_a_fact:
            return _drop(f"the fact has {len(alike)} wordings like this already", alike)
        found = (self._rows[key] for key in self._lsh().query(row.signature))
        twins = self._twins(row, (other for other in found if other.fact != row.fact))
        return _drop("says the same as another pair", twins) if twins else None

    def remember(self, candidate: Candidate) -> None:
        """Put a pair into the index."""
        row = self._row(candidate)
        if row.pair not in self._rows:
            self._rows[row.pair] = row
            self._facts[row.fact].append(row)
            self._lsh().insert(row.pair, row.signature)

    def _row(self, candidate: Candidate) -> _Row:
        """What is compared; kept from ``judge`` to ``remember``, since the signature takes long."""
        if self._latest is None or self._latest[0] is not candidate:
            self._latest = (candidate, _row(candidate))
        return self._latest[1]

    def _twins(self, row: _Row, others: Iterable[_Row]) -> list[tuple[float, str]]:
        """(similarity, pair id) of the rows that say the same."""
        scored = ((_jaccard(row.grams, other.grams), other.pair) for other in others if not _differ(row, other))
        return [twin for twin in scored if twin[0] >= self.config.near_duplicate]

    def _lsh(self) -> Any:  # noqa: ANN401 - datasketch has no types
        if self._index is None:
            from datasketch import MinHashLSH

            self._index = MinHashLSH(threshold=max(0.1, self.config.near_duplicate - 0.1), num_perm=_PERMUTATIONS)
        return self._index


def _drop(detail: str, twins: list[tuple[float, str]]) -> Drop:
    similarity, pair = max(twins)
    return Drop(detail, twin=pair, similarity=round(similarity, 4))


def _differ(a: _Row, b: _Row) -> bool:
    """Whether the questions differ in an identifier or a number, and so ask for two things."""
    if a.question_values != b.question_values:
        return True
    return not (a.question_words ^ b.question_words).isdisjoint(a.identifiers | b.identifiers)


def _row(candidate: Candidate) -> _Row:
    pair, question = candidate.pair, candidate.pair.question
    grams, asked = _grams(f"{question} {pair.answer}"), frozenset(words(question))
    # "One" is more often an article than a number.
    exact = values(question) | (spoken_numbers(question) - {"1"}) | set(_SIGNS.findall(question))
    return _Row(
        pair.id,
        pair.fact,
        grams,
        _signature(grams),
        asked,
        frozenset(exact),
        asked & _plain_names(candidate.chunk.text),
    )


@lru_cache(maxsize=1024)
def _plain_names(text: str) -> frozenset[str]:
    """The names of a section that look like any word: ``limit`` and ``offset``, where it marks them as code."""
    return frozenset(name.lower() for name in names(text) if name.isalnum())


def _grams(text: str) -> frozenset[str]:
    tokens = words(text)
    return frozenset(" ".join(tokens[i : i + _GRAM]) for i in range(max(1, len(tokens) - _GRAM + 1)))


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a or b else 1.0


def _signature(grams: frozenset[str]) -> Any:  # noqa: ANN401 - datasketch has no types
    from datasketch import MinHash

    signature = MinHash(num_perm=_PERMUTATIONS)
    signature.update_batch([gram.encode("utf-8", "surrogatepass") for gram in sorted(grams)])
    return signature


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return NearDuplicate(config)
