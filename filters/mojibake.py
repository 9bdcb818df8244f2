"""``mojibake``: text that was decoded with the wrong encoding ("cafÃ©", "donâ€™t", replacement characters)."""

from dataclasses import dataclass

from ftfy.badness import badness

from filters.apply import Candidate, Drop, Filter, FilterConfig


@dataclass(frozen=True, slots=True)
class Mojibake:
    """Compares how garbled a pair is with how garbled its section is: only a reply that garbles more is at fault."""

    name: str = "mojibake"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if question or answer is garbled and the section is not."""
        for text in (candidate.pair.question, candidate.pair.answer):
            if text.isascii():
                continue
            if "\ufffd" in text and "\ufffd" not in candidate.chunk.text:
                return Drop("holds a replacement character (U+FFFD)")
            if badness(text) and not badness(candidate.chunk.text):
                return Drop(f"is garbled: '{_where(text)}'")
        return None


def _where(text: str) -> str:
    """The first garbled word."""
    return next((word for word in text.split() if badness(word)), text[:20])


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return Mojibake()
