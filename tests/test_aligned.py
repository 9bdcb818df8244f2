"""Where a quote comes from, in the section's own words, and what it says otherwise."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.aligned import Aligned, aligned, with_passages
from generators.differing import difference
from generators.records import Chunk, Pair

HEADING = ("Acme API", "Rate limits")
TEXT = (
    "The client retries a **failed** upload 4 times. Use `X-Rate-Limit` to see what is left — don’t guess.\n"
    "Do not send the key in the query.\n\n"
    "See [the guide](https://x/y) for a list of 120 keys, and\nmax_size of 50 MB.\n\n"
    "1. First, sign in.\n2. Then ask within 30 seconds."
)


def found(quote):
    return aligned(quote, HEADING, TEXT)


@pytest.mark.parametrize(
    ("quote", "passages"),
    [
        ("The client retries a **failed** upload 4 times.", None),
        ("retries a failed  UPLOAD\n4 times", ["retries a **failed** upload 4 times"]),
        ("“See the guide for a list of 120 keys”", ["See [the guide](https://x/y) for a list of 120 keys"]),
        ("TH e CLIe nt RETRIe S", ["The client retries"]),
        ("X-Rate-Limit to see what is left - don't guess", ["`X-Rate-Limit` to see what is left — don’t guess"]),
        ("The client retries ... within 30 seconds.", ["The client retries", "within 30 seconds."]),
        ("see what is left […] max size of 50 MB", ["see what is left", "max_size of 50 MB"]),
        ("Rate limits", ["Rate limits"]),
        ("Rate limits: The client retries a failed upload", ["Rate limits", "The client retries a **failed** upload"]),
        ("First, sign in. Then ask within 30 seconds.", ["First, sign in.\n2. Then ask within 30 seconds"]),
        ("The client retries the failed upload 4 times", ["The client retries a **failed** upload 4 times"]),
        ("see what is lef", ["see what is left"]),
    ],
)
def test_the_sections_own_words_stand_for_the_quote(quote, passages):
    told = found(quote)
    assert list(told.passages) == ([quote] if passages is None else passages)
    assert told.difference == ""
    assert told.similarity > 0.85
    assert all(passage in TEXT or passage in HEADING for passage in told.passages)


@pytest.mark.parametrize(
    ("quote", "evidence"),
    [
        ("The client retries a failed upload 5 times.", "'5' against '4'"),
        ("The client never retries a failed upload 4 times.", "'not' against ''"),
        ("send the key in the query", "'' against 'not'"),
        ("Do send the key in the query.", "'' against 'not'"),
        ("for a list of 12", "'12' against '120'"),
        ("a list of 120 keys, and max_size of 50 GB", "'gb' against 'mb'"),
        ("Then ask within 30 minutes.", "'minute' against 'second'"),
        ("Use `X-Rate-Left` to see what is left", "'X-Rate-Left' against 'X-Rate-Limit'"),
        ("Use `X-Rate", "'' against 'X-Rate-Limit'"),
        ("a list of 120 keys, and min_size of 50 MB", "'min_size' against 'max_size'"),
    ],
)
def test_what_the_section_says_otherwise_shows(quote, evidence):
    assert found(quote).difference == evidence


def test_what_stands_nowhere_has_no_passage():
    assert found("Webhooks are signed with a secret of the account.").passages == ()
    assert aligned("", HEADING, TEXT) == aligned(" ** ", HEADING, TEXT) == Aligned()
    assert found("a ... b ... c").passages == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It takes three keys.", "It takes 3 keys."),
        ("1,000 calls a day", "1000 calls in a day"),
        ("You can't do it", "You cannot do that"),
        ("Call the API for it", "Call the api for it"),
    ],
)
def test_spellings_of_the_same_are_no_difference(one, other):
    assert difference(one, other) == difference(other, one) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("from 1 to 100 keys", "from 100 to 1 keys"),
        ("The field is supported here", "The field is unsupported here"),
        ("The plan allows many calls", "The plan forbids many calls"),
        ("You must do it", "You should do it"),
        ("Call GET /v1/keys first", "Call GET /v2/keys first"),
    ],
)
def test_what_matters_is_a_difference_either_way(one, other):
    assert difference(one, other)
    assert difference(other, one)


@settings(deadline=None)
@given(st.text(), st.text(min_size=1), st.text())
def test_what_was_copied_is_found_and_every_passage_is_verbatim(before, quote, behind):
    text = f"{before} {quote} {behind}"
    told = aligned(quote, ("T",), text)
    assert all(passage in text or passage == "T" for passage in told.passages)
    assert quote.strip() == "" or told.passages


@pytest.mark.parametrize("hostile", ["[" * 100_000, "](" * 100_000, "... " * 50_000, "not " * 50_000, "`" * 100_000])
def test_nothing_takes_long(hostile):
    started = time.process_time()
    aligned(hostile, HEADING, TEXT)
    aligned("a quote of some length that is not there", HEADING, hostile)
    aligned("not there", HEADING, hostile)
    assert time.process_time() - started < 5


def test_a_pair_with_a_quote_that_lies_keeps_the_teachers_words():
    chunk = Chunk("c", "a.md", HEADING, TEXT, 1, 9, 60)
    for quotes, expected in (
        (("the client retries", "the client  retries"), ("The client retries",)),
        (("the client retries", "upload 5 times"), ("the client retries", "upload 5 times")),
    ):
        pair = Pair("p", "f", "Q?", "A.", quotes, "limit", "c", "openai/x", "t")
        assert with_passages(pair, chunk).quotes == expected
