"""What a training run works on, and what it will need.

Job (base, rows, recipe, folder) ─▶ memory in bytes;   fit ─▶ Fit (rows at once, layers recomputed or not)
"""

from dataclasses import dataclass, replace
from pathlib import Path

from trainers.base import Base
from trainers.lora import Recipe, adapter_size
from trainers.machine import Device, memory_needed, world_size
from trainers.order import LengthOrder
from trainers.sft_data import Encoded, Tokenizer

# Tokens of a micro-batch of the longest rows on a CPU; of usual rows it has about a third, and more are no faster.
_CPU_TOKENS = 3072
# Share of the free memory that a run may plan with.
_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Fit:
    """How a run is made to fit the memory; the numbers it computes are the same, up to rounding.

    Attributes:
        rows: Computed at once; a divisor of the rows of a step.
        recomputed: Whether each layer's activations are computed again on the way back (gradient checkpointing):
            a third slower, and a small part of the memory.
    """

    rows: int
    recomputed: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """What to train.

    Attributes:
        base: The model to start from.
        tokenizer: Its own.
        train, validation: Rows in tokens.
        recipe: What decides the adapter.
        folder: Of this run and no other; its checkpoints are kept here.
        micro_batch: Rows at once; 0 for what suits the machine.
        checkpoint_seconds: Between checkpoints.
        onward: Folder of the adapter that it goes on from; ``None`` for a new one.
        report_to: Trackers that transformers knows, such as ``tensorboard``.
    """

    base: Base
    tokenizer: Tokenizer
    train: tuple[Encoded, ...]
    validation: tuple[Encoded, ...]
    recipe: Recipe
    folder: Path
    micro_batch: int = 0
    checkpoint_seconds: float = 120.0
    report_to: tuple[str, ...] = ()
    onward: Path | None = None

    @property
    def order(self) -> LengthOrder:
        """The order of the training rows; the rehearsed ones take turns, for many in few passes forget less."""
        lengths = [len(row.ids) for row in self.train]
        rehearsed = [number for number, row in enumerate(self.train) if row.rehearsed]
        at_once = round(self.recipe.replay_share * (len(lengths) - len(rehearsed)))
        return LengthOrder(lengths, self.recipe.batch, self.recipe.seed, rehearsed, at_once)

    def memory(self, how: Fit, device: Device) -> int:
        """Bytes that the run will take."""
        longest = max(len(row.ids) for row in (*self.train, *self.validation))
        shape = self.base.config
        return memory_needed(
            self.base.parameters,
            adapter_size(shape, self.recipe),
            int(shape["hidden_size"]),
            int(shape["num_hidden_layers"]),
            how.rows * longest,
            quantize=self.recipe.quantize,
            device=device,
            recomputed=how.recomputed,
        )


def fit(job: Job, device: Device) -> Fit:
    """How many rows to compute at once: as given, or as many as fit the memory and help the speed."""
    rows = max(1, job.recipe.batch // world_size())
    if job.micro_batch:
        given = Fit(divisor(rows, job.micro_batch))
        return given if _fits(job, given, device) else replace(given, recomputed=True)
    longest = max(len(row.ids) for row in job.train)
    most = divisor(rows, _CPU_TOKENS // longest) if device.kind == "cpu" else rows
    for recomputed in (False, True):
        how = Fit(most, recomputed)
        while how.rows > 1 and not _fits(job, how, device):
            how = Fit(divisor(rows, how.rows - 1), recomputed)
        if _fits(job, how, device):
            break
    return how


def smaller(how: Fit, batch: int) -> Fit | None:
    """What to try when even this ran out of memory; ``None`` if nothing is left."""
    if how.rows > 1:
        return replace(how, rows=divisor(batch, how.rows // 2))
    return None if how.recomputed else replace(how, recomputed=True)


def _fits(job: Job, how: Fit, device: Device) -> bool:
    return job.memory(how, device) <= _SHARE * device.free


def divisor(number: int, most: int) -> int:
    """The largest divisor of a number that is no larger than ``most``."""
    return next(each for each in range(max(1, min(number, most)), 0, -1) if number % each == 0)
