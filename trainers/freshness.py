"""Whether a student says what the documents say now, or what they said when it was taught.

    answers to questions whose answer an edit changed ─▶ [Told(new | old | neither)] ─▶ Freshness(shares with intervals)

Both answers are known, so the rules that grade an exam are asked twice: which of the two does the student's match?
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trainers.grading import Key, grade
from trainers.statistics import Interval, accuracy

Which = Literal["new", "old", "neither"]
WHICH: tuple[Which, ...] = ("new", "old", "neither")


@dataclass(frozen=True, slots=True)
class Changed:
    """A question whose answer an edit changed.

    Attributes:
        question: As asked.
        old, new: The answers then and now.
        chunk: The section that the new one stands in.
    """

    question: str
    old: str
    new: str
    chunk: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a student said to one of them."""

    changed: Changed
    answer: str
    which: Which


@dataclass(frozen=True, slots=True)
class Freshness:
    """Shares of new, old and neither, each with its interval, clustered by section; and the answers behind them."""

    told: Sequence[Told]
    shares: dict[Which, Interval]


def freshness(changed: Sequence[Changed], answers: Sequence[str]) -> Freshness:
    """Grade one answer to each question against both answers."""
    told = [Told(each, answer, which(each, answer)) for each, answer in zip(changed, answers, strict=True)]
    chunks = [each.changed.chunk for each in told]
    shares = {name: accuracy([each.which == name for each in told], chunks) for name in WHICH}
    return Freshness(told, shares)


def which(changed: Changed, answer: str) -> Which:
    """Which of the two answers this one is; where the rules take it for both, the one whose words it shares more."""
    new, old = (grade(Key(changed.question, reference), answer) for reference in (changed.new, changed.old))
    if new.correct and old.correct:
        return "neither" if new.f1 == old.f1 else "new" if new.f1 > old.f1 else "old"
    return "new" if new.correct else "old" if old.correct else "neither"
