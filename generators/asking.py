"""Send requests to a teacher, a bounded number at once, and hand back what came of each.

    askings ─▶ (journal, else teacher ─▶ journal) ─▶ Outcome(asking, Parsed, cost, cached)

The one owner of retries: the clients below make single attempts. Every reply is in the journal before it is parsed; a
reply that is in the journal is never asked for again. Outcomes come as they finish; whoever needs an order sorts by
``Outcome.index``.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from generators.journal import Entry, Journal
from generators.prices import Prices
from generators.qa import Asking, repair_request
from generators.records import Reject
from generators.replies import Origin, Parsed, parse_reply
from generators.teachers import RawReply, Reply, Request, Teacher
from generators.teachers.failures import PermanentFailure, TransientFailure
from generators.templates import Template
from generators.tokens import count_tokens

_log = logging.getLogger(__name__)
_WINDOW, _LEAST_OBSERVED = 40, 8
_QUIET_SECONDS = 5.0
# The server answered, but not with a reply: a later run asks again.
_UNREADABLE = ("bad_reply", "invalid_utf8")
_FINISH_REASONS = {"refusal": "refused", "filter": "content_filter"}


@dataclass(frozen=True, slots=True)
class AskConfig:
    """How requests are sent.

    Attributes:
        concurrency: Requests in flight at most.
        attempts: Tries a request before it is given up, where the fault may pass.
        backoff_seconds: Wait before the second try; doubles, with jitter, up to a minute. ``Retry-After`` goes first.
        patience_seconds: How long one request is tried, pauses included; a longer ``Retry-After`` is not waited out.
        max_cost: Stop sending at this many USD; ``None`` for no cap.
    """

    concurrency: int = 8
    attempts: int = 6
    backoff_seconds: float = 1.0
    patience_seconds: float = 900.0
    max_cost: float | None = None


@dataclass(slots=True)
class Spent:
    """What a run has used so far. ``cost_usd`` is ``None`` once a call's price was unknown."""

    requests: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0

    def add(self, entry: Entry) -> None:
        """Count one reply that was asked for now."""
        self.requests += 1
        self.input_tokens += entry.input_tokens
        self.output_tokens += entry.output_tokens
        self.seconds += entry.latency
        if self.cost_usd is not None:
            self.cost_usd = None if entry.cost_usd is None else self.cost_usd + entry.cost_usd


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one asking: its pairs and rejects. ``failed``: no reply was had, and a later run may try."""

    index: int
    asking: Asking
    parsed: Parsed
    cached: bool = False
    failed: bool = False


@dataclass(slots=True)
class Asker:
    """Asks a teacher through the journal; one a run.

    Attributes:
        stop: Set it to send nothing more; what is in flight is waited for.
    """

    teacher: Teacher
    journal: Journal
    template: Template
    prices: Prices
    config: AskConfig
    spent: Spent = field(default_factory=Spent)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    over_budget: bool = False
    failing: bool = False
    on_event: Callable[[str], object] = _log.info
    _committed: float = 0.0
    _resume_at: float = 0.0
    _said_at: float = -_QUIET_SECONDS
    _recent: deque[bool] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _error: Exception | None = None

    async def ask(self, askings: Iterable[Asking]) -> AsyncGenerator[Outcome, None]:
        """Ask all, in order, up to ``concurrency`` at once; yield outcomes as they finish.

        An error of a worker (``TeacherError``, ``StoppedError``, a bug) ends the sending. It is raised when what was in
        flight has arrived, since that is paid for; so it is when the caller leaves early. Only cancelling is immediate.
        """
        self._check_budget()
        source = enumerate(askings)
        finished: asyncio.Queue[Outcome | None] = asyncio.Queue()
        workers = [asyncio.create_task(self._work(source, finished)) for _ in range(max(1, self.config.concurrency))]
        closing = asyncio.create_task(_close_when_done(workers, finished))
        try:
            while (outcome := await finished.get()) is not None:
                yield outcome
        except asyncio.CancelledError:
            for task in (*workers, closing):
                task.cancel()
            raise
        finally:
            if not all(worker.done() for worker in workers):
                self._ended.set()
            await asyncio.gather(*workers, closing, return_exceptions=True)
            self.journal.sync()
        if self._error is not None:
            raise self._error

    async def _work(self, source: Iterator[tuple[int, Asking]], finished: "asyncio.Queue[Outcome | None]") -> None:
        """Take the next asking until there is none, or the run is to stop."""
        try:
            while not self._halted() and (following := next(source, None)) is not None:
                outcome = await self._one(*following)
                self._watch(outcome)
                finished.put_nowait(outcome)
                await asyncio.sleep(0)  # replies from the journal wait for nothing else
        except Exception as error:
            if not self._halted():
                self.on_event("nothing more is sent; waiting for the replies in flight")
            self._error = self._error or error
            self._ended.set()
            raise

    def _halted(self) -> bool:
        return self.stop.is_set() or self._ended.is_set()

    def _watch(self, outcome: Outcome) -> None:
        """Give up when more than half of the last requests had no reply: something is wrong beyond single chunks."""
        self._recent.append(outcome.failed)
        if len(self._recent) >= _LEAST_OBSERVED and sum(self._recent) * 2 > len(self._recent) and not self._halted():
            self.failing = True
            self._ended.set()

    async def _one(self, index: int, asking: Asking) -> Outcome:
        """Ask once and, if no item of the reply could be used, once more with what was wrong."""
        try:
            reply, cached = await self._reply(asking.request)
        except PermanentFailure as failure:
            parsed = _failure(asking, failure.reason, failure.detail)
            return Outcome(index, asking, parsed, failed=failure.reason in _UNREADABLE)
        except TransientFailure as failure:
            return Outcome(index, asking, _failure(asking, "no_reply", str(failure)), failed=True)
        parsed = self._parse(asking, reply)
        if not parsed.repairable:
            return Outcome(index, asking, parsed, cached)
        problem = "; ".join(sorted({f"{reject.reason}: {reject.detail}" for reject in parsed.rejects}))[:500]
        try:
            again, cached_too = await self._reply(repair_request(asking, reply.text, problem).request)
        except PermanentFailure:
            return Outcome(index, asking, parsed, cached)
        except TransientFailure:
            return Outcome(index, asking, parsed, cached, failed=True)
        repaired = self._parse(asking, again)
        # A whole reply that could not be used is one candidate, whatever became of its repair.
        return Outcome(index, asking, Parsed(repaired.pairs, parsed.rejects + repaired.rejects), cached and cached_too)

    def _parse(self, asking: Asking, reply: Reply) -> Parsed:
        reason = _FINISH_REASONS.get(reply.finish)
        if reason:
            return _failure(asking, reason, "the teacher would not answer", reply.text)
        template = self.template
        origin = Origin(asking.chunks, self.teacher.spec, template.sha256, bound=template.constants.bound_quotes)
        return parse_reply(reply.text, origin, cut=reply.finish == "length")

    async def _reply(self, request: Request) -> tuple[Reply, bool]:
        """The reply from the journal, or from the teacher through the journal: (reply, was it in the journal)."""
        identity = request.identity(self.teacher.spec)
        kept = self.journal.get(identity)
        if kept is not None:
            try:
                reply = self.teacher.read(kept.body)
            except PermanentFailure as failure:
                _log.info("a reply in the journal cannot be read (%s); asking again", failure)
            else:
                self.spent.cached += 1
                return reply, True
        raw = await self._send(request)
        try:
            reply, problem = self.teacher.read(raw.body), None
        except PermanentFailure as failure:
            reply, problem = Reply("", "stop", "", None, None), failure
        entry = self._entry(identity, raw, reply)
        self.journal.append(entry)
        self.spent.add(entry)
        self._commit(request, reply, entry.cost_usd)
        if problem is not None:
            raise problem
        return reply, False

    def _commit(self, request: Request, reply: Reply, cost: float | None) -> None:
        """Hold the cap, also against a server that does not say how many tokens it counted: then they are estimated."""
        if self.config.max_cost is None:
            return
        if cost is None:
            prompt = sum(count_tokens(message.content) for message in request.messages)
            cost = self.prices.cost(self.teacher.spec, prompt, count_tokens(reply.text))
        self._committed += cost or 0.0
        self._check_budget()

    def _check_budget(self) -> None:
        if self.config.max_cost is not None and self._committed >= self.config.max_cost:
            self.over_budget = True
            self._ended.set()

    def _entry(self, identity: str, raw: RawReply, reply: Reply) -> Entry:
        """The journal's line for a reply; without the provider's token counts its cost is unknown, unless free."""
        counted = reply.input_tokens is not None and reply.output_tokens is not None
        tokens = (reply.input_tokens or 0, reply.output_tokens or 0)
        cost = self.prices.cost(self.teacher.spec, *tokens) if counted or self.teacher.is_local else None
        return Entry(identity, self.teacher.spec, raw.body, raw.latency, time.time(), *tokens, cost)

    async def _send(self, request: Request) -> RawReply:
        """One request, tried again while the fault may pass; all workers wait out a ``Retry-After``."""
        give_up_at = time.monotonic() + self.config.patience_seconds
        failure = TransientFailure("stopped", detail="nothing more is sent")
        for attempt in range(1, self.config.attempts + 1):
            await self._wait_turn()
            if self._halted():
                raise failure
            try:
                return await self.teacher.send(request)
            except TransientFailure as fault:
                failure = fault
            pause = self._pause(attempt, failure)
            if attempt == self.config.attempts or time.monotonic() + pause > give_up_at:
                break
            self._say(f"{failure.reason}: trying again in {pause:.0f} s ({attempt} of {self.config.attempts})")
            if failure.retry_after is None:
                await self._rest(pause)
            else:
                self._resume_at = max(self._resume_at, time.monotonic() + pause)
        raise failure

    async def _wait_turn(self) -> None:
        """Wait until the server wants to be asked again; meanwhile it may have told another worker a later time."""
        while (left := self._resume_at - time.monotonic()) > 0 and not self._halted():
            await self._rest(left)

    async def _rest(self, seconds: float) -> None:
        """Sleep; wake up early when nothing more is to be sent."""
        ends = [asyncio.create_task(event.wait()) for event in (self.stop, self._ended)]
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    def _pause(self, attempt: int, failure: TransientFailure) -> float:
        if failure.retry_after is not None:
            return failure.retry_after
        return float(min(60.0, self.config.backoff_seconds * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))  # noqa: S311

    def _say(self, line: str) -> None:
        """Tell the person, once for all workers that meet the same."""
        if time.monotonic() - self._said_at >= _QUIET_SECONDS:
            self._said_at = time.monotonic()
            self.on_event(line)


async def _close_when_done(workers: Sequence["asyncio.Task[None]"], finished: "asyncio.Queue[Outcome | None]") -> None:
    """Mark the end of the outcomes."""
    await asyncio.wait(workers)
    finished.put_nowait(None)


def _failure(asking: Asking, reason: str, detail: str, raw: str = "") -> Parsed:
    """An asking without a usable reply: one reject."""
    return Parsed([], [Reject(stage="ask", reason=reason, detail=detail, chunk=asking.chunks[0].id, raw=raw)])
