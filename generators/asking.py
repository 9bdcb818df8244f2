"""Ask a teacher about chunks, a bounded number at once, and hand back what came of each.

    askings ─▶ Sender (journal, else teacher ─▶ journal) ─▶ Outcome(asking, Parsed, cached)

What is sent and how often is ``sending``'s; here is what a reply leads to: pairs, and a second try where it helps. A
reply that was cut is asked for again with more room, one of which nothing can be used with what was wrong, a request
that is too long in halves. Outcomes come as they finish; whoever needs an order sorts by ``Outcome.index``.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from generators.halves import halves
from generators.journal import Journal
from generators.loops import ends_in_loop
from generators.pacing import Pace
from generators.prices import Prices
from generators.qa import Asking, QaConfig, build_request, repair_request, roomier_request
from generators.records import Pair, Reject
from generators.replies import Origin, Parsed, parse_reply
from generators.sending import AskConfig, NotSent, Sender
from generators.spending import Budget, Spent
from generators.teachers import Reply, Teacher
from generators.teachers.failures import PermanentFailure, TransientFailure
from generators.templates import Template

__all__ = ["AskConfig", "Asker", "Outcome", "Spent"]

_log = logging.getLogger(__name__)
_WINDOW, _LEAST_OBSERVED = 40, 8
# The server answered, but not with a reply: a later run asks again.
_UNREADABLE = ("bad_reply", "invalid_utf8")
_FINISH_REASONS = {"refusal": "refused", "filter": "content_filter"}
_MOST_HALVINGS = 4  # a section in sixteen pieces


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one asking: its pairs and rejects. ``failed``: no reply was had, and a later run may try."""

    index: int
    asking: Asking
    parsed: Parsed
    cached: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class _Had:
    """What was had of one asking or a part of it. ``unsent``: nothing, since the run ended before."""

    parsed: Parsed
    cached: bool = False
    failed: bool = False
    unsent: bool = False


@dataclass(slots=True)
class Asker:
    """Asks a teacher through the journal; one a run.

    Attributes:
        qa: How the halves of a request that is too long are asked.
        stop: Set it to send nothing more; what is in flight is waited for.
        failing: More than half of the last requests had no reply, or the first found no server.
        cut_short: Something was left to be asked when the run ended. What is in the journal is had all the same.
        pace: How many are in flight.
    """

    teacher: Teacher
    journal: Journal
    template: Template
    prices: Prices
    config: AskConfig
    spent: Spent = field(default_factory=Spent)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    failing: bool = False
    cut_short: bool = False
    on_event: Callable[[str], object] = _log.info
    qa: QaConfig = field(default_factory=QaConfig)
    pace: Pace = field(init=False)
    _sender: Sender = field(init=False)
    _recent: deque[bool] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _error: Exception | None = None
    _leaving: bool = False
    _last_failure: str = ""

    def __post_init__(self) -> None:
        config, teacher = self.config, self.teacher
        self.pace = Pace(config.concurrency, self.stop, first_alone=not teacher.is_local)
        budget = Budget(self.prices, teacher.spec, config.max_cost, config.max_run_tokens)
        self._sender = Sender(teacher, self.journal, self.prices, config, self.spent, self.pace, budget, self.on_event)

    @property
    def over_budget(self) -> bool:
        """Whether a cap was met."""
        return bool(self._sender.budget.reached)

    @property
    def ending(self) -> str:
        """Why the run ended before all was asked, for the person; empty if it did not, or was told to."""
        if self.over_budget:
            more = self.cut_short or self._sender.held_back
            return f"stopped at {self._sender.budget.reached}; run again with more to go on" if more else ""
        if self._sender.unwelcome:
            return f"stopped: the teacher wants to be left alone for {self._sender.unwelcome:,.0f} s; run again then"
        if self._sender.unreachable:
            return f"stopped: {self._sender.unreachable}; then run again"
        last = f" (the last: {self._last_failure})" if self._last_failure else ""
        return f"stopped: more than half of the last requests failed{last}; run again to go on" if self.failing else ""

    async def ask(self, askings: Iterable[Asking]) -> AsyncGenerator[Outcome, None]:
        """Ask all, in order, up to ``concurrency`` at once; yield outcomes as they finish.

        An error of a worker (``TeacherError``, ``StoppedError``, a bug) ends the sending. It is raised when what was in
        flight has arrived, since that is paid for; so it is when the caller leaves early. Only cancelling is immediate.
        """
        self._sender.hold_budget()
        source = enumerate(askings)
        finished: asyncio.Queue[Outcome | None] = asyncio.Queue()
        workers = [asyncio.create_task(self._work(source, finished)) for _ in range(max(1, self.config.concurrency))]
        closing = asyncio.create_task(_close_when_done(workers, finished))
        heeding = asyncio.create_task(self.pace.heed_stop())
        try:
            while (outcome := await finished.get()) is not None:
                yield outcome
        except asyncio.CancelledError:
            for task in (*workers, closing):
                task.cancel()
            raise
        finally:
            if not all(worker.done() for worker in workers):
                self._leaving = True
                self.pace.halt()
            await asyncio.gather(*workers, closing, return_exceptions=True)
            heeding.cancel()
            await asyncio.gather(heeding, return_exceptions=True)
            self.journal.sync()
        if self._error is not None:
            raise self._error

    async def _work(self, source: Iterator[tuple[int, Asking]], finished: "asyncio.Queue[Outcome | None]") -> None:
        """Take the next asking until there is none, or the run is to stop; a run that ended has the journal still."""
        try:
            while not (self._leaving or self.stop.is_set()) and (following := next(source, None)) is not None:
                index, asking = following
                had = await self._had(asking, _MOST_HALVINGS)
                if had.unsent:
                    self.cut_short = True
                    continue
                outcome = Outcome(index, asking, had.parsed, had.cached, had.failed)
                self._watch(outcome)
                finished.put_nowait(outcome)
                await asyncio.sleep(0)  # replies from the journal wait for nothing else
        except Exception as error:
            if not self.pace.halted:
                self.on_event("nothing more is sent; waiting for the replies in flight")
            self._error = self._error or error
            self._leaving = True
            self.pace.halt()
            raise

    def _watch(self, outcome: Outcome) -> None:
        """Give up when more than half of the last requests had no reply: something is wrong beyond single chunks."""
        self._recent.append(outcome.failed)
        if outcome.failed and outcome.parsed.rejects:
            self._last_failure = outcome.parsed.rejects[-1].detail
        too_many = len(self._recent) >= _LEAST_OBSERVED and sum(self._recent) * 2 > len(self._recent)
        if (too_many and not self.pace.halted) or self._sender.unwelcome or self._sender.unreachable:
            self.failing = True
            self.pace.halt()

    async def _had(self, asking: Asking, halvings: int) -> _Had:
        """Ask once and, where that may help, a second time; a request that is too long in halves instead."""
        try:
            reply, cached = await self._sender.reply(asking.request)
        except PermanentFailure as failure:
            parts = self._parts(asking) if failure.reason == "context_overflow" and halvings else []
            if parts:
                return _joined([await self._had(part, halvings - 1) for part in parts])
            return _Had(_failure(asking, failure.reason, failure.detail), failed=failure.reason in _UNREADABLE)
        except NotSent:
            return _Had(Parsed(), failed=True, unsent=True)
        except TransientFailure as failure:
            return _Had(_failure(asking, "no_reply", str(failure)), failed=True)
        parsed = self._parse(asking, reply)
        again = _second(asking, reply, parsed)
        if again is None:
            return _Had(parsed, cached)
        try:
            more, cached_too = await self._sender.reply(again.request)
        except PermanentFailure:
            return _Had(parsed, cached)
        except TransientFailure:
            return _Had(parsed, cached, failed=True)
        return _Had(_merged([parsed, self._parse(asking, more)]), cached and cached_too)

    def _parts(self, asking: Asking) -> list[Asking]:
        slot = asking.request.slot
        return [build_request(group, self.template, self.qa, slot) for group in halves(asking.chunks)]

    def _parse(self, asking: Asking, reply: Reply) -> Parsed:
        reason = _FINISH_REASONS.get(reply.finish)
        if reason:
            return _failure(asking, reason, "the teacher would not answer", reply.text)
        template, constants = self.template, self.template.constants
        origin = Origin(
            asking.chunks, self.teacher.spec, template.sha256, bound=constants.bound_quotes, wordings=constants.wordings
        )
        cut = reply.finish == "length"
        parsed = parse_reply(reply.text, origin, cut=cut)
        return _looped(parsed) if cut and ends_in_loop(reply.text) else parsed


