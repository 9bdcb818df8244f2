"""``generate``, stage by stage: documents ─▶ plan ─▶ ask ─▶ filter ─▶ split ─▶ publish.

    generate(settings, watch) ─▶ Result

Declarative: it does what the documents, the prompt and the teacher call for beyond what the last version holds. Chunks
that did not change keep their pairs, ids and splits and are not asked about; unchanged documents cost no call and make
no version.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from factory.card import dataset_card
from factory.config import Settings
from factory.corpus import Changes, Corpus, changes_since, read_corpus
from factory.manifest import manifest_of
from factory.store import Row, Version, Workspace
from filters.apply import Candidate, FilterConfig, funnel, make_filters
from filters.holdout import SplitConfig, assign, hold_out
from generators.asking import AskConfig, Asker, Outcome, Spent
from generators.errors import ExitCode, ShortError, UsageError
from generators.journal import Journal
from generators.prices import Prices
from generators.qa import Asking, QaConfig, build_request, build_requests, recipe
from generators.records import Chunk, Document, Pair, Reject, Skipped
from generators.teachers import Teacher
from generators.templates import Template, load_template

# Questions that a bound teacher writes must have this share of their content words in their answer.
_BOUND_OVERLAP = 0.75
# A round that adds nothing may be bad luck; after so many in a row the documents have no more to give.
_FRUITLESS_ROUNDS = 3


class Watch(Protocol):
    """Who is told what happens while it happens."""

    def note(self, line: str) -> None:
        """Say one line to the person."""

    def read(self, item: Document | Skipped) -> None:
        """Hear of a document read or skipped."""

    def asking(self, total: int, spent: Spent) -> None:
        """Hear that requests start: how many, and where the counts will stand."""

    def outcome(self, outcome: Outcome, shown: Pair | None) -> None:
        """Hear of a reply; ``shown`` is a pair of it worth showing."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run works on, once everything that can be wrong with it has been looked at."""

    settings: Settings
    corpus: Corpus
    template: Template
    qa: QaConfig
    filters: FilterConfig
    prices: Prices
    name: str

    @property
    def recipe(self) -> str:
        """What, besides the documents, decides what is asked."""
        return recipe(self.template, self.qa, self.settings.teacher)

    @property
    def system_prompt(self) -> str:
        """The first message of every row."""
        return self.settings.system_prompt.replace("{name}", self.name)


@dataclass(slots=True)
class Plan:
    """What the last version already holds of these documents, and what is to be asked."""

    kept: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    surplus: list[Pair] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    todo: list[Chunk] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)


@dataclass(slots=True)
class Harvest:
    """What the asking brought: outcomes by (round, index), and how many rounds each chunk was asked."""

    outcomes: dict[tuple[int, int], Outcome] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    accepted: list[Pair] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    short: str = ""


@dataclass(slots=True)
class Result:
    """What a run ends with."""

    version: str
    path: Path | None
    corpus: Corpus
    rows: Sequence[Row]
    rejects: Sequence[Reject]
    spent: Spent
    changes: Changes
    pairs_added: int = 0
    pairs_retired: int = 0
    exit_code: ExitCode = ExitCode.DONE
    short: str = ""


