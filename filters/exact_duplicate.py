"""``exact_duplicate``: a question asked before, but for case, spaces and punctuation.

With the same answer it is a copy; with another, one of the two is wrong: the better grounded one, seen first, stays.
"""

from dataclasses import dataclass, field

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.names import values
from generators.words import words


@dataclass(frozen=True, slots=True)
class ExactDuplicate:
    """Remembers the questions that passed."""

    name: str = "exact_duplicate"
    _seen: dict[tuple[str, frozenset[str]], str] = field(default_factory=dict)

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop a question that another pair asks already; ``GET /a`` and ``GET /b`` are two questions."""
        question = candidate.pair.question
        key = (" ".join(words(question)), frozenset(values(question)))
        twin = self._seen.setdefault(key, candidate.pair.id)
        return Drop("the same question", twin=twin, similarity=1.0) if twin != candidate.pair.id else None


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return ExactDuplicate()
