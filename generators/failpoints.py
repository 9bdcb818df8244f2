"""Places where a test can make the disk fail, or the process die: one before each write, sync and rename that counts.

    FACTORY_FAILPOINT="journal.write:3=ENOSPC"     the third write of the journal finds the disk full
    FACTORY_FAILPOINT="store.rename=KILL"          the process is gone before the first rename of the store

Several are separated by commas. Without the variable, a failpoint costs one look at an empty table.
"""

import errno
import os
import signal

# Every place, in the order in which a run comes by.
PLACES = (
    *("lock.open", "lock.write"),
    *("journal.folder", "journal.create", "journal.write", "journal.sync"),
    *("store.folder", "store.write", "store.sync", "store.sync_folder", "store.rename", "store.link", "store.swap"),
)
# Those of a purge, in the order in which it comes by for the first time.
PURGE_PLACES = ("purge.note", "purge.write", "purge.rename", "purge.publish", "store.hide", "store.delete", "purge.end")


def _read(text: str) -> dict[str, tuple[int, str]]:
    """Place → (which time, what happens); a mistake in the variable is said, or a test would pass for nothing."""
    plan: dict[str, tuple[int, str]] = {}
    for item in filter(None, text.split(",")):
        where, _, what = item.partition("=")
        place, _, turn = where.partition(":")
        if (
            place not in (*PLACES, *PURGE_PLACES)
            or not (what == "KILL" or hasattr(errno, what))
            or not (turn or "1").isdigit()
        ):
            raise ValueError(f"FACTORY_FAILPOINT: '{item}' is not PLACE[:N]=ERRNO|KILL; places: {', '.join(PLACES)}")
        plan[place] = (int(turn or "1"), what)
    return plan


_plan: dict[str, tuple[int, str]] = {}
_passed: dict[str, int] = {}


def arm(text: str) -> None:
    """Set what is to fail, and begin to count anew."""
    _passed.clear()
    _plan.clear()
    _plan.update(_read(text))


def failpoint(place: str) -> None:
    """Fail here, if a test wants it: ``OSError``, or the end of the process."""
    if _plan:
        _hit(place)


def _hit(place: str) -> None:
    _passed[place] = _passed.get(place, 0) + 1
    turn, what = _plan.get(place, (0, ""))
    if _passed[place] != turn:
        return
    if what == "KILL":
        os.kill(os.getpid(), signal.SIGKILL)
    number = getattr(errno, what)
    raise OSError(number, os.strerror(number))


arm(os.environ.get("FACTORY_FAILPOINT", ""))
