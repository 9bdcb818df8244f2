"""A model that is asked through the journal, many requests at once: the teacher in an exam, and the judge.

    Remote(teacher, journal, prices, config).replies(requests) ─▶ [Heard(text) | Heard(failed)], in their order

What was ever answered is in the journal and is not bought again, so a score that was cut off goes on where it was.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from generators.errors import ShortError
from generators.journal import Journal
from generators.pacing import Pace
from generators.prices import Prices
from generators.sending import AskConfig, NotSent, Sender
from generators.spending import Budget, Spent
from generators.teachers import Request, Teacher
from generators.teachers.failures import PermanentFailure, TransientFailure


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply's text; or why there is none: ``failed`` for good (the model would not), or ``lost`` for now."""

    text: str = ""
    failed: str = ""
    lost: str = ""


@dataclass(slots=True)
class Remote:
    """One model. Those of one run may share ``spent``, so that one cap holds for all; ``stop`` ends the sending."""

    teacher: Teacher
    journal: Journal
    prices: Prices
    config: AskConfig
    on_event: Callable[[str], object]
    spent: Spent = field(default_factory=Spent)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def spec(self) -> str:
        """How the user names it."""
        return self.teacher.spec

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""
        return self.teacher.is_local

    async def replies(self, requests: Sequence[Request]) -> list[Heard]:
        """Ask all, and hand back what came of each.

        Raises:
            TeacherError: A person must act; what was in flight has arrived and is kept.
            ShortError: A cap was met; what was answered is kept.
            StoppedError: The journal cannot be written.
        """
        sender = self._sender()
        heard: dict[int, Heard] = {}
        work = iter(enumerate(requests))
        workers = min(self.config.concurrency, len(requests))
        ends = await asyncio.gather(*(self._work(sender, work, heard) for _ in range(workers)), return_exceptions=True)
        self.journal.sync()
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        if sender.budget.reached:
            raise ShortError(f"stopped at {sender.budget.reached}; what was answered is kept, run again with more")
        return [heard.get(place, Heard(lost="not sent")) for place in range(len(requests))]

    async def _work(self, sender: Sender, work: Iterator[tuple[int, Request]], heard: dict[int, Heard]) -> None:
        """Take the next request until there is none; an error ends the sending for all."""
        try:
            while not sender.pace.halted and (following := next(work, None)) is not None:
                place, request = following
                heard[place] = await _heard(sender, request)
                await asyncio.sleep(0)  # replies from the journal wait for nothing else
        except BaseException:
            sender.pace.halt()
            raise

    def _sender(self) -> Sender:
        config, spec = self.config, self.teacher.spec
        left = config.max_cost
        if left is not None:
            left = max(0.0, left - (self.spent.cost_usd or 0.0))
        pace = Pace(config.concurrency, self.stop, first_alone=not self.teacher.is_local)
        budget = Budget(self.prices, spec, left, config.max_run_tokens)
        return Sender(self.teacher, self.journal, self.prices, config, self.spent, pace, budget, self.on_event)


async def _heard(sender: Sender, request: Request) -> Heard:
    try:
        reply, _ = await sender.reply(request)
    except PermanentFailure as failure:
        return Heard(failed=failure.reason)
    except NotSent:
        return Heard(lost="not sent")
    except TransientFailure as failure:
        return Heard(lost=failure.reason)
    return Heard(failed="refused") if reply.finish in ("refusal", "filter") else Heard(reply.text.strip())
