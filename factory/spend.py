"""What a workspace has spent, by teacher, model and run, and what may have been paid without a reply.

Journal ─▶ Spend ─▶ the object of ``status --json``, or lines for people
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from factory.progress import money, visible
from generators.journal import Doubt, Entry, Journal

_RUNS_SHOWN = 10


@dataclass(slots=True)
class Line:
    """Replies added up. ``cost_usd`` is None once a reply's price was unknown."""

    replies: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0

    def add(self, entry: Entry) -> None:
        """Count one reply."""
        self.replies += 1
        self.input_tokens += entry.input_tokens
        self.output_tokens += entry.output_tokens
        both_known = self.cost_usd is not None and entry.cost_usd is not None
        self.cost_usd = (self.cost_usd or 0.0) + (entry.cost_usd or 0.0) if both_known else None

    def as_json(self) -> dict[str, Any]:
        """The same as an object."""
        cost = None if self.cost_usd is None else round(self.cost_usd, 6)
        tokens = {"input_tokens": self.input_tokens, "output_tokens": self.output_tokens}
        return {"replies": self.replies, **tokens, "cost_usd": cost}

    def as_text(self) -> str:
        """The same for people."""
        return f"{self.replies} replies, {self.input_tokens + self.output_tokens:,} tokens, {money(self.cost_usd)}"


@dataclass(slots=True)
class Spend:
    """All replies that were ever bought, also those that a later one replaced."""

    teachers: dict[str, Line] = field(default_factory=dict)
    models: dict[str, Line] = field(default_factory=dict)
    runs: dict[int, Line] = field(default_factory=dict)
    started: dict[int, float] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Keys of ``status --json``."""
        runs = [
            {"run": run, "started": _moment(self.started[run]), **line.as_json()}
            for run, line in sorted(self.runs.items())
        ]
        listed = [
            {"request": each.request, "run": each.run, "at": _moment(each.at), "reason": each.reason}
            for each in self.doubts
        ]
        return {
            "spend": {teacher: line.as_json() for teacher, line in self.teachers.items()},
            "spend_by_model": {model: line.as_json() for model, line in self.models.items()},
            "spend_by_run": runs,
            "maybe_paid": listed,
        }

    def as_text(self) -> Iterator[str]:
        """Lines of ``status``."""
        for teacher, line in self.teachers.items():
            yield f"  spent       {visible(teacher)}: {line.as_text()}"
        for model, line in self.models.items():
            yield f"  model       {visible(model)}: {line.as_text()}"
        shown = sorted(self.runs)[-_RUNS_SHOWN:]
        if len(shown) < len(self.runs):
            yield f"  runs        {len(self.runs)}, the last {len(shown)} of them:"
        for run in shown:
            yield f"  run         {run}, {_moment(self.started[run])}: {self.runs[run].as_text()}"
        if self.doubts:
            yield f"  in doubt    {in_doubt(self.doubts)}"


def spend_of(journal: Journal) -> Spend:
    """Add up a journal."""
    spend = Spend(doubts=journal.doubts)
    for entry in journal.receipts():
        spend.teachers.setdefault(entry.teacher, Line()).add(entry)
        spend.models.setdefault(entry.model or entry.teacher, Line()).add(entry)
        spend.runs.setdefault(entry.run, Line()).add(entry)
        spend.started.setdefault(entry.run, entry.received - entry.latency)
    return spend


def in_doubt(doubts: list[Doubt]) -> str:
    """Say how many attempts may have been paid without a reply, and why."""
    reasons = Counter("in flight when a run ended" if each.reason == "in_flight" else each.reason for each in doubts)
    why = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    return f"{len(doubts)} attempts without a reply may have been paid: {why} (listed by 'factory status --json')"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
