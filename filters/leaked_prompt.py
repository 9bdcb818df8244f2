"""``leaked_prompt``: chat-template tokens, JSON scaffolding or the prompt's own words in a question or an answer."""

import re
from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig

_TOKENS = re.compile(
    # By its first letter nearly every place of a text is passed over at once.
    r"(?=[<\[\"'\]}w])(?:<\|[\w ]+\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>"
    r"|\"(?:quotes|questions|answer|kind|facts)\"\s*:|[\"'\]}]\s*,\s*\"?kind\b|\bwordings? of the question\b)"
    r"|^(?:(?:question|answer)\s*\d*|[qa]\d*)\s*[:.]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class LeakedPrompt:
    """Looks for what only a prompt or a chat template writes; what the documentation itself writes is no leak."""

    name: str = "leaked_prompt"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if a leak stands in the question or answer and not in the chunk."""
        for text in (candidate.pair.question, candidate.pair.answer):
            for found in _TOKENS.finditer(text):
                if found[0] not in candidate.chunk.text:
                    return Drop(f"holds '{found[0]}'")
        return None


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return LeakedPrompt()
