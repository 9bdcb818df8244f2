"""Grades an answer against the quote-backed reference by rules alone: the same answer gets the same grade, for nothing.

    grade(Key(question, reference, quotes, source), answer) ─▶ Grade(outcome, f1, missing, wrong, how)

In this order: an abstention is *not attempted*; yes and no must agree; code is compared token by token; every exact
value (identifier, number, path, status code) that the question asks for must stand in the answer and no other of that
kind that nobody stated; and where nothing exact is asked for, the words decide. ``docs/scoring.md`` explains the
thresholds. The rules cannot see that two different sentences say the same; for that there is ``judging``.
"""

import math
import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from generators.words import content_words
from trainers.abstaining import abstains
from trainers.asked import Asked, asked_for, states, unstated

Outcome = Literal["correct", "incorrect", "not_attempted"]

# Where the question's form points at no value, so many of the statement's values must stand in the answer, with so many
# of the words that the reference has beyond the question.
VALUES_SHARE, LEAST_TOLD = 2 / 3, 1 / 3
# Words decide: SQuAD's token F1, and the share of what the reference says beyond the question.
LEAST_F1, LEAST_NEWS = 0.6, 0.5
# A short answer to a long reference: nearly all that is new, in few words.
TERSE_F1, TERSE_NEWS = 0.25, 0.8
LEAST_CODE_RECALL = 0.9

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_FENCE = re.compile(r"(?:```|~~~)[^\n]*\n(.*?)(?:```|~~~|\Z)", re.DOTALL)
_CODE_TOKEN = re.compile(r"\w+|[^\w\s]")
_YES_NO = re.compile(r"^\W*(yes|no|true|false)\b", re.IGNORECASE)
_DENIAL = re.compile(
    r"\b(?:not|never|no|none|nothing|neither|nor|cannot|without|unsupported|\w+n't)\b|\bcan't\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Key:
    """What an answer is graded by.

    Attributes:
        question: As asked.
        reference: The right answer.
        quotes: Verbatim from the documents; they carry the reference.
        source: The section that the quotes stand in; values that stand there contradict nothing. May be empty.
    """

    question: str
    reference: str
    quotes: Sequence[str] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Grade:
    """How an answer did.

    Attributes:
        outcome: ``correct``, ``incorrect`` or ``not_attempted``.
        f1: Token F1 with the reference, 0 to 1.
        missing: Values asked for that the answer does not state.
        wrong: Values stated that nobody knows of.
        how: What decided: ``abstained``, ``yes_no``, ``code``, ``values`` or ``words``.
    """

    outcome: Outcome
    f1: float
    missing: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    how: str = "words"

    @property
    def correct(self) -> bool:
        """Whether it counts."""
        return self.outcome == "correct"


def grade(key: Key, answer: str) -> Grade:
    """Grade one answer."""
    f1 = token_f1(answer, key.reference)
    asked = asked_for(key.question, key.reference)
    missing = tuple(sorted(value for value in asked.values if not states(answer, value)))
    if abstains(answer) and (missing or not asked.values) and not abstains(key.reference):
        return Grade("not_attempted", f1, missing, how="abstained")
    verdict = _YES_NO.match(key.reference)
    if verdict:
        return _yes_no(verdict[1], answer, f1)
    code = _FENCE.findall(key.reference)
    if code:
        return _code("\n".join(code), answer, f1)
    wrong = tuple(sorted(unstated(answer, asked, (key.question, key.reference, *key.quotes, key.source))))
    if asked.values:
        return Grade(_outcome(not wrong and _has_values(key, asked, answer, missing)), f1, missing, wrong, "values")
    return Grade(_outcome(not wrong and _says_the_same(key, answer, f1)), f1, (), wrong)


def token_f1(answer: str, reference: str) -> float:
    """Token F1 with SQuAD's normalisation (arXiv 1606.05250): lower case, no punctuation, no articles; 0 to 1."""
    told, wanted = Counter(normalised(answer).split()), Counter(normalised(reference).split())
    shared = (told & wanted).total()
    if not shared:
        return float(told == wanted)
    return 2 * shared / (told.total() + wanted.total())


def normalised(text: str) -> str:
    """A text as SQuAD compares it."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def _outcome(good: bool) -> Outcome:
    return "correct" if good else "incorrect"


def _yes_no(verdict: str, answer: str, f1: float) -> Grade:
    """Yes and no must agree; an answer that says neither is read by whether it denies."""
    found = _YES_NO.match(answer)
    said = found[1].lower() in ("yes", "true") if found else not _denies(answer)
    return Grade(_outcome(said == (verdict.lower() in ("yes", "true"))), f1, how="yes_no")


def _code(code: str, answer: str, f1: float) -> Grade:
    """Nearly all tokens of the reference's code, in whatever layout; names and values without exception."""
    wanted = Counter(_CODE_TOKEN.findall(code))
    told = Counter(_CODE_TOKEN.findall(answer))
    missing = tuple(sorted(token for token in wanted if token[0].isalnum() and token not in told))
    recall = (wanted & told).total() / max(1, wanted.total())
    return Grade(_outcome(not missing and recall >= LEAST_CODE_RECALL), f1, missing, how="code")


def _has_values(key: Key, asked: Asked, answer: str, missing: tuple[str, ...]) -> bool:
    """Every value that the question points at; or most of a statement's values, with some of what it says of them."""
    if asked.pointed:
        return not missing
    enough = len(asked.values) - len(missing) >= math.ceil(VALUES_SHARE * len(asked.values))
    return enough and _denies(answer) == _denies(key.reference) and _told(key, answer)[0] >= LEAST_TOLD


def _says_the_same(key: Key, answer: str, f1: float) -> bool:
    """Whether the words carry it: much the same ones, those included that the question did not give away."""
    if _denies(answer) != _denies(key.reference):
        return False
    told, news = _told(key, answer)
    return (f1 >= LEAST_F1 and told >= LEAST_NEWS) or (f1 >= TERSE_F1 and news > 0 and told >= TERSE_NEWS)


def _told(key: Key, answer: str) -> tuple[float, int]:
    """The share of what the reference says beyond the question that the answer says too, and how many words that is."""
    news = content_words(key.reference) - content_words(key.question)
    return (len(news & content_words(answer)) / len(news) if news else 1.0), len(news)


def _denies(text: str) -> bool:
    return _DENIAL.search(text.replace("’", "'")) is not None
