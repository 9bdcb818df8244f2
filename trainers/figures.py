"""The figures of a score: from graded answers to accuracies, gaps and differences, each with its interval.

    figures([Answer, …], seed) ─▶ Figures(systems, gap, general, …)

By the rules of ``grading``, or by the judge: the same figures, of the same answers, with another notion of right.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from trainers.evaluate import SYSTEMS, Answer
from trainers.grading import Outcome, normalised
from trainers.labels import LabelScore, label_scores, labels_among, said_label
from trainers.statistics import Gap, Interval, accuracy, difference, gap_closed, mcnemar

By = Literal["rules", "judge"]
_SETS = ("seen", "unseen")
_LEAST_LABELLED = 10


@dataclass(frozen=True, slots=True)
class SetScore:
    """How one system did on one set; ``f1`` is the mean token F1."""

    accuracy: Interval
    incorrect: int
    not_attempted: int
    f1: float | None

    def as_json(self) -> dict[str, Any]:
        """For ``--json``: shares of 1."""
        return {
            "n": self.accuracy.n,
            "accuracy": rounded(self.accuracy.value),
            "ci95": self.accuracy.ends(),
            "incorrect": self.incorrect,
            "not_attempted": self.not_attempted,
            "f1": rounded(self.f1),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The student against another system on one set: paired difference and McNemar's p-value."""

    difference: Interval
    p_value: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures by one grader.

    Attributes:
        systems: System → set → score.
        gap: On the seen questions.
        against: System → the student against it, on the seen questions.
        general: ``student`` and ``base`` on the general set; ``general_change`` is their difference.
        unanswerable: Likewise on questions that should be declined.
        labels: Scores of the student's label answers, where the references are labels.
    """

    systems: Mapping[str, Mapping[str, SetScore]]
    gap: Gap
    against: Mapping[str, Comparison]
    general: Mapping[str, Interval] = field(default_factory=dict)
    general_change: Interval = field(default_factory=lambda: Interval(None))
    unanswerable: Mapping[str, Interval] = field(default_factory=dict)
    unanswerable_change: Interval = field(default_factory=lambda: Interval(None))
    labels: Mapping[str, LabelScore] = field(default_factory=dict)


def figures(answers: Sequence[Answer], by: By = "rules", seed: int = 0) -> Figures:
    """Compute everything; ``answers`` must hold every system's answer to every question, or none of them."""
    outcome = _OUTCOMES[by]
    table = _table(answers)
    systems = {
        system: {name: _set_score(table, system, name, outcome) for name in _SETS}
        for system in SYSTEMS
        if any((system, name) in table for name in _SETS)
    }
    seen = {system: _right(table, system, "seen", outcome) for system in systems}
    chunks = [answer.question.chunk for answer in table.get(("student", "seen"), ())]
    student, base, teacher = (seen.get(system, []) for system in ("student", "base", "teacher"))
    gap = gap_closed(student, base, teacher, chunks, seed)
    against = {
        system: Comparison(difference(seen["student"], right, chunks, seed), mcnemar(seen["student"], right))
        for system, right in seen.items()
        if system != "student" and "student" in seen
    }
    general, change = _both(table, "general", seed)
    unanswerable, unanswerable_change = _both(table, "unanswerable", seed)
    return Figures(
        systems, gap, against, general, change, unanswerable, unanswerable_change, _labels(table)
    )  # fmt: skip


def rounded(number: float | None) -> float | None:
    """Four digits: more than any exam can tell."""
    return None if number is None else round(number, 4)


def _by_rules(answer: Answer) -> Outcome:
    return answer.grade.outcome


def _by_judge(answer: Answer) -> Outcome:
    judged = answer.judgement
    return judged.outcome if judged is not None and judged.outcome is not None else "incorrect"


_OUTCOMES: Mapping[By, Callable[[Answer], Outcome]] = {"rules": _by_rules, "judge": _by_judge}
_Table = Mapping[tuple[str, str], Sequence[Answer]]


def _table(answers: Iterable[Answer]) -> _Table:
    """(system, set) → answers, the questions of a set in one order for all systems."""
    found: dict[tuple[str, str], list[Answer]] = {}
    for answer in sorted(answers, key=lambda each: each.question.id):
        found.setdefault((answer.system, answer.question.set), []).append(answer)
    return found


def _right(table: _Table, system: str, name: str, outcome: Callable[[Answer], Outcome]) -> list[bool]:
    return [outcome(answer) == "correct" for answer in table.get((system, name), ())]


def _set_score(table: _Table, system: str, name: str, outcome: Callable[[Answer], Outcome]) -> SetScore:
    answers = table.get((system, name), ())
    outcomes = [outcome(answer) for answer in answers]
    right = [each == "correct" for each in outcomes]
    return SetScore(
        accuracy(right, [answer.question.chunk for answer in answers]),
        outcomes.count("incorrect"),
        outcomes.count("not_attempted"),
        sum(answer.grade.f1 for answer in answers) / len(answers) if answers else None,
    )


def _both(table: _Table, name: str, seed: int) -> tuple[dict[str, Interval], Interval]:
    """Student and base on a set that rules check whoever grades the rest, and the difference."""
    found = {system: table.get((system, name), ()) for system in ("student", "base")}
    right = {system: [answer.grade.correct for answer in answers] for system, answers in found.items()}
    chunks = [answer.question.chunk for answer in found["student"]]
    shares = {system: accuracy(each, chunks) for system, each in right.items()}
    return shares, difference(right["student"], right["base"], chunks, seed)


def _labels(table: _Table) -> Mapping[str, LabelScore]:
    """Precision, recall and F1 of the student where enough references are labels."""
    answers = [answer for name in _SETS for answer in table.get(("student", name), ())]
    labels = labels_among([answer.question.reference for answer in answers])
    told = [
        (right, said_label(answer.text, labels))
        for answer in answers
        if (right := normalised(answer.question.reference)) in labels
    ]
    return label_scores(told) if len(told) >= _LEAST_LABELLED and len(labels) > 1 else {}
