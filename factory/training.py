"""``factory train``: the latest dataset version ─▶ a student in ``students/``, or one that is already there.

    flags ─▶ Said(text or JSON, exit code);   train_latest(flags) ─▶ the object of ``train --json``

Training the same rows on the same base with the same settings again would give the same adapter, so it is not done
again; ``--again`` does it all the same.
"""

import json
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from factory.config import resolve
from factory.filtering import Said
from factory.lessons import Lessons, prepare
from factory.lock import locked
from factory.progress import Screen, duration
from factory.student_manifest import manifest_of, result_of
from factory.visible import visible
from generators.errors import ExitCode, ShortError, StoppedError, UsageError
from trainers.guard import METRICS, metrics_text
from trainers.job import Fit, Job, fit
from trainers.lora import adapter_size
from trainers.loss_plot import loss_plot
from trainers.machine import check_disk, check_room, is_main, need_extra
from trainers.student import latest_student
from trainers.student_folder import make_latest, publish, read_manifest, students_of
from trainers.train import Trained, overfitting, train

# An adapter with its two moments, in float32, three times; the gradients are not kept.
_CHECKPOINT_BYTES = 3 * 12
_KEPT = "stopped; what is trained is kept, run again to go on"
# A run that was left unfinished, and that nobody has gone on with since, is not waited for any longer (seconds).
_LEFT_BEHIND = 7 * 86_400


class Stop:
    """Remembers the first signal; until training begins, and at a second one, it ends the process at once."""

    def __init__(self) -> None:
        self.caught = 0
        self.training = False

    def __call__(self) -> bool:
        """Whether somebody wants to stop."""
        return bool(self.caught)

    def listen(self) -> None:
        """Take SIGINT and SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._heard)

    def _heard(self, number: int, frame: object) -> None:  # noqa: ARG002 - a signal handler's arguments
        again, self.caught = bool(self.caught), self.caught or number
        if number == signal.SIGINT and (again or not self.training):
            raise KeyboardInterrupt(_KEPT)
        if again or not self.training:
            raise StoppedError(_KEPT)


def run_train(
    flags: Mapping[str, Any], *, show_row: int | None, again: bool, onward: bool, quiet: bool, as_json: bool
) -> Said:
    """``factory train``; ``onward`` goes on from the latest student."""
    if show_row is not None:
        return Said(_shown(flags, show_row, quiet=quiet))
    manifest, folder = _train(flags, again=again, onward=onward, quiet=quiet)
    if manifest is None or folder is None:
        return Said("")
    result = result_of(manifest, folder)
    notes = [manifest["overfitting"]] if manifest["overfitting"] else []
    code = ExitCode.DONE
    if manifest["ended"] == "diverged":
        notes.append(_diverged(folder))
        code = ExitCode.SHORT
    return Said(json.dumps(result) if as_json else _summary(manifest, folder, flags), notes, code)


def train_latest(flags: Mapping[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Train the latest version; the object of ``train --json``.

    Raises:
        ShortError: The numbers failed on the way; the last good adapter is kept.
    """
    manifest, folder = _train(flags, again=False, onward=False, quiet=quiet)
    if manifest is None or folder is None:
        return {}
    if manifest["ended"] == "diverged":
        raise ShortError(_diverged(folder))
    return result_of(manifest, folder)


def _train(
    flags: Mapping[str, Any], *, again: bool, onward: bool, quiet: bool
) -> tuple[dict[str, Any] | None, Path | None]:
    """Train, or find that it is done: the manifest and folder of the student; nothing in a helping process."""
    stop = Stop()
    stop.listen()
    settings = resolve(flags, Path.cwd())
    need_extra()
    students = Path(settings.out).expanduser() / "students"
    with Screen(quiet=quiet or not is_main()) as screen:
        lessons = prepare(settings, screen, latest_student(students.parent) if onward else None)
        with _alone(students):
            done = None if again else _same(students, lessons)
            if done is not None:
                screen.note(f"{done} was trained on the same rows with the same settings: nothing to do")
                make_latest(done)
                return read_manifest(done), done
            return _trained(lessons, students, screen, stop)


def _trained(lessons: Lessons, students: Path, screen: Screen, stop: Stop) -> tuple[dict[str, Any] | None, Path | None]:
    folder = students / f".run-{lessons.fingerprint}"
    settings, job = lessons.settings, lessons.job(folder)
    _announce(lessons, job, students, screen)
    folder.mkdir(parents=True, exist_ok=True)
    stop.training = True
    try:
        trained = train(job, lessons.device, screen, stop)
    except StoppedError:
        if stop.caught == signal.SIGINT:
            raise KeyboardInterrupt(_KEPT) from None
        raise
    if not is_main():
        return None, None
    student = _published(lessons, trained, students)
    shutil.rmtree(folder, ignore_errors=True)
    _clear(students)
    if trained.ended != "diverged":
        make_latest(student)
    return read_manifest(student), Path(settings.out).expanduser() / "students" / student.name


