"""``ungrounded_answer``: an answer whose words its own quotes hardly share: said of something else, or from memory.

One that repeats its quotes word for word, but for a "not", is none of theirs either.
"""

import re
from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.aligned import aligned
from generators.differing import is_negated
from generators.words import content_words

# An answer so much like a passage of its quotes repeats it.
_REPEATED = 0.85
_NO = re.compile(r"^\s*no\b[\s,.;:!–—-]*", re.IGNORECASE)
_FEWEST = 3  # content words: shorter answers are judged by their values


@dataclass(frozen=True, slots=True)
class UngroundedAnswer:
    """Compares the answer's content words with those of its quotes, heading path and question."""

    config: FilterConfig
    name: str = "ungrounded_answer"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if too few of the answer's words stand where they should."""
        pair = candidate.pair
        said = content_words(pair.answer)
        if len(said) < _FEWEST:
            return None
        quoted = said & content_words("\n".join(candidate.passages))
        known = quoted | content_words("\n".join(candidate.chunk.heading)) | content_words(pair.question)
        share = len(said & known) / len(said)
        if share < self.config.answer_support or not quoted:
            return Drop(f"only {share:.0%} of its words stand in its quotes", similarity=round(share, 4))
        return _turned_round(pair.answer, "\n".join(candidate.passages))


def _turned_round(answer: str, quoted: str) -> Drop | None:
    """Drop what says the opposite of its quotes in their own words."""
    if not is_negated(answer, quoted):
        return None
    # An answer is a part of its quotes, or the other way round; "No, …" answers a question, and negates nothing.
    said = _NO.sub("", answer)
    found = aligned(said, (), quoted)
    if found.similarity >= _REPEATED and found.difference and is_negated(said, "\n".join(found.passages)):
        return Drop(f"its quotes say otherwise, {found.difference}", similarity=round(found.similarity, 4))
    return None


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return UngroundedAnswer(config)
