"""``echoed_question``: the answer only repeats the question, or the question already holds the answer."""

from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.words import content_words, words


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
        if len(told) > 12 and f" {told} " in f" {asked} ":
            return Drop("the question holds the whole answer")
        if len(words(answer)) >= 3 and answer.rstrip().endswith("?") and candidate.pair.kind != "code":
            return Drop("the answer is a question")
        if (
            content_words(answer)
            and not any(c.isdigit() for c in answer)
            and content_words(answer) < content_words(question)
        ):
            return Drop("the answer has no word that the question has not")
        return None


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return EchoedQuestion()
