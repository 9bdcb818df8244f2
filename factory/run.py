"""The commands' bodies: settle the settings, run the stages, print the result, return the exit code.

flags ─▶ exit code; data on stdout, chatter on stderr
"""

import asyncio
import json
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from factory import signals
from factory.config import Settings, resolve
from factory.estimate import estimate
from factory.harvest import Harvest, first_round
from factory.inputs import Inputs, prepare
from factory.pipeline import Result, generate, preview
from factory.progress import Screen, visible
from factory.purge import finish_purge, read_order
from factory.settings_shown import settings_lines
from factory.spend import spend_of
from factory.store import Workspace
from factory.summary import as_json as result_json
from factory.summary import one_line, summary
from generators.errors import ExitCode, UsageError, cannot_write
from generators.journal import Journal
from generators.teachers import Teacher, open_teacher

_KEYS = {"OPENAI_API_KEY": "openai/MODEL", "ANTHROPIC_API_KEY": "anthropic/MODEL"}


def run_generate(
    settings: Settings, *, preview: int | None, dry_run: bool, retire_all: bool, quiet: bool, as_json: bool
) -> int:
    """``factory generate``, in a workspace that ``start`` has locked (not for a dry run, which writes nothing)."""
    workspace = Workspace(Path(settings.out).expanduser())
    with Screen(quiet=quiet) as screen:
        inputs = prepare(settings, screen, is_local=is_local(settings), retire_all=retire_all)
        if dry_run:
            _print_estimate(inputs, workspace, screen, as_json=as_json)
            return ExitCode.DONE
        if preview:
            teacher = _open(settings, screen)
            _announce(inputs, screen)
            return _preview(inputs, workspace, teacher, screen, preview, as_json=as_json)
        result, signalled = generated(inputs, screen)
    return _report(result, inputs, signalled, quiet=quiet, as_json=as_json)


def generated(inputs: Inputs, screen: Screen) -> tuple[Result, int]:
    """Ask and publish, in a workspace that is locked: what came of it, and the signal that ended it, or 0."""
    workspace = Workspace(Path(inputs.settings.out).expanduser())
    order = read_order(workspace)
    if order is not None:
        screen.note(f"finishing the purge of {order.document}, which was interrupted")
        finish_purge(workspace, order)
    teacher = _open(inputs.settings, screen)
    _announce(inputs, screen)
    return asyncio.run(_generate(inputs, workspace, teacher, screen))


def stopped_by(signalled: int) -> ExitCode:
    """Say that a signal ended the asking, and choose the exit code."""
    click.echo(f"factory: {signals.farewell(signalled)}", err=True)
    return signals.exit_code(signalled)


def _report(result: Result, inputs: Inputs, signalled: int, *, quiet: bool, as_json: bool) -> int:
    """Print how a run ended, and choose its exit code."""
    if signalled:
        return stopped_by(signalled)
    said = one_line(result) if quiet else summary(result, inputs, inputs.settings.out)
    click.echo(json.dumps(result_json(result)) if as_json else said)
    if result.short:
        click.echo(f"factory: {visible(' '.join(result.short.split()))}", err=True)
    return result.exit_code


