"""``ungrounded_answer``: an answer whose words its own quotes hardly share: said of something else, or from memory."""

from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.words import content_words

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
        quoted = said & content_words("\n".join(pair.quotes))
        known = quoted | content_words("\n".join(candidate.chunk.heading)) | content_words(pair.question)
        share = len(said & known) / len(said)
        if share < self.config.answer_support or not quoted:
            return Drop(f"only {share:.0%} of its words stand in its quotes", similarity=round(share, 4))
        return None


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return UngroundedAnswer(config)
