"""Rows against forgetting: the base's own answers to questions that the exam does not ask."""

import pytest

pytest.importorskip("transformers")

from generators.unanswerable import OFF_TOPIC
from trainers.general import general_items
from trainers.replay import MOST, replay_questions, replayed


class Base:
    """Answers in as many words as the question has letters, and stops only at an even number."""

    asked = 0

    def whole_answers(self, conversations, max_tokens):
        self.asked += 1
        return ["" if len(chat[-1].content) % 2 else f"About {chat[-1].content}" for chat in conversations]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FACTORY_CACHE", str(tmp_path))


def test_the_exam_is_not_taught():
    questions = replay_questions()
    assert MOST <= len(questions) == len(set(questions))
    assert not {item.question for item in general_items()} & set(questions)


def test_what_is_taught_to_be_declined_is_not_examined_as_knowledge():
    assert not {item.question for item in general_items()} & {question for pair in OFF_TOPIC for question in pair}


def test_the_bases_own_answers_are_kept_and_it_is_asked_once():
    base = Base()
    rows = replayed("abc", 50, lambda: base)
    assert len(rows) == 50
    assert all(row.messages[1].content == f"About {row.messages[0].content}" for row in rows)
    asked = base.asked
    assert replayed("abc", 50, lambda: pytest.fail("asked again")) == rows
    assert replayed("abc", 20, lambda: pytest.fail("asked again")) == rows[:20]
    assert replayed("abc", 90, lambda: base)[:50] == rows
    assert base.asked > asked
    assert len(replayed("abc", 10_000, lambda: base)) < MOST
    everything = base.asked
    replayed("abc", 10_000, lambda: pytest.fail("asked again"))
    assert base.asked == everything


def test_a_cache_that_is_damaged_is_made_anew(tmp_path):
    base = Base()
    replayed("abc", 5, lambda: base)
    [file] = (tmp_path / "replay").iterdir()
    file.write_text("{broken")
    assert len(replayed("abc", 5, lambda: base)) == 5
    assert base.asked == 2
