"""Take replies out of a journal for good: each segment that holds some is written anew without them.

    rewrite(folder, is_gone) ─▶ how many replies went

A segment is written beside its place, forced to the disk and renamed: a run that is killed leaves each segment old or
new, and running again finishes. Lines that cannot be read go too, since nobody can say what they hold. A last line
says how many went, so that they are not missed.
"""

import os
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

from generators.errors import StoppedError
from generators.failpoints import failpoint
from generators.journal_lines import Entry, kind_and_request, problem_of, purged_line, receipt_of

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
    gone, count, broken = set[str](), 0, 0
    with segment.open("rb") as file:
        for line in file:
            broken += bool(problem_of(line))
            if not problem_of(line) and kind_and_request(line)[0] == "request" and is_gone(receipt_of(line)):
                gone.add(kind_and_request(line)[1])
                count += 1
    if gone or broken:
        with segment.open("rb") as file:
            # With a reply go the notes of its sending: alone, they would read as if it had never come.
            kept = (line for line in file if not problem_of(line) and kind_and_request(line)[1] not in gone)
            _replace(segment, chain(kept, [purged_line(count + broken)]))
    return count


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
