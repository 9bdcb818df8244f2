"""Which checkpoints are whole: Trainer writes them file by file, and a killed run leaves half of one.

mark_complete(folder) when it is written ─▶ last_complete(folder) finds the newest that still has every byte
"""

import json
import os
import shutil
from pathlib import Path

from generators.models_cache import sha256_of

_MARK = "complete.json"


def mark_complete(checkpoint: Path) -> None:
    """Write down the sha256 of every file, last and in one step."""
    digests = {path.name: sha256_of(path) for path in sorted(checkpoint.iterdir()) if path.name != _MARK}
    draft = checkpoint / f".{_MARK}"
    with draft.open("w", encoding="ascii") as file:
        json.dump(digests, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(checkpoint / _MARK)


def last_complete(folder: Path) -> Path | None:
    """The newest checkpoint that is whole; those after it are removed, for they would be in the way."""
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=step_of, reverse=True):
        if is_complete(checkpoint):
            return checkpoint
        shutil.rmtree(checkpoint, ignore_errors=True)
    return None


def is_complete(checkpoint: Path) -> bool:
    """Whether every file is there as it was written."""
    try:
        digests: dict[str, str] = json.loads((checkpoint / _MARK).read_text("ascii"))
        return all(sha256_of(checkpoint / name) == digest for name, digest in digests.items())
    except (OSError, ValueError):
        return False


def step_of(checkpoint: Path) -> int:
    """The step after which it was written; -1 if its name is none of Trainer's."""
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1
