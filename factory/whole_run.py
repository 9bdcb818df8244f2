"""``factory run``: generate ─▶ train ─▶ score ─▶ report, in one command.

    flags ─▶ Said({"generate", "train", "score", "verdict"}, exit code)

Each stage takes the workspace's lock for itself and leaves its work behind, so a run that was cut off goes on where it
was. A generation that fell short (exit 3) with pairs published is trained on all the same, and the exit code says so.
"""

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from factory.config import resolve
from factory.filtering import Said
from factory.inputs import prepare
from factory.lock import locked
from factory.pipeline import Result
from factory.progress import Screen
from factory.run import generated, is_local, stopped_by
from factory.scoring import run_score, stoppable
from factory.summary import as_json as generate_json
from generators.errors import ExitCode, MissingExtraError
from generators.teachers import parse_spec

# What trains: a function of (flags, quiet) that returns the object of ``train --json``.
TRAIN = ("factory.training", "train_latest")
Stage = Callable[..., dict[str, Any]]
Score = Callable[..., Said]


def run_all(
    flags: Mapping[str, Any],
    *,
    gate: bool,
    quiet: bool,
    as_json: bool,
    train: Stage | None = None,
    score: Score = run_score,
) -> Said:
    """Run all stages; ``train`` and ``score`` are how, where it is not as usual."""
    with stoppable():
        result, signalled = _generate(flags, quiet=quiet)
    if signalled:
        return Said("", code=stopped_by(signalled))
    if result.path is None:
        return Said(json.dumps({"generate": generate_json(result)}) if as_json else "", [result.short], ExitCode.SHORT)
    trained = (train or _training())(flags, quiet=quiet)
    told = score(flags, gate=gate, sample=0, labels=None, quiet=quiet, as_json=True)
    scored = json.loads(told.text)
    code = told.code or result.exit_code
    notes = [result.short] if result.short else []
    if as_json:
        stages = {"generate": generate_json(result), "train": trained, "score": scored}
        return Said(json.dumps({**stages, "verdict": scored["verdict"]}), notes, code)
    return Said(_page(scored["report"]), notes, code)


def _generate(flags: Mapping[str, Any], *, quiet: bool) -> tuple[Result, int]:
    settings = resolve(flags, Path.cwd())
    parse_spec(settings.teacher)
    with locked(Path(settings.out).expanduser()), Screen(quiet=quiet) as screen:
        return generated(prepare(settings, screen, is_local=is_local(settings)), screen)


def _training() -> Stage:
    module, name = TRAIN
    try:
        stage: Stage = getattr(import_module(module), name)
    except ImportError as error:
        raise MissingExtraError("training a student", "train") from error
    return stage


def _page(report: str) -> str:
    return (Path(report) / "report.md").read_text(encoding="utf-8").rstrip()