async def _generate(inputs: Inputs, workspace: Workspace, teacher: Teacher, screen: Screen) -> tuple[Result, int]:
    """Run the pipeline; SIGINT and SIGTERM stop it between replies, a second one at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def halt(number: int) -> None:  # noqa: ARG001 - either stops the run
        loop.call_soon_threadsafe(stop.set)
        loop.call_soon_threadsafe(screen.note, "stopping; waiting for the replies in flight (again to stop at once)")

    with signals.Heard(halt) as heard:
        try:
            result = await generate(inputs, workspace, teacher, screen, stop)
            return result, heard.first if stop.is_set() else 0
        finally:
            await teacher.aclose()


def _preview(
    inputs: Inputs, workspace: Workspace, teacher: Teacher, screen: Screen, count: int, *, as_json: bool
) -> int:
    async def run() -> Harvest:
        try:
            return await preview(inputs, workspace, teacher, screen, count)
        finally:
            await teacher.aclose()

    harvest = asyncio.run(run())
    rejected = Counter(reject.reason for reject in harvest.rejects)
    if as_json:
        pairs = [{"question": p.question, "answer": p.answer, "quotes": list(p.quotes)} for p in harvest.accepted]
        click.echo(json.dumps({"pairs": pairs, "rejected": dict(rejected)}))
        return ExitCode.DONE
    for pair in harvest.accepted:
        click.echo(f"  Q: {visible(pair.question)}\n  A: {visible(pair.answer)}\n")
    reasons = ", ".join(f"{reason} {number}" for reason, number in rejected.most_common()) or "none"
    click.echo(
        f"{len(harvest.accepted)} pairs accepted; rejected: {reasons}. "
        "Nothing is published; without --preview the run goes on."
    )
    return ExitCode.DONE


def is_local(settings: Settings) -> bool:
    """Whether the teacher runs on this machine."""
    return settings.teacher.startswith(("local/", "local:"))


def _open(settings: Settings, screen: Screen) -> Teacher:
    """Open the teacher; a local model by name is fetched first."""
    if settings.teacher.startswith("local/"):
        from generators.models import local_path

        local_path(settings.teacher.removeprefix("local/"), screen.pulling)
    return open_teacher(settings.teacher)


def _announce(inputs: Inputs, screen: Screen) -> None:
    """Say who teaches, and that a key is left unused: it is never spent unasked."""
    settings = inputs.settings
    source = settings.sources["teacher"]
    chosen = "the embedded default" if source == "default" else source
    screen.note(f"teacher: {settings.teacher} ({chosen}), prompt {inputs.template.name}")
    if source == "default":
        for key, spec in _KEYS.items():
            if os.environ.get(key):
                screen.note(f"{key} is set but not used: ask for it with --teacher {spec}")


def _print_estimate(inputs: Inputs, workspace: Workspace, screen: Screen, *, as_json: bool) -> None:
    found = estimate(inputs, workspace, first_round, screen)
    click.echo(json.dumps(found.as_json()) if as_json else found.as_text(inputs.settings.teacher))


def run_status(flags: Mapping[str, Any], *, as_json: bool) -> int:
    """``factory status``."""
    settings = resolve(flags, Path.cwd())
    workspace = existing(settings)
    latest = workspace.latest()
    spend = spend_of(Journal(workspace.journal))
    versions = sorted(path.name for path in workspace.versions.glob("v[0-9]*/"))
    if as_json:
        names = {"latest": latest.name if latest else None, "versions": versions}
        click.echo(json.dumps({**names, **spend.as_json(), "settings": dict(settings.sources)}))
        return ExitCode.DONE
    click.echo(f"  versions    {', '.join(versions) or 'none'} (latest: {latest.name if latest else 'none'})")
    for line in spend.as_text():
        click.echo(line)
    for line in settings_lines(settings):
        click.echo(line)
    return ExitCode.DONE


def existing(settings: Settings) -> Workspace:
    """The workspace that the settings name; ``UsageError`` if there is none."""
    root = Path(settings.out).expanduser()
    if not root.is_dir():
        raise UsageError(
            f"there is no workspace {root}: run 'factory generate --docs … --out {root}' first, or give another --out"
        )
    return Workspace(root)


def copy_prompt(name: str, target: str | None) -> str:
    """``factory prompts copy``: never over an existing file; returns what to type next."""
    from generators.templates import template_path

    source = template_path(name)
    path = Path(target or source.name).expanduser()
    if path.is_dir():
        path = path / source.name
    if path.exists():
        raise UsageError(f"{path} exists: give another name")
    with suppress(FileExistsError):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, path)
    except OSError as error:
        raise cannot_write(path, error, "give another name") from error
    return f"{path}\nedit it, then: factory generate --template {path}"
