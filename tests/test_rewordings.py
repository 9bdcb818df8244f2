"""More wordings of a question by rules: what they keep, what they leave out, and where they come from."""

import pytest

from filters.leakage import LEAK
from generators.names import values
from generators.records import Pair
from generators.rewordings import TEACHER, rewordings, third_person


def _pair(question: str) -> Pair:
    return Pair("id", "fact", question, "An answer.", ("An answer.",), "how-to", "chunk", "local/x", "sha")


def _asked(question: str, count: int = 20) -> list[str]:
    return [pair.question for pair in rewordings(_pair(question), count)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How do I turn retries off?", "What is the way to turn retries off?"),
        ("What happens when the token expires?", "When the token expires, what happens?"),
        ("What is the default of `page_size`?", "If I do not set `page_size`, what is used?"),
        ("What is the field `sid` of the schema `Call`?", "In the schema `Call`, what is the field `sid`?"),
        ("What does `max_age` do?", "What is `max_age` for?"),
        ("What does the `Retry` class accept?", "Tell me what the `Retry` class accepts."),
        ("Which header carries the signature?", "What is the header that carries the signature?"),
        ("Which option does `push` take to run dry?", "What is the option that `push` takes to run dry?"),
        ("Which method is used to stream a body?", "I want to stream a body. Which method is that?"),
        ("Is the field `sid` of `Call` required or optional?", "May I leave out the field `sid` of `Call`?"),
        ("How many rows does a page hold?", "Please tell me: how many rows does a page hold?"),
    ],
)
def test_each_form_has_its_rules(question: str, expected: str) -> None:
    assert expected in _asked(question)


@pytest.mark.parametrize(
    ("question", "never"),
    [
        ("Which argument does HTTPX's `Client` accept?", "that does"),
        ("Which status codes mean that I wait?", "the status that codes"),
        ("What does the `Retry` class accept?", "Retrys"),
        ("Which extension allows hooks?", "a extension"),
    ],
)
def test_no_rule_breaks_the_grammar(question: str, never: str) -> None:
    assert _asked(question)
    assert not [wording for wording in _asked(question) if never in wording]


@pytest.mark.parametrize(
    "question",
    ["How do I pass {id} to `GET /v1/{id}`?", "What is `{name}`?", "Which {thing} of `a` sets {b}?", "Why {0}?", "{}"],
)
def test_braces_are_text(question: str) -> None:
    for wording in _asked(question):
        assert values(wording) >= values(question)


def test_a_wording_is_of_the_same_fact_and_says_who_made_it() -> None:
    found = rewordings(_pair("How do I turn retries off?"), 4)
    assert len(found) == 4
    assert len({pair.id for pair in found}) == 4
    assert {(pair.fact, pair.chunk, pair.answer, pair.teacher) for pair in found} == {
        ("fact", "chunk", "An answer.", TEACHER)
    }


def test_no_two_wordings_could_leak() -> None:
    question = "How do I configure the client to call directly into an async Python web application over a proxy?"
    asked = [question, *_asked(question)]
    for at, one in enumerate(asked):
        for other in asked[at + 1 :]:
            grams = [{text.lower()[i : i + 5] for i in range(len(text) - 4)} for text in (one, other)]
            assert len(grams[0] & grams[1]) / len(grams[0] | grams[1]) < LEAK


def test_a_question_of_no_known_form_has_none() -> None:
    assert _asked("Retries?") == []


@pytest.mark.parametrize(
    ("verb", "form"), [("match", "matches"), ("apply", "applies"), ("play", "plays"), ("use", "uses"), ("do", "does")]
)
def test_third_person(verb: str, form: str) -> None:
    assert third_person(verb) == form
