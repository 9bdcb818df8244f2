"""``ungrounded_quote``: a quote that does not stand in the chunk, or an answer without any quote."""

from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.quotes import find_quote


@dataclass(frozen=True, slots=True)
class UngroundedQuote:
    """Matches each quote fuzzily against the chunk's text and heading path."""

    config: FilterConfig
    name: str = "ungrounded_quote"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if a quote was invented."""
        if not candidate.pair.quotes:
            return Drop("the pair has no quote")
        source = " > ".join(candidate.chunk.heading) + "\n" + candidate.chunk.text
        for quote in candidate.pair.quotes:
            found = find_quote(quote, source)
            if found < self.config.quote_similarity:
                return Drop(f"not in the section (best match {found:.2f}): '{quote[:80]}'", similarity=round(found, 4))
        return None


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return UngroundedQuote(config)
