"""How well a quote stands in its source."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.quotes import find_quote

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


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_any_part_of_a_text_stands_in_it(before, quote, after):
    assert find_quote(quote, f"{before}\n{quote}\n{after}") in (0.0, 1.0) or any(mark in quote for mark in "[]()\\")
    assert 0.0 <= find_quote(quote, after) <= 1.0


@pytest.mark.parametrize(
    "hostile", ["[" * 300_000, "](" * 300_000, "](" + "(" * 300_000, "\\" * 300_000, "*" * 300_000]
)
def test_no_text_takes_long(hostile):
    started = time.process_time()
    find_quote(hostile, SOURCE)
    find_quote("a quote of some length that is not there", hostile)
    assert time.process_time() - started < 2
