"""The exact values of a text, and its words: what the grounding filters compare."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.names import names, spoken_numbers, values
from generators.tokens import count_tokens
from generators.words import content_words, overlap

IDENTIFIERS = [
    "httpx.Client",
    "max_keepalive",
    "__init__",
    "camelCase",
    "HTTPError",
    "SSLContext",
    "AsyncClient",
    "OAuth",
    "API_KEY",
    "JSON",
    "Retry-After",
    "X-Request-Id",
    "std::vector",
    "self->next",
    "/v1/orders/{id}",
    "https://api.example.com/v1?x=1",
    "--max-wait",
    "-v",
    "v1.2.3",
    "429",
    "10.0",
    "-5",
    "3.14e-5",
]


@pytest.mark.parametrize("name", IDENTIFIERS)
@pytest.mark.parametrize("text", ["Pass {} to it.", "({}),", "See {}", "{}: what it does", "use **{}** now"])
def test_values_are_found_whole_wherever_they_stand(name, text):
    assert names(text.format(name)) == [name]
    assert values(text.format(name)) == {name}


@pytest.mark.parametrize("text", ["Plain words only, no more.", "The APIs and their IDs.", "", "a - b", "e.g. this"])
def test_plain_words_are_no_values(text):
    assert values(text) <= {"e.g"}


def test_code_spans_are_whole_names_and_give_their_values():
    text = "Pass `timeout=10.0` to `httpx.get()`; a 429 carries Retry-After, `retries` too."
    assert names(text) == ["timeout=10.0", "httpx.get()", "retries", "429", "Retry-After"]
    assert values(text) == {"10.0", "httpx.get", "429", "Retry-After", "retries"}


def test_numbers_compare_without_separators_and_with_their_precision():
    assert values("1,000 rows") == values("1000 rows") == values("+1000")
    assert values("5") != values("5.0")
    assert values("10-20 or 1,5") == {"10", "20", "1,5"}
    assert spoken_numbers("Three times or twelve, at none.") == {"3", "12"}


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_a_text_has_the_values_of_its_lines(one, other):
    assert values(f"{one}\n\n{other}") >= values(other) - values(one) or "`" in one


@pytest.mark.parametrize(
    "hostile", ["/a" * 50_000, "A-" * 50_000, "a_" * 50_000, "1," * 50_000, "`" * 100_000, "x" * 100_000]
)
def test_no_text_takes_long(hostile):
    started = time.process_time()
    names(hostile)
    values(hostile)
    assert time.process_time() - started < 1


def test_content_words_meet_across_inflections():
    assert content_words("Which errors are retried?") == content_words("the retries of an error") == {"error", "retri"}
    assert overlap("Which errors are retried 3 times?", "Errors", "3 retries") == 0.75
    assert overlap("Which header?", "nothing") == 0.0
    assert overlap("What is it?") == 1.0


@pytest.mark.parametrize(
    ("text", "tokens"),
    # As o200k_base counts them.
    [
        ("The client retries a failed request three times before it raises an error to the caller.", 17),
        ('response = httpx.get("https://example.org", timeout=10.0, follow_redirects=True)', 22),
        ("paths:\n  /orders/{id}:\n    get:\n      summary: Fetch an order\n      parameters:\n", 22),
        ("| name | type | default |\n|------|------|---------|\n| limit | integer | 20 |\n", 22),
        ("Аутентификация выполняется с помощью ключа, который передаётся в заголовке.", 20),
        ("身份验证通过在每个请求的标头中发送密钥来完成。", 17),
    ],
)
def test_tokens_are_estimated_without_a_tokeniser(text, tokens):
    assert 0.9 * tokens <= count_tokens(text) <= (1.25 if text.isascii() else 2) * tokens


@settings(deadline=None)
@given(st.text(), st.text())
def test_a_joined_text_counts_no_more_than_its_parts(one, other):
    assert count_tokens(f"{one}\n{other}") <= count_tokens(one) + count_tokens(f"\n{other}")


@settings(deadline=None)
@given(st.text())
def test_no_character_is_more_than_a_token(text):
    assert count_tokens(text) <= len(text)
