"""Answers of which nothing is left but a placeholder."""

import pytest

from filters.apply import Candidate, FilterConfig
from filters.redacted_answer import make
from generators.records import Chunk, Pair

CHUNK = Chunk("c", "a.md", ("Keys",), "The admin key is [API_KEY_1f3a]. Write to [EMAIL_1] within 30 days.", 1, 1, 9)


@pytest.mark.parametrize(
    ("question", "answer", "dropped"),
    [
        ("What is the admin key?", "[API_KEY_1f3a]", True),
        ("What is the admin key?", "`[API_KEY_1f3a]`.", True),
        ("What is the admin key?", "The admin key is [API_KEY_1f3a].", True),
        ("Which addresses does the admin have?", "[EMAIL_1] and [EMAIL_2]", True),
        ("Which kinds are there?", "[NATIONAL_ID_1], [PRIVATE_KEY_00ff]", True),
        ("When must I write, and where to?", "Within 30 days, to [EMAIL_1].", False),
        ("How is the key sent?", "In the header `X-Key: [API_KEY_1f3a]`.", False),
        ("Which code says so?", "[ERR_42]", False),
        ("What does a list look like?", "[1, 2]", False),
        ("What is the admin key?", "", False),
    ],
)
def test_only_what_says_nothing_else_is_dropped(question, answer, dropped):
    pair = Pair("p", "f", question, answer, ("q",), "value", "c", "openai/x", "0")
    drop = make(FilterConfig()).judge(Candidate(pair, CHUNK))
    assert (drop is not None) is dropped
    if drop:
        assert "redacted" in drop.detail
