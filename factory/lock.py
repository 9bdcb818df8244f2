"""Who may write: one run a workspace at a time.

    with locked(out): …      LockedError names the holder's process

Imports nothing heavy, so that a second run is told at once.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from generators.errors import FactoryError, LockedError, cannot_write
from generators.failpoints import failpoint

NAME = ".lock"
_FOLDERS = ("journal", "versions")
# The holder writes its number just after it took the lock: so long, at most, a loser waits to read it.
_PATIENCE, _PAUSE = 0.3, 0.01
_TURNS = 100


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold a workspace for one run; the lock dies with its process.

    A workspace that did not exist and in which nothing came to be is taken away again.

    Raises:
        LockedError: Another run holds it.
        UsageError: It cannot be a workspace, or may not be written.
        StoppedError: The disk is full or failing.
    """
    made = [folder for folder in (root, *root.parents) if not folder.exists()]
    lock = root / NAME
    try:
        file = _taken(root, lock)
    except OSError as error:
        _remove_unused(lock, made)
        raise _refusal(error, root) from error
    try:
        _sign(file, root)
        yield
    finally:
        _remove_unused(lock, made)
        with suppress(OSError):
            os.ftruncate(file, 0)
        os.close(file)


def _taken(root: Path, lock: Path) -> int:
    """Open the lock file and lock it; again, if its last holder took it, or its folder, away in between."""
    for turn in range(_TURNS):
        try:
            file = _opened(root, lock)
        except FileNotFoundError:
            if turn == _TURNS - 1:
                raise
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _holder(file)
            os.close(file)
            raise LockedError(f"another run holds {root} (process {holder}); wait for it to end") from None
        with suppress(OSError):
            if os.fstat(file).st_ino == lock.stat().st_ino:
                return file
        os.close(file)
    raise LockedError(f"other runs come and go in {root}; run again")


def _opened(root: Path, lock: Path) -> int:
    root.mkdir(parents=True, exist_ok=True)
    for folder in (root / name for name in _FOLDERS):
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    check_writable(root)
    failpoint("lock.open")
    return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def check_writable(folder: Path) -> None:
    """Raise the ``OSError`` that making a file in a folder would meet: EACCES, EROFS, or ENOENT if it is gone."""
    if not os.access(folder, os.W_OK | os.X_OK):
        number = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(number, os.strerror(number), str(folder))


def _sign(file: int, root: Path) -> None:
    """Leave the holder's number for whoever finds it locked."""
    try:
        os.ftruncate(file, 0)
        failpoint("lock.write")
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        raise _refusal(error, root) from error


def _holder(file: int) -> str:
    """The number of the process that holds the lock; it may be about to write it."""
    give_up_at = time.monotonic() + _PATIENCE
    while True:
        found = os.pread(file, 32, 0).decode(errors="replace").strip()
        if (found.isdigit() and _lives(int(found))) or time.monotonic() > give_up_at:
            return found or "unknown"
        time.sleep(_PAUSE)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _refusal(error: OSError, root: Path) -> FactoryError:
    return cannot_write(error.filename or root, error, "choose another --out, or mend it")


def _remove_unused(lock: Path, made: Iterable[Path]) -> None:
    """Take away the folders made for a lock, the innermost first, if nothing else came to be in them."""
    with suppress(OSError):
        if made and {path.name for path in lock.parent.iterdir()} <= {lock.name}:
            lock.unlink(missing_ok=True)
            for folder in made:
                folder.rmdir()
