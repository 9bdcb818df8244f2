"""``refusal``: the teacher declined, or spoke of itself, instead of answering.

What the documentation itself says is no refusal: the default may be ``None``, a status ``unknown``, and a document
(in a database) may have no id.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.words import words

_REFUSAL = re.compile(
    r"^\W*(?:i(?:'m| am) (?:sorry|afraid|unable|not able)|sorry,|as an ai\b"
    r"|i (?:cannot|can't|can not|do not have|don't have)"
    r"|(?:the |this )?(?:documentation|document|text|section|passage|context) (?:does not|doesn't|provides no|has no)"
    r"|(?:not (?:specified|mentioned|stated|provided)|no information|unknown|n/a|none)\W*$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Looks at how the answer begins, and whether a quote says it."""

    name: str = "refusal"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop an answer that is no answer."""
        found = _REFUSAL.search(candidate.pair.answer)
        if found is None or _said(found[0], candidate.pair.quotes):
            return None
        return Drop(f"the answer begins '{found[0].strip()}'")


def _said(phrase: str, quotes: Iterable[str]) -> bool:
    wanted = " ".join(words(phrase))
    return any(f" {wanted} " in f" {' '.join(words(quote))} " for quote in quotes)


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return Refusal()
