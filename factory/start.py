"""How a run that writes begins: settings, the workspace's lock. Only then is anything heavy imported or read.

flags ─▶ exit code; a second run on the same workspace is turned away at once
"""

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from factory.config import resolve
from factory.lock import locked
from generators.teachers import parse_spec


def start_generate(
    flags: Mapping[str, Any], *, preview: int | None, dry_run: bool, retire_all: bool, quiet: bool, as_json: bool
) -> int:
    """``factory generate``."""
    settings = resolve(flags, Path.cwd())
    parse_spec(settings.teacher)
    with nullcontext() if dry_run else locked(Path(settings.out).expanduser()):
        from factory.run import run_generate

        return run_generate(
            settings, preview=preview, dry_run=dry_run, retire_all=retire_all, quiet=quiet, as_json=as_json
        )
