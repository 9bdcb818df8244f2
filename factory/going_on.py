"""``factory train --continue``: what a student that was trained before still has to learn.

    latest version, its training rows, the student ─▶ the new rows, and as many old ones against forgetting

New are rows that the version which the student was trained on does not have: added facts, and the corrections of what
an edit changed. The recipe's shape (rank, layers, …) is the student's own.
"""

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from factory.store import Version
from generators.errors import UsageError
from generators.unanswerable import draw
from trainers.base import Base
from trainers.lora import Recipe
from trainers.sft_data import Example
from trainers.student import check_base
from trainers.student_folder import read_manifest

# What an adapter that exists has settled.
_SETTLED = ("rank", "alpha", "layers", "quantize", "context", "method")


def going_on(recipe: Recipe, student: Path, base: Base) -> Recipe:
    """The recipe with what the student's adapter has settled.

    Raises:
        UsageError: The base is not the one that the adapter was made for.
    """
    manifest = read_manifest(student)
    check_base(student, manifest, base)
    before = {name: manifest["settings"][name] for name in _SETTLED if name in {each.name for each in fields(recipe)}}
    return replace(recipe, **before, onward=manifest["adapter_sha256"])


def what_is_new(version: Version, rows: Sequence[Example], student: Path) -> tuple[list[Example], str]:
    """The rows to go on with, and a line that says what they are.

    Raises:
        UsageError: There is nothing new.
    """
    manifest = read_manifest(student)
    name = manifest["dataset"]["version"]
    known = _known(version.path.parent / name, manifest["system_prompt"] == version.manifest["system_prompt"])
    new = [row for row in rows if _chat(row) not in known]
    old = [row for row in rows if _chat(row) in known]
    if not new:
        raise UsageError(f"nothing to go on with: {student.name} was trained on all rows of {version.name} already")
    replayed = sorted(old, key=lambda row: draw("replay", manifest["adapter_sha256"], row.messages[-2:]))[: len(new)]
    told = f"goes on from {student.name} ({name}): {len(new)} new rows, {len(replayed)} of {len(old)} old ones"
    return [*new, *replayed], told


def _known(version: Path, same_prompt: bool) -> frozenset[tuple[str, ...]]:
    """The training chats of a version, without the system message; none if it is gone or spoke otherwise."""
    file = version / "train.jsonl"
    if not same_prompt or not file.is_file():
        return frozenset()
    lines = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]
    return frozenset(tuple(turn["content"] for turn in row["messages"] if turn["role"] != "system") for row in lines)


def _chat(row: Example) -> tuple[str, ...]:
    return tuple(turn.content for turn in row.messages if turn.role != "system")
