"""The cache of model weights: whether a file there is the right one, and who may change it.

Model ─▶ right or not: by the note of an earlier check (size, time of change), else by its sha256
"""

import contextlib
import fcntl
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from generators.errors import UsageError
from generators.models_partial import Reporter, writing
from generators.models_table import Model


@contextlib.contextmanager
def only_puller(model: Model, report: Reporter) -> Iterator[None]:
    """Hold the lock of the model's folder; the system frees it when its holder dies."""
    with writing(model.path):
        lock = (model.path.parent / ".lock").open("w")
    with lock:
        waited = False
        while not _taken(lock):
            if not waited:
                report.say("cache", f"waiting for another process that fetches {model.name}")
            waited = True
            report.at(_bytes_so_far(model))
            time.sleep(0.2)
        yield


def _taken(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise UsageError(
            f"cannot lock {lock.name} ({error.strerror}): set FACTORY_CACHE to a folder on a local disk"
        ) from error
    return True


def _bytes_so_far(model: Model) -> int:
    """What the process that holds the lock has."""
    sizes = [0]
    for path in model.path.parent.glob("*.partial"):
        with contextlib.suppress(FileNotFoundError):  # complete in this very moment
            sizes.append(path.stat().st_size)
    return max(sizes)


def is_right(model: Model, report: Reporter) -> bool:
    """Whether the file is there and right: by the note of an earlier check, else by its hash."""
    if _is_checked(model):
        return True
    if not model.path.is_file():
        return False
    report.say("cache", f"checking {model.path}", model.path.stat().st_size)
    if not has_right_hash(model):
        report.say("cache", f"{model.path} is damaged and will be fetched anew")
        return False
    write_note(model)
    return True


def _is_checked(model: Model) -> bool:
    """Whether the file has the size and the time of change that it had when its hash was found right."""
    try:
        note = json.loads(note_of(model).read_text())
        return bool(note == _stamp(model))
    except (OSError, ValueError):  # no note or a damaged one: the hash decides
        return False


def has_right_hash(model: Model) -> bool:
    """Read the file anew and compare its sha256."""
    try:
        return sha256_of(model.path) == model.sha256
    except OSError as error:
        raise UsageError(f"cannot read {model.path} ({error.strerror})") from error


def _stamp(model: Model) -> dict[str, str | int]:
    found = model.path.stat()
    return {"sha256": model.sha256, "size": found.st_size, "mtime_ns": found.st_mtime_ns}


def write_note(model: Model) -> None:
    """Note that the file is right as it is now.

    Without a note, in a cache that only others may write, the file is hashed at every use: slow, not wrong.
    """
    with contextlib.suppress(OSError):
        note_of(model).write_text(json.dumps(_stamp(model)))


def note_of(model: Model) -> Path:
    """Where the note of the last check stands."""
    return model.path.with_name(f"{model.file}.checked.json")


def sha256_of(path: Path) -> str:
    """Of a whole file, in lower-case hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
