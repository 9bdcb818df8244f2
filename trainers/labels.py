"""Answers that are labels: precision, recall and F1 a label; and how well two graders agree.

[("yes", "no"), …] ─▶ {"yes": LabelScore(…), …}          cohens_kappa(one, other) ─▶ -1 to 1
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainers.grading import normalised

# References are labels if each is this short and comes this often.
_MOST_WORDS, _LEAST_OFTEN = 3, 3


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How one label was met: shares from 0 to 1; ``None`` where nothing was said, or nothing was to be found."""

    support: int
    precision: float | None
    recall: float | None
    f1: float


def labels_among(references: Sequence[str]) -> list[str]:
    """The references that are labels: a few words, each the answer of several questions; normalised, sorted."""
    often = Counter(normalised(reference) for reference in references)
    return sorted(
        label for label, count in often.items() if count >= _LEAST_OFTEN and label and len(label.split()) <= _MOST_WORDS
    )


def said_label(answer: str, labels: Sequence[str]) -> str:
    """The label that an answer says: the first to stand in it, the longest of those; empty if none does."""
    text = f" {normalised(answer)} "
    places = [(text.find(f" {label} "), -len(label), label) for label in labels if f" {label} " in text]
    return min(places)[2] if places else ""


def label_scores(told: Sequence[tuple[str, str]]) -> Mapping[str, LabelScore]:
    """Score every label.

    Args:
        told: (label that is right, label that was said or an empty text) a question.
    """
    scores: dict[str, LabelScore] = {}
    for label in sorted({right for right, _ in told}):
        hits = sum(right == said == label for right, said in told)
        support, guesses = sum(right == label for right, _ in told), sum(said == label for _, said in told)
        scores[label] = LabelScore(
            support, hits / guesses if guesses else None, hits / support if support else None,
            2 * hits / (support + guesses) if support + guesses else 0.0,
        )  # fmt: skip
    return scores


def macro_f1(scores: Mapping[str, LabelScore]) -> float:
    """The plain mean over labels; 0 without any."""
    return sum(score.f1 for score in scores.values()) / len(scores) if scores else 0.0


def cohens_kappa(one: Sequence[str], other: Sequence[str]) -> float | None:
    """Agreement of two graders beyond chance (Cohen 1960); ``None`` where it is not defined.

    Args:
        one: Labels of the first grader.
        other: Labels of the second, of the same items in the same order.
    """
    if len(one) != len(other):
        raise ValueError("two graders must have graded the same items")
    total = len(one)
    if not total:
        return None
    agreed = sum(a == b for a, b in zip(one, other, strict=True)) / total
    first, second = Counter(one), Counter(other)
    by_chance = sum(first[label] * second[label] for label in first) / total**2
    return None if by_chance == 1 else (agreed - by_chance) / (1 - by_chance)
