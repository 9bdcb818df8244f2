"""Take replies out of a journal for good: each segment that holds some is written anew without them.

    rewrite(folder, is_gone) ─▶ how many replies went

A segment is written beside its place, forced to the disk and renamed: a run that is killed leaves each segment old or
new, and running again finishes. Lines that cannot be read go too, since nobody can say what they hold. What is known
of attempts (hashes and times) stays.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from generators.errors import StoppedError
from generators.failpoints import failpoint
from generators.journal_lines import Entry, kind_and_request, problem_of, receipt_of

_DRAFT = ".draft"


def rewrite(folder: Path, is_gone: Callable[[Entry], bool]) -> int:
    """Remove the replies that ``is_gone`` picks by their receipts; nobody else may write meanwhile.

    Raises:
        StoppedError: The disk is full or fails; run again to go on.
    """
    if not folder.is_dir():
        return 0
    try:
        for left in folder.glob(f"*{_DRAFT}"):
            left.unlink()
        return sum(_without(segment, is_gone) for segment in sorted(folder.glob("*.jsonl")))
    except OSError as error:
        raise StoppedError(
            f"cannot rewrite the journal in {folder}: {error.strerror}; run the same command again to go on"
        ) from error


def _without(segment: Path, is_gone: Callable[[Entry], bool]) -> int:
    """Write one segment anew, if anything of it is to go; how many replies went."""
    with segment.open("rb") as file:
        gone = sum(_goes(line, is_gone) for line in file)
    if not gone:
        return 0
    with segment.open("rb") as file:
        _replace(segment, (line for line in file if not (problem_of(line) or _goes(line, is_gone))))
    return gone


def _goes(line: bytes, is_gone: Callable[[Entry], bool]) -> bool:
    if problem_of(line):
        return True
    return kind_and_request(line)[0] == "request" and is_gone(receipt_of(line))


def _replace(segment: Path, lines: Iterable[bytes]) -> None:
    draft = segment.with_name(segment.name + _DRAFT)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - the mode of the file is given where it is made
        failpoint("purge.write")
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    failpoint("purge.rename")
    draft.replace(segment)
    folder = os.open(segment.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
