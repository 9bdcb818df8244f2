"""What a run would send and cost, without a call: ``generate --dry-run``.

Inputs + last version + journal ─▶ Estimate(requests, tokens and USD as low/expected/high)

Where the journal has replies to requests of these documents (a preview, an earlier run), their true lengths set the
measure; else shares that were measured before.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from factory.announce import announced, changes_json
from factory.inputs import Inputs, Watch
from factory.plan import Plan, asking_the_new, make_plan
from factory.progress import money, visible
from factory.redactions import count_kinds, redaction_line
from factory.safeguards import keep_unreadable, refused
from factory.store import Workspace
from generators.journal import Entry, Journal
from generators.privacy import Spot
from generators.qa import Asking, build_request, build_requests
from generators.records import Chunk, Reject

FirstRound = Callable[[Inputs, Plan], Sequence[Sequence[Chunk]]]
# Replies were measured between these shares of the expected length; prompts are known almost to the token.
_LOW, _HIGH = 0.5, 1.8
# So many real calls tell more than shares measured elsewhere; more than the most tell nothing new.
_LEAST_CALLS, _MOST_CALLS = 3, 500


@dataclass(frozen=True, slots=True)
class Estimate:
    """Token counts are (low, expected, high); ``cost`` likewise, ``None`` where the price is unknown.

    ``calls``: how many real calls it rests on; 0 for none. With a target the requests are those of the first round, and
    ``requests_at_most`` those that ask about everything; without one both are the same.
    ``news``: what a run would do, and why; ``changes``: the same in numbers.
    """

    documents: int
    chunks: int
    requests: int
    cached: int
    input_tokens: int
    output_tokens: tuple[int, int, int]
    cost: tuple[float, float, float] | None
    calls: int = 0
    redactions: Sequence[Spot] = ()
    withheld: Sequence[Reject] = ()
    requests_at_most: int = 0
    news: Sequence[str] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The object that ``generate --dry-run --json`` prints."""
        span = ("low", "expected", "high")
        return {
            "documents": self.documents,
            "chunks": self.chunks,
            "requests": self.requests,
            "requests_at_most": self.requests_at_most,
            "cached": self.cached,
            "real_calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": dict(zip(span, self.output_tokens, strict=True)),
            "redactions": count_kinds(self.redactions),
            "withheld": len(self.withheld),
            "changes": dict(self.changes),
            "cost_usd": None if self.cost is None else dict(zip(span, (round(c, 6) for c in self.cost), strict=True)),
        }

    def as_line(self) -> str:
        """What a run says before it spends."""
        cost = "at an unknown price" if self.cost is None else f"for about {money(self.cost[1])}, {self._span()}"
        return f"asking {self.requests} times {cost}; {self.cached} replies are in the journal"

    def _span(self) -> str:
        cost = self.cost or (0.0, 0.0, 0.0)
        measured = f", as {self.calls} real calls suggest" if self.calls else ""
        return f"{money(cost[0])} to {money(cost[2])}{measured}"

    def as_text(self, teacher: str) -> str:
        """The same for people."""
        low, expected, high = self.output_tokens
        cost = "unknown price" if self.cost is None else " / ".join(money(cost) for cost in self.cost)
        measured = f", as {self.calls} real calls suggest" if self.calls else ""
        more = self.requests_at_most - self.requests
        rounds = f"; in later rounds up to {more} more, if pairs are missing" if more else ""
        lines = [
            *(f"  refresh     {visible(line)}" for line in self.news),
            f"  documents   {self.documents}, in {self.chunks} chunks",
            f"  requests    {self.requests} to {visible(teacher)}, {self.cached} more are in the journal{rounds}",
            f"  tokens      {self.input_tokens:,} in, {low:,} / {expected:,} / {high:,} out (low / expected / high)",
            f"  cost        {cost}{measured}",
            *redaction_line(self.redactions, "will be replaced before anything is sent"),
            *(f"  withheld    {visible(reject.reason)}: {visible(reject.detail, 200)}" for reject in self.withheld),
        ]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Measure:
    """True lengths over the expected: of prompts, and (low, expected, high) of replies; from so many calls."""

    prompt: float = 1.0
    reply: tuple[float, float, float] = (_LOW, 1.0, _HIGH)
    calls: int = 0


