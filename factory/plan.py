"""What the last version already holds of these documents, and what is to be asked.

Inputs + last version ─▶ Plan(kept rows, rejects, chunks to ask about, what of them is new, what had to go)

A section that did not change keeps all. One that was edited, retitled, split or merged keeps the pairs whose quotes
still stand, and only what is new in it is asked about. One that comes back finds its pairs in the version that had it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from factory.carry import Carrier, Loss
from factory.checking import UNCHECKED
from factory.corpus import Changes, changes_since
from factory.gold import TEACHER as PERSON
from factory.inputs import Inputs
from factory.lineage import Lineage, trace
from factory.store import Row, Version
from generators.chunk_records import read_chunks
from generators.records import Chunk, Pair, Reject
from generators.statements import passages, statements
from generators.unanswerable import RULES

Find = Callable[[str], Version | None]


@dataclass(slots=True)
class Plan:
    """What the last version already holds of these documents, and what is to be asked.

    Attributes:
        kept: Rows of chunks that are still there, and of edited ones what still stands.
        rejects: What was rejected for good, of those chunks.
        returning: Pairs that were rejected only for another's sake (a twin that is gone, a target), to be judged again.
        asked: Chunk id → rounds it was asked in.
        todo: Chunks that were never asked about, or are to be asked about what is new in them.
        changes: What happened to the documents.
        fresh: Chunk id → the passages that are new in it, for those of ``todo`` that are known in part.
        ancestors: Chunk id → ids of the chunks of the last version that it was made of.
        edited: Chunks of ``todo`` whose ancestors were asked about.
        lost: Pair id → why it could not be kept.
        unsettled: Ids of kept pairs that give way if what was edited around their quotes brings another answer.
        restarted: All is asked anew, since the recipe is another.
    """

    kept: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    returning: list[Pair] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    todo: list[Chunk] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    fresh: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ancestors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    edited: set[str] = field(default_factory=set)
    lost: dict[str, Loss] = field(default_factory=dict)
    unsettled: set[str] = field(default_factory=set)
    restarted: bool = False


@dataclass(slots=True)
class _Past:
    """What earlier versions hold, by the ids of chunks that are there now."""

    rows: list[Row]
    rejects: list[Reject]
    asked: dict[str, int]


def make_plan(inputs: Inputs, previous: Version | None, find: Find = lambda _: None) -> Plan:
    """Compare with the last version: what stays, what falls away, what is to be asked.

    Args:
        inputs: Documents and settings.
        previous: The last version.
        find: Reads another version by its name; None if it is no longer there.
    """
    chunks = inputs.corpus.chunks
    if previous is None:
        return Plan(todo=list(chunks.values()), changes=changes_since(inputs.corpus, ()))
    changes = changes_since(inputs.corpus, previous.manifest["documents"])
    if previous.manifest["recipe"] != inputs.recipe:
        return Plan(todo=list(chunks.values()), changes=changes, restarted=True)
    plan = Plan(changes=changes)
    past = _Past(list(previous.rows), list(previous.rejects), dict(previous.manifest["asked"]))
    _restore(past, previous, inputs, find)
    _inherit(past, plan, previous, inputs)
    plan.asked = {chunk: rounds for chunk, rounds in past.asked.items() if chunk in chunks}
    for row in past.rows:
        if row.pair.chunk in chunks:
            home = chunks[row.pair.chunk]
            plan.kept.append(replace(row, document=home.document, lines=home.lines))
    _settle_rejects(plan, past.rejects)
    plan.todo = [chunk for chunk in chunks.values() if chunk.id not in plan.asked]
    return plan


def _settle_rejects(plan: Plan, rejects: Iterable[Reject]) -> None:
    """Part what stays rejected from what was rejected only for another's sake."""
    rejects = list(rejects)
    known = {row.pair.id for row in plan.kept}
    # A twin that gave way to a third keeps its own twins out too: what is decided is not decided anew.
    decided = {each.pair.id for each in rejects if each.pair is not None and each.chunk in plan.asked}
    for reject in rejects:
        # Of a chunk that was not answered, the failure is no news: it is asked again.
        if reject.chunk not in plan.asked:
            continue
        lost_to_none = (
            reject.stage == "target"
            or reject.reason == UNCHECKED
            or (reject.twin and reject.twin not in known and reject.twin not in decided)
        )
        if reject.pair is not None and reject.pair.id not in known and lost_to_none:
            known.add(reject.pair.id)
            plan.returning.append(reject.pair)
        else:
            plan.rejects.append(reject)


