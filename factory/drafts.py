"""Files that appear whole or not at all: written beside their place, forced to the disk, renamed.

with drafts(folder, ["rows.jsonl", "rejected.jsonl"]) as [rows, rejected]: rows.write(b"…")
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from factory.lock import check_writable
from generators.errors import UsageError, cannot_write


@contextmanager
def drafts(folder: Path, names: Sequence[str]) -> Iterator[list[IO[bytes]]]:
    """Open files to write; they take their names together when all went well, and vanish when it did not."""
    _make(folder, names)
    paths = [folder / f".{name}.{os.getpid()}.draft" for name in names]
    try:
        with ExitStack() as stack:
            files: list[IO[bytes]] = [stack.enter_context(path.open("wb", buffering=1 << 20)) for path in paths]
            yield files
            for file in files:
                file.flush()
                os.fsync(file.fileno())
        for path, name in zip(paths, names, strict=True):
            path.replace(folder / name)
        _sync(folder)
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


def _make(folder: Path, names: Sequence[str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_writable(folder)
        taken = next((name for name in names if (folder / name).is_dir()), None)
        if taken:
            raise UsageError(f"cannot write {folder / taken}: it is a folder; give another --to")
    except OSError as error:
        raise cannot_write(f"to {folder}", error, "give another --to") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