def estimate(inputs: Inputs, workspace: Workspace, first: FirstRound, watch: Watch) -> Estimate:
    """Add up the requests that the first round would send; replies in the journal cost nothing.

    Args:
        inputs: Settings and documents.
        workspace: With the last version and the journal.
        first: Which groups of chunks the first round asks about.
        watch: Who hears of documents that cannot be read.
    """
    previous = workspace.latest()
    if previous is not None:
        keep_unreadable(inputs, previous, watch)
    plan = make_plan(inputs, previous, workspace.find)
    inputs = asking_the_new(inputs, plan)
    found = _first_round(inputs, plan, Journal(workspace.journal), first)
    if previous is None:
        return found
    refusal = refused(plan, previous, inputs)
    news = [*announced(plan, previous, inputs), *([refusal] if refusal else [])]
    return replace(found, news=news, changes=changes_json(plan, previous))


def _first_round(inputs: Inputs, plan: Plan, journal: Journal, first: FirstRound) -> Estimate:
    todo = {chunk.id for chunk in plan.todo}
    done = [chunk for chunk in inputs.corpus.chunks.values() if chunk.id not in todo]
    others = list(build_requests(done, inputs.template, inputs.qa))
    everything = weigh(build_requests(plan.todo, inputs.template, inputs.qa), inputs, journal, others)
    if not inputs.settings.pairs:
        return replace(everything, requests_at_most=everything.requests)
    askings = [build_request(group, inputs.template, inputs.qa) for group in first(inputs, plan)]
    found = weigh(askings, inputs, journal, others)
    return replace(found, requests_at_most=max(found.requests, everything.requests))


def weigh(askings: Iterable[Asking], inputs: Inputs, journal: Journal, others: Iterable[Asking] = ()) -> Estimate:
    """Say what these askings will take; ``others`` may be in the journal, and tell how long replies are."""
    teacher = inputs.settings.teacher
    kept, missing = list[Asking](), list[Asking]()
    for asking in askings:
        # Most first runs have nothing in the journal: no request need be named to know.
        (kept if len(journal) and asking.request.identity(teacher) in journal else missing).append(asking)
    measure = _measured(list(_replies([*kept[:_MOST_CALLS]] or others, journal, teacher)) if missing else [])
    prompt = round(measure.prompt * sum(asking.prompt_tokens for asking in missing))
    expected = sum(asking.reply_tokens for asking in missing)
    low, middle, high = (round(share * expected) for share in measure.reply)
    costs = [inputs.prices.cost(teacher, prompt, tokens) for tokens in (low, middle, high)]
    priced = [cost for cost in costs if cost is not None]
    cost = (priced[0], priced[1], priced[2]) if len(priced) == len(costs) else None
    corpus = inputs.corpus
    counts = (len(corpus.documents), len(corpus.chunks), len(missing), len(kept), prompt)
    withheld = tuple(corpus.withheld.values())
    return Estimate(*counts, (low, middle, high), cost, measure.calls, corpus.redactions, withheld)


def _replies(askings: Iterable[Asking], journal: Journal, teacher: str) -> Iterator[tuple[Asking, Entry]]:
    """The askings that the journal has a reply to, with it; up to the most that is of use."""
    found = ((asking, journal.get(asking.request.identity(teacher))) for asking in askings)
    return islice(((asking, entry) for asking, entry in found if entry is not None), _MOST_CALLS)


def _measured(known: Sequence[tuple[Asking, Entry]]) -> _Measure:
    """How long prompts and replies truly were; low and high leave out the tenth at either end."""
    counted = [(asking, entry) for asking, entry in known if entry.output_tokens]
    if len(counted) < _LEAST_CALLS:
        return _Measure()
    shares = sorted(entry.output_tokens / asking.reply_tokens for asking, entry in counted)
    prompts = sum(entry.input_tokens for _, entry in counted) / sum(asking.prompt_tokens for asking, _ in counted)
    mean = sum(entry.output_tokens for _, entry in counted) / sum(asking.reply_tokens for asking, _ in counted)
    edge = len(shares) // 10
    low, high = min(shares[edge], mean), max(shares[-1 - edge], mean)
    return _Measure(prompts or 1.0, (low, mean, high), len(counted))
