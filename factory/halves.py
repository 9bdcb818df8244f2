"""A function over many records on two cores: the second half is worked on by a copy of this process.

    in_halves(judge, candidates) ─▶ [judge(each) for each in candidates]

The copy has all it needs when it starts, and sends back only the results. Where copying is not possible or not worth
it, or the copy comes to harm, this process does all the work: the results are the same.
"""

import gc
import os
import pickle
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")
_LEAST = 2000


def in_halves(function: Callable[[_In], _Out], items: Sequence[_In]) -> list[_Out]:
    """Apply a pure function, whose results can be pickled, to all items."""
    # A copy on macOS may hold its system libraries' locks for ever.
    if len(items) < _LEAST or not sys.platform.startswith("linux") or len(os.sched_getaffinity(0)) < 2:
        return [function(item) for item in items]
    # The copy has to send what it finds, too.
    middle = len(items) * 11 // 20
    child, results = _start(function, items[middle:])
    try:
        first = [function(item) for item in items[:middle]]
        with open(results, "rb", closefd=False) as pipe:
            sent = pipe.read()
    finally:
        os.close(results)
        _, status = os.waitpid(child, 0)
    second: list[_Out] = pickle.loads(sent) if status == 0 and sent else [function(item) for item in items[middle:]]  # noqa: S301 - our own
    return first + second


def _start(function: Callable[[_In], _Out], items: Sequence[_In]) -> tuple[int, int]:
    """Start the copy; its process id, and the pipe that its results come through."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # numpy's idle threads: the copy uses neither them nor numpy.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    status = 1
    try:
        # Whoever holds a lock or a pipe is the first process: it must not seem to live on when it is killed.
        os.closerange(3, writing)
        os.closerange(writing + 1, os.sysconf("SC_OPEN_MAX"))
        gc.disable()
        with open(writing, "wb") as pipe:  # noqa: PTH123 - a descriptor
            pickle.dump([function(item) for item in items], pipe)
        status = 0
    finally:
        # Neither the files that are being written nor anybody's clearing up are the copy's business.
        os._exit(status)
