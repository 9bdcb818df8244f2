"""Workspaces of this program that lie in a docs folder: what it made of documents is no document.

    folder ─▶ is it one;   path ─▶ the workspace that it is a part of

Told by what only this program makes: ``journal/`` and ``versions/`` side by side, with a segment or a digest in them.
"""

import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

# What a workspace holds of its own. A person's documents may lie beside these, where the two are one folder.
OWN = frozenset({"journal", "versions", "latest", "students", "reports", "gold.jsonl", "purge.json"})
_SEGMENT = re.compile(r"\d{6}\.jsonl")
_DIGEST = re.compile(r"v\d{4,}\.sha256")


def is_workspace(folder: str) -> bool:
    """Whether a folder is a workspace in which something was asked or published."""
    with suppress(OSError):
        asked, published = (Path(folder, part).iterdir() for part in ("journal", "versions"))
        found = [path.name for path in asked if _SEGMENT.fullmatch(path.name)]
        return bool(found) | any(_DIGEST.fullmatch(path.name) for path in published)
    return False


def part_of(path: Path, known: Collection[str]) -> Path | None:
    """The workspace whose own parts a real path is one of, or lies in; None if it may hold documents.

    ``known`` are real paths of workspaces that may be empty so far.
    """
    for parent, child in zip(path.parents, (path, *path.parents), strict=False):
        if child.name in OWN and (str(parent) in known or is_workspace(str(parent))):
            return parent
    return None
