"""A diff of two versions as Markdown: the body of a pull request.

    Diff ─▶ text; what documents and teachers wrote is escaped, so that it can neither format nor notify

Long lists are cut, since GitHub takes 65,536 characters: ``factory diff --json`` has all.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from factory.announce import change_line
from factory.progress import money
from factory.visible import visible

if TYPE_CHECKING:
    from factory.diff import Diff

_ROWS = 50
_WIDTH = 240
# What Markdown or GitHub acts on, beside < and &: marks, mentions, addresses.
_ACTIVE = str.maketrans({mark: f"&#{ord(mark)};" for mark in "|@*_`[]()~\\:!"})


def markdown(diff: Diff) -> str:
    """Write the page."""
    blocks = [
        f"## Dataset {diff.old} → {diff.new}",
        _table(("", ""), _summary(diff)).replace("|  |  |", "| | |", 1),
        _list("Documents", _documents(diff)),
        _section("Answers that changed", ("question", "before", "now"), _corrections(diff)),
        _section("New pairs", ("document", "question", "answer"), _added(diff)),
        _section("Retired pairs", ("document", "question", "why"), _retired(diff)),
    ]
    return "\n\n".join(block for block in blocks if block)


def _summary(diff: Diff) -> list[tuple[str, ...]]:
    old, new = (", ".join(f"{e['commit'][:12]}{'+' if e['dirty'] else ''}" for e in side) for side in diff.commits)
    reasons = ", ".join(f"{reason} {count}" for reason, count in diff.reasons.items())
    return [
        ("documents", change_line(diff.changes)),
        ("pairs", f"+{len(diff.added)} −{len(diff.retired)}, {diff.kept} stay"),
        *([("retired", _safe(reasons))] if reasons else []),
        *([("commits", f"{old or 'none'} → {new or 'none'}")] if old or new else []),
        ("cost", f"{diff.requests} requests, {money(diff.cost_usd)}"),
    ]


def _documents(diff: Diff) -> list[str]:
    changes = diff.changes
    marked = [("added", path) for path in changes.added] + [("changed", path) for path in changes.changed]
    marked += [("removed", path) for path in changes.removed]
    lines = [f"{mark}: {_safe(path)}" for mark, path in marked]
    return lines + [f"moved: {_safe(old)} → {_safe(new)}" for new, old in changes.moved.items()]


def _corrections(diff: Diff) -> list[tuple[str, ...]]:
    return [
        (_safe(each.question), _safe(each.answer), _safe(each.replaced_by.answer))
        for each in diff.corrections
        if each.replaced_by
    ]


def _added(diff: Diff) -> list[tuple[str, ...]]:
    return [(_safe(row.document), _safe(row.pair.question), _safe(row.pair.answer)) for row in diff.added]


def _retired(diff: Diff) -> list[tuple[str, ...]]:
    return [(_safe(each.document), _safe(each.question), _safe(each.reason)) for each in diff.retired]


def _list(title: str, lines: Sequence[str]) -> str:
    shown = [f"- {line}" for line in lines[:_ROWS]] + _more(len(lines))
    return "\n".join([f"### {title}", "", *shown]) if lines else ""


def _section(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    table = "\n".join([_table(heads, rows[:_ROWS]), *_more(len(rows))])
    return f"<details><summary>{title} ({len(rows)})</summary>\n\n{table}\n\n</details>"


def _more(count: int) -> list[str]:
    return ["", f"… and {count - _ROWS} more"] if count > _ROWS else []


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _safe(text: str) -> str:
    """Text from outside in a table's cell: one line, no marks, cut to length."""
    return html.escape(visible(" ".join(text.split()), _WIDTH), quote=False).translate(_ACTIVE)
