"""``factory verify``: whether every byte is as published, every reply where it was, and no version leaks its test.

flags ─▶ Said: the problems and what to do about them, and the exit code
"""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from factory.config import resolve
from factory.filtering import Said
from factory.leaks import unchecked
from factory.run import existing
from factory.spend import in_doubt
from factory.store import Workspace
from factory.visible import visible
from generators.errors import ExitCode, UsageError
from generators.journal import Damage, Journal


def run_verify(flags: Mapping[str, Any], *, as_json: bool) -> Said:
    """``factory verify``: exit 2 if any byte is not as published."""
    settings = resolve(flags, Path.cwd())
    workspace = existing(settings)
    journal = Journal(workspace.journal)
    manifests = _sound_manifests(workspace)
    published = [*_no_latest(workspace), *workspace.verify()]
    lost = lost_replies(workspace, journal, manifests)
    damaged = [f"{workspace.journal / each.segment}, line {each.line}: {each.reason}" for each in journal.damage]
    problems = [*published, *damaged, *lost]
    versions = len(list(workspace.versions.glob("v[0-9]*/")))
    names, line = unchecked(manifests)
    code = ExitCode.USAGE if problems else ExitCode.DONE
    if as_json:
        counts = {"versions": versions, "replies": len(journal), "maybe_paid": len(journal.doubts)}
        return Said(json.dumps({**counts, "problems": problems, **({"unchecked": names} if names else {})}), code=code)
    said = [
        *map(visible, problems),
        *([in_doubt(journal.doubts)] if journal.doubts else []),
        *([visible(line)] if line else []),
        f"{versions} versions and {len(journal)} replies checked: {len(problems)} problems",
        *_advice(workspace, published, journal.damage, lost),
    ]
    return Said("\n".join(said), code=code)


def _sound_manifests(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """The manifests that can be read, by version; of the others the problems tell."""
    found = {}
    for name in workspace.names():
        with suppress(UsageError):
            found[name] = workspace.manifest(workspace.versions / name)
    return found


def _no_latest(workspace: Workspace) -> list[str]:
    """That nothing leads to what is published; of a link that leads nowhere the store tells."""
    names = workspace.names()
    if not names or os.path.lexists(workspace.latest_link):
        return []
    return [f"{workspace.latest_link}: missing, though {len(names)} versions are published"]


def lost_replies(workspace: Workspace, journal: Journal, manifests: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The segments that hold less than they did when a version was published.

    Versions of an earlier release do not say what they rest on; of these it is told only if nothing at all is left.
    """
    noted: dict[str, int] = {}
    for manifest in manifests.values():
        for segment, count in manifest.get("journal", {}).items():
            noted[segment] = max(count, noted.get(segment, 0))
    problems = []
    for segment, count in sorted(noted.items()):
        held = journal.held.get(segment)
        if held is None:
            problems.append(f"{workspace.journal / segment}: missing, with {count} replies that were paid for")
        elif held < count:
            problems.append(f"{workspace.journal / segment}: {count - held} of {count} replies are missing")
    bought = sum(manifest.get("run", {}).get("requests", 0) for manifest in manifests.values())
    if bought and not problems and not journal.held:
        problems.append(f"{workspace.journal}: empty or missing, though what is published took {bought} replies")
    return problems


def _advice(workspace: Workspace, problems: Sequence[str], damage: Sequence[Damage], lost: Sequence[str]) -> list[str]:
    """What to do about damage; nothing where all is well."""
    lines = []
    if damage:
        lines.append("next: nothing; a damaged line of the journal is not used, a run that needs its reply asks again")
    if lost:
        lines.append("next: put the journal back from a copy; without it, a run that needs those replies pays for them")
    if problems:
        root, versions = visible(str(workspace.root)), sorted(path.name for path in workspace.versions.glob("v[0-9]*/"))
        sound = [name for name in versions if not any(name in line for line in problems)]
        lines.append("next: put what is damaged back from a copy,")
        if sound:
            lines.append(f"  or let the last sound version be the latest: ln -sfn versions/{sound[-1]} {root}/latest")
        lines.append(
            f"  or move {root}/versions and {root}/latest away and run 'factory generate' again: "
            "what the teacher has answered comes from the journal"
        )
    return lines