def _second(asking: Asking, reply: Reply, parsed: Parsed) -> Asking | None:
    """What to ask a second time, if that may help: for the rest of a cut reply, or for one that can be used."""
    if any(reject.reason == "loop" for reject in parsed.rejects):
        return None
    if reply.finish == "length":
        return roomier_request(asking)
    if not parsed.repairable:
        return None
    problem = "; ".join(sorted({f"{reject.reason}: {reject.detail}" for reject in parsed.rejects}))[:500]
    return repair_request(asking, reply.text, problem)


def _looped(parsed: Parsed) -> Parsed:
    """The same with the torn item's reason told: it was not for want of room."""
    rejects = [
        replace(reject, reason="loop", detail="the reply repeats itself up to its token limit")
        if reject.reason in ("truncated", "empty_reply")
        else reject
        for reject in parsed.rejects
    ]
    return Parsed(parsed.pairs, rejects)


def _merged(several: Sequence[Parsed]) -> Parsed:
    """The pairs of several replies about the same, each once; a whole reply that was of no use stays one candidate."""
    pairs: dict[str, Pair] = {}
    for pair in (pair for parsed in several for pair in parsed.pairs):
        pairs.setdefault(pair.id, pair)
    return Parsed(list(pairs.values()), [reject for parsed in several for reject in parsed.rejects])


def _joined(parts: Sequence[_Had]) -> _Had:
    cached, failed = all(part.cached for part in parts), any(part.failed for part in parts)
    return _Had(_merged([part.parsed for part in parts]), cached, failed, all(part.unsent for part in parts))


async def _close_when_done(workers: Sequence["asyncio.Task[None]"], finished: "asyncio.Queue[Outcome | None]") -> None:
    """Mark the end of the outcomes."""
    await asyncio.wait(workers)
    finished.put_nowait(None)


def _failure(asking: Asking, reason: str, detail: str, raw: str = "") -> Parsed:
    """An asking without a usable reply: one reject."""
    return Parsed([], [Reject(stage="ask", reason=reason, detail=detail, chunk=asking.chunks[0].id, raw=raw)])
