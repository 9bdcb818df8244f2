"""How well the graders of a score agree with a person, and with each other.

    agreement(labels.jsonl, answers) ─▶ Agreement(rows, rules, judge)

A labels file is rows of some ``answers.jsonl`` with one more key: ``"person": "correct" | "incorrect" |
"not_attempted"``. A label counts for the very answer that was labelled: same question, same system, same text.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generators.errors import UsageError
from trainers.evaluate import Answer
from trainers.labels import cohens_kappa

OUTCOMES = ("correct", "incorrect", "not_attempted")
_LEAST_ROWS = 100


@dataclass(frozen=True, slots=True)
class Agreement:
    """Cohen's κ with a person; None where it cannot be told.

    Attributes:
        rows: Labelled answers that this score holds.
        rules: κ of the rules, and ``rules_share`` of equal grades.
        judge: κ of the judge, and ``judge_share``.
        warnings: What limits them.
    """

    rows: int
    rules: float | None
    rules_share: float | None
    judge: float | None = None
    judge_share: float | None = None
    warnings: tuple[str, ...] = ()


def agreement(file: Path, answers: Sequence[Answer]) -> Agreement:
    """Compare; ``UsageError`` if the file is not what it should be, or labels none of these answers."""
    labels = _read(file)
    told = [(answer, labels[key]) for answer in answers if (key := _key(answer)) in labels]
    if not told:
        raise UsageError(f"{file} labels none of these answers: label rows of this student's newest answers.jsonl")
    person = [label for _, label in told]
    rules = [answer.grade.outcome for answer, _ in told]
    few = () if len(told) >= _LEAST_ROWS else (f"only {len(told)} labelled answers: κ needs {_LEAST_ROWS} or more",)
    judged = [(answer.judgement.outcome, label) for answer, label in told if answer.judgement]
    judge = [str(outcome) for outcome, _ in judged]
    beside = [label for _, label in judged]
    return Agreement(
        len(told), cohens_kappa(rules, person), _share(rules, person), cohens_kappa(judge, beside),
        _share(judge, beside), few,
    )  # fmt: skip


def judge_and_rules(answers: Sequence[Answer]) -> float | None:
    """κ of the judge and the rules, on all answers that both graded."""
    both = [(answer.grade.outcome, str(answer.judgement.outcome)) for answer in answers if answer.judgement]
    return cohens_kappa([one for one, _ in both], [other for _, other in both])


def _share(one: Sequence[str], other: Sequence[str]) -> float | None:
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one) if one else None


def _key(answer: Answer) -> tuple[str, str, str]:
    return answer.system, answer.question.id, answer.text


def _read(file: Path) -> dict[tuple[str, str, str], str]:
    found = {}
    try:
        for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
            if line.strip():
                row = json.loads(line)
                if row["person"] not in OUTCOMES:
                    raise UsageError(f'{file}, line {number}: "person" must be one of {", ".join(OUTCOMES)}')
                found[row["system"], row["id"], row["answer"]] = row["person"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f'cannot read the labels in {file} ({error!r}): rows of answers.jsonl with "person"'
        ) from error
    return found
