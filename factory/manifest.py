"""The manifest of a version: what is in it, what it was made of, and with what.

    rows, rejects, inputs ─▶ the JSON object that ``manifest.json`` holds (the store adds the files' sha256)

Only the manifest and the card carry time and cost; the rows are the same bytes for the same replies.
"""

import json
import platform
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from factory import __version__
from factory.commits import Commit
from factory.corpus import DocumentEntry
from factory.funnel_counts import count_stages
from factory.inputs import Inputs
from factory.redactions import count_kinds
from factory.store import SPLITS, Row, Version
from filters import FILTERS
from filters.apply import FilterConfig, active
from filters.holdout import Place
from generators.asking import Spent
from generators.privacy import KINDS, Spot
from generators.records import Reject

# What a provider's terms say of training on its output; shown before training and kept with the data.
TERMS: Mapping[str, str] = {
    "openai": "OpenAI's terms forbid using output to develop models that compete with OpenAI.",
    "anthropic": "Anthropic's terms forbid using output to train models that compete with Anthropic without approval.",
    "litellm": "The terms of the provider behind the gateway apply.",
    "local": "The licence of the local model applies.",
}
_MOST_SPOTS = 1000  # of redactions, listed one by one; all are counted
_LIBRARIES = ("openai", "anthropic", "xllamacpp", "numpy", "jinja2", "pydantic")


def manifest_of(
    inputs: Inputs,
    rows: Sequence[Row],
    rejects: Sequence[Reject],
    asked: Mapping[str, int],
    spent: Spent,
    held: Collection[str],
    previous: Version | None,
    commits: Sequence[Commit],
    moved: Mapping[str, str],
    journal: Mapping[str, int],
) -> dict[str, Any]:
    """Describe a version that is about to be published.

    Args:
        inputs: What it was made of.
        rows: What is in it.
        rejects: What is not.
        asked: Chunk id → rounds it was asked in.
        spent: Of this run.
        held: Paths of the documents held out whole.
        previous: The version before.
        commits: Where the documents lie in repositories.
        moved: Path now → path then of documents that were renamed.
        journal: Segment → replies, so that it is noticed if some are lost.
    """
    corpus = inputs.corpus
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "previous": previous.name if previous else None,
        **_asked_with(inputs),
        "commits": [asdict(commit) for commit in commits],
        "filters": asdict(inputs.filters),
        "filters_before": other_filters(previous, inputs.filters) if previous and _goes_on(previous, rows) else [],
        "documents": [_document(entry, held) for entry in corpus.documents],
        "redactions": _redactions(corpus.redactions),
        "skipped": [asdict(skipped) for skipped in corpus.skipped],
        "asked": dict(sorted(asked.items())),
        "former_places": former_places(previous, rows),
        "former_chunks": former_chunks(previous, corpus.documents, moved),
        **count_pairs(rows, rejects),
        "funnel": funnel_of(inputs.filters, rows, rejects),
        "run": asdict(spent),
        "journal": {segment: count for segment, count in sorted(journal.items()) if count},
        "versions": {"factory": __version__, "python": platform.python_version(), **_libraries()},
    }


def _asked_with(inputs: Inputs) -> dict[str, Any]:
    """Who was asked, and by which settings."""
    settings = inputs.settings
    return {
        "name": inputs.name,
        "system_prompt": inputs.system_prompt,
        "check": {"by": settings.check, "how": settings.check_how, "votes": settings.check_votes},
        "recipe": inputs.recipe,
        "recipe_parts": recipe_parts(inputs),
        "own": inputs.own,
        "teacher": settings.teacher,
        "terms": TERMS.get(settings.teacher.partition("/")[0].partition(":")[0], "unknown"),
        "template": {"name": inputs.template.name, "sha256": inputs.template.sha256},
        "seed": settings.seed,
        "docs": list(settings.docs),
        "privacy": {
            "policies": {kind: settings.privacy.policy(kind) for kind in KINDS},
            "instructions": settings.privacy.instructions,
            "samples": settings.privacy.samples,
        },
    }


def _document(entry: DocumentEntry, held: Collection[str]) -> dict[str, Any]:
    return {
        "path": entry.path,
        "format": entry.format,
        "sha256": entry.sha256,
        "chunks": list(entry.chunks),
        "held_out": entry.path in held,
    }


