"""One request to its reply: from the journal, else from the teacher through the journal. The one owner of retries.

    Request ─▶ Sender.reply ─▶ (Reply, was it in the journal), or the failure that is left when all was tried

The clients below make single attempts. Each attempt is noted before it leaves, and every answer that was or may be
paid is in the journal before it is read; what is in the journal is never asked for again.
"""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from generators.errors import TeacherError
from generators.journal import Entry, Journal
from generators.pacing import Pace
from generators.prices import Prices
from generators.spending import Budget, Spent
from generators.teachers import RawReply, Reply, Request, Teacher
from generators.teachers.failures import UNREACHABLE, FeatureRefused, PermanentFailure, RequestFailure, TransientFailure

_QUIET_SECONDS = 5.0
# What a server says, or how it falls silent, when it has too much to do.
_CROWDED = frozenset({"rate_limited", "overloaded", "connect_timeout", "idle_timeout", "total_timeout"})
# Asking again would be refused, or paid, again: these answers are kept like replies.
_FINAL = frozenset({"content_filter", "oversized_reply"})


@dataclass(frozen=True, slots=True)
class AskConfig:
    """How requests are sent.

    Attributes:
        concurrency: Requests in flight: where the adaptive pace starts, and its ceiling.
        attempts: Tries a request before it is given up, where the fault may pass.
        backoff_seconds: Wait before the second try; doubles, with jitter, up to a minute. ``Retry-After`` goes first.
        patience_seconds: How long one request is tried, pauses included; a longer ``Retry-After`` ends the run.
        max_cost: Stop sending at this many USD; ``None`` for no cap.
        max_run_tokens: Stop sending at this many tokens, of prompts and replies together; ``None`` for no cap.
    """

    concurrency: int = 8
    attempts: int = 6
    backoff_seconds: float = 1.0
    patience_seconds: float = 900.0
    max_cost: float | None = None
    max_run_tokens: int | None = None


class NotSent(TransientFailure):
    """Nothing was sent, since the run ends."""

    def __init__(self) -> None:
        super().__init__("stopped", detail="nothing more is sent")


