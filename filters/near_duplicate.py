"""``near_duplicate``: two pairs that say the same in nearly the same words, found by MinHash and verified by Jaccard.

Word 3-grams of question + answer. Across facts such twins are duplicates; the wordings of one fact are kept, up to a
number. Pairs whose questions differ in an identifier or a number are never twins, however alike: API prose is
boilerplate, and ``POST /v1/keys`` and ``POST /v1/hooks`` are two facts.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.names import values
from generators.words import words

_PERMUTATIONS = 128
_GRAM = 3


@dataclass(frozen=True, slots=True)
class _Row:
    pair: str
    fact: str
    grams: frozenset[str]
    question_values: frozenset[str]


@dataclass(slots=True)
class NearDuplicate:
    """Keeps a MinHash index of the pairs that passed."""

    config: FilterConfig
    name: str = "near_duplicate"
    _index: Any = None
    _rows: dict[str, _Row] = field(default_factory=dict)
    _wordings: Counter[str] = field(default_factory=Counter)

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop the twin of a pair that passed, with its id and the true similarity."""
        pair = candidate.pair
        if self._wordings[pair.fact] >= self.config.wordings_a_fact:
            return Drop(f"the fact has {self.config.wordings_a_fact} wordings already")
        row = _Row(pair.id, pair.fact, _grams(f"{pair.question} {pair.answer}"), frozenset(values(pair.question)))
        signature = _signature(row.grams)
        twin = self._twin(row, signature)
        if twin is not None:
            return Drop("says the same as another pair", twin=twin[1].pair, similarity=round(twin[0], 4))
        self._wordings[pair.fact] += 1
        if pair.id not in self._rows:
            self._rows[pair.id] = row
            self._lsh().insert(pair.id, signature)
        return None

    def _twin(self, row: _Row, signature: Any) -> tuple[float, _Row] | None:  # noqa: ANN401 - datasketch has no types
        """The most similar row of another fact, if it is similar enough."""
        found = [self._rows[key] for key in self._lsh().query(signature) if key != row.pair]
        rivals = [other for other in found if other.fact != row.fact and other.question_values == row.question_values]
        scored = [(_jaccard(row.grams, other.grams), other) for other in rivals]
        best = max(scored, key=lambda twin: (twin[0], twin[1].pair), default=None)
        return best if best is not None and best[0] >= self.config.near_duplicate else None

    def _lsh(self) -> Any:  # noqa: ANN401 - datasketch has no types
        if self._index is None:
            from datasketch import MinHashLSH

            self._index = MinHashLSH(threshold=max(0.1, self.config.near_duplicate - 0.1), num_perm=_PERMUTATIONS)
        return self._index


def _grams(text: str) -> frozenset[str]:
    tokens = words(text)
    return frozenset(" ".join(tokens[i : i + _GRAM]) for i in range(max(1, len(tokens) - _GRAM + 1)))


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a or b else 1.0


def _signature(grams: frozenset[str]) -> Any:  # noqa: ANN401 - datasketch has no types
    from datasketch import MinHash

    signature = MinHash(num_perm=_PERMUTATIONS)
    signature.update_batch([gram.encode() for gram in sorted(grams)])
    return signature


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return NearDuplicate(config)
