"""What a run would send and cost, without a call: ``generate --dry-run``.

Inputs + last version ─▶ Estimate(requests, tokens and USD as low/expected/high)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from factory.inputs import Inputs
from factory.manifest import count_kinds
from factory.plan import make_plan
from factory.progress import money, visible
from factory.store import Workspace
from factory.summary import redaction_line
from generators.journal import Journal
from generators.privacy import Spot
from generators.qa import build_requests
from generators.records import Reject

# Replies were measured between these shares of the expected length; prompts are known almost to the token.
_LOW, _HIGH = 0.5, 1.8


@dataclass(frozen=True, slots=True)
class Estimate:
    """Token counts are (low, expected, high); ``cost`` likewise, ``None`` where the price is unknown."""

    documents: int
    chunks: int
    requests: int
    cached: int
    input_tokens: int
    output_tokens: tuple[int, int, int]
    cost: tuple[float, float, float] | None
    redactions: Sequence[Spot] = ()
    withheld: Sequence[Reject] = ()

    def as_json(self) -> dict[str, Any]:
        """The object that ``generate --dry-run --json`` prints."""
        span = ("low", "expected", "high")
        return {
            "documents": self.documents,
            "chunks": self.chunks,
            "requests": self.requests,
            "cached": self.cached,
            "input_tokens": self.input_tokens,
            "output_tokens": dict(zip(span, self.output_tokens, strict=True)),
            "redactions": count_kinds(self.redactions),
            "withheld": len(self.withheld),
            "cost_usd": None if self.cost is None else dict(zip(span, (round(c, 6) for c in self.cost), strict=True)),
        }

    def as_text(self, teacher: str) -> str:
        """The same for people."""
        low, expected, high = self.output_tokens
        cost = "unknown price" if self.cost is None else " / ".join(money(cost) for cost in self.cost)
        lines = [
            f"  documents   {self.documents}, in {self.chunks} chunks",
            f"  requests    {self.requests} to {visible(teacher)}, {self.cached} more are in the journal",
            f"  tokens      {self.input_tokens:,} in, {low:,} / {expected:,} / {high:,} out (low / expected / high)",
            f"  cost        {cost}",
            *redaction_line(self.redactions, sent=False),
            *(f"  withheld    {visible(reject.reason)}: {visible(reject.detail, 200)}" for reject in self.withheld),
        ]
        return "\n".join(lines)


def estimate(inputs: Inputs, workspace: Workspace) -> Estimate:
    """Add up the requests that the first round would send; replies in the journal cost nothing."""
    plan = make_plan(inputs, workspace.latest())
    journal = Journal(workspace.journal)
    requests = cached = input_tokens = output_tokens = 0
    for asking in build_requests(plan.todo, inputs.template, inputs.qa):
        if asking.request.identity(inputs.settings.teacher) in journal:
            cached += 1
            continue
        requests += 1
        input_tokens += asking.prompt_tokens
        output_tokens += asking.reply_tokens
    span = (round(output_tokens * _LOW), output_tokens, round(output_tokens * _HIGH))
    costs = [inputs.prices.cost(inputs.settings.teacher, input_tokens, tokens) for tokens in span]
    known = [cost for cost in costs if cost is not None]
    cost = (known[0], known[1], known[2]) if len(known) == len(span) else None
    corpus = inputs.corpus
    withheld = tuple(corpus.withheld.values())
    counts = (len(corpus.documents), len(corpus.chunks), requests, cached, input_tokens)
    return Estimate(*counts, span, cost, corpus.redactions, withheld)
