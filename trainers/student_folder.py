"""The students of a workspace on disk: each a whole, immutable folder; ``latest`` leads to the newest that is sound.

draft(files, manifest) ─▶ students/s0001/ (adapter, manifest.json written last);  students/latest -> s0001
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generators.errors import StoppedError, UsageError
from generators.models_cache import sha256_of

FORMAT = 1
MANIFEST = "manifest.json"
WEIGHTS = "adapter_model.safetensors"
_ADAPTER = (WEIGHTS, "adapter_config.json")


def publish(students: Path, adapter: Path, files: Mapping[str, str], manifest: Mapping[str, Any]) -> Path:
    """Make a student of an adapter.

    Args:
        students: The folder of all students.
        adapter: Folder with the adapter's weights and configuration.
        files: Texts to put beside them, by name.
        manifest: What is known of it; the files' sha256 and its name are added.

    Returns:
        Its folder.

    Raises:
        StoppedError: The disk is full or fails; the adapter stays where it was.
    """
    name = f"s{_next_number(students):04d}"
    draft = students / f".{name}.draft"
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for file in _ADAPTER:
            shutil.copyfile(adapter / file, draft / file)
        for file, text in files.items():
            (draft / file).write_text(text, "utf-8")
        for path in sorted(draft.iterdir()):
            _sync(path)
        digests = {path.name: sha256_of(path) for path in sorted(draft.iterdir())}
        whole = {"format": FORMAT, "student": name, **manifest, "files": digests}
        (draft / MANIFEST).write_text(json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
        _sync(draft / MANIFEST)
        _sync(draft)
        draft.rename(students / name)
        _sync(students)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise StoppedError(f"cannot write {students} ({error.strerror}); free some space and run again") from error
    return students / name


def make_latest(student: Path) -> None:
    """Let ``latest`` lead to a student, in one step."""
    fresh = student.parent / ".latest.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(student.name)
    fresh.replace(student.parent / "latest")
    _sync(student.parent)


def read_manifest(student: Path) -> dict[str, Any]:
    """The manifest of a student.

    Raises:
        UsageError: It is none, or a newer factory wrote it.
    """
    try:
        found = json.loads((student / MANIFEST).read_text("utf-8"))
        if found["format"] != FORMAT:
            raise UsageError(f"{student} has format {found['format']}, this factory reads {FORMAT}")
        return dict(found)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(f"{student} is no student: it has no readable {MANIFEST} ({error})") from error


def students_of(students: Path) -> list[Path]:
    """All published students, oldest first."""
    return sorted(path for path in students.glob("s[0-9]*") if path.name[1:].isdigit() and path.is_dir())


def _next_number(students: Path) -> int:
    return max((int(path.name[1:]) for path in students_of(students)), default=0) + 1


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
