"""How well a quote stands in its source."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.quotes import find_quote, is_verbatim

SOURCE = (
    'The `retry` command retries a failed upload 4 times — see\n[the *guide*](https://x.y/a_(b) "Guide") for more.\n\n'
    "| name | about |\n|------|-------|\n| max\\_size | 50 MB |\n\n> Don’t use it twice…"
)


@pytest.mark.parametrize(
    "quote",
    [
        "retries a failed upload 4 times",
        "RETRIES a failed   upload\n4 times - see the guide for more.",
        "see [the guide](https://x.y/a_(b)) for more",
        "| max_size | 50 MB |",
        "max size 50 MB",
        "Don't use it twice...",
        "**retry** command",
    ],
)
def test_spaces_dashes_and_marks_do_not_matter(quote):
    assert find_quote(quote, SOURCE) == 1.0
    assert is_verbatim(quote, SOURCE)


@pytest.mark.parametrize(
    ("quote", "low", "high"),
    [
        ("The command retries a failed upload 4 times", 0.85, 0.99),
        ("retries a failed upload 5 times", 0.9, 0.99),
        ("An upload that fails is tried again", 0.2, 0.75),
        ("Nothing of the kind", 0.0, 0.7),
        (SOURCE * 3, 0.0, 0.4),
        ("", 0.0, 0.0),
        (" * ", 0.0, 0.0),
    ],
)
def test_what_was_changed_shows(quote, low, high):
    assert low <= find_quote(quote, SOURCE) <= high
    assert not is_verbatim(quote, SOURCE)


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_any_part_of_a_text_stands_in_it(before, quote, after):
    assert find_quote(quote, f"{before}\n{quote}\n{after}") in (0.0, 1.0) or any(mark in quote for mark in "[]()\\")
    assert 0.0 <= find_quote(quote, after) <= 1.0


@pytest.mark.parametrize(
    "hostile", ["[" * 300_000, "](" * 300_000, "](" + "(" * 300_000, "\\" * 300_000, "*" * 300_000]
)
def test_no_marks_take_long(hostile):
    started = time.process_time()
    find_quote(hostile, SOURCE)
    find_quote("a quote of some length that is not there", hostile)
    assert time.process_time() - started < 2


def test_a_long_quote_is_judged_by_all_of_it_and_in_time():
    rng = random.Random(1)
    page = " ".join("".join(rng.choices("abcdefgh", k=5)) for _ in range(800))
    words = page.split()[50:450]
    changed = " ".join([*words[:200], "something", *words[201:]])
    half = " ".join([*words[:200], *("".join(rng.choices("stuvwxyz", k=5)) for _ in range(200))])
    started = time.process_time()
    assert find_quote(" ".join(words), page) == 1.0
    assert 0.95 < find_quote(changed, page) < 1.0
    assert 0.4 < find_quote(half, page) < 0.8
    for length in (500, 2000, 4500, 9000, 100_000, 5_000_000):
        assert find_quote("".join(rng.choices("stuvwxyz ", k=length)), page) < 0.6
    assert time.process_time() - started < 5
