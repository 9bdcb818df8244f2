"""The table ``[gate]`` of ``factory.toml``: when a student may ship.

{"gap_closed": 0.7} ─▶ GateConfig
"""

from dataclasses import fields
from pathlib import Path
from typing import Any

from generators.errors import UsageError
from trainers.gate import GateConfig

_GRADERS = ("rules", "judge")


def gate_of(table: Any, path: Path) -> GateConfig:  # noqa: ANN401 - from a file
    """Check the table; ``UsageError`` for what is wrong in it."""
    if not isinstance(table, dict):
        raise UsageError(f"{path}: gate = {table!r} must be a table: [gate]")
    known = [entry.name for entry in fields(GateConfig)]
    for key, value in table.items():
        if key not in known:
            raise UsageError(f"{path}: no setting 'gate.{key}' (there are: {', '.join(known)})")
        _check(key, value, path)
    return GateConfig(**table)


def _check(key: str, value: Any, path: Path) -> None:  # noqa: ANN401 - from a file
    if key == "by":
        if value not in _GRADERS:
            raise UsageError(f"{path}: gate.by = {value!r} must be one of {', '.join(_GRADERS)}")
        return
    whole = key == "min_questions"
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise UsageError(f"{path}: gate.{key} = {value!r} is no {'whole ' * whole}number")
    least, most = (1, float("inf")) if whole else (-1, 1)
    if not least <= value <= most:
        raise UsageError(f"{path}: gate.{key} = {value} must be from {least} to {most:g}")
