"""The join of similar rows against counting by hand, whatever the blocks and the order."""

import random
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import similar_pairs
from filters.asked_names import names_asked, tell_apart
from filters.shingles import shingle
from filters.similar_rows import SimilarRows

WORDS = (
    "a",
    "key",
    "is",
    "sent",
    "in",
    "the",
    "header",
    "and",
    "call",
    "without",
    "fails",
    "with",
    "an",
    "error",
    "of",
)


def grams(text):
    """The word 3-grams of a text, as the contract has them."""
    found = re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.lower())
    return {tuple(found[i : i + 3]) for i in range(max(1, len(found) - 2))} if found else set()


def jaccard(a, b):
    return len(a & b) / len(a | b) if a & b else 0.0


def sequential(texts, threshold, block, salts=None):
    """Keep what has no kept twin; the kept rows, and for each dropped one its twins."""
    rows, kept, dropped = SimilarRows(threshold), [], {}
    for first in range(0, len(texts), block):
        part = range(first, min(first + block, len(texts)))
        numbers = rows.ahead([texts[i] for i in part], [salts[i] if salts else 0 for i in part])
        for number in numbers:
            twins = rows.twins(number)
            if twins:
                dropped[number] = twins
            else:
                rows.keep(number)
                kept.append(number)
    return kept, dropped


def by_hand(texts, threshold):
    kept, dropped = [], {}
    sets = [grams(text) for text in texts]
    for number, own in enumerate(sets):
        twins = [(jaccard(own, sets[other]), other) for other in kept]
        twins = sorted((t for t in twins if t[0] >= threshold), key=lambda t: (-t[0], t[1]))
        if twins:
            dropped[number] = twins
        else:
            kept.append(number)
    return kept, dropped


def corpus(chance, count):
    """Rows of few words, so that many are alike, some the same, some empty."""
    texts = []
    for _ in range(count):
        if texts and chance.random() < 0.6:
            words = chance.choice(texts).split()
            for _ in range(chance.randint(0, 2)):
                if words:
                    words[chance.randrange(len(words))] = chance.choice(WORDS)
        else:
            words = chance.choices(WORDS, k=chance.randint(0, 40))
        texts.append(" ".join(words))
    return texts


@pytest.mark.parametrize("block", [1, 7, 50, 300])
@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9, 1.0])
def test_every_twin_is_found_and_nothing_else(block, threshold):
    texts = corpus(random.Random(block), 300)
    kept, dropped = sequential(texts, threshold, block)
    expected_kept, expected = by_hand(texts, threshold)
    assert kept == expected_kept
    assert {row: [other for _, other in twins] for row, twins in dropped.items()} == {
        row: [other for _, other in twins] for row, twins in expected.items()
    }
    for row, twins in dropped.items():
        assert [similarity for similarity, _ in twins] == pytest.approx([s for s, _ in expected[row]])


def test_boilerplate_that_many_rows_share_is_looked_up_row_by_row(monkeypatch):
    texts = corpus(random.Random(1), 300)
    expected = sequential(texts, 0.7, 300)
    monkeypatch.setattr(similar_pairs, "_MOST_SHARING", 2)
    assert sequential(texts, 0.7, 300) == expected


def test_a_thousand_copies_are_one_row():
    kept, dropped = sequential(["How do I rotate a key? Call rotate and wait."] * 1000, 0.7, 1000)
    assert kept == [0]
    assert all(twins == [(1.0, 0)] for twins in dropped.values())


def test_rows_of_different_salts_are_no_twins():
    text = "the same words in the same order and nothing else"
    kept, _ = sequential([text, text, text], 0.7, 3, salts=[0, 5, 0])
    assert kept == [0, 1]


def test_rows_that_are_judged_in_another_order_find_the_kept_ones():
    texts = ["one two three four five six seven", "one two three four five six seven eight", "nothing of the kind"]
    rows = SimilarRows(0.7)
    first, second, third = rows.ahead(texts, [0, 0, 0])
    rows.keep(second)
    assert rows.twins(first) == [(pytest.approx(5 / 6), second)]
    assert rows.twins(third) == []


@given(st.lists(st.text(max_size=60), min_size=1, max_size=8))
def test_fingerprints_are_as_many_as_the_grams(texts):
    found = shingle(texts, [0] * len(texts))
    sizes = np.diff(found.offsets).tolist()
    for text, size in zip(texts, sizes, strict=True):
        if not re.search("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af']", text.lower()):
            assert size == len(grams(text))


@given(st.lists(st.text(max_size=60), min_size=2, max_size=8))
def test_fingerprints_of_a_row_do_not_depend_on_its_neighbours(texts):
    found = shingle(texts, [0] * len(texts))
    for row, text in enumerate(texts):
        alone = shingle([text], [0]).grams.tolist()
        assert found.grams[found.offsets[row] : found.offsets[row + 1]].tolist() == alone


def test_chinese_text_is_compared_character_by_character():
    one, other = "如何轮换一个密钥的值并等待它生效", "如何轮换一个密钥的值并等待它失效"
    assert np.diff(shingle([one], [0]).offsets).tolist() == [len(one) - 2]
    kept, _ = sequential([one, other], 0.5, 2)
    assert kept == [0]


def test_a_very_long_row_is_compared_by_its_beginning():
    chance = random.Random(2)
    long = " ".join(str(chance.random()) for _ in range(100_000))
    kept, dropped = sequential([long, "short", long + " end"], 0.7, 3)
    assert (kept, [*dropped]) == ([0, 1], [2])


# Names.


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("How do I rotate a key?", ()),
        ("What does `GET /v1/keys` return?", ("/v1/keys", "GET")),
        ("What does GET /v1/keys return?", ("/v1/keys",)),
        ("Is the timeout 30 s, or thirty?", ("30",)),
        ("Do three retries cost 1,000 units?", ("1000", "3")),
        ("What does max_retries do in httpx.Client() (since v2.1)?", ("httpx.Client", "max_retries", "v2.1")),
        ("Is `limit` needed, and userId?", ("limit", "userId")),
        ("Which flags, -v or --verbose, are right?", ("--verbose", "-v")),
        ("How do I build C++ or C#, e.g. on Linux and/or macOS?", ("C#", "C++", "macOS")),
        ("Does `**` differ from `*`?", ("*", "**")),
        ("Does one key do - or two?", ("2",)),
        ("Is application/json sent at 12:30?", ("12:30", "application/json")),
        ("What is key42, or the 2nd error-code?", ("2nd", "key42")),
    ],
)
def test_names_are_found_in_a_question(question, names):
    assert names_asked(question) == names


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("How do I install the Python client?", "How do I install the Ruby client?", True),
        ("How do I install the Python client?", "How can I install the Python client?", False),
        ("How do I install the Python client?", "how do i set up the python client", False),
        ("Does the call use GET here?", "Does the call use PUT here?", True),
        ("What does the limit parameter do?", "What does the offset parameter do?", True),
        ("What does the limit parameter do?", "What does the limit setting do?", False),
        ("How Do I Install The Client?", "How Do I Configure The Client?", False),
        ("Does Acme's client retry? Yes or no?", "Does Acme's client repeat? Please say?", False),
    ],
)
def test_words_that_are_marked_as_names_tell_questions_apart(one, other, apart):
    marked = frozenset(["limit", "offset"])
    assert tell_apart(one, other, marked, frozenset()) is apart
    assert tell_apart(other, one, frozenset(), marked) is apart
