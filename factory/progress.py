"""What a person sees on stderr while a run goes on: a bar on a terminal, else a line now and then; pairs as they come.

Screen(quiet=…) is a ``inputs.Watch``
"""

import os
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from factory.visible import visible as visible
from generators.asking import Outcome, Spent
from generators.models import Progress as PullProgress
from generators.records import Document, Pair, Skipped

if TYPE_CHECKING:
    from rich.progress import Progress

# Without a terminal: a line at least this often, and pairs at most this often (seconds).
_LINE_SECONDS = 10.0
_PAIR_SECONDS = 1.5


def duration(seconds: float) -> str:
    """Seconds as people say them: ``45 s``, ``3 min 5 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def money(cost: float | None) -> str:
    """USD, or that it is unknown."""
    return "cost unknown" if cost is None else "free" if cost == 0 else f"${cost:.4f}" if cost < 1 else f"${cost:.2f}"


class Screen:
    """Shows a run; a context manager, so that the terminal is left as it was."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.skipped = 0
        self._bar: Progress | None = None
        self._task: Any = None
        self._total = self._done = self._pairs = self._in_wave = 0
        self._spent = Spent()
        self._started = self._last_line = self._last_pair = time.monotonic()
        self._pull_line = ""

    def __enter__(self) -> "Screen":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def note(self, line: str) -> None:
        """Say one line."""
        if self.quiet:
            return
        if self._bar is not None:
            self._bar.console.print(visible(line), markup=False, highlight=False, emoji=False)
        else:
            self._print(visible(line))

    def _print(self, line: str) -> None:
        """What nobody reads any more (``2>&1 | head``) is no reason to stop."""
        try:
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is the screen
        except BrokenPipeError:
            self.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    def read(self, item: Document | Skipped) -> None:
        """Name what is skipped; a few by one, so that a folder of pictures does not fill the screen."""
        if isinstance(item, Skipped):
            self.skipped += 1
            if item.reason != "unsupported" or self.skipped <= 5:
                self.note(f"skipped {item.path}: {item.reason} ({item.detail})")

    def asking(self, total: int, spent: Spent) -> None:
        """Start a wave of requests."""
        self._spent = spent
        self._total = self._done + total
        if self.quiet or not total:
            return
        if self._bar is None and sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task("asking", total=self._total, state="")
        elif self._bar is not None:
            self._bar.update(self._task, total=self._total)

    def outcome(self, outcome: Outcome, best: Callable[[], Pair | None]) -> None:
        """Move on by one request; every so often show a pair of it."""
        self._done += 1
        self._pairs += len(outcome.parsed.pairs)
        due = not (self.quiet or outcome.cached) and time.monotonic() - self._last_pair > _PAIR_SECONDS
        if due and (shown := best()) is not None:
            self._last_pair = time.monotonic()
            self.note(f"  Q: {visible(shown.question, 150)}\n  A: {visible(' '.join(shown.answer.split()), 150)}")
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, state=self._state())
        elif time.monotonic() - self._last_line > _LINE_SECONDS:
            self._last_line = time.monotonic()
            self.note(f"{self._done} of {self._total} requests, {self._state()}, {self._left()}")

    def pulling(self, progress: PullProgress) -> None:
        """Show how far a download is."""
        done, total = progress.done_bytes, progress.total_bytes
        amount = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
        if progress.message != self._pull_line:
            self._pull_line = progress.message
            self.note(f"{progress.message}")
        if self.quiet:
            return
        if sys.stderr.isatty():
            print(f"\r\x1b[K  {amount}", end="\n" if done == total else "", file=sys.stderr, flush=True)  # noqa: T201
        elif time.monotonic() - self._last_line > _LINE_SECONDS / 2:
            self._last_line = time.monotonic()
            self.note(f"  {amount}")

    def trained(self, step: int, steps: int, loss: float, tokens_per_second: float) -> None:
        """Tell of a training step, now and then."""
        if step == steps or time.monotonic() - self._last_line > _LINE_SECONDS:
            self._last_line = time.monotonic()
            self.note(f"step {step} of {steps}, loss {loss:.4f}, {tokens_per_second:,.0f} tokens a second")

    def _state(self) -> str:
        spent = self._spent
        tokens = spent.input_tokens + spent.output_tokens
        return f"{self._pairs} candidate pairs, {tokens:,} tokens, {money(spent.cost_usd)}"

    def _left(self) -> str:
        """The time that is left, once enough is done to tell: the first replies of a model are its slowest."""
        if self._done * 10 < self._total:
            return "time left not known yet"
        elapsed = time.monotonic() - self._started
        return f"about {duration(elapsed / self._done * (self._total - self._done))} left"


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}", markup=False),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.start()
    return bar
