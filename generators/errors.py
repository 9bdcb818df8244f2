"""The errors that a person is meant to read.

A ``FactoryError`` carries one line for the person (what happened, to what, what to do next) and the exit code of
the command line. Anything else that escapes is a bug and keeps its traceback.
"""

import errno
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to the shell and to cron."""

    DONE = 0
    USAGE = 2
    SHORT = 3
    TEACHER = 4
    LOCKED = 5
    STOPPED = 6
    HOLD = 7
    INTERRUPTED = 130


class FactoryError(Exception):
    """Bad set-up: the run cannot go on. ``str(error)`` is the line that the person sees."""

    exit_code = ExitCode.USAGE


class UsageError(FactoryError):
    """Wrong arguments, settings, local file or model name (exit 2)."""


class MissingExtraError(UsageError):
    """An optional dependency is not installed; the message holds the exact install line (exit 2)."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: pip install 'factory-qa[{extra}]'")
        self._parts = (what, extra)

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Survive the way back from the process that parses risky files."""
        return (type(self), self._parts)


class TeacherError(FactoryError):
    """The teacher needs a person: key, model name, quota (exit 4)."""

    exit_code = ExitCode.TEACHER


class ShortError(FactoryError):
    """Finished short of the target; all paid work is kept (exit 3)."""

    exit_code = ExitCode.SHORT


class LockedError(FactoryError):
    """Another run holds the workspace (exit 5)."""

    exit_code = ExitCode.LOCKED


class StoppedError(FactoryError):
    """Stopped early, for example by a full disk; running again resumes (exit 6)."""

    exit_code = ExitCode.STOPPED


# What a disk says that is full, read-only or broken: no other folder of it would do better.
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


def cannot_write(where: object, error: OSError, otherwise: str) -> FactoryError:
    """Say that something cannot be written: ``StoppedError`` if the disk is at fault, else ``UsageError``.

    ``otherwise`` is what a person can do if it is not the disk.
    """
    if error.errno in DISK_FAULTS:
        return StoppedError(f"cannot write {where}: {error.strerror}; mend the disk or free some space, and run again")
    return UsageError(f"cannot write {where}: {error.strerror}; {otherwise}")


class UnreadableDocumentError(Exception):
    """One document cannot be read; the run names it and goes on.

    Attributes:
        reason: A short stable code, such as ``binary``, ``oversized``, ``undecodable``, ``malformed``.
        detail: What exactly, for the person.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Survive the way back from the process that parses risky files."""
        return (type(self), (self.reason, self.detail))