@dataclass(slots=True)
class Sender:
    """Sends through the journal at the run's pace; one a run.

    Attributes:
        unwelcome: Seconds that the server wants to be left alone, if that is beyond all patience; else 0.
        unreachable: Why no server was found, if none has answered so far; else empty.
        held_back: Something was to be sent and was not, since the run ended.
    """

    teacher: Teacher
    journal: Journal
    prices: Prices
    config: AskConfig
    spent: Spent
    pace: Pace
    budget: Budget
    on_event: Callable[[str], object]
    unwelcome: float = 0.0
    unreachable: str = ""
    held_back: bool = False
    _answered: bool = False
    _sunset: str = ""
    _said_at: float = -_QUIET_SECONDS

    async def reply(self, request: Request) -> tuple[Reply, bool]:
        """The reply to a request, and whether it was in the journal.

        Raises:
            TransientFailure: No attempt was answered, or none was made (``NotSent``); a later run may have more luck.
            PermanentFailure: The answer is no reply, and would be none again.
            TeacherError: A person must act.
            StoppedError: The journal cannot be written.
        """
        identity = request.identity(self.teacher.spec)
        kept = self._kept(identity)
        if kept is not None:
            self.spent.cached += 1
            return kept, True
        return self._received(request, identity, await self._tried(request, identity)), False

    def _kept(self, identity: str) -> Reply | None:
        """The reply that is in the journal; None if there is none, or none that can be read."""
        entry = self.journal.get(identity)
        if entry is None:
            return None
        if entry.failure:
            self.spent.cached += 1
            raise PermanentFailure(entry.failure, entry.detail)
        try:
            return self.teacher.read(entry.body)
        except PermanentFailure:
            return None  # the server answered, but not with a reply: asked again

    def _received(self, request: Request, identity: str, raw: RawReply) -> Reply:
        """Keep what came, whatever it is, and count it."""
        reply = Reply("", "stop", "", None, None)
        try:
            reply = self.teacher.read(raw.body)
        finally:
            entry = self._entry(request, identity, raw, reply)
            self.journal.append(entry)
            self.spent.add(entry)
            self.budget.commit(request, reply, entry)
            self.hold_budget()
        return reply

    def hold_budget(self) -> None:
        """Send nothing more once a cap is met."""
        if self.budget.reached:
            self.pace.halt()

    def _entry(self, request: Request, identity: str, raw: RawReply, reply: Reply) -> Entry:
        """The journal's line for a reply; without the provider's token counts its cost is unknown, unless free."""
        counted = reply.input_tokens is not None and reply.output_tokens is not None
        tokens = (reply.input_tokens or 0, reply.output_tokens or 0)
        cost = self.prices.cost(self.teacher.spec, *tokens) if counted or self.teacher.is_local else None
        run = self.journal.run
        when = (raw.latency, time.time())
        return Entry(identity, self.teacher.spec, raw.body, *when, *tokens, cost, reply.model, run, about=request.about)

    async def _tried(self, request: Request, identity: str) -> RawReply:
        """The answer to a request, tried again while the fault may pass; all workers wait out a ``Retry-After``."""
        give_up_at = math.inf
        failure: TransientFailure = NotSent()
        attempt = 0
        while True:
            attempt += 1
            if not await self.pace.enter():
                self.held_back = True
                break
            give_up_at = min(give_up_at, time.monotonic() + self.config.patience_seconds)
            try:
                return await self._answer(request, identity)
            except TransientFailure as fault:
                failure = fault
            finally:
                self.pace.leave()
            pause = self._pause(attempt, failure)
            if attempt >= self.config.attempts or time.monotonic() + pause > give_up_at:
                break
            self._say(f"{_cause(failure)}: trying again in {pause:.0f} s ({attempt} of {self.config.attempts})")
            if failure.retry_after is None:
                await self.pace.rest(pause)
        if failure.reason in UNREACHABLE and not self._answered:
            self.unreachable = failure.detail
            self.pace.halt()
        raise failure

    async def _answer(self, request: Request, identity: str) -> RawReply:
        """The answer to an attempt; to another, at once but not inside a pause, if a feature was refused."""
        while True:
            try:
                return await self._attempt(request, identity)
            except FeatureRefused:
                if not await self.pace.clear():
                    self.held_back = True
                    raise NotSent from None

    async def _attempt(self, request: Request, identity: str) -> RawReply:
        """One attempt, noted before it leaves and when it comes to nothing; how the server fares sets the pace."""
        self.journal.sent(identity)
        sent_at = time.monotonic()
        try:
            raw = await self.teacher.send(request)
        except RequestFailure as failure:
            self._answered |= failure.reason not in UNREACHABLE
            self._failed(request, identity, failure, sent_at)
            raise
        except TeacherError:
            self.journal.failed(identity, "needs_person", maybe_charged=False)
            raise
        self._answered = True
        self.pace.grow()
        self._warn_of_the_end(raw.sunset)
        return raw

    def _warn_of_the_end(self, sunset: str) -> None:
        """Say once what the provider says of the model's last day."""
        if sunset and sunset != self._sunset:
            self._sunset = sunset
            self.on_event(f"{self.teacher.spec} shuts down on {sunset}, says its provider: choose another before then")

    def _failed(self, request: Request, identity: str, failure: RequestFailure, sent_at: float) -> None:
        self.journal.failed(identity, failure.reason, maybe_charged=failure.maybe_charged)
        if failure.reason in _FINAL:
            self._keep_final(request, identity, failure, sent_at)
        if failure.maybe_charged:
            self.spent.maybe_paid += 1
            self.budget.commit_unseen(request)
            self.hold_budget()
        if isinstance(failure, TransientFailure):
            self._slow_down(failure, sent_at)

    def _keep_final(self, request: Request, identity: str, failure: RequestFailure, sent_at: float) -> None:
        """Keep an answer that is no reply and never will be one; what it may cost stands with the doubts."""
        latency, run = time.monotonic() - sent_at, self.journal.run
        spec, reason, detail = self.teacher.spec, failure.reason, failure.detail
        self.journal.append(
            Entry(identity, spec, failure.body, latency, time.time(), 0, 0, 0.0, "", run, reason, detail, request.about)
        )

    def _slow_down(self, failure: TransientFailure, sent_at: float) -> None:
        if failure.reason in _CROWDED:
            self.pace.ease(sent_at)
        wait = failure.retry_after or 0.0
        if wait > self.config.patience_seconds:
            self.unwelcome = wait
            self.pace.halt()
        elif wait:
            self.pace.pause_until(time.monotonic() + wait)

    def _pause(self, attempt: int, failure: TransientFailure) -> float:
        if failure.retry_after is not None:
            return failure.retry_after
        return float(min(60.0, self.config.backoff_seconds * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))  # noqa: S311

    def _say(self, line: str) -> None:
        """Tell the person, once for all workers that meet the same."""
        if time.monotonic() - self._said_at >= _QUIET_SECONDS:
            self._said_at = time.monotonic()
            self.on_event(line)


def _cause(failure: RequestFailure) -> str:
    """What went wrong, for a line on the screen; where nothing answers, which address that is."""
    return str(failure) if failure.reason in UNREACHABLE else failure.reason
