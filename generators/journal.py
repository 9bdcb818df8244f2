r"""The journal: every teacher reply as it was received, kept before anything reads it.

    append(Entry(request id, body bytes, …))      get(request id) ─▶ Entry | None

A folder of segments, one new segment a run (so nothing is ever appended behind a torn line), one line an entry:

    <crc32 of the rest, 8 hex digits> <JSON>\\n

The JSON holds the reply's raw bytes as text, or as base64 where they are no UTF-8. A line whose checksum does not match
is damage: reported with its place, never read. Files have mode 0600. The index in memory is rebuilt when opened.
"""

import base64
import errno
import json
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from generators.errors import StoppedError, UsageError

_SUFFIX = ".jsonl"
# Replies are acknowledged to the operating system at once (a killed process loses none) and forced to the disk at this
# interval, so that a power cut loses at most so many seconds of replies, not one fsync a reply of speed.
_SYNC_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Entry:
    """One reply as received.

    Attributes:
        request: ``Request.identity`` of what was asked.
        teacher: The teacher's SPEC.
        body: The raw bytes.
        latency: Seconds from sending to the last byte.
        received: Unix time in seconds.
        input_tokens, output_tokens: As the provider counted them.
        cost_usd: Price at the time, ``None`` where unknown.
    """

    request: str
    teacher: str
    body: bytes
    latency: float
    received: float
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Damage:
    """A line of a segment that cannot be read."""

    segment: str
    line: int
    reason: str


class Journal:
    """A journal folder, read when opened, written from the first append on; the workspace's lock keeps one writer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damage: list[Damage] = []
        self._places: dict[str, tuple[Path, int, int]] = {}
        self._segment: Path | None = None
        self._file: int | None = None
        self._size = 0
        self._synced = 0.0
        try:
            for segment in self._segments():
                self._load(segment)
        except OSError as error:
            raise UsageError(
                f"cannot read the journal {error.filename}: {error.strerror}; check its owner and access rights"
            ) from error

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, request: str) -> bool:
        return request in self._places

    def get(self, request: str) -> Entry | None:
        """Read the reply to a request; the latest, if it was asked more than once."""
        place = self._places.get(request)
        if place is None:
            return None
        path, offset, length = place
        with path.open("rb") as file:
            file.seek(offset)
            return _decoded(file.read(length))

    def entries(self) -> Iterator[Entry]:
        """Yield every readable reply in the order received, also those that a later reply replaced."""
        for segment in self._segments():
            with segment.open("rb") as file:
                yield from (_decoded(line) for line in file if not _problem(line))

    def append(self, entry: Entry) -> None:
        """Keep a reply; on return it survives the death of this process. ``StoppedError`` if it cannot be written."""
        line = _encoded(entry)
        try:
            file = self._open()
            written = os.write(file, line)
            if written != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._abandon()
            raise self._stopped(error) from error
        assert self._segment is not None
        self._places[entry.request] = (self._segment, self._size, len(line))
        self._size += len(line)
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Force what was appended to the disk; ``StoppedError`` if the disk will not."""
        if self._file is None:
            return
        try:
            os.fsync(self._file)
        except OSError as error:
            self._abandon()
            raise self._stopped(error) from error
        self._synced = time.monotonic()

    def close(self) -> None:
        """Force to the disk and close."""
        self.sync()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _segments(self) -> list[Path]:
        """All segments in the order written; a folder that may not be read is an error, not an empty one."""
        return sorted(path for path in self.folder.iterdir() if path.suffix == _SUFFIX) if self.folder.exists() else []

    def _open(self) -> int:
        if self._file is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            taken = [int(path.stem) for path in self._segments() if path.stem.isdigit()]
            self._segment = self.folder / f"{max(taken, default=0) + 1:06d}{_SUFFIX}"
            self._file = os.open(self._segment, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            self._size = 0
        return self._file

    def _abandon(self) -> None:
        """After a failure: take the torn line back if that can be done; the next append starts a new segment."""
        if self._file is not None:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            os.close(self._file)
            self._file = None

    def _stopped(self, error: OSError) -> StoppedError:
        return StoppedError(
            f"cannot write the journal in {self.folder}: {error.strerror}; replies until now are kept, "
            "free some space and run again"
        )

    def _load(self, segment: Path) -> None:
        offset = 0
        with segment.open("rb") as file:
            for number, line in enumerate(file, 1):
                problem = _problem(line)
                if problem:
                    self.damage.append(Damage(segment.name, number, problem))
                else:
                    self._places[json.loads(line[9:])["request"]] = (segment, offset, len(line))
                offset += len(line)


def _problem(line: bytes) -> str:
    """Why a line cannot be read; empty if it can."""
    if not line.endswith(b"\n"):
        return "cut short"
    if line[8:9] != b" " or f"{zlib.crc32(line[9:]):08x}".encode() != line[:8]:
        return "checksum does not match"
    return ""


def _encoded(entry: Entry) -> bytes:
    record: dict[str, object] = {
        "request": entry.request,
        "teacher": entry.teacher,
        "received": round(entry.received, 3),
        "latency": round(entry.latency, 4),
        "input_tokens": entry.input_tokens,
        "output_tokens": entry.output_tokens,
        "cost_usd": entry.cost_usd,
    }
    try:
        record["body"] = entry.body.decode("utf-8")
    except UnicodeDecodeError:
        record["base64"] = base64.b64encode(entry.body).decode()
    rest = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return f"{zlib.crc32(rest):08x} ".encode() + rest


def _decoded(line: bytes) -> Entry:
    record = json.loads(line[9:])
    text = record.pop("body", None)
    body = base64.b64decode(record.pop("base64")) if text is None else text.encode("utf-8")
    return Entry(body=body, **record)
