"""Pairs that a version no longer has: why each went, and what says it now.

    last version + new rows + plan ─▶ [Retired] ─▶ retired.jsonl;   corrections(workspace, "v0003") ─▶ [Correction]

A retired pair whose sentence was edited is paired with the new pair that took its place, where there is one: the old
and the new answer to one question, which tells a student that is up to date from one that is not.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from factory.plan import Plan, is_own
from factory.store import RETIRED_FILE, Row, Version, Workspace
from generators.errors import UsageError
from generators.records import Pair, Reject

# How alike the questions and the quotes of a pair and its replacement are at least, 0 to 1.
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Successor:
    """The pair that says now what a retired one said."""

    id: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Retired:
    """A pair that is no longer published.

    Attributes:
        reason: ``document_removed``, ``section_removed``, ``support_vanished``, ``heading_changed``, ``restated``,
            ``asked_again`` (another teacher, prompt or setting), ``own_removed``, ``purged``, or the reason code of a
            filter or of the target.
        detail: The evidence, for the person.
        replaced_by: What says it now, if the passage was edited.
        chunks: Of a pair that several sections answered: the chunk of each quote.
    """

    id: str
    fact: str
    question: str
    answer: str
    quotes: tuple[str, ...]
    kind: str
    chunk: str
    document: str
    split: str
    set: str
    reason: str
    detail: str = ""
    replaced_by: Successor | None = None
    chunks: tuple[str, ...] = ()

    @property
    def is_correction(self) -> bool:
        """Whether the documents now say something else."""
        return self.replaced_by is not None and _folded(self.replaced_by.answer) != _folded(self.answer)


@dataclass(frozen=True, slots=True)
class Correction:
    """A question whose answer the documents have changed.

    Attributes:
        question: As it was published with the old answer.
        old, new: The answers then and now.
        pair: Id of the pair that holds the new one, in the later version.
        chunk: Its section, in the later version.
    """

    question: str
    old: str
    new: str
    pair: str
    chunk: str


def retire(previous: Version | None, rows: Sequence[Row], rejects: Iterable[Reject], plan: Plan) -> list[Retired]:
    """All pairs of the last version that the new one does not have, each with its reason."""
    kept = {row.pair.id for row in rows}
    gone = [row for row in previous.rows if row.pair.id not in kept] if previous else []
    if not gone or previous is None:
        return []
    known = {row.pair.id for row in previous.rows}
    heirs = defaultdict[str, list[Pair]](list)
    for row in rows:
        if row.pair.id not in known:
            for chunk in plan.ancestors.get(row.pair.chunk, ()):
                heirs[chunk].append(row.pair)
    said = {reject.pair.id: reject for reject in rejects if reject.pair is not None}
    return [_retired(row, *_reason(row, plan, said), _successor(row.pair, heirs[row.pair.chunk])) for row in gone]


def _reason(row: Row, plan: Plan, rejects: Mapping[str, Reject]) -> tuple[str, str]:
    pair = row.pair
    if is_own(pair) and pair.id not in rejects:
        return "own_removed", "it is made anew in each run, and was not this time"
    if plan.restarted:
        return "asked_again", "the teacher, the prompt or a setting is another"
    if row.document in plan.changes.removed:
        return "document_removed", row.document
    if pair.id in plan.lost:
        return plan.lost[pair.id].reason, plan.lost[pair.id].detail
    if pair.id in rejects:
        return rejects[pair.id].reason, rejects[pair.id].detail
    return "section_removed", row.document


def _retired(row: Row, reason: str, detail: str, successor: Pair | None) -> Retired:
    pair, place = row.pair, row.place
    new = Successor(successor.id, successor.question, successor.answer) if successor else None
    where = (pair.chunk, row.document, place.split, place.set)
    told = (pair.id, pair.fact, pair.question, pair.answer, pair.quotes, pair.kind)
    return Retired(*told, *where, reason, detail, new, pair.chunks)


def _successor(pair: Pair, heirs: Sequence[Pair]) -> Pair | None:
    """The new pair whose question and quotes are most like the old one's, if they are alike."""
    from rapidfuzz.fuzz import ratio

    def likeness(other: Pair) -> float:
        quotes = ratio(" ".join(pair.quotes), " ".join(other.quotes))
        return (ratio(pair.question, other.question) + quotes) / 200

    best = max(heirs, key=lambda other: (likeness(other), other.id), default=None)
    return best if best is not None and likeness(best) >= _ALIKE else None


def retired_record(retired: Retired) -> dict[str, Any]:
    """A line of ``retired.jsonl``."""
    record = asdict(retired)
    if not retired.chunks:
        del record["chunks"]
    return record


def read_retired(version: Path) -> list[Retired]:
    """What a version retired, compared with the one before; nothing of one that a former release published."""
    file = version / RETIRED_FILE
    try:
        lines = file.read_text(encoding="utf-8").split("\n") if file.exists() else []
        return [_read(json.loads(line)) for line in lines if line]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(f"{file} cannot be read ({error!r})") from error


def _read(record: dict[str, Any]) -> Retired:
    new = record.pop("replaced_by")
    record |= {"quotes": tuple(record["quotes"]), "chunks": tuple(record.get("chunks", ()))}
    return Retired(replaced_by=Successor(**new) if new else None, **record)


def retired_since(workspace: Workspace, since: str, until: Version) -> Iterator[Retired]:
    """What went between two versions, the latest first, as far back as versions are there and say so."""
    name: str | None = until.name
    while name and name != since:
        path = workspace.versions / name
        if not (path / "manifest.json").is_file():
            return
        yield from read_retired(path)
        name = workspace.manifest(path)["previous"]


def corrections(workspace: Workspace, since: str, until: Version) -> list[Correction]:
    """Questions of one version that a later one answers otherwise; through several edits, the last answer counts."""
    current = {row.pair.id: row.pair for row in until.rows}
    latest: dict[str, str] = {}
    found: dict[str, Correction] = {}
    for each in retired_since(workspace, since, until):
        if each.replaced_by is None:
            continue
        end = latest[each.id] = latest.get(each.replaced_by.id, each.replaced_by.id)
        pair = current.get(end)
        if pair is not None and _folded(pair.answer) != _folded(each.answer):
            found[each.question] = Correction(each.question, each.answer, pair.answer, pair.id, pair.chunk)
    return list(found.values())


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
