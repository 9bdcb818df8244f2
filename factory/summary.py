"""What a run says at its end, on stdout: a short table, three sample pairs, the path, what to type next; or one JSON.

Result ─▶ text for people (``summary``) or the object of ``--json`` (``as_json``)
"""

from collections.abc import Sequence
from typing import Any

from factory.announce import change_line, counts_of
from factory.corpus import Corpus
from factory.inputs import Inputs
from factory.manifest import count_pairs
from factory.pipeline import Result
from factory.progress import money, visible
from factory.redactions import redaction_line
from factory.store import Row
from generators.asking import Spent


def as_json(result: Result) -> dict[str, Any]:
    """The object that ``generate --json`` prints; pairs and splits are of the whole version, the rest of this run."""
    changes = result.changes
    return {
        "version": result.version or None,
        "path": str(result.path) if result.path else None,
        "documents": len(result.corpus.documents),
        "chunks": len(result.corpus.chunks),
        "requests": result.spent.requests,
        "cached": result.spent.cached,
        **count_pairs(result.rows, result.rejects),
        "cost_usd": _rounded(result.spent.cost_usd),
        "changes": {
            **counts_of(changes),
            "pairs_added": result.pairs_added,
            "pairs_retired": result.pairs_retired,
        },
    }


def one_line(result: Result) -> str:
    """A run in one line, for a log: ``v0004: +1 ~2 -0 documents; +12 -6 pairs, 198 in all; 3 requests, $0.0100``."""
    spent = result.spent
    what = f"{result.version or 'nothing published'}{'' if result.published else ' (unchanged)' * bool(result.version)}"
    pairs = f"+{result.pairs_added} -{result.pairs_retired} pairs, {len(result.rows)} in all"
    cost = f"{spent.requests} requests, {spent.cached} replies from the journal, {money(spent.cost_usd)}"
    return f"{what}: {change_line(result.changes)}; {pairs}; {cost}"


def summary(result: Result, inputs: Inputs, out: str) -> str:
    """The last words of a run, as plain text."""
    counted = count_pairs(result.rows, result.rejects)
    pairs, splits = counted["pairs"], counted["splits"]
    skipped = f" ({len(result.corpus.skipped)} files skipped)" if result.corpus.skipped else ""
    rejected = ", ".join(f"{reason} {count}" for reason, count in _by_count(pairs["rejected"])) or "none"
    teacher = visible(inputs.settings.teacher)
    lines = [
        "",
        f"  documents   {len(result.corpus.documents)}, in {len(result.corpus.chunks)} chunks{skipped}",
        f"  requests    {result.spent.requests} to {teacher}, {result.spent.cached} from the journal; "
        f"{_tokens(result.spent)}, {money(result.spent.cost_usd)}",
        *([f"  in doubt    {_in_doubt(result.spent.maybe_paid)}"] if result.spent.maybe_paid else []),
        f"  pairs       {pairs['accepted']} accepted of {pairs['candidates']} candidates",
        f"  rejected    {rejected}",
        f"  splits      train {splits['train']}, validation {splits['validation']}, test {splits['test']}",
        *redaction_line(result.corpus.redactions),
        *_withheld_line(result.corpus),
        f"  changes     {change_line(result.changes)}; +{result.pairs_added} -{result.pairs_retired} pairs",
        "",
    ]
    lines += [line for row in _samples(result.rows) for line in _shown(row)]
    if result.path is not None:
        what = "published" if result.published else "unchanged"
        lines += [f"{what}: {visible(str(result.path))}", f"next: {next_command(out)}"]
    return "\n".join(lines)


def _withheld_line(corpus: Corpus) -> list[str]:
    count = len(corpus.withheld)
    return [f"  withheld    {count} sections; rejected.jsonl says why"] if count else []


def next_command(out: str) -> str:
    """What to type next."""
    where = "" if out == "factory-data" else f" --out {visible(out)}"
    return f"factory verify{where}    (checks every byte; then look into {visible(out)}/latest/rejected.jsonl)"


def _samples(rows: Sequence[Row]) -> list[Row]:
    """Three pairs from different documents where there are."""
    first: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: row.pair.id):
        first.setdefault(row.document, row)
    chosen = list(first.values())[:3]
    return chosen + [row for row in rows if row not in chosen][: 3 - len(chosen)]


def _shown(row: Row) -> list[str]:
    answer = " ".join(row.pair.answer.split())
    return [
        f"  {visible(row.document)}, lines {row.lines}",
        f"    Q: {visible(row.pair.question, 200)}",
        f"    A: {visible(answer, 300)}",
        "",
    ]


def _in_doubt(attempts: int) -> str:
    return f"{attempts} attempts failed and may have to be paid all the same (listed by 'factory status --json')"


def _tokens(spent: Spent) -> str:
    return f"{spent.input_tokens + spent.output_tokens:,} tokens"


def _by_count(rejected: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(rejected.items(), key=lambda entry: (-entry[1], entry[0]))


def _rounded(cost: float | None) -> float | None:
    return None if cost is None else round(cost, 6)
