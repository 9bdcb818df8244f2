"""The student that is up for a score: the latest of the workspace, its base, and the version that taught it.

    workspace ─▶ find_candidate ─▶ Candidate(version, systems);   systems["student"]() opens it, when its turn comes

Models are opened one after the other and let go in between: two of them may not fit into memory at once.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from factory.store import Workspace
from generators.errors import MissingExtraError, UsageError
from trainers.evaluate import Student

Opener = Callable[[], Student]
_STUDENTS = "trainers.student"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who is examined.

    Attributes:
        name: The student's folder, such as ``s0001``.
        version: Folder of the dataset version that it was trained on.
        systems: ``student`` and ``base`` → how to open them.
        reads: It was trained with the section before each question, and is asked with what BM25 finds.
    """

    name: str
    version: Path
    systems: Mapping[str, Opener]
    reads: bool = False


def find_candidate(workspace: Workspace) -> Candidate:
    """Find the latest student without opening it.

    Raises:
        UsageError: There is no student, its manifest cannot be read, or its version is gone.
        MissingExtraError: The part that trains and runs students is not installed.
    """
    module = _students()
    return candidate_in(module.latest_student(workspace.root), workspace, module.open_student)


def candidate_in(folder: Path, workspace: Workspace, opened: Callable[[str, Path | None], Any]) -> Candidate:
    """Read a student's manifest.

    Args:
        folder: The student's.
        workspace: Where its version is.
        opened: Opens a base with an adapter, or without.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the student in {folder} cannot be read ({error}): train another") from error
    base = _base_of(manifest, folder)
    version = workspace.versions / Path(_version_of(manifest, folder)).name
    if not version.is_dir():
        raise UsageError(f"{folder.name} was trained on {version.name}, which is not in {workspace.root}: train again")
    systems: dict[str, Opener] = {"student": lambda: opened(base, folder), "base": lambda: opened(base, None)}
    reads = manifest.get("settings", {}).get("context", "none") != "none"
    return Candidate(folder.name, version, systems, reads)


def _students() -> Any:  # noqa: ANN401 - a module that not every installation has
    try:
        return import_module(_STUDENTS)
    except ImportError as error:
        raise MissingExtraError("scoring a student", "train") from error


def _base_of(manifest: Mapping[str, Any], folder: Path) -> str:
    """The base as the user named it."""
    return _text(manifest, folder, "base", "spec")


def _version_of(manifest: Mapping[str, Any], folder: Path) -> str:
    """The dataset version that the student was trained on."""
    return _text(manifest, folder, "dataset" if "dataset" in manifest else "version", "version")


def _text(manifest: Mapping[str, Any], folder: Path, key: str, inner: str) -> str:
    """A text in the manifest, or in the object that stands under the key."""
    found = manifest.get(key)
    found = found.get(inner) if isinstance(found, dict) else found
    if not isinstance(found, str) or not found:
        raise UsageError(f"{folder / 'manifest.json'} names no {key}: train again")
    return found
