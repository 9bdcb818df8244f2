"""A score as the object of ``score --json`` and of ``report.json``.

Score ─▶ {"systems": {name: {"seen": {"n", "accuracy", "ci95"}, "unseen": …}}, "gap_closed", "verdict", …}
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from factory.agreement import judge_and_rules
from factory.examine import Score
from trainers.figures import Figures, rounded
from trainers.judging import length_controlled
from trainers.labels import macro_f1
from trainers.statistics import Interval


def score_json(score: Score) -> dict[str, Any]:
    """Everything that the score found, by the rules; the judge's figures stand apart, under its name."""
    found = score.by_rules
    return {
        **_figures(found),
        "verdict": score.verdict.word,
        "reasons": [asdict(reason) for reason in score.verdict.reasons],
        "version": score.version,
        "student": score.student,
        "specs": {answer.system: answer.spec for answer in score.answers},
        "general": _both(found.general, found.general_change),
        "unanswerable": _both(found.unanswerable, found.unanswerable_change),
        "labels": _labels(found),
        "judge": _judge(score),
        "agreement": None if score.agreement is None else asdict(score.agreement),
        "warnings": score.warnings,
        "cost_usd": None if score.cost_usd is None else round(score.cost_usd, 6),
    }


def _figures(found: Figures) -> dict[str, Any]:
    return {
        "systems": {
            system: {name: each.as_json() for name, each in sets.items()} for system, sets in found.systems.items()
        },
        "gap_closed": rounded(found.gap.closed.value),
        "gap_closed_ci95": found.gap.closed.ends(),
        "student_against": {
            system: {**_interval(each.difference, "difference"), "p_value": float(f"{each.p_value:.3g}")}
            for system, each in found.against.items()
        },
    }


def _both(shares: Mapping[str, Interval], change: Interval) -> dict[str, Any]:
    return {
        **{system: {"n": share.n, **_interval(share, "accuracy")} for system, share in shares.items()},
        "change": rounded(change.value),
        "change_ci95": change.ends(),
    }


def _interval(interval: Interval, name: str) -> dict[str, Any]:
    return {name: rounded(interval.value), "ci95": interval.ends()}


def _labels(found: Figures) -> dict[str, Any] | None:
    if not found.labels:
        return None
    each = {label: asdict(score) for label, score in found.labels.items()}
    return {"student": each, "macro_f1": rounded(macro_f1(found.labels))}


def _judge(score: Score) -> dict[str, Any] | None:
    """The judge's figures, each in an object that begins with its name."""
    if score.by_judge is None:
        return None
    winners = Counter(each.winner for each in score.preferences)
    told = len(score.preferences) - winners[None]
    return {
        "spec": score.judge,
        "votes": score.votes,
        "own_teacher": score.own_teacher,
        **_figures(score.by_judge),
        "kappa_with_rules": rounded(judge_and_rules(score.answers)),
        "student_vs_teacher": {
            "n": told,
            "wins": winners["student"],
            "ties": winners["tie"],
            "losses": winners["teacher"],
            "inconsistent": sum(not each.consistent for each in score.preferences if each.winner),
            "win_rate": rounded((winners["student"] + winners["tie"] / 2) / told if told else None),
            "length_controlled_win_rate": rounded(length_controlled(score.preferences)),
        },
    }