def prepare(settings: Settings, watch: Watch, *, is_local: bool) -> Inputs:
    """Look at everything that can be wrong before anything is spent or written."""
    if not settings.docs:
        raise UsageError("say where the documents are: factory generate --docs ./api_docs")
    template = load_template(settings.template or ("facts-light" if is_local else "facts"))
    filters = replace(settings.filters, known_names=(*settings.filters.known_names, settings.product))
    if template.constants.bound_quotes and not filters.answer_overlap:
        filters = replace(filters, answer_overlap=_BOUND_OVERLAP)
    make_filters(filters)
    prices = Prices(settings.prices)
    if settings.max_cost is not None and prices.cost(settings.teacher, 1, 1) is None:
        raise UsageError(
            f"--max-cost cannot be kept: the price of {settings.teacher} is unknown; "
            f'put it in factory.toml: [prices] "{settings.teacher}" = [USD a million input tokens, output tokens]'
        )
    temperature = 0.0 if is_local and settings.temperature is None else settings.temperature
    corpus = read_corpus(settings.docs, settings.include, settings.exclude, watch.read)
    root = Path(settings.docs[0]).expanduser().resolve()
    name = settings.product or (root.name if root.is_dir() else root.stem)
    qa = QaConfig(product=settings.product, temperature=temperature, seed=settings.seed, facts=settings.facts)
    build_request(list(corpus.chunks.values())[:1], template, qa)  # a template that cannot be filled in fails here
    return Inputs(settings, corpus, template, qa, filters, prices, name)


def make_plan(inputs: Inputs, previous: Version | None) -> Plan:
    """Compare with the last version: what stays, what falls away, what is to be asked."""
    chunks = inputs.corpus.chunks
    if previous is None:
        return Plan(todo=list(chunks.values()), changes=changes_since(inputs.corpus, ()))
    changes = changes_since(inputs.corpus, previous.manifest["documents"])
    if previous.manifest["recipe"] != inputs.recipe:
        return Plan(todo=list(chunks.values()), changes=changes)
    plan = Plan(changes=changes)
    plan.asked = {chunk: rounds for chunk, rounds in previous.manifest["asked"].items() if chunk in chunks}
    for row in previous.rows:
        if row.pair.chunk in chunks:
            home = chunks[row.pair.chunk]
            plan.kept.append(replace(row, document=home.document, lines=home.lines))
    for reject in previous.rejects:
        if reject.chunk in chunks:
            if reject.reason == "over_target" and reject.pair is not None:
                plan.surplus.append(reject.pair)
            else:
                plan.rejects.append(reject)
    plan.todo = [chunk for chunk in chunks.values() if chunk.id not in plan.asked]
    return plan


async def generate(inputs: Inputs, workspace: Workspace, teacher: Teacher, watch: Watch, stop: asyncio.Event) -> Result:
    """Run all stages; the workspace must be locked. A set ``stop`` ends the sending and nothing is published."""
    previous = workspace.latest()
    plan = make_plan(inputs, previous)
    journal = Journal(workspace.journal)
    for damage in journal.damage:
        watch.note(f"journal {damage.segment}, line {damage.line}: {damage.reason}; that reply is not used")
    asker = _asker(inputs, teacher, journal, watch, stop)
    try:
        harvest = await _harvest(inputs, plan, asker, watch)
    finally:
        journal.close()
    return _finish(inputs, workspace, previous, plan, harvest, asker)


async def preview(inputs: Inputs, workspace: Workspace, teacher: Teacher, watch: Watch, count: int) -> Harvest:
    """Ask about the first ``count`` chunks only; replies are kept for the whole run, nothing is published."""
    journal = Journal(workspace.journal)
    asker = _asker(inputs, teacher, journal, watch, asyncio.Event())
    harvest = Harvest()
    try:
        await _ask_wave(inputs, asker, _spread(inputs.corpus)[:count], 0, harvest, watch)
    finally:
        journal.close()
    _sift(inputs, Plan(), harvest)
    return harvest


def _asker(inputs: Inputs, teacher: Teacher, journal: Journal, watch: Watch, stop: asyncio.Event) -> Asker:
    concurrency = inputs.settings.concurrency or teacher.slots or 16
    config = AskConfig(concurrency=concurrency, max_cost=inputs.settings.max_cost)
    return Asker(teacher, journal, inputs.template, inputs.prices, config, stop=stop, on_event=watch.note)


