"""``factory score --freshness``: ask the student what the documents have changed.

    workspace ─▶ corrections between two versions ─▶ student's answers ─▶ new / old / neither, with intervals

No teacher is asked: the edits tell both answers.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from factory.candidate import Candidate, find_candidate
from factory.config import resolve
from factory.filtering import Said
from factory.progress import Screen
from factory.retired import corrections
from factory.store import Version, Workspace
from factory.visible import visible
from generators.errors import UsageError
from generators.teachers import Message
from trainers.freshness import WHICH, Changed, Freshness, freshness
from trainers.statistics import Interval

_ROOM = 256
_SHOWN = 8


def run_freshness(
    flags: Mapping[str, Any],
    *,
    since: str,
    quiet: bool,
    as_json: bool,
    find: Callable[[Workspace], Candidate] = find_candidate,
) -> Said:
    """Score how up to date the latest student is.

    Args:
        flags: Settings given on the command line.
        since: The version from which on edits count; empty for all that are known.
        quiet: Say nothing on stderr.
        as_json: Print the object instead of the table.
        find: How the student is found.
    """
    workspace = Workspace(Path(resolve(flags, Path.cwd()).out).expanduser())
    latest = workspace.latest()
    if latest is None:
        raise UsageError(f"nothing is published in {workspace.root}: run 'factory generate --docs … --out' first")
    changed = _changed(workspace, latest, since)
    candidate = find(workspace)
    with Screen(quiet=quiet) as screen:
        screen.note(f"{len(changed)} questions, whose answer an edit changed, to {candidate.name}")
        found = freshness(changed, _answers(candidate, latest, changed))
    told = _as_json(found, candidate, latest)
    return Said(json.dumps(told) if as_json else _table(told))


def _changed(workspace: Workspace, latest: Version, since: str) -> list[Changed]:
    if since and not (workspace.versions / since / "manifest.json").is_file():
        raise UsageError(f"--since {since}: there is no such version in {workspace.versions}")
    found = [Changed(each.question, each.old, each.new, each.chunk) for each in corrections(workspace, since, latest)]
    if not found:
        raise UsageError(
            f"no edit {f'since {since} ' if since else ''}has changed an answer of {latest.name}: "
            "freshness can be scored after a refresh that does"
        )
    return found


def _answers(candidate: Candidate, latest: Version, changed: list[Changed]) -> list[str]:
    prompt = str(latest.manifest["system_prompt"])
    head = (Message("system", prompt),) if prompt else ()
    student = candidate.systems["student"]()
    return student.answer_all([(*head, Message("user", each.question)) for each in changed], _ROOM)


def _as_json(found: Freshness, candidate: Candidate, latest: Version) -> dict[str, Any]:
    return {
        "student": candidate.name,
        "trained_on": candidate.version.name,
        "version": latest.name,
        "questions": len(found.told),
        **{name: _share(found.shares[name]) for name in WHICH},
        "answers": [
            {
                "question": each.changed.question,
                "old": each.changed.old,
                "new": each.changed.new,
                "answer": each.answer,
                "says": each.which,
            }
            for each in found.told
        ],
    }


def _share(found: Interval) -> dict[str, Any]:
    return {"share": None if found.value is None else round(found.value, 4), "ci95": found.ends()}


def _table(told: Mapping[str, Any]) -> str:
    lines = [f"  {told['student']}, trained on {told['trained_on']}, asked what {told['version']} says now:", ""]
    for name in WHICH:
        share, (low, high) = told[name]["share"], told[name]["ci95"]
        lines.append(f"  {name:8}{share:6.0%}   ({low:.0%} to {high:.0%}) of {told['questions']} questions")
    for each in [each for each in told["answers"] if each["says"] != "new"][:_SHOWN]:
        asked = f"Q: {visible(each['question'])}"
        lines += ["", f"  {asked}", f"  now: {visible(each['new'])}", f"  {each['says']}: {visible(each['answer'])}"]
    return "\n".join(lines)
