"""The join of alike questions against counting by hand, on repetitive text, whatever the blocks."""

import random
from fractions import Fraction

import numpy as np
import pytest

from filters import alike_questions
from filters.alike_questions import AlikeQuestions

WORDS = ("limit", "requests", "per", "minute", "service", "key", "of", "the", "a", "Größe", "限制")


def grams(text):
    folded = text.lower()
    return {folded[i : i + 5] for i in range(max(1, len(folded) - 4))}


def by_hand(texts, seekers, others, may, threshold):
    sets = [grams(text) for text in texts]
    found = {}
    for one in seekers:
        for other in others:
            shared = len(sets[one] & sets[other])
            similarity = Fraction(shared, len(sets[one] | sets[other]))
            if may(one, other) and similarity >= threshold:
                found[one] = (other, float(similarity))
                break
    return found


def corpus(chance, kind, count):
    if kind == "numbered":
        return [f"What is the limit of service {chance.randrange(400)} in requests per minute?" for _ in range(count)]
    if kind == "copies":
        return [f"What is the limit of the service, {'xyz'[number % 3]}?" for number in range(count)]
    if kind == "short":
        return ["".join(chance.choices("ab?", k=chance.randrange(9))) for _ in range(count)]
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(0, 12))) for _ in range(count // 3)]
    for _ in range(count - len(texts)):
        words = chance.choice(texts).split()
        if words:
            words[chance.randrange(len(words))] = chance.choice(WORDS)
        texts.append(" ".join(words))
    return texts


@pytest.mark.parametrize("threshold", [Fraction(1, 2), Fraction(4, 5), Fraction(1)])
@pytest.mark.parametrize("kind", ["numbered", "copies", "short", "mixed"])
@pytest.mark.parametrize("at_once", [5, 1 << 20])
def test_the_first_like_of_each_is_found_and_nothing_else(monkeypatch, threshold, kind, at_once):
    monkeypatch.setattr(alike_questions, "_AT_ONCE", at_once)
    chance = random.Random(f"{kind}{threshold}")
    texts = corpus(chance, kind, 150)
    ranks = np.array(chance.choices([0, 0, 0, 1, 2], k=len(texts)))
    seekers, others = np.flatnonzero(ranks < 2), np.flatnonzero(ranks > 0)

    def may(one, other):
        return ranks[other] > ranks[one]

    found = AlikeQuestions(texts, threshold).first(seekers, others, may)
    assert {one: (other, similarity) for one, other, similarity in found} == by_hand(
        texts, seekers.tolist(), others.tolist(), may, threshold
    )


def test_nothing_among_nothing():
    none = np.zeros(0, np.int64)
    assert list(AlikeQuestions([], Fraction(4, 5)).first(none, none, lambda one, other: one == other)) == []
    [one] = [AlikeQuestions(["a"], Fraction(4, 5))]
    assert list(one.first(np.array([0]), none, lambda one, other: one != other)) == []


def test_a_question_longer_than_places_are_counted():
    chance = random.Random(1)
    long = " ".join(str(chance.random()) for _ in range(6000))
    found = AlikeQuestions([long, "short", long + "?"], Fraction(4, 5)).first(
        np.array([2]), np.array([0, 1]), lambda one, other: one != other
    )
    assert [(one, other) for one, other, _ in found] == [(2, 0)]
