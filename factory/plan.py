"""What the last version already holds of these documents, and what is to be asked.

Inputs + last version ─▶ Plan(kept rows, rejects, chunks to ask about)
"""

from dataclasses import dataclass, field, replace

from factory.checking import UNCHECKED
from factory.corpus import Changes, changes_since
from factory.inputs import Inputs
from factory.store import Row, Version
from generators.records import Chunk, Pair, Reject


@dataclass(slots=True)
class Plan:
    """What the last version already holds of these documents, and what is to be asked.

    Attributes:
        kept: Rows of chunks that are still there.
        rejects: What was rejected for good, of those chunks.
        returning: Pairs that were rejected only for another's sake (a twin that is gone, a target), to be judged again.
        asked: Chunk id → rounds it was asked in.
        todo: Chunks that were never asked about.
        changes: What happened to the documents.
    """

    kept: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    returning: list[Pair] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    todo: list[Chunk] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)


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
    known = {row.pair.id for row in plan.kept}
    # A twin that gave way to a third keeps its own twins out too: what is decided is not decided anew.
    decided = {each.pair.id for each in previous.rejects if each.pair is not None and each.chunk in plan.asked}
    for reject in previous.rejects:
        # Of a chunk that was not answered, the failure is no news: it is asked again.
        if reject.chunk not in plan.asked:
            continue
        lost_to_none = (
            reject.stage == "target"
            or reject.reason == UNCHECKED
            or (reject.twin and reject.twin not in known | decided)
        )
        if reject.pair is not None and reject.pair.id not in known and lost_to_none:
            known.add(reject.pair.id)
            plan.returning.append(reject.pair)
        else:
            plan.rejects.append(reject)
    plan.todo = [chunk for chunk in chunks.values() if chunk.id not in plan.asked]
    return plan
