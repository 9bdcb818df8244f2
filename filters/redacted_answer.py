"""``redacted_answer``: an answer that is nothing but a placeholder, such as ``[EMAIL_1]`` or "The key is [TOKEN_1f3a]".

What stood there was taken out before the teacher saw it, so there is nothing to learn but the placeholder.
"""

import re
from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.privacy import KINDS
from generators.words import content_words

# Of the kinds that are looked for: [ERR_42] may be a documented name.
_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})_[0-9a-f]+\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RedactedAnswer:
    """Looks at what an answer says beside its placeholders and the question's own words."""

    name: str = "redacted_answer"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop an answer of placeholders."""
        question, answer = candidate.pair.question, candidate.pair.answer
        placeholder = _PLACEHOLDER.search(answer)
        if placeholder is None:
            return None
        said = content_words(_PLACEHOLDER.sub(" ", answer)) - content_words(question)
        return None if said else Drop(f"says nothing but {placeholder[0]}, which stands for what was redacted")


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return RedactedAnswer()
