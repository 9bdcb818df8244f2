"""What a training run works on, and what it will need.

Job (base, rows, recipe, folder) ─▶ memory in bytes, rows at once
"""

from dataclasses import dataclass
from pathlib import Path

from trainers.base import Base
from trainers.lora import Recipe, adapter_size
from trainers.machine import Device, memory_needed, world_size
from trainers.order import LengthOrder
from trainers.sft_data import Encoded, Tokenizer

# Tokens of a micro-batch on a CPU: more are no faster there.
_CPU_TOKENS = 1536


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

    @property
    def order(self) -> LengthOrder:
        """The order of the training rows."""
        return LengthOrder([len(row.ids) for row in self.train], self.recipe.batch, self.recipe.seed)

    def memory(self, micro: int, device: Device) -> int:
        """Bytes that the run will take with so many rows at once."""
        longest = max(len(row.ids) for row in (*self.train, *self.validation))
        shape = self.base.config
        return memory_needed(
            self.base.parameters,
            adapter_size(shape, self.recipe),
            int(shape["hidden_size"]),
            int(shape["num_hidden_layers"]),
            micro * longest,
            quantize=self.recipe.quantize,
            device=device,
        )


def micro_batch(job: Job, device: Device) -> int:
    """How many rows to compute at once: as given, or as many as fit the memory and help the speed."""
    rows = max(1, job.recipe.batch // world_size())
    if job.micro_batch:
        return divisor(rows, job.micro_batch)
    micro = rows
    longest = max(len(row.ids) for row in job.train)
    while micro > 1 and (
        job.memory(micro, device) > 0.9 * device.free or (device.kind == "cpu" and micro * longest > _CPU_TOKENS)
    ):
        micro = divisor(rows, micro - 1)
    return micro


def divisor(number: int, most: int) -> int:
    """The largest divisor of a number that is no larger than ``most``."""
    return next(each for each in range(max(1, min(number, most)), 0, -1) if number % each == 0)
