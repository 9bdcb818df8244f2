"""The table ``[train]`` of ``factory.toml``, and what the settings of training may be.

{"rank": 32, "batch": 8} ─▶ TrainConfig
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from generators.errors import UsageError
from trainers.lora import CONTEXTS, METHODS, PRESETS, QUANTIZE, TrainConfig

# Of the settings beside the table.
CHOICES: Mapping[str, tuple[str, ...]] = {
    "quantize": QUANTIZE,
    "method": METHODS,
    "preset": PRESETS,
    "context": CONTEXTS,
}
_ANY = float("inf")
_LIMITS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("rank", "alpha", "rate", "micro_batch", "checkpoint_seconds"), (0, _ANY)),
    **dict.fromkeys(("batch", "patience"), (1, _ANY)),
    **dict.fromkeys(("warmup", "replay_share"), (0, 1)),
    "dropout": (-1, 0.9),
    "slack": (-1, 10),
    "max_tokens": (16, _ANY),
}


def train_of(table: Any, path: Path) -> TrainConfig:  # noqa: ANN401 - from a file
    """Check the table; ``UsageError`` for what is wrong in it."""
    if not isinstance(table, dict):
        raise UsageError(f"{path}: train = {table!r} must be a table: [train]")
    defaults = {entry.name: entry.default for entry in fields(TrainConfig)}
    for key, value in table.items():
        if key not in defaults:
            raise UsageError(f"{path}: no setting 'train.{key}' (there are: {', '.join(defaults)})")
        _check(key, value, defaults[key], path)
    return TrainConfig(**table)


def _check(key: str, value: Any, default: Any, path: Path) -> None:  # noqa: ANN401 - from a file
    kind = type(default)
    if isinstance(value, bool) or not isinstance(value, int | float if kind is float else kind):
        raise UsageError(f"{path}: train.{key} = {value!r} should be like {default!r}")
    if kind is str:
        return
    least, most = _LIMITS[key]
    if not (least <= value <= most and value != _ANY):
        span = f"from {least:g} to {most:g}" if most < _ANY else f"{least:g} or more"
        raise UsageError(f"{path}: train.{key} = {value} must be {span}")
