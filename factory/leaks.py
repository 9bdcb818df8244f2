"""Whether a published version leaks its test, as ``factory verify`` says it.

    pairs, places, manifest ─▶ a line for each row whose question stands, nearly or by meaning, in a stronger split

By meaning only where the version was made so (``[filters] semantic = true``), and where this machine can: what cannot
be checked is said (``unchecked``). Nothing is fetched for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from filters.alike_meanings import ByMeaning
from filters.embeddings import embedder, what_is_missing
from filters.holdout import Place
from filters.leakage import cross_twins
from generators.records import Pair

# A text's vector differs in its last digits (by 1e-7) with the machine, and with the texts that are embedded beside it:
# what was published as just below the threshold is no leak.
_MARGIN = 1e-4


def leaks(pairs: Sequence[Pair], places: Mapping[str, Place], manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what leaks.

    Args:
        pairs: The rows of a version.
        places: Pair id → its place there.
        manifest: Of the version; tells whether it was made by meaning, too, and from which cosine on.
    """
    found = [("asks nearly what", cross_twins(pairs, places))]
    if made_by_meaning(manifest) and not what_is_missing():
        meaning = ByMeaning(manifest["filters"]["semantic_duplicate"] + _MARGIN, embedder().embed)
        found.append(("asks by meaning what", cross_twins(pairs, places, meaning)))
    for says, twins in found:
        for one, other, similarity in twins:
            yield (
                f"{places[one.id].split} row {one.id} {says} {places[other.id].split} row {other.id} asks"
                f" (similarity {similarity:.2f})"
            )


def made_by_meaning(manifest: Mapping[str, Any]) -> bool:
    """Whether a version was made with ``semantic = true``."""
    return bool(manifest.get("filters", {}).get("semantic"))


def unchecked(manifests: Mapping[str, Mapping[str, Any]]) -> tuple[Sequence[str], str]:
    """The versions, of these by name, whose questions cannot be compared by meaning here, and the line that says so."""
    names = [name for name, manifest in manifests.items() if made_by_meaning(manifest)]
    missing = what_is_missing() if names else ""
    if not missing:
        return (), ""
    return names, f"not checked for questions that mean the same in two splits: {', '.join(names)}; {missing}"
