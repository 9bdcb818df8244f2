"""The order of the training rows: neighbours of one length, everything else by the seed.

lengths, seed, epoch ─▶ row numbers;   of rows that take turns, some in each epoch

Rows are shuffled, sorted by length inside windows of a few batches, cut into batches, and the batches are shuffled:
little padding, and still another order in each epoch. The order depends on nothing else, so a run that was killed goes
on with it, and a smaller micro-batch does not change which rows share a step.
"""

import random
from collections.abc import Iterator, Sequence

_WINDOW = 8  # batches


class LengthOrder:
    """A sampler for ``torch``'s DataLoader; set ``epoch`` before each pass."""

    def __init__(
        self, lengths: Sequence[int], batch: int, seed: int, turns: Sequence[int] = (), at_once: int = 0
    ) -> None:  # fmt: skip
        """Order rows of these lengths; those numbered in ``turns`` take turns, ``at_once`` of them in an epoch."""
        self.epoch = 0
        self._lengths = tuple(lengths)
        self._batch = batch
        self._seed = seed
        waiting = set(turns)
        self._always = [row for row in range(len(lengths)) if row not in waiting]
        self._turns = list(turns)
        random.Random(f"{seed}-turns").shuffle(self._turns)  # noqa: S311 - an order, no secret
        self._at_once = min(at_once, len(self._turns))

    def __len__(self) -> int:
        return len(self._always) + self._at_once

    def __iter__(self) -> Iterator[int]:
        return iter(self.rows(self.epoch))

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return -(-len(self) // self._batch)

    def rows(self, epoch: int) -> list[int]:
        """The row numbers of an epoch; a batch that is not full comes last."""
        chance = random.Random(f"{self._seed}-{epoch}")  # noqa: S311 - an order, no secret
        first = epoch * self._at_once
        rows = self._always + [self._turns[(first + each) % len(self._turns)] for each in range(self._at_once)]
        chance.shuffle(rows)
        batches = []
        for start in range(0, len(rows), self._batch * _WINDOW):
            window = sorted(rows[start : start + self._batch * _WINDOW], key=lambda row: -self._lengths[row])
            batches += [window[place : place + self._batch] for place in range(0, len(window), self._batch)]
        full = [batch for batch in batches if len(batch) == self._batch]
        chance.shuffle(full)
        return [row for batch in (*full, *(each for each in batches if len(each) < self._batch)) for row in batch]

    def tokens(self, first: int, last: int) -> int:
        """How many tokens the steps from ``first`` up to ``last`` (exclusive, counted over all epochs) read."""
        total = 0
        for epoch in range(first // self.steps, -(-last // self.steps)):
            begin, end = first - epoch * self.steps, last - epoch * self.steps
            rows = self.rows(epoch)[max(begin, 0) * self._batch : max(end, 0) * self._batch]
            total += sum(self._lengths[row] for row in rows)
        return total
