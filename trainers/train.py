"""One training run, from rows to the best adapter; killed and started again, it goes on where it was.

Job (base, rows, recipe, folder) ─▶ train ─▶ Trained (adapter, losses, speed)
"""

import math
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from generators.errors import FactoryError, ShortError, StoppedError, UsageError
from trainers.base import load_model, quietly
from trainers.checkpoints import last_complete
from trainers.guard import (
    DivergedError,
    Guard,
    InterruptedRun,
    Watch,
    best_of,
    callback_of,
    ran_out_of_patience,
    validations,
    write_metrics,
)
from trainers.job import Fit, Job, fit, smaller
from trainers.lora import add_adapter
from trainers.lora_trainer import fast_adapter, trainer_for
from trainers.machine import Device, launched, world_size
from trainers.order import LengthOrder
from trainers.strength import Kept, weakened

Ended = Literal["done", "early", "diverged"]
_NO_ROOM = 16 * 1024 * 1024
_FULL = ("No space left on device", "Disk quota exceeded", "File too large")


@dataclass(frozen=True, slots=True)
class Trained:
    """How a run ended.

    Attributes:
        adapter: Folder with the chosen adapter's weights and configuration.
        ended: ``early``: validation stopped falling; ``diverged``: a loss or gradient was not a number.
        best_step: After which the adapter was chosen; 0 if no validation chose it.
        steps: Done in all.
        train_loss: At the best step; ``None`` if unknown.
        validation_loss: Of the adapter that is kept; ``None`` if unknown.
        strength: What of the adapter's change is kept, 0.5 to 1.
        tokens: Read in training, padding not counted, over all epochs.
        tokens_per_second: In this process, evaluations and checkpoints not counted.
        seconds: Of this process.
        history: Trainer's log.
        micro_batch: Rows that were computed at once.
    """

    adapter: Path
    ended: Ended
    best_step: int
    steps: int
    train_loss: float | None
    validation_loss: float | None
    tokens: int
    tokens_per_second: float
    seconds: float
    micro_batch: int
    history: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    strength: float = 1.0


