"""The table ``[versions]`` of ``factory.toml``: which published versions stay on the disk.

{"keep": 30} ─▶ VersionsConfig
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generators.errors import UsageError


@dataclass(frozen=True, slots=True)
class VersionsConfig:
    """How long versions are kept.

    Attributes:
        keep: How many of the newest to keep, beside the latest and those that students were made of; 0 keeps all.
    """

    keep: int = 0


def versions_of(table: Any, path: Path) -> VersionsConfig:  # noqa: ANN401 - from a file
    """Check the table; ``UsageError`` for what is wrong in it."""
    if not isinstance(table, dict):
        raise UsageError(f"{path}: versions = {table!r} must be a table: [versions]")
    for key, value in table.items():
        if key != "keep":
            raise UsageError(f"{path}: no setting 'versions.{key}' (there are: keep)")
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise UsageError(f"{path}: versions.keep = {value!r} is no whole number from 0 on")
    return VersionsConfig(**table)
