"""``factory report``: what there is to read about a workspace, section by section.

    flags ─▶ Said(text for stdout)

A section is a line of ``SECTIONS``: a name and a function from the workspace to (page, object for ``--json``), or None
where there is nothing to say yet.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from factory.config import resolve
from factory.filtering import Said
from factory.reports import newest_report
from factory.store import Workspace
from generators.errors import UsageError

Section = Callable[[Workspace], tuple[str, Any] | None]


def scored(workspace: Workspace) -> tuple[str, Any] | None:
    """The newest score."""
    try:
        folder = newest_report(workspace.root)
    except UsageError:
        return None
    try:
        found = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        return (folder / "report.md").read_text(encoding="utf-8").rstrip(), {**found, "report": str(folder)}
    except (OSError, ValueError) as error:
        raise UsageError(f"the report in {folder} cannot be read ({error}): score again") from error


SECTIONS: Mapping[str, Section] = {"score": scored}


def run_report(flags: Mapping[str, Any], *, as_json: bool) -> Said:
    """Print every section that there is; ``UsageError`` if there is none."""
    root = Path(resolve(flags, Path.cwd()).out).expanduser()
    if not root.is_dir():
        raise UsageError(f"there is no workspace {root}: run 'factory generate --docs … --out {root}' first")
    workspace = Workspace(root)
    found = {name: told for name, section in SECTIONS.items() if (told := section(workspace)) is not None}
    if not found:
        newest_report(root)
    if as_json:
        return Said(json.dumps({name: told for name, (_, told) in found.items()}))
    return Said("\n\n".join(page for page, _ in found.values()))
