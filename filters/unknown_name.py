"""``unknown_name``: a question about a name, path or number that its section does not know."""

from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.names import spoken_numbers, values


@dataclass(frozen=True, slots=True)
class UnknownName:
    """Compares the question's exact values with the chunk's text and heading path."""

    name: str = "unknown_name"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if the question asks about something that the chunk does not hold."""
        source = " ".join(candidate.chunk.heading) + "\n" + candidate.chunk.text
        held = values(source) | spoken_numbers(source)
        lowered = source.lower()
        for value in sorted(values(candidate.pair.question) - held):
            if value.lower() not in lowered:
                return Drop(f"the section does not know '{value}'")
        return None


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return UnknownName()