def _restore(past: _Past, previous: Version, inputs: Inputs, find: Find) -> None:
    """Take back what an earlier version holds of chunks that were gone in the last."""
    former = {chunk: each["version"] for chunk, each in previous.manifest.get("former_chunks", {}).items()}
    back = {chunk for chunk in inputs.corpus.chunks if chunk not in past.asked and chunk in former}
    known = {row.pair.id for row in past.rows}
    for name in sorted({former[chunk] for chunk in back}):
        version = find(name)
        if version is None or version.manifest["recipe"] != inputs.recipe:
            continue
        past.asked |= {chunk: rounds for chunk, rounds in version.manifest["asked"].items() if chunk in back}
        # What an edited section carried on comes home to where it was.
        rows = [row for row in version.rows if row.pair.chunk in back and not is_own(row.pair)]
        home = {row.pair.id: row for row in rows}
        past.rows = [home.pop(row.pair.id, row) for row in past.rows]
        past.rows += [row for row in home.values() if row.pair.id not in known]
        past.rejects += [reject for reject in version.rejects if reject.chunk in back]


def _inherit(past: _Past, plan: Plan, previous: Version, inputs: Inputs) -> None:
    """Move what edited sections keep to their new ids, and find what is new in them."""
    chunks = inputs.corpus.chunks
    new = {id_: chunk for id_, chunk in chunks.items() if id_ not in previous.manifest["asked"]}
    held = set(past.asked) | {row.pair.chunk for row in past.rows}
    before = read_chunks(previous.path) if new and held - chunks.keys() else []
    old = {chunk.id: chunk for chunk in before if chunk.id not in chunks and chunk.id in held}
    homes = {chunk: path for path, was in _renamed(plan, previous).items() for chunk in was}
    lineage = trace(
        [replace(chunk, document=homes.get(id_, chunk.document)) for id_, chunk in old.items()], new.values()
    )
    carrier = Carrier(old, new, lineage, inputs.filters)
    past.rows = [moved for row in past.rows if (moved := _moved_row(row, carrier)) is not None]
    past.rejects = [_moved_reject(reject, carrier) for reject in past.rejects]
    plan.lost, plan.unsettled, plan.ancestors = carrier.lost, carrier.unsettled, lineage.ancestors
    _ask_what_is_new(past, plan, carrier, lineage, inputs)


def _renamed(plan: Plan, previous: Version) -> dict[str, Sequence[str]]:
    """Path now → the chunks that the document had, for documents that were moved or renamed."""
    was = {entry["path"]: entry["chunks"] for entry in previous.manifest["documents"]}
    return {path: was[origin] for path, origin in plan.changes.moved.items() if origin in was}


def _moved_row(row: Row, carrier: Carrier) -> Row | None:
    if row.pair.chunk not in carrier.old or is_own(row.pair):
        return row
    pair = carrier.moved(row.pair)
    return None if pair is None else replace(row, pair=pair)


def _moved_reject(reject: Reject, carrier: Carrier) -> Reject:
    """A reject for another's sake moves with its section: it may come in when the other goes."""
    waits = reject.pair is not None and (reject.stage == "target" or reject.twin)
    if reject.pair is None or not waits or reject.pair.chunk not in carrier.old:
        return reject
    pair = carrier.moved(reject.pair)
    return reject if pair is None else replace(reject, pair=pair, chunk=pair.chunk)


def _ask_what_is_new(past: _Past, plan: Plan, carrier: Carrier, lineage: Lineage, inputs: Inputs) -> None:
    """Settle for each edited section whether it is asked, and about what."""
    bound = inputs.template.constants.bound_quotes
    for id_, chunk in carrier.new.items():
        known = [old for old in lineage.ancestors.get(id_, ()) if old in past.asked]
        if not known or id_ in past.asked:
            continue
        fresh = carrier.fresh(chunk, known)
        is_new = len(fresh) == len(passages(chunk.text))
        if bound:
            said = {" ".join(each.text.split()) for each in statements(chunk.text)}
            fresh = [each for each in fresh if each in said]
        if not fresh:
            past.asked[id_] = max(past.asked[old] for old in known)
            continue
        plan.edited.add(id_)
        if not is_new:
            plan.fresh[id_] = tuple(fresh)


def asking_the_new(inputs: Inputs, plan: Plan) -> Inputs:
    """The inputs of a run that asks edited sections about what is new in them alone."""
    return replace(inputs, qa=replace(inputs.qa, fresh=plan.fresh))


def is_own(pair: Pair) -> bool:
    """Whether no teacher wrote it: a person's pair, a question without an answer, a wording by rule."""
    return is_made(pair) or pair.teacher == PERSON


def is_made(pair: Pair) -> bool:
    """Whether it is made anew in each run, so that what became of it is no news in the next."""
    return pair.teacher.startswith(RULES)
