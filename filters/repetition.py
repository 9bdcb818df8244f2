"""``repetition``: a reply that went round in circles: the same words again and again, which its section does not do."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.words import words

_SENTENCE_END = re.compile(r"[.!?\n]")
_SENTENCE = 20  # characters, at least
_TIMES = 3  # so often in a row, or so many equal sentences
_LONGEST_CYCLE = 12  # words


@dataclass(frozen=True, slots=True)
class Repetition:
    """Looks for a phrase that follows itself, and for a sentence that comes back."""

    name: str = "repetition"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if question or answer goes in circles."""
        for text in (candidate.pair.question, candidate.pair.answer):
            phrase = _cycle(words(text)) or _refrain(text)
            if phrase and f" {phrase} {phrase} " not in f" {' '.join(words(candidate.chunk.text))} ":
                return Drop(f"repeats '{phrase[:60]}'")
        return None


def _cycle(said: Sequence[str]) -> str:
    """The shortest phrase that stands ``_TIMES`` times in a row; a single word must do so twice as often."""
    # Each of its words stands so often, too; in most texts few do so twice.
    if len(said) - len(set(said)) < _TIMES - 1 or max(Counter(said).values()) < _TIMES:
        return ""
    for length in range(1, min(_LONGEST_CYCLE, len(said) // _TIMES) + 1):
        times = 2 * _TIMES if length == 1 else _TIMES
        run = 0
        for at in range(length, len(said)):
            run = run + 1 if said[at] == said[at - length] else 0
            if run >= length * (times - 1):
                return " ".join(said[at - length + 1 : at + 1])
    return ""


def _refrain(text: str) -> str:
    parts = [part for part in _SENTENCE_END.split(text) if len(part) >= _SENTENCE]
    if len(parts) < _TIMES:
        return ""
    sentences = [" ".join(words(part)) for part in parts]
    return next((sentence for sentence in sentences if sentence and sentences.count(sentence) >= _TIMES), "")


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return Repetition()
