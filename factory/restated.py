"""Kept pairs that give way: the sentence around their quote was edited, and a reply to it answers them otherwise.

"The timeout is 30 s." ─▶ "The timeout is 30 s for reads." + the same question asked anew ─▶ the new answer
"""

from collections.abc import Iterable

from factory.carry import Loss
from factory.inputs import Inputs
from factory.plan import Plan
from filters.apply import Candidate, first_drop, make_filters
from generators.records import Pair

# They compare pairs: here each is judged for itself.
_COMPARING = ("exact_duplicate", "differing_answer", "near_duplicate", "semantic_duplicate")


def drop_restated(plan: Plan, pairs: Iterable[Pair], inputs: Inputs) -> None:
    """Take out of the plan what these new pairs answer otherwise, and say so in ``plan.lost``."""
    if not plan.unsettled:
        return
    open_rows = {
        (row.pair.chunk, _folded(row.pair.question)): row for row in plan.kept if row.pair.id in plan.unsettled
    }
    judges = [each for each in make_filters(inputs.filters) if each.name not in _COMPARING]
    for pair in pairs:
        row = open_rows.get((pair.chunk, _folded(pair.question)))
        if row is None or _folded(row.pair.answer) == _folded(pair.answer):
            continue
        if first_drop(Candidate(pair, inputs.corpus.chunks[pair.chunk]), judges) is None:
            plan.lost[row.pair.id] = Loss("restated", "the sentence was edited, and now answers otherwise")
    plan.kept = [row for row in plan.kept if row.pair.id not in plan.lost]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
