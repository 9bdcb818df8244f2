"""``echoed_question``: the answer only repeats the question, or the question already holds the answer."""

import re
from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.names import values
from generators.words import content_words, words

# "Is it sent as a header or as a cookie?" holds its answer, and must.
_CHOICE = re.compile(r"\b(?:or|versus|vs)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EchoedQuestion:
    """Compares the words of question and answer."""

    name: str = "echoed_question"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if the answer adds nothing to the question."""
        question, answer = candidate.pair.question, candidate.pair.answer
        asked, told = " ".join(words(question)), " ".join(words(answer))
        if asked == told:
            return Drop("the answer is the question")
        if len(words(answer)) >= 3 and answer.rstrip().endswith("?") and candidate.pair.kind != "code":
            return Drop("the answer is a question")
        if _CHOICE.search(question):
            return None
        if len(told) > 12 and f" {told} " in f" {asked} ":
            return Drop("the question holds the whole answer")
        if (
            content_words(answer)
            and not any(c.isdigit() for c in answer)
            and not values(answer) - values(question)
            and content_words(answer) <= content_words(question)
        ):
            return Drop("the answer has no word that the question has not")
        return None


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return EchoedQuestion()
