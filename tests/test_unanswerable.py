"""Questions without an answer in the documents: as many as asked for, about names that nobody uses."""

import re

from generators.records import Chunk, Pair
from generators.unanswerable import OFF_TOPIC, UnanswerableConfig, still_unanswerable, unanswerable

TEXT = "Set `max_connections` and `default_encoding`; `retry_after_seconds` goes with `Retry-After` and `X-Request-Id`."
CHUNKS = {f"c{n}": Chunk(f"c{n}", "a.md", ("A", f"Part {n}"), f"{TEXT} See `part_{n}`.", 1, 9, 30) for n in range(20)}
PAIRS = [
    Pair(f"p{n}", f"f{n}", f"Question {n}?", "Answer.", ("q",), "value", f"c{n % 20}", "openai/x", "0")
    for n in range(95)
]
CONFIG = UnanswerableConfig(product="Quayline")


def test_there_are_as_many_as_the_share_says():
    made = unanswerable(PAIRS, CHUNKS, CONFIG)
    assert len(made) == 5  # of 100
    assert len({pair.question for pair in made}) == len({pair.id for pair in made}) == 5
    assert unanswerable(PAIRS[:10], CHUNKS, CONFIG) == []
    assert unanswerable(PAIRS, CHUNKS, UnanswerableConfig(share=0.0)) == []


def test_their_names_stand_nowhere():
    known = "\n".join(chunk.text for chunk in CHUNKS.values())
    for pair in unanswerable(PAIRS * 10, CHUNKS, CONFIG):
        assert "Quayline" in pair.answer
        assert pair.question in OFF_TOPIC or all(name not in known for name in re.findall(r"`([^`]+)`", pair.question))


def test_the_order_of_pairs_does_not_matter_and_the_seed_does():
    assert unanswerable(PAIRS[::-1], dict(reversed(CHUNKS.items())), CONFIG) == unanswerable(PAIRS, CHUNKS, CONFIG)
    other = UnanswerableConfig(product="Quayline", seed=1)
    assert unanswerable(PAIRS, CHUNKS, other) != unanswerable(PAIRS, CHUNKS, CONFIG)


def test_a_name_that_the_documents_learn_is_answerable():
    made = unanswerable(PAIRS, CHUNKS, CONFIG)
    named = next(pair for pair in made if "`" in pair.question)
    [name] = re.findall(r"`([^`]+)`", named.question)
    learnt = {**CHUNKS, "new": Chunk("new", "b.md", ("B",), f"`{name}` is new.", 1, 2, 5)}
    assert still_unanswerable(made, CHUNKS) == made
    assert named not in still_unanswerable(made, learnt)


def test_documents_without_names_give_what_they_can():
    plain = {"c0": Chunk("c0", "a.md", ("A",), "No names here.", 1, 2, 5)}
    made = unanswerable([PAIRS[0]] * 400, plain, CONFIG)
    assert {pair.question for pair in made} <= set(OFF_TOPIC)
