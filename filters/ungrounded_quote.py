"""``ungrounded_quote``: a quote that its section does not hold or says otherwise, or an answer without any quote.

A changed number, name, unit or "not" is an invention, however well the rest fits.
"""

from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig


@dataclass(frozen=True, slots=True)
class UngroundedQuote:
    """Looks up where each quote stands in the chunk's text or titles, and what they say in its place."""

    config: FilterConfig
    name: str = "ungrounded_quote"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if a quote was invented."""
        if not candidate.pair.quotes:
            return Drop("the pair has no quote")
        for quote, found in zip(candidate.pair.quotes, candidate.quoted, strict=True):
            like = found.similarity
            if like < self.config.quote_similarity or not found.passages:
                return Drop(f"not in the section (best match {like:.2f}): '{quote[:80]}'", similarity=round(like, 4))
            if found.difference:
                said = f"{found.difference}: '{quote[:80]}' for '{' … '.join(found.passages)[:120]}'"
                return Drop(f"the section says otherwise, {said}", similarity=round(like, 4))
        return None


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return UngroundedQuote(config)
