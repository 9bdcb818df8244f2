"""Ask about the planned chunks and sift what comes: every chunk once, or in rounds until a target is met.

    Plan + Asker + Composer ─▶ Harvest(accepted pairs, rejects, the rows composed of them)

What is accepted depends on the replies alone, not on the order in which they arrive.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

from factory.checking import Checker
from factory.compose import Composed, Composer
from factory.estimate import weigh
from factory.halves import in_halves
from factory.inputs import Inputs, Watch
from factory.plan import Plan
from factory.restated import drop_restated
from filters.apply import Candidate, Filter, funnel, make_filters
from generators.asking import Asker, Outcome
from generators.qa import build_request, groups, has_more
from generators.records import Chunk, Pair, Reject
from generators.templates import Template

Group = Sequence[Chunk]
# A round that adds nothing may be bad luck; after so many in a row the documents have no more to give.
_FRUITLESS_ROUNDS = 3


@dataclass(slots=True)
class Harvest:
    """What the asking brought: outcomes by (round, index), rounds a chunk was asked, pairs refuted."""

    outcomes: dict[tuple[int, int], Outcome] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    accepted: list[Pair] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    refuted: dict[str, Reject] = field(default_factory=dict)
    composed: Composed = field(default_factory=Composed)
    short: str = ""


async def gather(
    inputs: Inputs, plan: Plan, asker: Asker, composer: Composer, watch: Watch, checker: Checker | None = None
) -> Harvest:
    """Ask until every chunk was asked, or until the target is met, in rounds; sift, check and compose what came."""
    harvest = Harvest(asked=dict(plan.asked))
    if inputs.settings.pairs:
        await _until_target(inputs, plan, asker, composer, harvest, watch, checker)
    else:
        await ask_wave(inputs, asker, list(groups(plan.todo, inputs.template, inputs.qa)), 0, harvest, watch)
        await _sift_and_check(inputs, plan, harvest, checker)
        await _ask_the_uncovered(inputs, plan, asker, harvest, watch, checker)
        harvest.composed = composer.compose(plan, harvest.accepted)
    if checker is not None:
        harvest.short = harvest.short or checker.short
    return harvest


async def _sift_and_check(inputs: Inputs, plan: Plan, harvest: Harvest, checker: Checker | None) -> None:
    """Filter, and have what passes looked at; what is refuted gives its place to the twin it had."""
    sift(inputs, plan, harvest)
    while checker is not None:
        refuted = await checker.refuted(harvest.accepted, inputs.corpus.chunks)
        if not refuted:
            break
        harvest.refuted |= refuted
        sift(inputs, plan, harvest)


async def _until_target(
    inputs: Inputs,
    plan: Plan,
    asker: Asker,
    composer: Composer,
    harvest: Harvest,
    watch: Watch,
    checker: Checker | None,
) -> None:
    """Ask in rounds, where least is known yet, until the target is met or several rounds brought nothing."""
    await _sift_and_check(inputs, plan, harvest, checker)
    harvest.composed = composer.compose(plan, harvest.accepted)
    if plan.edited:
        # What is new there belongs in, though the target be met without it.
        edited = [chunk for chunk in plan.todo if chunk.id in plan.edited]
        await ask_wave(inputs, asker, spread(inputs, edited), 0, harvest, watch)
        await _sift_and_check(inputs, plan, harvest, checker)
        harvest.composed = composer.compose(plan, harvest.accepted)
    waiting = spread(inputs, [chunk for chunk in inputs.corpus.chunks.values() if chunk.id not in harvest.asked])
    slot, fruitless = 0, 0
    while harvest.composed.missing and not _ended(asker) and not (checker and checker.short):
        if not waiting:
            slot, fruitless = slot + 1, fruitless + 1
            if fruitless > _FRUITLESS_ROUNDS:
                break
            chunks = inputs.corpus.chunks.values()
            again = [chunk for chunk in chunks if harvest.asked.get(chunk.id, 0) <= slot]
            waiting = spread(inputs, [chunk for chunk in again if has_more(chunk, inputs.template, inputs.qa, slot)])
            continue
        missing = harvest.composed.missing
        wave, waiting = take(waiting, _wave_size(missing, inputs.template))
        await ask_wave(inputs, asker, wave, slot, harvest, watch)
        await _sift_and_check(inputs, plan, harvest, checker)
        harvest.composed = composer.compose(plan, harvest.accepted)
        fruitless = 0 if harvest.composed.missing < missing else fruitless
    if harvest.composed.missing:
        asker.cut_short |= _ended(asker)
        harvest.short = (
            f"{harvest.composed.missing} of {inputs.settings.pairs} pairs are missing: "
            "the documents gave no more in several rounds"
        )


async def _ask_the_uncovered(
    inputs: Inputs, plan: Plan, asker: Asker, harvest: Harvest, watch: Watch, checker: Checker | None
) -> None:
    """Ask a bound teacher once more where nothing was accepted: it is asked about other statements, and costs nothing.

    What a free teacher had to say about a chunk it has said, and been paid for.
    """
    if not inputs.template.constants.bound_quotes:
        return
    covered = {pair.chunk for pair in harvest.accepted} | {row.pair.chunk for row in plan.kept}
    uncovered = [
        chunk
        for chunk in plan.todo
        if chunk.id not in covered
        and harvest.asked.get(chunk.id) == 1
        and has_more(chunk, inputs.template, inputs.qa, slot=1)
    ]
    if uncovered and _ended(asker):
        asker.cut_short = True
    elif uncovered:
        await ask_wave(inputs, asker, list(groups(uncovered, inputs.template, inputs.qa)), 1, harvest, watch)
        await _sift_and_check(inputs, plan, harvest, checker)


def _ended(asker: Asker) -> bool:
    return asker.stop.is_set() or asker.over_budget or asker.failing


def _wave_size(missing: int, template: Template) -> int:
    """Chunks to ask next: as many as bring the missing pairs if each brings one fact; never more than are needed."""
    return max(1, -(-missing // max(1, template.constants.wordings)))


async def ask_wave(
    inputs: Inputs, asker: Asker, wave: Sequence[Group], slot: int, harvest: Harvest, watch: Watch
) -> None:
    """Ask about these groups and keep the outcomes under (round, index), so that no order of arrival matters."""
    askings = [build_request(group, inputs.template, inputs.qa, slot) for group in wave]
    base = len(harvest.outcomes)
    skip = (*inputs.filters.skip, "exact_duplicate", "differing_answer", "near_duplicate")
    showing = make_filters(replace(inputs.filters, skip=skip, semantic=False))
    if not harvest.outcomes and not asker.teacher.is_local:
        foreseen = weigh(askings, inputs, asker.journal)
        if foreseen.requests:
            watch.note(foreseen.as_line())
    watch.asking(len(askings), asker.spent)
    async with aclosing(asker.ask(askings)) as outcomes:
        async for outcome in outcomes:
            harvest.outcomes[slot, base + outcome.index] = outcome
            watch.outcome(outcome, partial(_best, outcome, inputs.corpus.chunks, showing))
            if not outcome.failed:
                for chunk in outcome.asking.chunks:
                    harvest.asked[chunk.id] = max(harvest.asked.get(chunk.id, 0), slot + 1)


def _best(outcome: Outcome, chunks: Mapping[str, Chunk], filters: Sequence[Filter]) -> Pair | None:
    """The first pair that passes the filters that look at one pair alone."""
    return next(iter(funnel(_candidates(outcome.parsed.pairs, chunks), filters).kept), None)


def _candidates(pairs: Sequence[Pair], chunks: Mapping[str, Chunk]) -> list[Candidate]:
    return [Candidate(pair, chunks[pair.chunk]) for pair in pairs]


def sift(inputs: Inputs, plan: Plan, harvest: Harvest) -> None:
    """Filter all that came so far, in the order of asking, against what is kept."""
    chunks = inputs.corpus.chunks
    ordered = [harvest.outcomes[key] for key in sorted(harvest.outcomes)]
    known = {row.pair.id for row in plan.kept} | {pair.id for pair in plan.returning}
    pairs, repeated = list(plan.returning), list[Pair]()
    for pair in (pair for outcome in ordered for pair in outcome.parsed.pairs):
        if pair.id not in harvest.refuted:
            (repeated if pair.id in known else pairs).append(pair)
        known.add(pair.id)
    pairs = [pair for pair in pairs if pair.id not in harvest.refuted]
    drop_restated(plan, pairs, inputs)
    published = [*(Candidate(each.pair, each.chunk) for each in inputs.gold)]
    published += _candidates([row.pair for row in plan.kept], chunks)
    sifted = funnel(_candidates(pairs, chunks), make_filters(inputs.filters), published, in_halves)
    harvest.accepted = sifted.kept
    harvest.rejects = [
        *(reject for outcome in ordered for reject in outcome.parsed.rejects),
        *(
            Reject("filter", "exact_duplicate", "the same pair", p.chunk, p, twin=p.id, similarity=1.0)
            for p in repeated
        ),
        *sifted.rejects,
        *harvest.refuted.values(),
    ]


def spread(inputs: Inputs, chunks: Sequence[Chunk]) -> list[Group]:
    """The chunks in the groups that a whole run asks about, one group of each document in turn.

    A small target or a preview then sees the whole folder, and what it buys is not bought again by the whole run.
    """
    turns: Counter[str] = Counter()
    placed: list[tuple[int, Group]] = []
    for group in groups(chunks, inputs.template, inputs.qa):
        placed.append((turns[group[0].document], group))
        turns[group[0].document] += 1
    return [group for _, group in sorted(placed, key=lambda each: each[0])]


def first_round(inputs: Inputs, plan: Plan) -> list[Group]:
    """What the first round towards a target asks about; a dry run weighs it."""
    there = {row.pair.id for row in plan.kept} | {each.pair.id for each in inputs.gold}
    missing = inputs.settings.pairs - len(there)
    waiting = spread(inputs, [chunk for chunk in inputs.corpus.chunks.values() if chunk.id not in plan.asked])
    return take(waiting, _wave_size(missing, inputs.template))[0] if missing > 0 else []


def take(waiting: Sequence[Group], count: int) -> tuple[list[Group], list[Group]]:
    """The first groups that hold ``count`` chunks, and the rest."""
    taken = held = 0
    while taken < len(waiting) and held < count:
        held += len(waiting[taken])
        taken += 1
    return list(waiting[:taken]), list(waiting[taken:])


def exactly(waiting: Sequence[Group], count: int) -> list[Group]:
    """Groups that hold ``count`` chunks together: whole ones as they fit, and a part of one for what is missing."""
    chosen, rest = list[Group](), list[Group]()
    for group in waiting:
        fits = sum(map(len, chosen)) + len(group) <= count
        (chosen if fits else rest).append(group)
    missing = count - sum(map(len, chosen))
    return [*chosen, rest[0][:missing]] if missing and rest else chosen