def _published(lessons: Lessons, trained: Trained, students: Path) -> Path:
    files = {METRICS: metrics_text(trained.history), "loss.svg": loss_plot(trained.history, trained.best_step)}
    return publish(students, trained.adapter, files, manifest_of(lessons, trained, overfitting(trained)))


def _clear(students: Path) -> None:
    """Remove what is left of runs that were given up: other rows or settings, and long untouched."""
    for folder in students.glob(".run-*"):
        files = (folder / METRICS, folder)
        touched = max((path.stat().st_mtime for path in files if path.exists()), default=0.0)
        if time.time() - touched > _LEFT_BEHIND:
            shutil.rmtree(folder, ignore_errors=True)


def _announce(lessons: Lessons, job: Job, students: Path, screen: Screen) -> None:
    """Say what is about to happen and what it takes; refuse what cannot fit."""
    base, recipe, device = lessons.base, lessons.recipe, lessons.device
    how = fit(job, device)
    needed = job.memory(how, device)
    check_room(min(needed, job.memory(Fit(1, recomputed=True), device)), device)
    check_disk(students, adapter_size(base.config, recipe) * _CHECKPOINT_BYTES + 100_000_000)
    held = device.dtype if recipe.quantize == "none" else recipe.quantize
    chosen = "what suits this machine" if lessons.settings.sources["student"] == "default" else "as you asked"
    screen.note(
        f"student: {base.spec} ({chosen}), {base.parameters / 1e6:,.0f} million parameters in {held} on {device.name}"
    )
    screen.note(
        f"LoRA of rank {recipe.rank}, scale {recipe.alpha}, on {recipe.layers}, rate {recipe.rate:g}; "
        f"{how.rows} rows at once{', layers recomputed' * how.recomputed}, about {needed / 1e9:.1f} GB of memory of "
        f"{device.free / 1e9:.1f} that are free"
    )
    screen.note(f"rows: {len(job.order)} to train, {len(job.validation)} to validate, of {lessons.version.name}")
    for note in lessons.notes:
        screen.note(note)
    screen.note(f"terms of {lessons.version.manifest['teacher']}: {lessons.version.manifest['terms']}")


def _alone(students: Path) -> AbstractContextManager[None]:
    """Only one training at a time; a refresh of the dataset may go on beside it."""
    return locked(students) if is_main() else nullcontext()


def _same(students: Path, lessons: Lessons) -> Path | None:
    """The newest student that was made of the same things, and well."""
    for student in reversed(students_of(students)):
        try:
            manifest = read_manifest(student)
        except UsageError:  # damaged or of a newer factory: not what is looked for, and no reason to train nothing
            continue
        if manifest["fingerprint"] == lessons.fingerprint and manifest["ended"] != "diverged":
            return student
    return None


def _shown(flags: Mapping[str, Any], number: int, *, quiet: bool) -> str:
    """A row as the student reads it, with what is trained marked."""
    import os
    import sys

    from trainers.sft_data import coloured

    settings = resolve(flags, Path.cwd())
    need_extra()
    with Screen(quiet=quiet) as screen:
        lessons = prepare(settings, screen, asking=False)
    if not 1 <= number <= len(lessons.train):
        raise UsageError(f"--show-row {number}: the rows to train are 1 to {len(lessons.train)}")
    row = lessons.train[number - 1]
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    tokens = f"row {number}: {len(row.ids)} tokens, {sum(row.trained)} of them trained"
    return f"{coloured(row, lessons.tokenizer, colour=colour, clean=visible)}\n{tokens}"


def _summary(manifest: Mapping[str, Any], folder: Path, flags: Mapping[str, Any]) -> str:
    losses, tokens = manifest["losses"], manifest["tokens"]
    out = flags.get("out")
    where = f" --out {visible(str(out))}" if out else ""
    early = ", ended early: validation stopped falling" if manifest["ended"] == "early" else ""
    return "\n".join(
        (
            "",
            f"  student     {visible(manifest['base']['spec'])}, {manifest['method']}, {manifest['context_words']}",
            f"  read        {tokens['read']:,} tokens in {manifest['steps']} steps, "
            f"{manifest['tokens_per_second']:,.0f} a second, {duration(manifest['seconds'])}{early}",
            f"  loss        {_loss(losses['train'])} training, {_loss(losses['validation'])} validation, "
            f"after step {manifest['best_step']}",
            "",
            f"trained: {visible(str(folder))}    (loss.svg shows how it went)",
            f'next: factory ask "…"{where}, factory score{where}',
        )
    )


def _loss(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"


def _diverged(folder: Path) -> str:
    return (
        f"the numbers failed on the way; the last good adapter is {folder}, 'latest' is left as it was: "
        "lower rate under [train] and run again"
    )
