"""The general set: large enough, checkable, and checked by rules that hold."""

from collections import Counter

import pytest

from trainers.general import _RULES, general_items, passes

BY_ID = {item.id: item for item in general_items()}
BY_QUESTION = {item.question: item for item in general_items()}


def test_the_set_is_large_enough_and_of_three_kinds():
    kinds = Counter(item.kind for item in general_items())
    assert sum(kinds.values()) >= 200
    assert set(kinds) == {"arithmetic", "knowledge", "instructions"}
    assert min(kinds.values()) >= 50
    assert len(BY_ID) == len(BY_QUESTION) == sum(kinds.values())


def test_every_item_has_rules_that_exist_and_that_an_empty_answer_breaks():
    for item in general_items():
        assert set(item.check) <= set(_RULES), item.id
        assert not passes(item, ""), item.id
        assert not passes(item, "I cannot help with that."), item.id


def test_arithmetic_is_right():
    for item in general_items():
        words = item.question.split()
        if words[:2] == ["What", "is"] and words[3:4] == ["+"]:
            assert int(item.check["number"]) == int(words[2]) + int(words[4].rstrip("?"))


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("How many days are in 3 weeks? Reply with the number only.", "3 x 7 = 21.", True),
        ("How many days are in 3 weeks? Reply with the number only.", "21 or 22", False),
        ("What is 1000 minus 1? Reply with the number only.", "999", True),
        ("What is the capital of France?", "It's Paris, of course.", True),
        ("What is the capital of France?", "Parisian", False),
        ("What is the chemical symbol of gold?", "Au", True),
        ("Reply with the single word: banana", "Banana.", True),
        ("Reply with the single word: banana", "A banana", False),
        ("Write the word cat in capital letters.", "CAT", True),
        ("Write the word cat in capital letters.", "cat", False),
        ("Name two colours.", "Red and blue.", True),
        ("Name two colours.", "Red and red.", False),
        ("Count from 1 to 5.", "1, 2, 3, 4, 5", True),
        ("Count from 1 to 5.", "1, 2, 4, 3, 5", False),
        ("Write the word moon three times.", "moon moon moon", True),
        ("Write the word moon three times.", "moon moon", False),
        ("Begin your reply with the word Perhaps and say something about the weather.", "Perhaps it rains.", True),
        ("End your reply with the word done. Say something about tea.", "Tea is warm. Done.", True),
        ("Write a question about food. It must end with a question mark.", "Is it good?", True),
        ("Answer in one word: What is the opposite of left?", "Right.", True),
        ("Answer in one word: What is the opposite of left?", "It is right.", False),
        ("Write a sentence about winter without the letter z.", "It is freezing in winter.", False),
    ],
)
def test_rules_see_what_was_asked_for(question, answer, expected):
    assert passes(BY_QUESTION[question], answer) is expected
