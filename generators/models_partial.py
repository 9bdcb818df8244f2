"""The partial file that a download grows, and the progress that is told meanwhile.

    bytes from a source ─▶ Partial: <file>.<source>.partial and the sha256 of what it holds

Each source has a partial file of its own, so that a bad one cannot spoil what a good one brought.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from generators.errors import StoppedError, cannot_write

BLOCK = 1 << 20  # bytes read or written at a time
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is.

    Attributes:
        source: The source's title, such as ``package index``.
        done_bytes: Bytes so far, those of earlier runs included; for wheels in flight an estimate.
        total_bytes: ``None`` while unknown.
        message: What happens now, one line.
    """

    source: str
    done_bytes: int
    total_bytes: int | None
    message: str


class SourceFailedError(Exception):
    """This source does not deliver; the message says why, without secrets."""


class Reporter:
    """Hands progress to a callback, bytes at most ten times a second."""

    def __init__(self, callback: Callable[[Progress], None] | None, total: int | None) -> None:
        self.total = total
        self._callback = callback
        self._source = self._message = ""
        self._last = 0.0

    def say(self, source: str, message: str, done: int = 0) -> None:
        """Something new happens."""
        self._source, self._message, self._last = source, message, 0.0
        self.at(done)

    def at(self, done: int) -> None:
        """So many bytes are there."""
        now = time.monotonic()
        if self._callback is None or now - self._last < 0.1:
            return
        self._last = now
        done = done if self.total is None else min(done, self.total)
        self._callback(Progress(self._source, done, self.total, self._message))


class Partial:
    """A file that grows, with the sha256 of what it holds; a context manager.

    Args:
        path: Where it lies; what an earlier run left there is kept and hashed.
        limit: Bytes it may never exceed, ``None`` for no limit.
    """

    def __init__(self, path: Path, limit: int | None) -> None:
        self.path = path
        self._limit = limit
        with writing(path):
            self._file: BinaryIO = path.open("a+b")
            self.size = self._file.seek(0, os.SEEK_END)
        self.restart(self.size)

    def __enter__(self) -> "Partial":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """Of the bytes so far, in hex digits."""
        return self._hash.hexdigest()

    def append(self, block: bytes) -> None:
        """Add bytes at the end.

        Raises:
            SourceFailedError: They are more than the model has.
            StoppedError: The disk is full.
        """
        if self._limit is not None and self.size + len(block) > self._limit:
            raise SourceFailedError(f"it has more than the expected {self._limit:,} bytes")
        with writing(self.path):
            self._file.write(block)
        self._count(block)

    def restart(self, keep: int = 0) -> None:
        """Drop all bytes but the first ``keep``; where there are not so many, all."""
        with writing(self.path):
            self._file.truncate(keep if keep <= self.size else 0)
            self._hash = hashlib.sha256()
            self.size = 0
            self._file.seek(0)
            while block := self._file.read(BLOCK):
                self._count(block)

    def sync(self) -> None:
        """Make the bytes survive a crash of the process and, as far as the system promises, of the machine."""
        with writing(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())

    def _count(self, block: bytes) -> None:
        self._hash.update(block)
        self.size += len(block)


def need_space(folder: Path, needed: int) -> None:
    """Raise ``StoppedError`` unless the disk of the folder has that many bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StoppedError(
            f"{folder} has {free / 1e6:,.0f} MB free and the download needs {needed / 1e6:,.0f} MB: "
            "make room or set FACTORY_CACHE to another folder, then run again"
        )


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failed write into a line for the person."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoppedError(
                f"the disk of {path.parent} is full: make room or set FACTORY_CACHE to another folder, then run again "
                "to go on where it stopped"
            ) from error
        raise cannot_write(path, error, "set FACTORY_CACHE to a folder that can") from error
