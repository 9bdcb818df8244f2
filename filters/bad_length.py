"""``bad_length``: a question or an answer that is empty, far too long, or cut off in the middle."""

import re
from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig

# In lower case only: an answer may well end in "Plan A".
_CUT_OFF = re.compile(r"(?:[,;(\[{=]|\b(?:and|or|the|a|an|of|to|with|by|for|is|are))$")


@dataclass(frozen=True, slots=True)
class BadLength:
    """Compares lengths in characters, and looks at how the answer ends."""

    config: FilterConfig
    name: str = "bad_length"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop what is too short, too long or visibly cut."""
        question, answer = candidate.pair.question.strip(), candidate.pair.answer.strip()
        config = self.config
        if len(question) < 10 or len(question) > config.max_question_chars:
            return Drop(f"the question has {len(question)} characters (10 to {config.max_question_chars})")
        if not config.min_answer_chars <= len(answer) <= config.max_answer_chars:
            return Drop(
                f"the answer has {len(answer)} characters ({config.min_answer_chars} to {config.max_answer_chars})"
            )
        if answer.count("```") % 2:
            return Drop("the answer ends inside a code fence")
        if "\n" not in answer and "`" not in answer[-2:] and _CUT_OFF.search(answer):
            return Drop(f"the answer ends in the middle: '…{answer[-30:]}'")
        return None


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return BadLength(config)
