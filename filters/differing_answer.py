"""``differing_answer``: a question asked before, with another answer: a contradiction, or one wording too many.

Both answers may stand in the documents, where the question does not tell which of two things it is about: who learns
both learns neither. The better grounded one, seen first, stays. The same answer once more is an ``exact_duplicate``.
"""

from dataclasses import dataclass, field

from filters.apply import Candidate, Drop, Filter, FilterConfig
from filters.exact_duplicate import folded

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class DifferingAnswer:
    """Remembers the questions that passed, and what was answered."""

    name: str = "differing_answer"
    _seen: dict[str, tuple[str, str]] = field(default_factory=dict)

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop another answer to a question that has one; the similarity is that of the two answers."""
        twin = self._seen.get(folded(candidate.pair.question))
        if twin is None:
            return None
        from rapidfuzz.fuzz import ratio

        known, answer = twin
        alike = round(ratio(answer, candidate.pair.answer) / 100, 4)
        return Drop(f"the same question has another answer: '{answer[:_SHOWN]}'", twin=known, similarity=alike)

    def remember(self, candidate: Candidate) -> None:
        """Keep question and answer in mind."""
        pair = candidate.pair
        self._seen.setdefault(folded(pair.question), (pair.id, pair.answer))


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return DifferingAnswer()
