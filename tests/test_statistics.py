"""Intervals and tests: known values, and what must hold for any answers."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trainers.statistics import accuracy, difference, gap_closed, mcnemar, wilson

# Each question: its chunk, and who was right: student, base, teacher.
questions = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=40
)
few = settings(max_examples=25)


def columns(rows):
    chunks, *answers = zip(*rows, strict=True)
    return list(chunks), *(list(each) for each in answers)


def drawn(seed, n=400, chunks=100, shares=(0.7, 0.1, 0.9)):
    chance = random.Random(seed)
    return columns([(f"c{chance.randrange(chunks)}", *(chance.random() < p for p in shares)) for _ in range(n)])


@given(st.integers(1, 500), st.floats(0, 1))
def test_wilson_is_scipys(total, share):
    hits = round(total * share)
    expected = stats.binomtest(hits, total).proportion_ci(0.95, "wilson")
    assert wilson(hits, total) == pytest.approx((expected.low, expected.high), abs=1e-9)


@few
@given(questions)
def test_an_accuracy_lies_in_its_interval_and_the_interval_in_0_to_1(rows):
    chunks, student, _, _ = columns(rows)
    found = accuracy(student, chunks)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high > found.low


@few
@given(questions)
def test_questions_of_one_chunk_tell_less_than_as_many_of_several(rows):
    _, student, _, _ = columns(rows)
    apart = accuracy(student, [str(place) for place in range(len(student))])
    together = accuracy(student, ["same"] * len(student))
    assert together.high - together.low >= apart.high - apart.low - 1e-9


@few
@given(questions, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(rows, chance):
    shuffled = list(rows)
    chance.shuffle(shuffled)
    for one, other in zip(*(figures(each) for each in (rows, shuffled)), strict=True):
        assert one == other


def figures(rows):
    chunks, student, base, teacher = columns(rows)
    return difference(student, base, chunks), gap_closed(student, base, teacher, chunks), mcnemar(student, base)


@few
@given(questions)
def test_a_difference_turned_round_has_the_other_sign(rows):
    chunks, student, base, _ = columns(rows)
    one, other = difference(student, base, chunks), difference(base, student, chunks)
    assert one.value == pytest.approx(-other.value)
    assert (one.low is None) == (other.low is None)
    assert mcnemar(student, base) == pytest.approx(mcnemar(base, student))


@few
@given(questions)
def test_a_student_like_the_teacher_has_closed_the_gap_and_one_like_the_base_nothing_of_it(rows):
    chunks, student, base, teacher = columns(rows)
    if sum(teacher) > sum(base):
        assert gap_closed(teacher, base, teacher, chunks).closed.value == 1
        assert gap_closed(base, base, teacher, chunks).closed.value == 0
    else:
        found = gap_closed(student, base, teacher, chunks)
        assert found.closed.value is None
        assert "no gap to close" in found.warning


def test_the_same_seed_gives_the_same_interval():
    chunks, student, base, teacher = drawn(1)
    assert gap_closed(student, base, teacher, chunks, 3) == gap_closed(student, base, teacher, chunks, 3)
    assert gap_closed(student, base, teacher, chunks, 3) != gap_closed(student, base, teacher, chunks, 4)


def test_a_wide_gap_is_measured_and_a_narrow_one_warned_of():
    chunks, student, base, teacher = drawn(2)
    found = gap_closed(student, base, teacher, chunks)
    assert found.warning == ""
    assert found.closed.low < 0.75 < found.closed.high
    chunks, student, base, teacher = drawn(3, n=60, shares=(0.5, 0.5, 0.55))
    assert "points apart" in gap_closed(student, base, teacher, chunks).warning or sum(teacher) <= sum(base)


def test_intervals_cover_the_truth_as_often_as_they_say():
    """Independent questions, 60 of 0.7: about 95 of 100 intervals hold 0.7; clusters that agree need wider ones."""
    chance, held = random.Random(5), 0
    for _ in range(200):
        right = [hit for _ in range(20) for hit in [chance.random() < 0.7] * 3]
        found = accuracy(right, [f"c{place // 3}" for place in range(60)])
        held += found.low <= 0.7 <= found.high
    assert held >= 180


def test_mcnemar_counts_only_what_differs():
    one = [True] * 50 + [True] * 9 + [False]
    other = [True] * 50 + [False] * 9 + [True]
    assert mcnemar(one, other) == pytest.approx(stats.binomtest(1, 10).pvalue)
    assert mcnemar(one, one) == 1


def test_nothing_to_measure_is_said_as_nothing():
    assert accuracy([], []).ends() is None
    assert difference([], [], []).value is None
    assert difference([True], [False], ["one chunk"]).ends() is None
    assert gap_closed([True], [False], [True], ["one chunk"]).closed.ends() is None
