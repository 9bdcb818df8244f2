"""What was replaced in the documents before anything was sent: by kind, for people and for files.

[Spot(document, line, kind)] ─▶ {kind: count}, or one line
"""

from collections import Counter
from collections.abc import Sequence

from generators.privacy import Spot


def count_kinds(spots: Sequence[Spot]) -> dict[str, int]:
    """Redactions by kind, most first."""
    return dict(sorted(Counter(spot.kind for spot in spots).items(), key=lambda entry: (-entry[1], entry[0])))


def redaction_line(spots: Sequence[Spot], tense: str = "were replaced before anything was sent") -> list[str]:
    """What of the documents a teacher does not get to see; no line if that is nothing."""
    counts = ", ".join(f"{number} {kind}" for kind, number in count_kinds(spots).items())
    return [f"  private     {len(spots)} secrets and addresses {tense}: {counts}"] if spots else []