async def _harvest(inputs: Inputs, plan: Plan, asker: Asker, watch: Watch) -> Harvest:
    """Ask until every chunk was asked, or until the target is met, in rounds; then sift what came."""
    harvest = Harvest(asked=dict(plan.asked))
    target = inputs.settings.pairs
    if not target:
        await _ask_wave(inputs, asker, plan.todo, 0, harvest, watch)
        _sift(inputs, plan, harvest)
        return harvest
    _sift(inputs, plan, harvest)
    waiting = [chunk for chunk in _spread(inputs.corpus) if chunk.id not in plan.asked]
    slot, fruitless = 0, 0
    while len(harvest.accepted) + len(plan.kept) < target and not _ended(asker):
        if not waiting:
            slot, fruitless = slot + 1, fruitless + 1
            if fruitless > _FRUITLESS_ROUNDS:
                break
            waiting = [chunk for chunk in _spread(inputs.corpus) if harvest.asked.get(chunk.id, 0) <= slot]
            continue
        before = len(harvest.accepted)
        missing = target - before - len(plan.kept)
        wave = waiting[: _wave_size(missing, inputs.template)]
        waiting = waiting[len(wave) :]
        await _ask_wave(inputs, asker, wave, slot, harvest, watch)
        _sift(inputs, plan, harvest)
        fruitless = 0 if len(harvest.accepted) > before else fruitless
    _trim(plan, harvest, target)
    return harvest


def _ended(asker: Asker) -> bool:
    return asker.stop.is_set() or asker.over_budget or asker.failing


