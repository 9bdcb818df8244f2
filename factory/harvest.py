"""Ask about the planned chunks and sift what comes: every chunk once, or in rounds until a target is met.

    Plan + Asker ─▶ Harvest(accepted pairs, rejects)

What is accepted depends on the replies alone, not on the order in which they arrive.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from factory.corpus import Corpus
from factory.estimate import weigh
from factory.inputs import Inputs, Watch
from factory.plan import Plan
from filters.apply import Candidate, funnel, make_filters
from generators.asking import Asker, Outcome
from generators.qa import Asking, build_requests
from generators.records import Chunk, Pair, Reject
from generators.templates import Template

# A round that adds nothing may be bad luck; after so many in a row the documents have no more to give.
_FRUITLESS_ROUNDS = 3
# A pair worth showing is looked for no more often than this: judging costs more than asking.
_SHOWN_SECONDS = 1.0


@dataclass(slots=True)
class Harvest:
    """What the asking brought: outcomes by (round, index), and how many rounds each chunk was asked."""

    outcomes: dict[tuple[int, int], Outcome] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    accepted: list[Pair] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    short: str = ""


async def gather(inputs: Inputs, plan: Plan, asker: Asker, watch: Watch) -> Harvest:
    """Ask until every chunk was asked, or until the target is met, in rounds; then sift what came."""
    harvest = Harvest(asked=dict(plan.asked))
    target = inputs.settings.pairs
    if not target:
        await ask_wave(inputs, asker, plan.todo, 0, harvest, watch)
        sift(inputs, plan, harvest)
        return harvest
    sift(inputs, plan, harvest)
    waiting = [chunk for chunk in spread(inputs.corpus) if chunk.id not in plan.asked]
    slot, fruitless = 0, 0
    while len(harvest.accepted) + len(plan.kept) < target and not _ended(asker):
        if not waiting:
            slot, fruitless = slot + 1, fruitless + 1
            if fruitless > _FRUITLESS_ROUNDS:
                break
            waiting = [chunk for chunk in spread(inputs.corpus) if harvest.asked.get(chunk.id, 0) <= slot]
            continue
        before = len(harvest.accepted)
        missing = target - before - len(plan.kept)
        wave = waiting[: _wave_size(missing, inputs.template)]
        waiting = waiting[len(wave) :]
        await ask_wave(inputs, asker, wave, slot, harvest, watch)
        sift(inputs, plan, harvest)
        fruitless = 0 if len(harvest.accepted) > before else fruitless
    _trim(plan, harvest, target)
    return harvest


def _ended(asker: Asker) -> bool:
    return asker.stop.is_set() or asker.over_budget or asker.failing


def _wave_size(missing: int, template: Template) -> int:
    """Chunks to ask next: as many as bring the missing pairs if each brings one fact; never more than are needed."""
    return max(1, -(-missing // max(1, template.constants.wordings)))


async def ask_wave(
    inputs: Inputs, asker: Asker, chunks: Sequence[Chunk], slot: int, harvest: Harvest, watch: Watch
) -> None:
    """Ask about these chunks and keep the outcomes under (round, index), so that no order of arrival matters."""
    askings: list[Asking] = list(build_requests(chunks, inputs.template, inputs.qa, slot))
    base = len(harvest.outcomes)
    showing = make_filters(replace(inputs.filters, skip=(*inputs.filters.skip, "exact_duplicate", "near_duplicate")))
    if not harvest.outcomes and not asker.teacher.is_local:
        foreseen = weigh(askings, inputs, asker.journal)
        if foreseen.requests:
            watch.note(foreseen.as_line())
    watch.asking(len(askings), asker.spent)
    show_at = 0.0
    async with aclosing(asker.ask(askings)) as outcomes:
        async for outcome in outcomes:
            harvest.outcomes[slot, base + outcome.index] = outcome
            kept = list[Pair]()
            if time.monotonic() >= show_at:
                kept = funnel(_candidates(outcome.parsed.pairs, inputs.corpus.chunks), showing).kept
                show_at = time.monotonic() + _SHOWN_SECONDS if kept else show_at
            watch.outcome(outcome, kept[0] if kept else None)
            if not outcome.failed:
                for chunk in outcome.asking.chunks:
                    harvest.asked[chunk.id] = max(harvest.asked.get(chunk.id, 0), slot + 1)


def _candidates(pairs: Sequence[Pair], chunks: Mapping[str, Chunk]) -> list[Candidate]:
    return [Candidate(pair, chunks[pair.chunk]) for pair in pairs]


def sift(inputs: Inputs, plan: Plan, harvest: Harvest) -> None:
    """Filter all that came so far, in the order of asking, against what is kept."""
    chunks = inputs.corpus.chunks
    ordered = [harvest.outcomes[key] for key in sorted(harvest.outcomes)]
    known = {row.pair.id for row in plan.kept} | {pair.id for pair in plan.returning}
    pairs, repeated = list(plan.returning), list[Pair]()
    for pair in (pair for outcome in ordered for pair in outcome.parsed.pairs):
        (repeated if pair.id in known else pairs).append(pair)
        known.add(pair.id)
    sifted = funnel(
        _candidates(pairs, chunks), make_filters(inputs.filters), _candidates([row.pair for row in plan.kept], chunks)
    )
    harvest.accepted = sifted.kept
    harvest.rejects = [
        *(reject for outcome in ordered for reject in outcome.parsed.rejects),
        *(
            Reject("filter", "exact_duplicate", "the same pair", p.chunk, p, twin=p.id, similarity=1.0)
            for p in repeated
        ),
        *sifted.rejects,
    ]


def _trim(plan: Plan, harvest: Harvest, target: int) -> None:
    """Keep exactly the target: what was published before first, then round-robin over the chunks."""
    room = max(0, target - len(plan.kept))
    turns = _turns(harvest.accepted)
    chosen = {pair.id for pair in sorted(harvest.accepted, key=lambda pair: turns[pair.id])[:room]}
    surplus = [pair for pair in harvest.accepted if pair.id not in chosen]
    while len(plan.kept) > target:
        surplus.append(plan.kept.pop().pair)
    harvest.accepted = [pair for pair in harvest.accepted if pair.id in chosen]
    harvest.rejects += [Reject("target", "over_target", f"more than {target} pairs", p.chunk, p) for p in surplus]
    missing = target - len(plan.kept) - len(harvest.accepted)
    if missing > 0:
        harvest.short = f"{missing} of {target} pairs are missing: the documents gave no more in several rounds"


def _turns(pairs: Sequence[Pair]) -> dict[str, int]:
    """Pair id → which of its chunk's pairs it is."""
    seen: Counter[str] = Counter()
    turns: dict[str, int] = {}
    for pair in pairs:
        turns[pair.id] = seen[pair.chunk]
        seen[pair.chunk] += 1
    return turns


def spread(corpus: Corpus) -> list[Chunk]:
    """All chunks, one of each document in turn, so that a small target or a preview sees the whole folder."""
    turn = {chunk: place for entry in corpus.documents for place, chunk in enumerate(entry.chunks)}
    return sorted(corpus.chunks.values(), key=lambda chunk: turn.get(chunk.id, 0))
