"""``exact_duplicate``: a question asked and answered before, but for case, spaces and the punctuation around words.

``GET /a`` and ``GET /b`` are two questions, and so are ``C++`` and ``C#``, or `` `*` `` and `` `**` ``. The same
question with another answer is no copy, but a ``differing_answer``.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from filters.apply import Candidate, Drop, Filter, FilterConfig

_AROUND = ".,;:!?…\"'()“”‘’«»„¿¡—–-"


@dataclass(frozen=True, slots=True)
class ExactDuplicate:
    """Remembers the questions that passed, with their answers."""

    name: str = "exact_duplicate"
    _seen: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop a pair that another one repeats."""
        pair = candidate.pair
        for twin, answer in self._seen.get(folded(pair.question), ()):
            if answer == pair.answer or folded(answer) == folded(pair.answer):
                return Drop("the same question and answer", twin=twin, similarity=1.0)
        return None

    def remember(self, candidate: Candidate) -> None:
        """Keep question and answer in mind."""
        pair = candidate.pair
        self._seen.setdefault(folded(pair.question), []).append((pair.id, pair.answer))


# Each pair is judged and remembered, by two filters.
@lru_cache(maxsize=16)
def folded(text: str) -> str:
    """A text without the differences that do not matter; what stands in backticks keeps its own punctuation."""
    tokens = [token if token.isalnum() else _bare(token) for token in text.casefold().split()]
    return " ".join(filter(None, tokens))


def _bare(token: str) -> str:
    if "`" in token:
        return token.strip(_AROUND).strip("`")
    # A minus or a sign before a value is no punctuation: -v is another flag than --v, -1 another number than 1.
    return token.rstrip(_AROUND).lstrip(_AROUND.replace("-", "")) if token.strip(_AROUND) else ""


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return ExactDuplicate()
