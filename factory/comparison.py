"""A score beside the one before it, on the questions that both asked: only those say whether a student got better.

workspace, answers of this score ─▶ {"report", "student", "version", "common", "before", "now", "change", "ci95"}
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from factory.reports import newest_report
from generators.errors import UsageError
from trainers.figures import rounded
from trainers.statistics import difference

_SETS = ("seen", "unseen")


def compared(root: Path, answers: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any] | None:
    """Compare the student's answers with those of the newest report; ``None`` if there is no report to compare with.

    Args:
        root: The workspace.
        answers: The rows of ``answers.jsonl`` of this score.
        seed: Of the resamples.
    """
    try:
        folder = newest_report(root)
        report = json.loads((folder / "report.json").read_text("utf-8"))
        lines = (folder / "answers.jsonl").read_text("utf-8").split("\n")
        earlier = _graded(json.loads(line) for line in lines if line)
        told = {"report": folder.name, "student": report["student"], "version": report["version"]}
    except (UsageError, OSError, ValueError, LookupError, TypeError):
        return None  # nothing to compare with is no fault of this score
    now = _graded(answers)
    common = sorted(now.keys() & earlier.keys())
    before_right, now_right = ([table[each][0] for each in common] for table in (earlier, now))
    change = difference(now_right, before_right, [now[each][1] for each in common], seed)
    return {
        **told,
        "common": len(common),
        "before": rounded(sum(before_right) / len(common)) if common else None,
        "now": rounded(sum(now_right) / len(common)) if common else None,
        "change": rounded(change.value),
        "ci95": change.ends(),
    }


def _graded(answers: Any) -> dict[str, tuple[bool, str]]:  # noqa: ANN401 - rows of a file
    """Question id → whether the student was right, and the section it is about."""
    return {
        row["id"]: (row["grade"]["outcome"] == "correct", row["chunk"])
        for row in answers
        if row["system"] == "student" and row["set"] in _SETS
    }


def comparison_line(found: Mapping[str, Any] | None) -> str:
    """One line for the summary and the report; empty where there is nothing to say."""
    if not found or not found["common"]:
        return ""
    low, high = found["ci95"] or (None, None)
    ends = f", 95 % interval {low:+.0%} to {high:+.0%}" if low is not None else ""
    return (
        f"{found['student']} ({found['version']}, {found['report']}) had {found['before']:.0%} of the "
        f"{found['common']} questions that both were asked, now it is {found['now']:.0%} ({found['change']:+.0%}{ends})"
    )
