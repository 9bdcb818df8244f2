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
from factory.coverage import coverage, coverage_json, coverage_table
from factory.filtering import Said
from factory.reports import newest_report
from factory.store import Workspace
from generators.errors import UsageError

Section = Callable[[Workspace], tuple[str, Any] | None]
_MOST_PAGES = 15


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


def covered(workspace: Workspace) -> tuple[str, Any] | None:
    """The pages that the latest version covers least."""
    return _covered(workspace, _MOST_PAGES)


def covered_whole(workspace: Workspace) -> tuple[str, Any] | None:
    """What the latest version covers, page by page."""
    return _covered(workspace, None)


def _covered(workspace: Workspace, most: int | None) -> tuple[str, Any] | None:
    version = workspace.latest()
    if version is None:
        return None
    pages = coverage(version)
    return f"## Coverage of {version.name}\n\n{coverage_table(pages, most)}", coverage_json(pages)


SECTIONS: Mapping[str, Section] = {"score": scored, "coverage": covered}
_ONLY_COVERAGE: Mapping[str, Section] = {"coverage": covered_whole}


def run_report(flags: Mapping[str, Any], *, only_coverage: bool = False, as_json: bool) -> Said:
    """Print every section that there is, or the whole coverage map alone; ``UsageError`` if there is none."""
    root = Path(resolve(flags, Path.cwd()).out).expanduser()
    if not root.is_dir():
        raise UsageError(f"there is no workspace {root}: run 'factory generate --docs … --out {root}' first")
    workspace, sections = Workspace(root), _ONLY_COVERAGE if only_coverage else SECTIONS
    found = {name: told for name, section in sections.items() if (told := section(workspace)) is not None}
    if not found:
        raise UsageError(f"nothing is published in {root}: run 'factory generate --docs … --out {root}' first")
    notes = [] if "score" in found or only_coverage else [f"no score yet: run 'factory score --out {root}'"]
    if as_json:
        return Said(json.dumps({name: told for name, (_, told) in found.items()}), notes)
    return Said("\n\n".join(page for page, _ in found.values()), notes)