def train(job: Job, device: Device, watch: Watch, stop: Callable[[], bool]) -> Trained:
    """Train, or go on with a run that was killed.

    Args:
        job: What to train.
        device: Where.
        watch: Who is told.
        stop: Asked after each step; once true, a checkpoint is written and the run ends.

    Raises:
        StoppedError: It was asked to stop, or the disk is full; the next run goes on (exit 6).
        ShortError: The numbers failed before there was any adapter (exit 3).
        UsageError: Too little memory for even one row at once (exit 2).
    """
    how = fit(job, device)
    while True:
        try:
            return _attempt(job, device, how, watch, stop)
        except FactoryError:
            raise
        except Exception as error:
            if not _is_out_of_memory(error):
                _check_disk(job.folder, error)
                raise
        less = smaller(how, max(1, job.recipe.batch // world_size()))
        if less is None:
            raise UsageError(
                "out of memory with one row at once: choose a smaller --student, --quantize 4bit, or a smaller "
                "max_tokens under [train]"
            )
        how = less
        watch.note(
            f"out of memory: going on with {_rows(how.rows)} at once{', layers recomputed' * how.recomputed}; "
            f"a step stays {_rows(job.recipe.batch)}"
        )
        _free_memory()


def _attempt(job: Job, device: Device, how: Fit, watch: Watch, stop: Callable[[], bool]) -> Trained:
    started = time.monotonic()
    order = job.order
    with quietly():
        model = add_adapter(load_model(job.base, job.recipe.quantize, device), job.recipe, job.base.spec, job.onward)
    guard = Guard(
        job.folder,
        order,
        watch,
        stop,
        patience=job.recipe.patience,
        checkpoint_seconds=job.checkpoint_seconds,
    )
    with quietly(), fast_adapter(model, autocast=device.bf16):
        trainer = _trainer(job, device, how, model, order, guard)
        guard.losses = trainer.losses
        diverged = _run(job, trainer, watch, how.rows)
    history = tuple(trainer.state.log_history)
    if trainer.is_world_process_zero():
        write_metrics(job.folder / "metrics.jsonl", history)
    steps = trainer.state.global_step
    best = best_of(history)
    tokens = order.tokens(guard.first_step, steps)
    kept = Kept(_chosen(job, model, best, diverged=diverged), 1.0, best[1] if best else math.nan)
    if best and job.recipe.slack and not diverged:
        with quietly(), fast_adapter(model, autocast=device.bf16):
            kept = _weakened(job, trainer, kept.folder, watch)
    return Trained(
        adapter=kept.folder,
        ended="diverged" if diverged else "early" if ran_out_of_patience(history, job.recipe.patience) else "done",
        best_step=best[0] if best else 0,
        steps=steps,
        train_loss=_train_loss(history, best[0] if best else steps, order.steps),
        validation_loss=kept.loss if best else None,
        tokens=order.tokens(0, steps),
        tokens_per_second=tokens / guard.seconds if guard.seconds else 0.0,
        seconds=time.monotonic() - started,
        micro_batch=how.rows,
        strength=kept.strength,
        history=history,
    )


def _weakened(job: Job, trainer: Any, adapter: Path, watch: Watch) -> Kept:  # noqa: ANN401
    """The chosen adapter, scaled down as far as validation allows."""
    log, trainer.log = trainer.log, lambda *_: None  # these are no epochs of the run

    def loss() -> float:
        return float(trainer.evaluate(metric_key_prefix="strength")["strength_loss"])

    try:
        kept = weakened(trainer.model, adapter, job.recipe.slack, loss, job.folder / "weakened")
    finally:
        trainer.log = log
    if kept.strength < 1:
        watch.note(
            f"{kept.strength:.0%} of the adapter's change is kept, against forgetting: validation loss {kept.loss:.4f}"
        )
    return kept


def _run(job: Job, trainer: Any, watch: Watch, micro: int) -> bool:  # noqa: ANN401
    """Let Trainer run, from the last whole checkpoint if there is one; say whether the numbers failed."""
    checkpoint = last_complete(job.folder / "checkpoints")
    if checkpoint is None:
        _forecast(job, trainer, watch, micro)
    else:
        from transformers import TrainerState

        watch.note(f"going on after step {checkpoint.name.rpartition('-')[2]} of an earlier run")
        state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
        if ran_out_of_patience(state.log_history, job.recipe.patience):
            trainer.state = state
            return False
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except InterruptedRun as stopped:
        raise StoppedError(f"stopped after step {stopped.step}, which is kept; run again to go on") from None
    except DivergedError as fault:
        watch.note(f"the loss or a gradient of step {fault.step} is not a number: stopped before it did harm")
        if fault.step == 1:
            raise ShortError(
                "the loss of the first step is not a number: nothing was trained; try another base"
            ) from None
        return True
    return False


def _trainer(job: Job, device: Device, how: Fit, model: Any, order: LengthOrder, guard: Guard) -> Any:  # noqa: ANN401
    recipe = job.recipe
    settings = {
        "output_dir": str(job.folder / "checkpoints"),
        "per_device_train_batch_size": how.rows,
        "per_device_eval_batch_size": how.rows,
        "gradient_accumulation_steps": max(1, recipe.batch // (how.rows * world_size())),
        "num_train_epochs": recipe.epochs,
        "learning_rate": recipe.rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": recipe.warmup,
        "weight_decay": 0.0,
        "seed": recipe.seed,
        "bf16": device.bf16,
        "use_cpu": device.kind == "cpu",
        "gradient_checkpointing": how.recomputed,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "save_total_limit": 3,  # the last, the one before it while the last is not marked, and the best
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
        "prediction_loss_only": True,
        "report_to": list(job.report_to) or "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": device.kind == "cuda",
        "dataloader_num_workers": 0,
    }
    try:
        return trainer_for(model, job.tokenizer, job.train, job.validation, order, settings, [callback_of(guard)])
    except (RuntimeError, ImportError) as error:
        if job.report_to and "install" in str(error):
            raise UsageError(f"--report-to {','.join(job.report_to)}: {' '.join(str(error).split())}") from error
        raise
    except ValueError as error:
        if job.report_to and "is not supported, only " in str(error):
            raise UsageError(f"--report-to: {error}") from error
        raise


def _forecast(job: Job, trainer: Any, watch: Watch, micro: int) -> None:  # noqa: ANN401
    """Time a micro-batch of middling rows, forward and back, and say how long it will take; nothing is learned."""
    import torch

    rows = sorted(job.train, key=lambda row: len(row.ids))
    middle = rows[max(0, (len(rows) - micro) // 2) :][:micro]
    batch = trainer.data_collator([{"input_ids": list(row.ids), "labels": row.labels} for row in middle])
    spent = 0.0
    with torch.random.fork_rng():
        trainer.model.train()
        for _ in range(2):  # the first also warms up
            began = time.monotonic()
            inputs = trainer._prepare_inputs(dict(batch))
            with trainer.accelerator.autocast():
                trainer.compute_loss(trainer.model, inputs).backward()
            trainer.model.zero_grad()
            spent = time.monotonic() - began
    order = job.order
    tokens = order.tokens(0, order.steps * job.recipe.epochs)
    speed = sum(len(row.ids) for row in middle) / spent * world_size()
    watch.note(
        f"{_count(job.recipe.epochs, 'epoch')} at most, {_count(order.steps * job.recipe.epochs, 'step')} of "
        f"{_rows(job.recipe.batch)}, "
        f"{tokens:,} tokens at about {speed:,.0f} a second: about {tokens / speed / 60:,.1f} minutes"
    )


def _chosen(job: Job, model: Any, best: tuple[int, float] | None, *, diverged: bool) -> Path:  # noqa: ANN401
    """The folder of the adapter to keep: of the best validation, else the last good one."""
    if best is not None:
        checkpoint = job.folder / "checkpoints" / f"checkpoint-{best[0]}"
        if checkpoint.is_dir() or launched():
            return checkpoint
    folder = job.folder / ("last-good" if diverged else "last")
    model.save_pretrained(folder)
    return folder


def _train_loss(history: tuple[Mapping[str, Any], ...], step: int, epoch: int) -> float | None:
    """Mean training loss over the epoch that ends at a step."""
    losses = [entry["loss"] for entry in history if "loss" in entry and step - epoch < entry["step"] <= step]
    return sum(losses) / len(losses) if losses else None


def overfitting(trained: Trained) -> str:
    """A line that names overfitting, when validation turned while training went on falling; else empty."""
    after = [loss for step, loss in validations(trained.history) if step > trained.best_step]
    best = best_of(trained.history)
    if not trained.best_step or best is None or not after or after[-1] <= best[1]:
        return ""
    return (
        f"overfitting: validation turned after step {trained.best_step} ({best[1]:.4f}, then "
        f"{after[-1]:.4f}); the adapter of that step is kept"
    )


def _rows(number: int) -> str:
    return _count(number, "row")


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'s' * (number != 1)}"


def _is_out_of_memory(error: Exception) -> bool:
    from accelerate.utils.memory import should_reduce_batch_size

    return isinstance(error, MemoryError) or bool(should_reduce_batch_size(error))


def _check_disk(folder: Path, error: Exception) -> None:
    """Each package that writes a checkpoint has its own error for a full disk or quota."""
    told = any(word in str(error) for word in _FULL)
    with suppress(OSError):
        told = told or shutil.disk_usage(folder).free < _NO_ROOM
    if told:
        raise StoppedError(
            f"the disk is full: {folder.parent} has no room for a checkpoint; free some space and run again to go on"
        ) from error


def _free_memory() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
