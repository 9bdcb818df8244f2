"""Which commit the documents were at, where they lie in a git repository.

    docs folders ─▶ [Commit(root, commit, dirty)];   none in a plain folder, or without git on this machine

The documents are read from disk, not from git: ``dirty`` says that they are not what the commit holds.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 20
# A repository's own settings may name programs to run: none of them is.
_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")


@dataclass(frozen=True, slots=True)
class Commit:
    """The state of one docs folder: as it was named, its commit, and whether files below it differ from it."""

    root: str
    commit: str
    dirty: bool


def commits_of(docs: Sequence[str]) -> list[Commit]:
    """Look each docs folder up; those that no repository holds are left out."""
    if shutil.which("git") is None:
        return []
    found = ((root, _commit_of(Path(root).expanduser())) for root in docs)
    return [Commit(root, *state) for root, state in found if state is not None]


def _commit_of(path: Path) -> tuple[str, bool] | None:
    folder = path if path.is_dir() else path.parent
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    changed = _git(folder, "status", "--porcelain", "--", str(path.resolve()))
    return None if not commit or changed is None else (commit, bool(changed))


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None if it fails, as outside of a repository."""
    # Inside a hook, these lead to the hook's repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *_SAFE, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None
