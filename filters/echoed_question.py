"""``echoed_question``: the answer only repeats the question, or the question already holds the answer."""

import re
from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.names import values
from generators.words import content_words, words

# "Is it sent as a header or as a cookie?" holds its answer, and must.
_TAIL = 60
_DIGIT = re.compile(r"\d")
_CHOICE = re.compile(r"\b(?:or|versus|vs)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EchoedQuestion:
    """Compares the words of question and answer."""

    name: str = "echoed_question"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if the answer adds nothing to the question."""
        question, answer = candidate.pair.question, candidate.pair.answer
        told_words = words(answer)
        asked, told = " ".join(words(question)), " ".join(told_words)
        if asked == told:
            return Drop("the answer is the question")
        if len(told_words) >= 3 and answer.rstrip().endswith("?") and candidate.pair.kind != "code":
            return Drop("the answer is a question")
        if _CHOICE.search(question):
            return None
        if len(told) > 12 and f" {told} " in f" {asked} ":
            return Drop("the question holds the whole answer")
        if not _DIGIT.search(answer) and _adds_nothing(question, answer):
            return Drop("the answer has no word that the question has not")
        return None


def _adds_nothing(question: str, answer: str) -> bool:
    """Whether the answer has words that carry meaning, and all of them, and all its values, stand in the question."""
    asked = content_words(question)
    # Most answers show by their last words that they say more.
    if not content_words(answer[-_TAIL:].partition(" ")[2]) <= asked:
        return False
    told = content_words(answer)
    return bool(told) and told <= asked and not values(answer) - values(question)


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return EchoedQuestion()
