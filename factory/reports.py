"""The reports of a workspace: one folder a score, numbered, written whole.

write_report(workspace, …) ─▶ reports/r0001/{report.md, report.json, answers.jsonl};   newest_report ─▶ its folder
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from generators.errors import StoppedError, UsageError
from generators.invisible import printable_json

_FOLDER = "reports"


def write_report(root: Path, page: str, score: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> Path:
    """Write a report beside its place and rename it; ``StoppedError`` on a full or failing disk.

    Args:
        root: The workspace.
        page: Markdown for people.
        score: What ``--json`` prints.
        answers: Every answer with its grade, one row each.
    """
    folder = root / _FOLDER
    name = f"r{_next_number(folder):04d}"
    draft = folder / f".{name}.draft"
    files = {
        "report.md": page,
        "report.json": _json(score, indent=1) + "\n",
        "answers.jsonl": "".join(_json(answer) + "\n" for answer in answers),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        for file, text in files.items():
            _write(draft / file, text)
        draft.rename(folder / name)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise StoppedError(f"cannot write {folder / name}: {error.strerror}; free some space and run again") from error
    return folder / name


def newest_report(root: Path) -> Path:
    """The folder of the newest report; ``UsageError`` if there is none."""
    number = _next_number(root / _FOLDER) - 1
    if not number:
        raise UsageError(f"there is no report in {root}: run 'factory score --out {root}' first")
    return root / _FOLDER / f"r{number:04d}"


def _next_number(folder: Path) -> int:
    taken = [int(path.name[1:]) for path in folder.glob("r[0-9]*") if path.name[1:].isdigit()]
    return max(taken, default=0) + 1


def _json(record: Mapping[str, Any], **style: Any) -> str:  # noqa: ANN401 - what json.dumps takes
    return printable_json(json.dumps(record, ensure_ascii=False, **style))


def _write(path: Path, text: str) -> None:
    with path.open("wb") as file:
        # A lone surrogate in an answer has no UTF-8: it is kept visible.
        file.write(text.encode("utf-8", "backslashreplace"))
        file.flush()
        os.fsync(file.fileno())
