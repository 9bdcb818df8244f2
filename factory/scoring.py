"""``factory score``: find the student, examine it, write the report, say ship or hold.

flags ─▶ Said(text for stdout, exit code)
"""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from factory.candidate import Candidate, find_candidate
from factory.comparison import compared
from factory.config import Settings, resolve
from factory.examine import Score, examine
from factory.filtering import Said
from factory.lock import locked
from factory.progress import Screen
from factory.reports import write_report
from factory.score_json import score_json
from factory.score_page import page, side_by_side, summary
from factory.store import Workspace
from generators.errors import ExitCode, StoppedError, UsageError
from generators.teachers import parse_spec
from trainers.exam import read_exam


def run_score(
    flags: Mapping[str, Any],
    *,
    gate: bool,
    sample: int,
    labels: str | None,
    quiet: bool,
    as_json: bool,
    find: Callable[[Workspace], Candidate] = find_candidate,
) -> Said:
    """Score the latest student.

    Args:
        flags: Settings given on the command line.
        gate: Exit 7 if the verdict is hold.
        sample: Show so many questions with the answers of base, student and teacher.
        labels: File of a person's labels.
        quiet: Say nothing on stderr.
        as_json: Print the object instead of the summary.
        find: How the student is found.
    """
    settings = resolve(flags, Path.cwd())
    workspace = _checked(settings)
    candidate = find(workspace)
    read_exam(candidate.version)
    with stoppable(), locked(workspace.root), Screen(quiet=quiet) as screen:
        found = asyncio.run(
            examine(workspace, candidate, settings, screen, Path(labels).expanduser() if labels else None)
        )
        told, path, answers = _published(workspace, found, settings.seed)
    shown = side_by_side(answers, sample, settings.seed) if sample else ""
    code = ExitCode.HOLD if gate and not found.verdict.ships else ExitCode.DONE
    if as_json:
        return Said(json.dumps({**told, **({"sample": shown} if sample else {})}), code=code)
    return Said("\n\n".join(part for part in (shown, summary(told, str(path / "report.md"))) if part), code=code)


def _published(workspace: Workspace, found: Score, seed: int) -> tuple[dict[str, Any], Path, list[dict[str, Any]]]:
    """Write the report: (what ``--json`` prints, the report's folder, the rows of ``answers.jsonl``)."""
    answers = [answer.record() for answer in found.answers]
    told = {**score_json(found), "last_score": compared(workspace.root, answers, seed)}
    path = write_report(workspace.root, page(told, answers), told, answers)
    return {**told, "report": str(path)}, path, answers


def _checked(settings: Settings) -> Workspace:
    """Look at what can be wrong before anything is opened."""
    for spec in (settings.against, settings.judge):
        if spec:
            parse_spec(spec)
    if settings.gate.by == "judge" and not settings.judge:
        raise UsageError("gate.by is 'judge', and there is none: name one with --judge SPEC")
    root = Path(settings.out).expanduser()
    if not root.is_dir():
        raise UsageError(f"there is no workspace {root}: run 'factory generate --docs … --out {root}' first")
    workspace = Workspace(root)
    if not workspace.latest_link.exists():
        raise UsageError(f"nothing is published in {root}: run 'factory generate --docs … --out {root}' first")
    return workspace


@contextmanager
def stoppable() -> Iterator[None]:
    """Let a SIGTERM end what is under way like any other error; afterwards all is as before."""
    before = signal.signal(signal.SIGTERM, _stopped)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stopped(number: int, frame: object) -> NoReturn:  # noqa: ARG001 - a signal handler's arguments
    raise StoppedError("stopped; what teacher and judge have answered is kept, run again to go on")
