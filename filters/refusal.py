"""``refusal``: the teacher declined, or spoke of itself, instead of answering."""

import re
from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig

_REFUSAL = re.compile(
    r"^\W*(?:i(?:'m| am) (?:sorry|afraid|unable|not able)|sorry,|as an ai\b"
    r"|i (?:cannot|can't|can not|do not have|don't have)"
    r"|(?:the |this )?(?:documentation|document|text|section|passage|context) (?:does not|doesn't|provides no|has no)"
    r"|(?:not (?:specified|mentioned|stated|provided)|no information|unknown|n/a|none)\W*$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Looks at how the answer begins."""

    name: str = "refusal"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop an answer that is no answer."""
        found = _REFUSAL.search(candidate.pair.answer)
        return Drop(f"the answer begins '{found[0].strip()}'") if found else None


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return Refusal()
