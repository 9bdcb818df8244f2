"""How many requests may be in flight, and when the next may leave: one pace for all workers of a run.

    enter ─▶ (send) ─▶ grow | ease | pause_until ─▶ leave

Additive increase, multiplicative decrease: a reply adds one to the limit per round of replies, a sign of a crowded
server halves it, once a round trip. It starts at the most and never leaves 1 to the most. A remote teacher's first
request goes alone: if the key or the model's name is wrong, that is one refused request, not hundreds.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable


class Pace:
    """The pace of one run; all its methods belong to one event loop.

    Attributes:
        stop: Set by others to send nothing more; ``halt`` has the same effect from inside.
    """

    def __init__(self, most: int, stop: asyncio.Event, *, first_alone: bool = False) -> None:
        self.stop = stop
        self._most = max(1, most)
        self._limit = float(self._most)
        self._first_alone = first_alone
        self._in_flight = 0
        self._resume_at = self._eased_at = 0.0
        self._halted = False
        self._line: deque[asyncio.Future[None]] = deque()
        self._resting: set[asyncio.Future[None]] = set()

    @property
    def halted(self) -> bool:
        """Whether nothing more is to be sent."""
        return self._halted or self.stop.is_set()

    @property
    def limit(self) -> int:
        """Requests that may be in flight now."""
        return 1 if self._first_alone else max(1, int(self._limit))

    async def enter(self) -> bool:
        """Wait for a turn; False if nothing more is to be sent. What enters must ``leave``."""
        while await self.clear():
            if self._in_flight < self.limit:
                self._in_flight += 1
                self._wake()
                return True
            await self._wait(self._line.append)
        return False

    async def clear(self) -> bool:
        """Wait out a pause; False if nothing more is to be sent. Who is in already keeps the place."""
        while not self.halted and (left := self._resume_at - time.monotonic()) > 0:
            await self.rest(left)
        return not self.halted

    def leave(self) -> None:
        """Make room for the next."""
        self._in_flight -= 1
        self._first_alone = False
        self._wake()

    def grow(self) -> None:
        """A reply came: one more in flight for each round of them."""
        self._limit = min(float(self._most), self._limit + 1 / self._limit)

    def ease(self, sent_at: float) -> None:
        """The server is crowded: half as many in flight, unless that was done since the request left (monotonic)."""
        if sent_at >= self._eased_at:
            self._eased_at = time.monotonic()
            self._limit = max(1.0, self._limit / 2)

    def pause_until(self, moment: float) -> None:
        """Let nothing leave before a moment (monotonic); the latest of several counts."""
        self._resume_at = max(self._resume_at, moment)

    async def rest(self, seconds: float) -> None:
        """Sleep; wake up early when nothing more is to be sent."""
        if self.halted:
            return
        timer: list[asyncio.TimerHandle] = []

        def start(sleeper: "asyncio.Future[None]") -> None:
            self._resting.add(sleeper)
            timer.append(asyncio.get_running_loop().call_later(seconds, _resolve, sleeper))

        try:
            await self._wait(start)
        finally:
            timer[0].cancel()

    def halt(self) -> None:
        """Send nothing more; who waits is woken."""
        self._halted = True
        for sleeper in (*self._resting, *self._line):
            _resolve(sleeper)
        self._line.clear()

    async def heed_stop(self) -> None:
        """Halt when ``stop`` is set; runs as long as the run does."""
        await self.stop.wait()
        self.halt()

    async def _wait(self, start: Callable[["asyncio.Future[None]"], object]) -> None:
        sleeper = asyncio.get_running_loop().create_future()
        start(sleeper)
        try:
            await sleeper
        finally:
            self._resting.discard(sleeper)

    def _wake(self) -> None:
        """Let as many of the line try as there is room for; who was cancelled while waiting takes none of it."""
        room = self.limit - self._in_flight
        while room > 0 and self._line:
            sleeper = self._line.popleft()
            room -= not sleeper.done()
            _resolve(sleeper)


def _resolve(sleeper: "asyncio.Future[None]") -> None:
    if not sleeper.done():
        sleeper.set_result(None)
