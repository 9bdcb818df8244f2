"""Searches that remember the last one against searches that do not, while rows come, go and change sides."""

import random
from fractions import Fraction

import numpy as np
import pytest

from filters import gram_numbers
from filters.alike_questions import AlikeQuestions
from filters.standing_twins import StandingTwins
from generators.records import Pair

THRESHOLD = Fraction(4, 5)


def pair_of(number, question):
    return Pair(f"p{number:03d}", "fact", question, "An answer.", (), "limit", "chunk", "openai/x", "")


def anew(pairs, ranks, seekers, others, direction):
    found = AlikeQuestions([pair.question for pair in pairs], THRESHOLD).first(
        np.flatnonzero(seekers), np.flatnonzero(others), lambda one, other: (ranks[other] - ranks[one]) * direction > 0
    )
    return sorted(found)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_remembered_is_what_would_be_found_anew(seed):
    chance = random.Random(seed)
    texts = [f"What is the limit of service {chance.randrange(60)} in requests per minute?" for _ in range(120)]
    everything = [pair_of(number, text) for number, text in enumerate(texts)]
    standing, sides = StandingTwins(THRESHOLD), [chance.choice([0, 0, 1, 2]) for _ in everything]
    there = set(chance.sample(range(120), 80))
    for _ in range(25):
        there ^= set(chance.sample(range(120), chance.choice([0, 1, 12])))
        for number in chance.sample(range(120), chance.choice([0, 1, 12])):
            sides[number] = chance.choice([0, 1, 2])
        numbers = sorted(there)
        pairs, ranks = [everything[number] for number in numbers], np.array([sides[number] for number in numbers])
        rows = standing.rows(pairs)
        for direction, others in ((1, ranks > 0), (-1, ranks < 2)):
            seekers = (ranks < 2) if direction == 1 else np.array([chance.random() < 0.4 for _ in numbers])
            found = sorted(standing.first(rows, ranks, seekers, others, direction))
            assert found == anew(pairs, ranks, seekers, others, direction)


def test_nothing_among_nothing():
    none = np.zeros(0, np.int64)
    standing = StandingTwins(THRESHOLD)
    assert list(standing.first(standing.rows([]), none, none > 0, none > 0, 1)) == []


@pytest.mark.parametrize("table", [1, 1 << 12, 1 << 22])
def test_equal_grams_have_equal_numbers_whatever_is_numbered_by_sorting(monkeypatch, table):
    monkeypatch.setattr(gram_numbers, "_TABLE", table)
    chance = random.Random(table)
    texts = ["", "a", "abcde", "ABCDE", "İstanbul'da", "🙂🙂🙂🙂🙂🙂", "\ud800 alone", "what is the limit?" * 3]
    texts += ["".join(chance.choices("abcß限制é ", k=chance.randrange(30))) for _ in range(60)]
    sizes, grams = gram_numbers.numbered(texts)
    names: dict[str, int] = {}
    parts = np.split(grams, np.cumsum(sizes)[:-1])
    for text, own in zip(texts, parts, strict=True):
        folded = text.lower()
        held = {folded[at : at + 5] for at in range(max(1, len(folded) - 4))}
        assert len(own) == len(set(own.tolist())) == len(held)
        assert list(own) == sorted(own)
        names |= dict.fromkeys(held, 0)
    assert set(grams.tolist()) == set(range(len(names)))
    for gram in names:
        holders = [set(own.tolist()) for text, own in zip(texts, parts, strict=True) if _holds(text, gram)]
        assert set.intersection(*holders)


def _holds(text, gram):
    folded = text.lower()
    return gram in {folded[at : at + 5] for at in range(max(1, len(folded) - 4))}
