"""``unknown_name``: a question about a name, path or number that its section does not know.

Everybody's words in capitals (API, URL, …) and the product's own name are no invention.
"""

from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.names import spoken_numbers, values

# Capitals that name no thing of the documentation: a question or an answer may use them of its own accord.
EVERYDAY = frozenset(["API", "APIs", "CLI", "FAQ", "HTTP", "IDs", "REST", "SDK", "SDKs", "URI", "URIs", "URL", "URLs"])
# Likewise in a question; in an answer they may be the very thing asked for.
_FORMATS = frozenset(["ASCII", "CSS", "CSV", "HTML", "HTTPS", "JSON", "SQL", "SSL", "TLS", "UTC", "UTF", "XML", "YAML"])


@dataclass(frozen=True, slots=True)
class UnknownName:
    """Compares the question's exact values with the chunk's text and heading path."""

    config: FilterConfig
    name: str = "unknown_name"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if the question asks about something that the chunk does not hold."""
        asked = values(candidate.pair.question) - EVERYDAY - _FORMATS
        if not asked:
            return None
        source = " ".join(candidate.chunk.heading) + "\n" + candidate.chunk.text
        lowered = source.lower()
        # Most stand there letter by letter; only for the others is the section taken apart.
        foreign = {value for value in asked if value.lower() not in lowered}
        if foreign:
            foreign -= values(source) | spoken_numbers(source) | values(" ".join(self.config.known_names))
        return Drop(f"the section does not know '{min(foreign)}'") if foreign else None


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return UnknownName(config)
