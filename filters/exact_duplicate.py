"""``exact_duplicate``: a question asked before, but for case, spaces and the punctuation around words.

With the same answer it is a copy; with another, one of the two is wrong: the better grounded one, seen first, stays.
``GET /a`` and ``GET /b`` are two questions, and so are ``C++`` and ``C#``, or `` `*` `` and `` `**` ``.
"""

from dataclasses import dataclass, field

from filters.apply import Candidate, Drop, Filter, FilterConfig

_AROUND = ".,;:!?…\"'()“”‘’«»„¿¡—–-"


@dataclass(frozen=True, slots=True)
class ExactDuplicate:
    """Remembers the questions that passed."""

    name: str = "exact_duplicate"
    _seen: dict[str, str] = field(default_factory=dict)
    _latest: list[str] = field(default_factory=lambda: ["", ""])

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop a question that another pair asks already."""
        twin = self._seen.get(self._folded(candidate.pair.question))
        return None if twin is None else Drop("the same question", twin=twin, similarity=1.0)

    def remember(self, candidate: Candidate) -> None:
        """Keep the question in mind."""
        self._seen.setdefault(self._folded(candidate.pair.question), candidate.pair.id)

    def _folded(self, question: str) -> str:
        """Folded once for ``judge`` and ``remember``."""
        if self._latest[0] != question:
            self._latest[:] = question, _folded(question)
        return self._latest[1]


def _folded(question: str) -> str:
    """The question without the differences that do not matter; what stands in backticks keeps its own punctuation."""
    tokens = [token if token.isalnum() else _bare(token) for token in question.casefold().split()]
    return " ".join(filter(None, tokens))


def _bare(token: str) -> str:
    if "`" in token:
        return token.strip(_AROUND).strip("`")
    # A minus or a sign before a value is no punctuation: -v is another flag than --v, -1 another number than 1.
    return token.rstrip(_AROUND).lstrip(_AROUND.replace("-", "")) if token.strip(_AROUND) else ""


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return ExactDuplicate()