def _wave_size(missing: int, template: Template) -> int:
    """Chunks to ask next: as many as bring the missing pairs if each brings one fact; never more than are needed."""
    return max(1, -(-missing // max(1, template.constants.wordings)))


async def _ask_wave(
    inputs: Inputs, asker: Asker, chunks: Sequence[Chunk], slot: int, harvest: Harvest, watch: Watch
) -> None:
    """Ask about these chunks and keep the outcomes under (round, index), so that no order of arrival matters."""
    askings: list[Asking] = list(build_requests(chunks, inputs.template, inputs.qa, slot))
    base = len(harvest.outcomes)
    showing = make_filters(replace(inputs.filters, skip=(*inputs.filters.skip, "exact_duplicate", "near_duplicate")))
    watch.asking(len(askings), asker.spent)
    async with aclosing(asker.ask(askings)) as outcomes:
        async for outcome in outcomes:
            harvest.outcomes[slot, base + outcome.index] = outcome
            kept = funnel(_candidates(outcome.parsed.pairs, inputs.corpus.chunks), showing).kept
            watch.outcome(outcome, kept[0] if kept else None)
            if not outcome.failed:
                for chunk in outcome.asking.chunks:
                    harvest.asked[chunk.id] = max(harvest.asked.get(chunk.id, 0), slot + 1)


def _candidates(pairs: Sequence[Pair], chunks: Mapping[str, Chunk]) -> list[Candidate]:
    return [Candidate(pair, chunks[pair.chunk]) for pair in pairs]


def _sift(inputs: Inputs, plan: Plan, harvest: Harvest) -> None:
    """Filter all that came so far, in the order of asking, against what is kept."""
    chunks = inputs.corpus.chunks
    ordered = [harvest.outcomes[key] for key in sorted(harvest.outcomes)]
    fresh = {pair.id: pair for outcome in ordered for pair in outcome.parsed.pairs}
    known = {row.pair.id for row in plan.kept} | {pair.id for pair in plan.surplus}
    repeated = [pair for pair in fresh.values() if pair.id in known]
    pairs = [*plan.surplus, *(pair for pair in fresh.values() if pair.id not in known)]
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


def _spread(corpus: Corpus) -> list[Chunk]:
    """All chunks, one of each document in turn, so that a small target or a preview sees the whole folder."""
    turn = {chunk: place for entry in corpus.documents for place, chunk in enumerate(entry.chunks)}
    return sorted(corpus.chunks.values(), key=lambda chunk: turn.get(chunk.id, 0))


def _finish(
    inputs: Inputs, workspace: Workspace, previous: Version | None, plan: Plan, harvest: Harvest, asker: Asker
) -> Result:
    """Assign splits, publish if anything changed, and say how it went."""
    rows = _rows(inputs, previous, plan, harvest)
    rejects = [*plan.rejects, *harvest.rejects]
    old_ids = {row.pair.id for row in previous.rows} if previous else set()
    new_ids = {row.pair.id for row in rows}
    result = Result("", None, inputs.corpus, rows, rejects, asker.spent, plan.changes)
    result.pairs_added, result.pairs_retired = len(new_ids - old_ids), len(old_ids - new_ids)
    result.short, result.exit_code = _shortfall(harvest, asker)
    if asker.stop.is_set():
        return result
    if not rows:
        raise ShortError(_no_pairs(rejects, result.short))
    if previous is not None and _unchanged(previous, inputs, rows, harvest):
        result.version, result.path = previous.name, previous.path
        return result
    system_prompt = inputs.system_prompt
    manifest = manifest_of(inputs, rows, rejects, harvest.asked, asker.spent, previous)
    result.path = workspace.publish(rows, rejects, manifest, dataset_card(inputs.name, manifest), system_prompt)
    result.version = result.path.name
    return result


def _rows(inputs: Inputs, previous: Version | None, plan: Plan, harvest: Harvest) -> list[Row]:
    """All accepted pairs, each in the split it had or is now given."""
    settings, chunks = inputs.settings, inputs.corpus.chunks
    config = SplitConfig(settings.test_share, settings.validation_share, settings.unseen_share, settings.seed)
    places = {row.pair.id: row.place for row in previous.rows} if previous else {}
    held_before = _held_before(previous) if previous else {}
    held = hold_out({entry.path: entry.chunks for entry in inputs.corpus.documents}, held_before, config)
    held_chunks = {chunk for entry in inputs.corpus.documents if entry.path in held for chunk in entry.chunks}
    pairs = [*(row.pair for row in plan.kept), *harvest.accepted]
    assigned = assign(pairs, held_chunks, places, config)
    return [Row(pair, assigned[pair.id], chunks[pair.chunk].document, chunks[pair.chunk].lines) for pair in pairs]


def _held_before(previous: Version) -> dict[str, bool]:
    """Chunk id → whether its document was held out."""
    return {chunk: entry["held_out"] for entry in previous.manifest["documents"] for chunk in entry["chunks"]}


def _unchanged(previous: Version, inputs: Inputs, rows: Sequence[Row], harvest: Harvest) -> bool:
    """Whether publishing would say nothing new."""
    then, now = previous.manifest, inputs.corpus.documents
    return (
        {(row.pair.id, row.place, row.document) for row in previous.rows}
        == {(row.pair.id, row.place, row.document) for row in rows}
        and then["system_prompt"] == inputs.system_prompt
        and then["recipe"] == inputs.recipe
        and then["asked"] == harvest.asked
        and [(entry["path"], tuple(entry["chunks"])) for entry in then["documents"]]
        == [(entry.path, entry.chunks) for entry in now]
    )


def _shortfall(harvest: Harvest, asker: Asker) -> tuple[str, ExitCode]:
    """Why a run fell short, and the exit code that says so."""
    if asker.over_budget:
        return f"stopped at --max-cost {asker.config.max_cost} USD; run again with more to go on", ExitCode.SHORT
    if asker.failing:
        return "stopped: more than half of the last requests failed; run again to go on", ExitCode.SHORT
    return harvest.short, ExitCode.SHORT if harvest.short else ExitCode.DONE


def _no_pairs(rejects: Sequence[Reject], short: str) -> str:
    reasons = ", ".join(f"{reason} {count}" for reason, count in Counter(r.reason for r in rejects).most_common(3))
    example = next((f" (for example: {reject.detail})" for reject in rejects if reject.detail), "")
    return f"no pair was accepted, nothing is published: {short or reasons or 'the teacher gave no pairs'}{example}"
