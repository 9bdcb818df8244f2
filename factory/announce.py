"""What a refresh says before it spends: what changed, what is asked about, what stays and what goes.

Plan + last version ─▶ lines for people
"""

from collections.abc import Iterator, Sequence
from typing import Any

from factory.corpus import Changes
from factory.inputs import Inputs
from factory.manifest import other_filters, recipe_parts
from factory.plan import Plan
from factory.store import Version


def announced(plan: Plan, previous: Version, inputs: Inputs) -> Iterator[str]:
    """Why something is to be done, and what is left as it is."""
    causes = causes_of(plan, previous, inputs)
    if causes:
        yield (
            f"{' and '.join(causes)}: all {len(inputs.corpus.chunks)} sections are asked about again, and the "
            f"{len(previous.rows)} pairs of {previous.name} give way to the new ones; {previous.name} and your own "
            "pairs stay, and so do the settings that ask for nothing: [filters], shares, --pairs, --gold"
        )
    else:
        yield f"since {previous.name}: {change_line(plan.changes)}; {planned(plan, previous, inputs)}"


def skipped_before(previous: Version, inputs: Inputs) -> Iterator[str]:
    """Which filters of now the published pairs never passed: they stay, but nobody should wonder why."""
    others = other_filters(previous, inputs.filters) if previous.manifest["recipe"] == inputs.recipe else []
    skipped = sorted({name for other in others for name in other["skip"]} - set(inputs.filters.skip))
    if skipped:
        yield (
            f"pairs of {previous.name} were published without {', '.join(skipped)} and stay: "
            "'factory filter' judges them by the settings of now"
        )


def causes_of(plan: Plan, previous: Version, inputs: Inputs) -> list[str]:
    """Which parts of the recipe are not those of the last version, from what to what."""
    if not plan.restarted:
        return []
    before, now = previous.manifest.get("recipe_parts", {}), recipe_parts(inputs)
    changed = [
        f"{name} was {_shown(name, before[name])} and is {_shown(name, now[name])}"
        for name in now
        if name in before and before[name] != now[name]
    ]
    return changed or ["what decides what is asked has changed"]


def change_line(changes: Changes) -> str:
    """Documents added, changed, removed and moved, in one phrase."""
    counts = f"+{len(changes.added)} ~{len(changes.changed)} -{len(changes.removed)} documents"
    return f"{counts}, {len(changes.moved)} moved" if changes.moved else counts


def planned(plan: Plan, previous: Version, inputs: Inputs) -> str:
    """How many sections are asked about, and how many pairs stay and go."""
    todo, edited = len(plan.todo), len(plan.edited)
    kept = {row.pair.id for row in plan.kept}
    gone = sum(row.pair.id not in kept for row in previous.rows)
    part = f" ({edited} of them edited)" if edited else ""
    target = inputs.settings.pairs
    asked = f"{'up to ' if target else ''}{todo} of {len(inputs.corpus.chunks)} sections to ask about{part}"
    return f"{asked}, {len(previous.rows) - gone} pairs stay, {gone} go"


def _shown(name: str, value: Any) -> str:  # noqa: ANN401 - from a manifest
    if name == "privacy":
        return f"'{str(value)[:8]}'"
    return "not set" if value in (None, "") else f"'{value}'"


def changes_json(plan: Plan, previous: Version) -> dict[str, int]:
    """What a run would begin with, as ``--dry-run --json`` prints it."""
    kept = {row.pair.id for row in plan.kept}
    return {
        **counts_of(plan.changes),
        "sections_edited": len(plan.edited),
        "pairs_kept": sum(row.pair.id in kept for row in previous.rows),
        "pairs_retired": sum(row.pair.id not in kept for row in previous.rows),
    }


def counts_of(changes: Changes) -> dict[str, int]:
    """The documents' part of the object ``changes`` that ``--json`` prints."""
    names: Sequence[str] = ("added", "changed", "removed")
    return {f"documents_{name}": len(getattr(changes, name)) for name in names}
