"""Ctrl-C and SIGTERM, from the program's first line to its last: the first one ends it well, a second one at once.

    listen();  with Heard(action): …   ─▶  action(number), or ``SignalledError`` where the program stands

Whatever is being done, a second signal ends the process with the exit code of the first: replies are written as they
come and versions appear by a rename, so that nothing is half-written. Imports next to nothing, so that it stands before
anything that takes time.
"""

import atexit
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import NoReturn, Self

from generators.errors import ExitCode

NUMBERS = (signal.SIGINT, signal.SIGTERM)
_KEPT = "what the teacher has answered is kept, run again to go on"
_SHOW_CURSOR = "\x1b[?25h"


class SignalledError(KeyboardInterrupt):
    """The first signal, raised where the program stands; nothing takes it for a fault of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def exit_code(number: int) -> ExitCode:
    """What a process that a signal ended says."""
    return ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.STOPPED


def farewell(number: int) -> str:
    """What a person reads then."""
    return f"{'interrupted' if number == signal.SIGINT else 'stopped'}; {_KEPT}"


def listen() -> None:
    """Take both signals, also where a shell that put the process behind (``&``) made it deaf to one."""
    for number in NUMBERS:
        signal.signal(number, _raise)


def settle(code: int) -> None:
    """The end is near and its code is settled: no signal changes it, while files and threads are cleared up."""
    for number in NUMBERS:
        signal.signal(number, lambda *_: os._exit(code))
    # The interpreter's very end would put the system's handlers back.
    atexit.register(_ignore)


class Heard:
    """While it lasts, the first signal calls ``action`` and raises nothing; a context manager.

    Attributes:
        first: The number of the first signal; 0 if there was none.
    """

    def __init__(self, action: Callable[[int], object]) -> None:
        self.first = 0
        self._action = action
        self._before: list[tuple[signal.Signals, signal._HANDLER]] = []

    def __enter__(self) -> Self:
        for number in NUMBERS:
            self._before.append((number, signal.signal(number, self._hear)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before:
            # After a first signal, a second one must find what ends the process at once.
            signal.signal(number, handler if not self.first else self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's arguments
        if self.first:
            leave(self.first)
        self.first = number
        self._action(number)


def _raise(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's arguments
    for each in NUMBERS:
        signal.signal(each, lambda *_: leave(number))
    raise SignalledError(number)


def leave(number: int) -> NoReturn:
    """End the process here and now, with a line."""
    cursor = _SHOW_CURSOR if os.isatty(2) else ""
    with suppress(OSError):
        os.write(2, f"{cursor}factory: {farewell(number)}\n".encode())
    os._exit(exit_code(number))


def _ignore() -> None:
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)
