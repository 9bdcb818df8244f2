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
        trained_on: What the student's manifest says of its training; for the report.
    """

    name: str
    version: Path
    systems: Mapping[str, Opener]
    trained_on: Mapping[str, Any]


def find_candidate(workspace: Workspace) -> Candidate:
    """Find the latest student without opening it.

    Raises:
        UsageError: There is no student, its manifest cannot be read, or its version is gone.
        MissingExtraError: The part that trains and runs students is not installed.
    """
    module = _students()
    folder: Path = module.latest_student(workspace.root)
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the student in {folder} cannot be read ({error}): train another") from error
    base = _named(manifest, folder, "base", "spec")
    version = workspace.versions / Path(_named(manifest, folder, "version", "name", "dataset")).name
    if not version.is_dir():
        raise UsageError(f"{folder.name} was trained on {version.name}, which is not in {workspace.root}: train again")
    systems: dict[str, Opener] = {
        "student": lambda: _opened(module, base, folder),
        "base": lambda: _opened(module, base, None),
    }
    return Candidate(folder.name, version, systems, manifest)


def _students() -> Any:  # noqa: ANN401 - a module that not every installation has
    try:
        return import_module(_STUDENTS)
    except ImportError as error:
        raise MissingExtraError("scoring a student", "train") from error


def _opened(module: Any, base: str, adapter: Path | None) -> Student:  # noqa: ANN401 - a module
    student: Student = module.open_student(base, adapter)
    return student


def _named(manifest: Mapping[str, Any], folder: Path, *keys: str) -> str:
    """A name in the manifest, under the first of the keys that is there, or inside the object that stands there."""
    for key in keys:
        found = manifest.get(key)
        if isinstance(found, dict):
            return _named(found, folder, *keys[1:])
        if isinstance(found, str) and found:
            return found
    raise UsageError(f"{folder / 'manifest.json'} names no {keys[0]}: train again")
