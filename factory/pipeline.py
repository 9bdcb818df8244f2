"""``generate``, stage by stage: documents ─▶ plan ─▶ ask ─▶ filter ─▶ split ─▶ publish.

    generate(inputs, workspace, teacher, watch, stop) ─▶ Result

Declarative: it does what the documents, the prompt and the teacher call for beyond what the last version holds. Chunks
that did not change keep their pairs, ids and splits and are not asked about; unchanged documents cost no call and make
no version.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from factory.announce import announced, skipped_before
from factory.card import dataset_card
from factory.checking import open_checker
from factory.commits import Commit, commits_of
from factory.compose import composer_for, split_config, without_own
from factory.corpus import Changes, Corpus
from factory.harvest import Harvest, ask_wave, exactly, gather, sift, spread
from factory.inputs import Inputs, Watch
from factory.manifest import manifest_of
from factory.plan import Plan, asking_the_new, make_plan
from factory.retention import prune_versions
from factory.retired import retire, retired_record
from factory.safeguards import keep_unreadable, refused
from factory.store import Row, Version, Workspace
from filters.holdout import hold_out
from generators.asking import AskConfig, Asker, Spent
from generators.errors import ExitCode
from generators.journal import Journal
from generators.records import Reject
from generators.teachers import Teacher


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
    published: bool = False


async def generate(inputs: Inputs, workspace: Workspace, teacher: Teacher, watch: Watch, stop: asyncio.Event) -> Result:
    """Run all stages; the workspace must be locked. A set ``stop`` ends the sending and nothing is published."""
    previous = workspace.latest()
    if previous is not None:
        for line in skipped_before(previous, inputs):
            watch.note(line)
        keep_unreadable(inputs, previous, watch)
    plan = make_plan(inputs, previous, workspace.find)
    if previous is not None and _nothing_to_do(previous, plan, inputs):
        return _as_before(previous, plan.changes, inputs)
    if previous is not None and (refusal := refused(plan, previous, inputs)):
        result = _as_before(previous, Changes(), inputs)
        result.short, result.exit_code = refusal, ExitCode.SHORT
        return result
    if previous is not None:
        for line in announced(plan, previous, inputs):
            watch.note(line)
    plan = without_own(plan)
    inputs = asking_the_new(inputs, plan)
    held = _held_out(inputs, previous, plan)
    commits = commits_of(inputs.settings.docs)
    journal = Journal(workspace.journal)
    for damage in journal.damage:
        watch.note(f"journal {damage.segment}, line {damage.line}: {damage.reason}; that reply is not used")
    uncertain = [doubt for doubt in journal.doubts if doubt.reason == "in_flight" and doubt.request not in journal]
    if uncertain:
        watch.note(f"{len(uncertain)} requests were in flight when a run ended; asking again may pay for them twice")
    asker = _asker(inputs, teacher, journal, watch, stop)
    checker = open_checker(inputs, asker, watch)
    try:
        harvest = await gather(inputs, plan, asker, composer_for(inputs, previous, held), watch, checker)
    finally:
        if checker is not None and checker.remote.teacher is not teacher:
            await checker.remote.teacher.aclose()
        journal.close()
    await asyncio.sleep(0)  # a signal that came while pairs were compared is heard here
    return _finish(inputs, workspace, previous, plan, harvest, asker, commits)


async def preview(inputs: Inputs, workspace: Workspace, teacher: Teacher, watch: Watch, count: int) -> Harvest:
    """Ask about the first ``count`` chunks only; replies are kept for the whole run, nothing is published."""
    journal = Journal(workspace.journal)
    asker = _asker(inputs, teacher, journal, watch, asyncio.Event())
    harvest = Harvest()
    try:
        wave = exactly(spread(inputs, list(inputs.corpus.chunks.values())), count)
        await ask_wave(inputs, asker, wave, 0, harvest, watch)
    finally:
        journal.close()
    sift(inputs, Plan(), harvest)
    harvest.rejects += inputs.corpus.withheld.values()
    return harvest


def _asker(inputs: Inputs, teacher: Teacher, journal: Journal, watch: Watch, stop: asyncio.Event) -> Asker:
    concurrency = inputs.settings.concurrency or teacher.slots or 16
    settings = inputs.settings
    config = AskConfig(concurrency, max_cost=settings.max_cost, max_run_tokens=settings.max_tokens)
    return Asker(teacher, journal, inputs.template, inputs.prices, config, stop=stop, on_event=watch.note, qa=inputs.qa)


def _finish(
    inputs: Inputs,
    workspace: Workspace,
    previous: Version | None,
    plan: Plan,
    harvest: Harvest,
    asker: Asker,
    commits: Sequence[Commit],
) -> Result:
    """Publish if anything changed, and say how it went."""
    rows = harvest.composed.rows
    rejects = [*inputs.corpus.withheld.values(), *plan.rejects, *harvest.rejects, *harvest.composed.rejects]
    old_ids = {row.pair.id for row in previous.rows} if previous else set()
    new_ids = {row.pair.id for row in rows}
    result = Result("", None, inputs.corpus, rows, rejects, asker.spent, plan.changes)
    result.pairs_added, result.pairs_retired = len(new_ids - old_ids), len(old_ids - new_ids)
    result.short, result.exit_code = _shortfall(harvest, asker)
    if asker.stop.is_set():
        return result
    if not rows and inputs.corpus.chunks:
        result.short, result.exit_code = _no_pairs(rejects, result.short), ExitCode.SHORT
        return result
    if previous is not None and _unchanged(previous, inputs, rows, harvest):
        result.version, result.path = previous.name, previous.path
        result.rows, result.rejects = previous.rows, previous.rejects
        return result
    system_prompt = inputs.system_prompt
    manifest = manifest_of(
        inputs,
        rows,
        rejects,
        harvest.asked,
        asker.spent,
        harvest.composed.held,
        previous,
        commits,
        plan.changes.moved,
        asker.journal.held,
    )
    card, chunks = dataset_card(inputs.name, manifest), inputs.corpus.chunks.values()
    retired = map(retired_record, retire(previous, rows, rejects, plan))
    result.path = workspace.publish(rows, rejects, manifest, card, system_prompt, chunks, retired)
    result.version, result.published = result.path.name, True
    prune_versions(workspace, inputs.settings.versions.keep)
    return result


def _as_before(previous: Version, changes: Changes, inputs: Inputs) -> Result:
    """The result of a run that leaves the last version as it is."""
    return Result(previous.name, previous.path, inputs.corpus, previous.rows, previous.rejects, Spent(), changes)


def _held_out(inputs: Inputs, previous: Version | None, plan: Plan) -> set[str]:
    """Paths of the documents held out whole: as before where they are known, by content."""
    flags: dict[str, set[bool]] = defaultdict(set)
    for entry in previous.manifest["documents"] if previous else ():
        for chunk in entry["chunks"]:
            flags[chunk].add(entry["held_out"])
    # A section that stands in documents of both kinds tells nothing about a document.
    known = {chunk: True in found for chunk, found in flags.items() if len(found) == 1}
    for chunk, ancestors in plan.ancestors.items():
        if ancestors[0] in known:
            known.setdefault(chunk, known[ancestors[0]])
    return hold_out({entry.path: entry.chunks for entry in inputs.corpus.documents}, known, split_config(inputs))


def _nothing_to_do(previous: Version, plan: Plan, inputs: Inputs) -> bool:
    """Whether the last version is what this run would make: told without judging anything again."""
    target = inputs.settings.pairs
    # With a target that is met, sections that were never asked about are no work left.
    met = len(previous.rows) == target if target else not (plan.returning or plan.todo)
    return met and previous.manifest.get("own") == inputs.own and _same_documents(previous, inputs)


def _unchanged(previous: Version, inputs: Inputs, rows: Sequence[Row], harvest: Harvest) -> bool:
    """Whether publishing would say nothing new."""
    return (
        {(row.pair.id, row.place, row.document) for row in previous.rows}
        == {(row.pair.id, row.place, row.document) for row in rows}
        and previous.manifest["asked"] == harvest.asked
        and _same_documents(previous, inputs)
    )


def _same_documents(previous: Version, inputs: Inputs) -> bool:
    """Whether a version was made of the same documents, asked about in the same way."""
    then, now = previous.manifest, inputs.corpus.documents
    return (
        then["system_prompt"] == inputs.system_prompt
        and then["recipe"] == inputs.recipe
        and [(entry["path"], tuple(entry["chunks"])) for entry in then["documents"]]
        == [(entry.path, entry.chunks) for entry in now]
    )


def _shortfall(harvest: Harvest, asker: Asker) -> tuple[str, ExitCode]:
    """Why a run fell short, and the exit code that says so."""
    if asker.ending:
        return asker.ending, ExitCode.SHORT
    return harvest.short, ExitCode.SHORT if harvest.short else ExitCode.DONE


def _no_pairs(rejects: Sequence[Reject], short: str) -> str:
    reasons = ", ".join(f"{reason} {count}" for reason, count in Counter(r.reason for r in rejects).most_common(3))
    example = next((f" (for example: {reject.detail})" for reject in rejects if reject.detail), "")
    return f"no pair was accepted, nothing is published: {short or reasons or 'the teacher gave no pairs'}{example}"
