"""Which published versions stay on the disk: the newest, what ``latest`` leads to, and what students were made of.

    prune_versions(workspace, keep) ─▶ names of the versions that are gone

A version is renamed out of sight before it is deleted: a reader sees all of it or nothing.
"""

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from factory.store import Workspace
from generators.failpoints import failpoint


def prune_versions(workspace: Workspace, keep: int) -> list[str]:
    """Delete versions beyond the newest ``keep``; 0 deletes none."""
    if not keep:
        return []
    used = {version for _, version in derived_from(workspace)}
    latest = workspace.latest_link.readlink().name if workspace.latest_link.is_symlink() else ""
    spare = [name for name in workspace.names()[:-keep] if name != latest and name not in used]
    for name in spare:
        delete_version(workspace, name)
    return spare


def delete_version(workspace: Workspace, name: str) -> None:
    """Take a version away, in one step for readers; what a killed run left of one is cleared away too."""
    folder = workspace.versions / name
    hidden = workspace.versions / f".{name}.gone"
    if folder.exists():
        shutil.rmtree(hidden, ignore_errors=True)
        failpoint("store.hide")
        folder.rename(hidden)
    failpoint("store.delete")
    shutil.rmtree(hidden, ignore_errors=True)
    (workspace.versions / f"{name}.sha256").unlink(missing_ok=True)


def derived_from(workspace: Workspace) -> list[tuple[str, str]]:
    """What was made of a version: (``students/s0001`` or ``reports/r0001``, the version's name)."""
    found = []
    for file in sorted(workspace.root.glob("students/s*/manifest.json")) + sorted(
        workspace.root.glob("reports/r*/report.json")
    ):
        with suppress(OSError, ValueError):
            version = _version(json.loads(file.read_text(encoding="utf-8")))
            if version:
                found.append((str(Path(file.parent.parent.name) / file.parent.name), version))
    return found


def _version(record: Any) -> str:  # noqa: ANN401 - from a file
    """The dataset version that a student's manifest or a report names; empty if it names none."""
    if not isinstance(record, dict):
        return ""
    dataset = record.get("dataset")
    name = dataset.get("version") if isinstance(dataset, dict) else record.get("version")
    return Path(name).name if isinstance(name, str) else ""
