"""What watches over a run from step to step: good numbers, checkpoints, early ending, a person who wants to stop.

Guard, a TrainerCallback ─▶ checkpoints marked as whole; DivergedError or InterruptedRun where the run cannot go on
"""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from trainers.checkpoints import mark_complete
from trainers.order import LengthOrder

METRICS = "metrics.jsonl"


class Watch(Protocol):
    """Who is told how training goes on."""

    def note(self, line: str) -> None:
        """Say one line to the person."""

    def trained(self, step: int, steps: int, loss: float, tokens_per_second: float) -> None:
        """Hear of a step."""


class DivergedError(Exception):
    """The loss or a gradient is not a number; the model has the last good adapter again."""

    def __init__(self, step: int) -> None:
        super().__init__(f"step {step}")
        self.step = step


class InterruptedRun(Exception):  # noqa: N818 - no error: somebody asked for it
    """The run was asked to stop, and its checkpoint is written."""

    def __init__(self, step: int) -> None:
        super().__init__(f"step {step}")
        self.step = step


class Guard:
    """Made into a ``TrainerCallback`` by ``callback_of``; Trainer calls the ``on_…`` methods.

    Attributes:
        seconds: Spent in training steps, without evaluations and checkpoints.
        first_step: Where this process began.
    """

    def __init__(
        self,
        folder: Path,
        order: LengthOrder,
        watch: Watch,
        stop: Callable[[], bool],
        *,
        patience: int,
        checkpoint_seconds: float,
    ) -> None:
        self.folder = folder
        self.seconds = 0.0
        self.first_step = 0
        self._order, self._watch, self._stop = order, watch, stop
        self._patience, self._checkpoint_seconds = patience, checkpoint_seconds
        self._good: list[Any] = []
        self._leaving = False
        self._began = self._saved = time.monotonic()
        self.losses: list[Any] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Start the log over with what the checkpoint knows."""
        self.first_step = state.global_step
        self._saved = time.monotonic()
        best = Path(args.output_dir) / f"checkpoint-{state.best_global_step}"
        if state.best_global_step and best.is_dir():
            # The workspace may have moved, or be named otherwise, since this was noted; it would be thrown away.
            state.best_model_checkpoint = str(best)
        if state.is_world_process_zero:
            write_metrics(self.folder / METRICS, state.log_history)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Tell the sampler its epoch: nobody else reaches it in a resumed run."""
        self._order.epoch = state.global_step // self._order.steps

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Start the clock."""
        self._began = time.monotonic()
        self.losses.clear()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Look at losses and gradients before they change anything; keep what has proved good."""
        import torch

        with torch.no_grad():
            weights = [each for each in model.parameters() if each.requires_grad]
            gradients = [each.grad for each in weights if each.grad is not None]
            numbers = [*torch._foreach_norm(gradients), *(loss.float() for loss in self.losses)]
            if bool(torch.isfinite(torch.stack([number.float() for number in numbers])).all()):
                if not self._good:
                    self._good = [each.detach().clone() for each in weights]
                else:
                    torch._foreach_copy_(self._good, [each.detach() for each in weights])
                return
            if self._good:
                torch._foreach_copy_([each.detach() for each in weights], self._good)
        raise DivergedError(state.global_step + 1)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Stop the clock; ask for a checkpoint when one is due. At the end of an epoch there is one anyway."""
        self.seconds += time.monotonic() - self._began
        due = time.monotonic() - self._saved >= self._checkpoint_seconds
        self._leaving, due = _agreed(self._stop(), due)
        due = due or self._leaving
        control.should_save = control.should_save or (due and state.global_step % self._order.steps != 0)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any], **kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Append to the local log, and tell who watches."""
        if not state.is_world_process_zero:
            return
        with (self.folder / METRICS).open("a", encoding="utf-8") as file:
            file.write(_line({"step": state.global_step, "epoch": state.epoch, **logs}))
        if "loss" in logs:
            tokens = self._order.tokens(self.first_step, state.global_step)
            self._watch.trained(
                state.global_step, state.max_steps, float(logs["loss"]), tokens / max(self.seconds, 1e-9)
            )
        elif "eval_loss" in logs:
            self._watch.note(f"epoch {state.epoch:g}: validation loss {logs['eval_loss']:.4f}")

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """End early when validation has not become better for a while."""
        if ran_out_of_patience(state.log_history, self._patience):
            control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Mark the checkpoint as whole; leave, if that was asked for."""
        if state.is_world_process_zero:
            mark_complete(Path(args.output_dir) / f"checkpoint-{state.global_step}")
        self._saved = time.monotonic()
        if not self._leaving:  # an evaluation can take long: somebody may have asked meanwhile
            [self._leaving] = _agreed(self._stop())
        if self._leaving and state.global_step < state.max_steps:
            raise InterruptedRun(state.global_step)


def callback_of(guard: Guard) -> Any:  # noqa: ANN401
    """The guard as a ``TrainerCallback``: a class of a package that is imported late."""
    from transformers import TrainerCallback

    names = [name for name in dir(Guard) if name.startswith("on_")]
    methods = {name: staticmethod(getattr(guard, name)) for name in names}
    return type("GuardCallback", (TrainerCallback,), methods)()


def _agreed(*flags: bool) -> tuple[bool, ...]:
    """What any of the processes that train together wants, all do: a checkpoint needs all of them."""
    import torch

    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return flags
    device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
    votes = torch.tensor([int(flag) for flag in flags], device=device)
    torch.distributed.all_reduce(votes, op=torch.distributed.ReduceOp.MAX)
    return tuple(bool(vote) for vote in votes.tolist())


def validations(history: Sequence[Mapping[str, Any]]) -> list[tuple[int, float]]:
    """(step, validation loss) of every evaluation, in order."""
    return [(int(entry["step"]), float(entry["eval_loss"])) for entry in history if "eval_loss" in entry]


def best_of(history: Sequence[Mapping[str, Any]]) -> tuple[int, float] | None:
    """The step with the lowest validation loss, the first of equals; ``None`` before any."""
    good = [entry for entry in validations(history) if math.isfinite(entry[1])]
    return min(good, key=lambda entry: entry[1]) if good else None


def ran_out_of_patience(history: Sequence[Mapping[str, Any]], patience: int) -> bool:
    """Whether the last ``patience`` evaluations were all no better than the best before them."""
    losses = [loss for _, loss in validations(history)]
    return len(losses) > patience and min(losses[:-patience]) <= min(losses[-patience:])


def write_metrics(path: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Write Trainer's log as JSON lines."""
    path.write_text(metrics_text(history), "utf-8")


def metrics_text(history: Sequence[Mapping[str, Any]]) -> str:
    """Trainer's log as JSON lines; numbers that are none, which JSON does not know, are left out."""
    return "".join(_line(entry) for entry in history)


def _line(entry: Mapping[str, Any]) -> str:
    clean = {key: value for key, value in entry.items() if not (isinstance(value, float) and not math.isfinite(value))}
    return json.dumps(clean) + "\n"
