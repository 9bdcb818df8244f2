"""The journal: every teacher reply as it was received, kept before anything reads it; and what was sent for it.

    sent(request id) ─▶ append(Entry(request id, body bytes, …)) | failed(request id, …)
    get(request id) ─▶ Entry | None

A folder of segments, one new segment a run, so that nothing is ever appended behind a torn line; see ``journal_lines``
for what stands in them. A line whose checksum does not match is damage: reported with its place, never read. Files have
mode 0600. An attempt that was sent and brought no reply is a doubt: it may have been paid, and may be paid again.

The index in memory is rebuilt whenever the journal is opened: a look at each line's checksum and first key, no more. A
file beside the journal would have to be checked against it, which takes as long.
"""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from generators.errors import StoppedError, UsageError
from generators.failpoints import failpoint
from generators.journal_lines import (
    Doubt,
    Entry,
    doubt_of,
    entry_of,
    failed_line,
    kind_and_request,
    problem_of,
    receipt_of,
    reply_line,
    sent_line,
)

__all__ = ["Damage", "Doubt", "Entry", "Journal"]

_SUFFIX = ".jsonl"
# Replies are acknowledged to the operating system at once (a killed process loses none) and forced to the disk at this
# interval, so that a power cut loses at most so many seconds of replies, not one fsync a reply of speed.
_SYNC_SECONDS = 0.5
# A place is one number, which takes half the memory of a tuple: the segment's index above the line's offset.
_OFFSET_BITS = 48


@dataclass(frozen=True, slots=True)
class Damage:
    """A line of a segment that cannot be read."""

    segment: str
    line: int
    reason: str


class Journal:
    """A journal folder, read when opened, written from the first append on; the workspace's lock keeps one writer.

    Attributes:
        damage: Lines that cannot be read.
        doubts: Attempts that may have been paid without a reply; of this process, only those that failed.
        run: The number of the run that writes now; what it keeps is marked with it.
        held: Segment → how many replies were ever kept in it: those that are there, are damaged, or were purged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damage: list[Damage] = []
        self.doubts: list[Doubt] = []
        self.held: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self._segments: list[Path] = []
        self._file: int | None = None
        self._size = 0
        self._synced = 0.0
        try:
            under_way: dict[str, bytes] = {}
            for segment in self._found():
                self._load(segment, under_way)
            self.doubts += [doubt for line in under_way.values() if (doubt := doubt_of(line))]
        except OSError as error:
            raise UsageError(
                f"cannot read the journal {error.filename}: {error.strerror}; check its owner and access rights"
            ) from error
        self.run = self._next_number()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, request: str) -> bool:
        return request in self._places

    def get(self, request: str) -> Entry | None:
        """Read the reply to a request; the latest, if it was asked more than once."""
        place = self._places.get(request)
        if place is None:
            return None
        with self._segments[place >> _OFFSET_BITS].open("rb") as file:
            file.seek(place & (1 << _OFFSET_BITS) - 1)
            return entry_of(file.readline())

    def entries(self) -> Iterator[Entry]:
        """Yield every readable reply in the order received, also those that a later reply replaced."""
        for _, line in self._replies():
            yield entry_of(line)

    def receipts(self) -> Iterator[Entry]:
        """Yield the same without the bodies, for counting; the run of old entries is that of their segment."""
        for segment, line in self._replies():
            receipt = receipt_of(line)
            yield receipt if receipt.run else replace(receipt, run=_number(segment))

    def sent(self, request: str) -> None:
        """Note that an attempt is about to leave; ``StoppedError`` if it cannot be noted, and must not leave."""
        self._write(sent_line(request, self.run, time.time()))

    def failed(self, request: str, reason: str, *, maybe_charged: bool) -> None:
        """Note that an attempt brought no reply, and whether it may have to be paid."""
        doubt = Doubt(request, self.run, time.time(), reason)
        self._write(failed_line(doubt, maybe_charged=maybe_charged))
        if maybe_charged:
            self.doubts.append(doubt)

    def append(self, entry: Entry) -> None:
        """Keep a reply; on return it survives the death of this process. ``StoppedError`` if it cannot be written."""
        place = self._write(reply_line(entry))
        self._places[entry.request] = place
        self.held[self._segments[-1].name] = self.held.get(self._segments[-1].name, 0) + 1
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Force what was appended to the disk; ``StoppedError`` if the disk will not."""
        if self._file is None:
            return
        try:
            failpoint("journal.sync")
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

    def _found(self) -> list[Path]:
        """All segments in the order written; a folder that may not be read is an error, not an empty one."""
        return sorted(path for path in self.folder.iterdir() if path.suffix == _SUFFIX) if self.folder.exists() else []

    def _replies(self) -> Iterator[tuple[Path, bytes]]:
        for segment in self._found():
            with segment.open("rb") as file:
                yield from (
                    (segment, line) for line in file if not problem_of(line) and kind_and_request(line)[0] == "request"
                )

    def _next_number(self) -> int:
        return max(map(_number, self._found()), default=0) + 1

    def _write(self, line: bytes) -> int:
        """Put a whole line at the end of this run's segment; where it stands."""
        try:
            file = self._open()
            failpoint("journal.write")
            if os.write(file, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._abandon()
            raise self._stopped(error) from error
        place = (len(self._segments) - 1) << _OFFSET_BITS | self._size
        self._size += len(line)
        return place

    def _open(self) -> int:
        if self._file is None:
            failpoint("journal.folder")
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            segment = self.folder / f"{self._next_number():06d}{_SUFFIX}"
            failpoint("journal.create")
            self._file = os.open(segment, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            self._segments.append(segment)
            self._size = 0
            _sync_folder(self.folder)
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

    def _load(self, segment: Path, under_way: dict[str, bytes]) -> None:
        """Find where each reply stands; ``under_way`` holds what was sent and has brought none so far."""
        first, offset = len(self._segments) << _OFFSET_BITS, 0
        self._segments.append(segment)
        held = 0
        with segment.open("rb") as file:
            for number, line in enumerate(file, 1):
                problem = problem_of(line)
                if problem:
                    self.damage.append(Damage(segment.name, number, problem))
                else:
                    self._note(line, first | offset, under_way)
                held += 1 if problem else _kept(line)
                offset += len(line)
        self.held[segment.name] = held

    def _note(self, line: bytes, place: int, under_way: dict[str, bytes]) -> None:
        kind, request = kind_and_request(line)
        before = under_way.pop(request, None)
        if kind == "request":
            self._places[request] = place
            return
        if kind == "sent":
            under_way[request] = line
        # Sent again although the attempt before was never concluded: a run died between the two.
        uncertain = before if kind == "sent" else line if kind == "failed" else None
        if uncertain and (doubt := doubt_of(uncertain)):
            self.doubts.append(doubt)


def _kept(line: bytes) -> int:
    """How many replies a sound line stands for."""
    kind, told = kind_and_request(line)
    return int(told) if kind == "purged" and told.isdigit() else int(kind == "request")


def _number(segment: Path) -> int:
    return int(segment.stem) if segment.stem.isdigit() else 0


def _sync_folder(folder: Path) -> None:
    """Without it, a power cut may take a synced segment's name away."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
