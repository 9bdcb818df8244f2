"""``factory diff [OLD] [NEW]``: what became of documents and pairs between two versions, and what it cost.

two versions ─▶ Diff ─▶ a table, the object of ``--json``, or Markdown for a pull request
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factory.announce import change_line
from factory.config import resolve
from factory.corpus import Changes, compare
from factory.diff_markdown import markdown
from factory.filtering import Said
from factory.progress import money
from factory.retired import Retired, retired_since
from factory.store import Row, Version, Workspace
from factory.visible import visible
from generators.errors import UsageError

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Diff:
    """What lies between two versions.

    Attributes:
        old, new: Their names.
        commits: Of the documents, then and now; empty outside of repositories.
        changes: Documents.
        added: Rows that only the new one has.
        retired: Pairs that only the old one has, with the reason where it is known.
        kept: Pairs of both.
        moved_splits: Of these, in another split; there must be none.
        prompts: The system prompt of all rows, then and now.
        requests, cost_usd: What the versions between them asked; the cost is None where a price is unknown.
    """

    old: str
    new: str
    commits: tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]
    changes: Changes
    added: Sequence[Row]
    retired: Sequence[Retired]
    kept: int
    moved_splits: int
    requests: int
    cost_usd: float | None
    prompts: tuple[str, str] = ("", "")
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def corrections(self) -> list[Retired]:
        """Retired pairs whose question has another answer now."""
        return [each for each in self.retired if each.is_correction]


def run_diff(names: Sequence[str], flags: Mapping[str, Any], *, as_markdown: bool, as_json: bool) -> Said:
    """``factory diff``."""
    root = Path(resolve(flags, Path.cwd()).out).expanduser()
    workspace = Workspace(root)
    old, new = _chosen(workspace, names)
    found = diff(workspace, old, new)
    if as_json:
        return Said(json.dumps(as_object(found)))
    return Said(markdown(found) if as_markdown else _text(found))


def _chosen(workspace: Workspace, names: Sequence[str]) -> tuple[Version, Version]:
    """The versions that are named; else the latest and the one it was made from."""
    there = workspace.names()
    if not there:
        raise UsageError(f"nothing is published in {workspace.root}: run 'factory generate --docs …' first")
    latest = workspace.latest()
    new = _found(workspace, names[1]) if len(names) > 1 else latest or _found(workspace, there[-1])
    if names:
        return _found(workspace, names[0]), new
    origin = new.manifest["previous"]
    older = [name for name in there if int(name[1:]) < int(new.name[1:])]
    before = origin if origin in there else (older[-1] if older else None)
    if before is None:
        raise UsageError(f"{new.name} is the only version: there is nothing to compare it with")
    return _found(workspace, before), new


def _found(workspace: Workspace, name: str) -> Version:
    """A version by its name or number, or ``latest``."""
    if name == "latest":
        version = workspace.latest()
    else:
        digits = name.strip().strip("/").removeprefix("versions/").removeprefix("v")
        version = workspace.find(f"v{int(digits):04d}") if digits.isdecimal() else None
    if version is None:
        there = ", ".join(workspace.names()[-5:])
        raise UsageError(f"there is no version '{name}' in {workspace.root}; the newest are {there}")
    return version


def diff(workspace: Workspace, old: Version, new: Version) -> Diff:
    """Compare two versions."""
    before, now = ({row.pair.id: row for row in version.rows} for version in (old, new))
    known = {each.id: each for each in reversed(list(retired_since(workspace, old.name, new)))}
    retired = [known.get(id_) or _unexplained(row) for id_, row in before.items() if id_ not in now]
    requests, cost = _spent(workspace, old, new)
    return Diff(
        old.name,
        new.name,
        (old.manifest.get("commits", ()), new.manifest.get("commits", ())),
        compare(_documents(old), _documents(new)),
        [row for id_, row in now.items() if id_ not in before],
        retired,
        len(before.keys() & now.keys()),
        sum(before[id_].place != now[id_].place for id_ in before.keys() & now.keys()),
        requests,
        cost,
        (old.manifest["system_prompt"], new.manifest["system_prompt"]),
        dict(Counter(each.reason for each in retired).most_common()),
    )


def _documents(version: Version) -> dict[str, frozenset[str]]:
    return {entry["path"]: frozenset(entry["chunks"]) for entry in version.manifest["documents"]}


def _unexplained(row: Row) -> Retired:
    """A pair that went where no version says why: backwards, or past one that was pruned."""
    pair, place = row.pair, row.place
    where = (pair.chunk, row.document, place.split, place.set)
    return Retired(pair.id, pair.fact, pair.question, pair.answer, pair.quotes, pair.kind, *where, "not_told")


def _spent(workspace: Workspace, old: Version, new: Version) -> tuple[int, float | None]:
    """Requests and cost of all versions after the old one up to the new one, as far back as they are there."""
    requests, cost = 0, 0.0
    unknown = False
    name: str | None = new.name
    while name and name != old.name and (workspace.versions / name / "manifest.json").is_file():
        manifest = workspace.manifest(workspace.versions / name)
        run = manifest["run"]
        requests += run["requests"]
        unknown |= run["cost_usd"] is None
        cost += run["cost_usd"] or 0.0
        name = manifest["previous"]
    return requests, None if unknown else round(cost, 6)


def as_object(found: Diff) -> dict[str, Any]:
    """The object of ``--json``."""
    changes = found.changes
    return {
        "old": found.old,
        "new": found.new,
        "commits": {"old": [dict(each) for each in found.commits[0]], "new": [dict(each) for each in found.commits[1]]},
        "documents": {
            "added": list(changes.added),
            "changed": list(changes.changed),
            "removed": list(changes.removed),
            "moved": dict(changes.moved),
        },
        "pairs": {
            "added": [_added(row) for row in found.added],
            "retired": [_gone(each) for each in found.retired],
            "kept": found.kept,
            "reasons": dict(found.reasons),
        },
        "requests": found.requests,
        "cost_usd": found.cost_usd,
        "system_prompt": dict(zip(("old", "new"), found.prompts, strict=True)),
    }


def _added(row: Row) -> dict[str, Any]:
    pair = row.pair
    told = {"id": pair.id, "question": pair.question, "answer": pair.answer}
    return {**told, "document": row.document, "lines": row.lines, "split": row.place.split}


def _gone(each: Retired) -> dict[str, Any]:
    new = each.replaced_by
    told = {"id": each.id, "question": each.question, "answer": each.answer, "document": each.document}
    why = {"split": each.split, "reason": each.reason, "detail": each.detail}
    successor = {"id": new.id, "question": new.question, "answer": new.answer} if new else None
    return {**told, **why, "replaced_by": successor}


def commit_line(commits: Sequence[Mapping[str, Any]]) -> str:
    """Commits as people write them; a plus marks documents that differed from theirs."""
    return ", ".join(f"{each['commit'][:12]}{'+' if each['dirty'] else ''}" for each in commits)


def _text(found: Diff) -> str:
    """The table for people."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in found.reasons.items())
    lines = [
        f"  versions    {found.old} to {found.new}",
        *_commits(found),
        f"  documents   {change_line(found.changes)}",
        *(f"    {visible(line)}" for line in document_lines(found.changes)),
        f"  pairs       +{len(found.added)} -{len(found.retired)}, {found.kept} stay",
        *([f"  retired     {reasons}"] if reasons else []),
        *_prompts(found),
        f"  cost        {found.requests} requests, {money(found.cost_usd)}",
    ]
    for each in found.corrections[:_SHOWN]:
        new = each.replaced_by.answer if each.replaced_by else ""
        lines += [
            "",
            f"  {visible(each.document)}",
            f"    Q: {visible(each.question, 200)}",
            f"    -: {visible(' '.join(each.answer.split()), 300)}",
            f"    +: {visible(' '.join(new.split()), 300)}",
        ]
    more = len(found.corrections) - _SHOWN
    return "\n".join(
        [*lines, *([f"\n  … and {more} more answers that changed: --markdown or --json"] if more > 0 else [])]
    )


def _prompts(found: Diff) -> list[str]:
    """That the system prompt is another: it stands in every row, so all rows are others though no pair is."""
    old, new = (f"'{visible(prompt, 100)}'" for prompt in found.prompts)
    return [f"  prompt      of every row: {old}, now {new}"] if old != new else []


def _commits(found: Diff) -> list[str]:
    old, new = map(commit_line, found.commits)
    return [f"  commits     {old or 'none'} to {new or 'none'}"] if old or new else []


def document_lines(changes: Changes) -> list[str]:
    """One line a document: ``+ new.md``, ``~ edited.md``, ``- gone.md``, ``old.md -> moved.md``."""
    lines = [f"+ {path}" for path in changes.added]
    lines += [f"~ {path}" for path in changes.changed]
    lines += [f"- {path}" for path in changes.removed]
    return lines + [f"  {old} -> {new}" for new, old in changes.moved.items()]
