"""Questions without an answer in the documents: as many as asked for, about names that nobody uses."""

import re

from generators.records import Chunk, Pair
from generators.unanswerable import OFF_TOPIC, UnanswerableConfig
from generators.unanswerable import unanswerable as by_fact

TEXT = "Set `max_connections` and `default_encoding`; `retry_after_seconds` goes with `Retry-After` and `X-Request-Id`."
CHUNKS = {f"c{n}": Chunk(f"c{n}", "a.md", ("A", f"Part {n}"), f"{TEXT} See `part_{n}`.", 1, 9, 30) for n in range(20)}
PAIRS = [
    Pair(f"p{n}", f"f{n}", f"Question {n}?", "Answer.", ("q",), "value", f"c{n % 20}", "openai/x", "0")
    for n in range(95)
]
CONFIG = UnanswerableConfig(share=0.2, product="Quayline")
OFF = {question for both in OFF_TOPIC for question in both}


def unanswerable(pairs, chunks, config):
    return [pair for made in by_fact(pairs, chunks, config).values() for pair in made]


def test_there_are_about_as_many_as_the_share_says_in_two_wordings_each():
    made = unanswerable(PAIRS, CHUNKS, CONFIG)
    assert 10 <= len(made) <= 60
    assert len({pair.question for pair in made}) == len({pair.id for pair in made}) == len(made)
    assert {len([each for each in made if each.fact == pair.fact]) for pair in made if "`" in pair.question} <= {1, 2}
    assert unanswerable(PAIRS, CHUNKS, UnanswerableConfig(share=0.0)) == []


def test_their_names_stand_nowhere():
    known = "\n".join(chunk.text for chunk in CHUNKS.values())
    for pair in unanswerable(PAIRS, CHUNKS, CONFIG):
        assert "Quayline" in pair.answer
        assert pair.question in OFF or all(name not in known for name in re.findall(r"`([^`]+)`", pair.question))


def test_other_pairs_and_their_order_do_not_matter_and_the_seed_does():
    made = unanswerable(PAIRS, CHUNKS, CONFIG)
    assert unanswerable(PAIRS[::-1], dict(reversed(CHUNKS.items())), CONFIG) == made
    few = unanswerable(PAIRS[:40], CHUNKS, CONFIG)
    assert {pair.question for pair in few} <= {pair.question for pair in made}
    other = UnanswerableConfig(share=0.2, product="Quayline", seed=1)
    assert unanswerable(PAIRS, CHUNKS, other) != made


def test_a_name_that_the_documents_learn_is_asked_no_more():
    named = next(pair for pair in unanswerable(PAIRS, CHUNKS, CONFIG) if "`" in pair.question)
    [name] = re.findall(r"`([^`]+)`", named.question)
    learnt = {**CHUNKS, "new": Chunk("new", "b.md", ("B",), f"`{name}` is new.", 1, 2, 5)}
    assert named not in unanswerable(PAIRS, learnt, CONFIG)


def test_documents_without_names_give_questions_about_something_else():
    plain = {"c0": Chunk("c0", "a.md", ("A",), "No names here.", 1, 2, 5)}
    made = unanswerable([pair for pair in PAIRS if pair.chunk == "c0"] * 9, plain, UnanswerableConfig(share=1.0))
    assert made
    assert {pair.question for pair in made} <= OFF
