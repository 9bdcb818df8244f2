"""``ungrounded_value``: a number, identifier, path, header or code of the answer that its own quotes do not hold.

What counts is what the section says where the quotes stand, not how the teacher copied it.
"""

from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from filters.unknown_name import EVERYDAY
from generators.names import spoken_numbers, values


@dataclass(frozen=True, slots=True)
class UngroundedValue:
    """Compares the answer's exact values with those of its quotes and heading path; elsewhere does not count."""

    config: FilterConfig
    name: str = "ungrounded_value"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if the answer states a value that its quotes do not."""
        source = "\n".join((*candidate.passages, *candidate.chunk.heading))
        foreign = values(candidate.pair.answer) - values(source) - EVERYDAY
        if not foreign:
            return None
        lowered = source.lower()
        for value in sorted(foreign - spoken_numbers(source) - values(" ".join(self.config.known_names))):
            if not _within(value, lowered):
                where = "only elsewhere in the section" if value in candidate.chunk.text else "nowhere in the section"
                return Drop(f"'{value}' stands {where}, not in the quotes")
        return None


def _within(value: str, source: str) -> bool:
    """Whether a name stands in the source in another case or inside a longer expression; numbers must match whole."""
    return not value.lstrip("+-")[:1].isdigit() and value.lower() in source


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return UngroundedValue(config)