def _goes_on(previous: Version, rows: Sequence[Row]) -> bool:
    """Whether a row of the last version is still there."""
    return not {row.pair.id for row in rows}.isdisjoint(row.pair.id for row in previous.rows)


def other_filters(previous: Version, config: FilterConfig) -> list[dict[str, Any]]:
    """The settings other than these by which pairs of a version were judged; a run that goes on keeps the pairs."""
    ours = json.loads(json.dumps(asdict(config)))
    theirs = [previous.manifest["filters"], *previous.manifest.get("filters_before", ())]
    return [settings for settings in theirs if settings != ours]


def recipe_parts(inputs: Inputs) -> dict[str, Any]:
    """What the recipe is made of, in words that tell a person which part is another."""
    qa, settings = inputs.qa, inputs.settings
    return {
        "teacher": settings.teacher,
        "template": f"{inputs.template.name} {inputs.template.sha256[:12]}",
        "product": qa.product,
        "temperature": qa.temperature,
        "seed": qa.seed,
        "facts": qa.facts,
        "privacy": qa.privacy.fingerprint,
    }


def former_chunks(
    previous: Version | None, documents: Sequence[DocumentEntry], moved: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """The chunks that were there once and are not now: which version held each last, and of which document it was.

    They may come back, and a purge must know them. A document that was renamed takes them along.
    """
    if previous is None:
        return {}
    names = {then: now for now, then in moved.items()}
    former = {
        chunk: {**each, "document": names.get(each["document"], each["document"])}
        for chunk, each in previous.manifest.get("former_chunks", {}).items()
    }
    for entry in previous.manifest["documents"]:
        where = {"version": previous.name, "document": names.get(entry["path"], entry["path"])}
        former |= dict.fromkeys(entry["chunks"], where)
    current = {chunk for entry in documents for chunk in entry.chunks}
    return {chunk: each for chunk, each in sorted(former.items()) if chunk not in current}


def _redactions(spots: Sequence[Spot]) -> dict[str, Any]:
    """What was replaced before anything was sent: counts by kind, and where; never what."""
    listed = [{"document": spot.document, "line": spot.line, "kind": spot.kind} for spot in spots[:_MOST_SPOTS]]
    return {"kinds": count_kinds(spots), "places": listed, "unlisted": len(spots) - len(listed)}


def places_so_far(version: Version) -> dict[str, Place]:
    """Pair id → place of every pair ever published up to this version: a split, once assigned, is never drawn again."""
    former = {pair: Place(split, subset) for pair, (split, subset) in version.manifest["former_places"].items()}
    return former | {row.pair.id: row.place for row in version.rows}


def former_places(previous: Version | None, rows: Sequence[Row]) -> dict[str, list[str]]:
    """The places of pairs that were published once and are not now; they may come back."""
    current = {row.pair.id for row in rows}
    so_far = places_so_far(previous) if previous else {}
    return {pair: [place.split, place.set] for pair, place in sorted(so_far.items()) if pair not in current}


def count_pairs(rows: Sequence[Row], rejects: Sequence[Reject]) -> dict[str, Any]:
    """Count the pairs and splits of a whole version: candidates = accepted + Σ rejected."""
    rejected = dict(sorted(Counter(reject.reason for reject in rejects).items()))
    splits = Counter(row.place.split for row in rows)
    return {
        "pairs": {"candidates": len(rows) + sum(rejected.values()), "accepted": len(rows), "rejected": rejected},
        "splits": {split: splits[split] for split in SPLITS},
    }


def funnel_of(config: FilterConfig, rows: Sequence[Row], rejects: Sequence[Reject]) -> list[dict[str, str | int]]:
    """How many pairs of a whole version came to each filter, and how many passed it."""
    dropped = Counter(reject.reason for reject in rejects if reject.stage == "filter")
    # What came too late for the target had passed all filters.
    passed = len(rows) + sum(reject.stage == "target" for reject in rejects)
    running = active(config)
    names = [name for name in FILTERS if name in running or dropped[name]]
    return [stage.as_json() for stage in count_stages(names, passed + dropped.total(), dropped)]


def _libraries() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
