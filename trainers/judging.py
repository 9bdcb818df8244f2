"""A judge: a model that grades answers the rules cannot, and says which of two is better. Its name goes with its work.

    grade_all(judge, desk, [(Key, answer), …]) ─▶ [Judgement(outcome, votes)]
    compare_all(judge, desk, [(Key, student's, teacher's), …]) ─▶ [Preference]

Graded as correct, incorrect or not attempted, after SimpleQA (arXiv 2411.04368), with the question, the reference, its
quotes and its section. Pairs are asked about in both orders; a judge that changes its mind with the order has seen a
tie (arXiv 2306.05685). A teacher that judges its own student flatters it (arXiv 2502.01534): ``is_own_teacher``.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from generators.teachers import Request
from trainers.abstaining import abstains
from trainers.grading import Key, Outcome
from trainers.prompting import Desk, grade_request, pair_request
from trainers.remote import Heard

Winner = Literal["student", "teacher", "tie"]
_OUTCOMES: tuple[Outcome, ...] = ("incorrect", "not_attempted", "correct")
# Two answers differ in length by this much before it counts in full: tanh of the difference in so many characters.
_LENGTH_UNIT = 200.0


class Judge(Protocol):
    """Who is asked; ``remote.Remote`` is one."""

    @property
    def spec(self) -> str:
        """How the user names it."""

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""

    async def replies(self, requests: Sequence[Request]) -> list[Heard]:
        """Ask all; what came of each, in their order."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge made of one answer; ``outcome`` is None where it gave no usable vote."""

    outcome: Outcome | None
    votes: tuple[Outcome, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Preference:
    """Which answer a judge took for better, and whether it said so in both orders.

    ``longer`` is how much longer the student's answer is, -1 to 1; None as ``winner`` means no usable reply.
    """

    winner: Winner | None
    consistent: bool
    longer: float


def is_own_teacher(judge: str, teachers: Sequence[str]) -> bool:
    """Whether a judge also taught: the same model, by whichever provider it is reached."""
    return judge.rpartition("/")[2] in {teacher.rpartition("/")[2] for teacher in teachers}


async def grade_all(judge: Judge, desk: Desk, answers: Sequence[tuple[Key, str]], votes: int = 1) -> list[Judgement]:
    """Grade answers by ``votes`` votes each; abstentions cost no request. Of tied votes the harsher holds."""
    open_places = [place for place, (key, answer) in enumerate(answers) if not _declined(key, answer)]
    requests = [
        grade_request(desk, *answers[place], vote, is_local=judge.is_local)
        for place in open_places
        for vote in range(votes)
    ]
    heard = iter(await judge.replies(requests))
    found = {place: _judged([next(heard) for _ in range(votes)]) for place in open_places}
    declined = Judgement("not_attempted", why="declined to answer")
    return [found.get(place, declined) for place in range(len(answers))]


async def compare_all(judge: Judge, desk: Desk, answers: Sequence[tuple[Key, str, str]]) -> list[Preference]:
    """Ask about each pair of answers, the student's and the teacher's, in both orders."""
    requests = [
        pair_request(desk, key, *order, is_local=judge.is_local)
        for key, student, teacher in answers
        for order in ((student, teacher), (teacher, student))
    ]
    heard = await judge.replies(requests)
    return [
        _preferred(_choice(heard[2 * place].text, "better"), _choice(heard[2 * place + 1].text, "better"), *texts)
        for place, (_, *texts) in enumerate(answers)
    ]


def length_controlled(preferences: Sequence[Preference]) -> float | None:
    """The student's win rate as it would be with answers of equal length, 0 to 1; ``None`` without any.

    A logistic regression of the preference on the difference in length, read at zero (Dubois et al., arXiv 2404.04475);
    a ridge on the slope keeps few preferences from inventing one.
    """
    told = [each for each in preferences if each.winner is not None]
    if not told:
        return None
    outcomes = [{"student": 1.0, "tie": 0.5, "teacher": 0.0}[each.winner or "tie"] for each in told]
    level = slope = 0.0
    for _ in range(500):
        shares = [1 / (1 + math.exp(-(level + slope * each.longer))) for each in told]
        errors = [outcome - share for outcome, share in zip(outcomes, shares, strict=True)]
        # A little pull to zero on the level too, so that unanimous preferences have an end.
        level += 2.0 * (sum(errors) / len(told) - 0.005 * level)
        slope += 2.0 * (sum(e * each.longer for e, each in zip(errors, told, strict=True)) / len(told) - 0.02 * slope)
    return 1 / (1 + math.exp(-level))


def _declined(key: Key, answer: str) -> bool:
    return abstains(answer) and not abstains(key.reference) and len(answer) < 200


def _judged(heard: Sequence[Heard]) -> Judgement:
    told = [(_choice(each.text, "grade"), _choice(each.text, "why")) for each in heard]
    votes: tuple[Outcome, ...] = tuple(outcome for vote, _ in told for outcome in _OUTCOMES if outcome == vote)
    if not votes:
        return Judgement(None, why=next((each.failed or each.lost for each in heard if each.failed or each.lost), ""))
    counts = Counter(votes)
    outcome = max(_OUTCOMES, key=lambda each: (counts[each], -_OUTCOMES.index(each)))
    return Judgement(outcome, votes, next((why for vote, why in told if vote == outcome), ""))


def _preferred(first: str, second: str, student: str, teacher: str) -> Preference:
    """The student's answer came first in the first request and second in the second."""
    longer = math.tanh((len(student) - len(teacher)) / _LENGTH_UNIT)
    one = {"first": "student", "second": "teacher", "tie": "tie"}.get(first)
    other = {"first": "teacher", "second": "student", "tie": "tie"}.get(second)
    if one is None or other is None:
        return Preference(None, consistent=False, longer=longer)
    winner: Winner = "tie" if one != other or one == "tie" else "student" if one == "student" else "teacher"
    return Preference(winner, one == other, longer)


def _choice(text: str, key: str) -> str:
    """A value of the JSON object in a reply, whatever stands around it; empty if there is none."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        match = re.search(rf'"{key}"\s*:\s*"((?:[^"\\]|\\.)*)"', text)
        return match[1] if match else ""
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""
