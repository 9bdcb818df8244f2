"""Garbled, circling, foreign and broken replies, and such that only look like it."""

import time

import pytest

from filters import FILTERS
from filters.apply import Candidate, FilterConfig, make_filters
from filters.broken_code import flaw, pieces
from filters.wrong_language import language
from generators.records import Chunk, Pair

SECTION = "A key is sent with each request. The server reads the header and answers with the rows of the page."


def judged(name, question="How is a key sent with a request?", answer="With a header.", text=SECTION, kind="value"):
    [found] = make_filters(FilterConfig(skip=tuple(other for other in FILTERS if other != name)))
    pair = Pair("p", "f", question, answer, (answer,), kind, "c", "openai/x", "0")
    return found.judge(Candidate(pair, Chunk("c", "a.md", ("A",), text, 1, 2, 9)))


@pytest.mark.parametrize("answer", ["The cafÃ© is open.", "It doesnâ€™t.", "A \ufffd mark."])
def test_mojibake_is_dropped_unless_the_section_has_it_too(answer):
    assert judged("mojibake", answer=answer).detail
    assert judged("mojibake", answer=answer, text=answer) is None


@pytest.mark.parametrize("answer", ["The café is open.", "It doesn’t — “really”.", "«Ключ» 鍵 \U0001f511", "naïve"])
def test_other_alphabets_are_no_mojibake(answer):
    assert judged("mojibake", answer=answer) is None


@pytest.mark.parametrize(
    "answer",
    ["no no no no no no no", "send the key and send the key and send the key and", "The key is sent again. " * 3],
)
def test_circles_are_dropped(answer):
    assert "repeats" in judged("repetition", answer=answer).detail


@pytest.mark.parametrize("answer", ["the key of the row of the page", "0 0 0", "a, b, c; a, b, d", "| 1 | 1 | 1 | 2 |"])
def test_lists_are_no_circles(answer):
    assert judged("repetition", answer=answer) is None


def test_a_circle_that_the_section_has_is_kept():
    assert judged("repetition", answer="no no no no no no no", text="no no no no no no no") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How is the key sent to the server with a request?", "English"),
        ("Wie wird der Schlüssel an den Server gesendet und geprüft?", "German"),
        ("Comment est envoyée la clé dans une requête pour le serveur ?", "French"),
        ("¿Cómo se envía la clave en una petición para el servidor con la cabecera?", "Spanish"),
        ("Как отправить ключ?", "Cyrillic"),
        ("如何发送密钥？", "Chinese"),
        ("キーはどのように送信されますか", "Japanese"),
        ("키는 어떻게 전송됩니까", "Korean"),
        ("`GET /v1/keys`", ""),
        ("POST keys retries httpx.Client", ""),
    ],
)
def test_languages_are_told_where_they_can_be(text, expected):
    assert language(text) == expected


def test_an_answer_in_another_language_is_dropped():
    german = "Der Schlüssel wird mit der Anfrage an den Server gesendet."
    assert judged("wrong_language", answer=german).detail == "the answer is in German, its section in English"
    assert judged("wrong_language", answer=german, question="Wie wird der Schlüssel gesendet?", text=german * 3) is None
    assert judged("wrong_language", answer="`Authorization: Bearer …`") is None


GOOD = [
    ("python", "import httpx\nr = await httpx.get('x')"),
    ("python", ">>> r = f(\n...     1)\n>>> r\n<Response [200 OK]>"),
    ("python", "    client = Client(...)"),
    ("json", '{"a": 1, "b": [...]}'),
    ("json", '{"id": "<id>"}'),
    ("yaml", "a: 1\nb: [c, d]"),
    ("shell", "curl -X POST https://x.example/v1/keys \\\n  -H 'A: b' \\\n  -d '{\"a\": 1}'"),
    ("shell", "$ pip install x\nCollecting x (from y)"),
    ("shell", "export KEY=<your key>"),
    ("javascript", "const r = await fetch('/v1', { method: 'POST' });"),
]
BROKEN = [
    ("python", "client = Client(timeout=10.0"),
    ("python", "def f(:\n    pass"),
    ("json", '{"a": 1, "b": [1, 2'),
    ("yaml", "a: [1, 2\nb: 3"),
    ("shell", "curl -H 'A: b https://x.example"),
    ("javascript", "const r = await fetch('/v1', { method: 'POST'"),
]


@pytest.mark.parametrize(("tongue", "code"), GOOD)
def test_code_that_parses_is_kept(tongue, code):
    assert flaw(tongue, code) == ""
    assert judged("broken_code", answer=f"Like this:\n```{tongue}\n{code}\n```") is None


@pytest.mark.parametrize(("tongue", "code"), BROKEN)
def test_code_that_does_not_parse_is_dropped(tongue, code):
    answer = f"Like this:\n```{tongue}\n{code}\n```"
    assert f"its {tongue} does not parse" in judged("broken_code", answer=answer).detail
    assert judged("broken_code", answer=answer, text=f"As we say: {code}") is None  # the documents' own words


def test_code_that_is_whole_in_the_section_and_cut_in_the_answer_is_dropped():
    section = "Like this:\n```python\nclient = Client(\n    timeout=10,\n)\n```"
    assert judged("broken_code", answer="```python\nclient = Client(\n    timeout=10,\n```", text=section).detail
    assert judged("broken_code", answer="```python\nclient = Client(\n    timeout=10,\n)\n```", text=section) is None


def test_code_without_a_fence_is_known_by_its_look():
    assert judged("broken_code", answer="import httpx; httpx.get(", kind="code").detail
    assert judged("broken_code", answer="import duties apply (", kind="value") is None
    assert list(pieces("```rust\nfn main( {\n```", bare=True)) == []


@pytest.mark.parametrize("hostile", ["(", "{", "[", "'", "a: ", "```python\n", "`", "é", "$ ", "<"])
def test_no_answer_takes_long(hostile):
    started = time.process_time()
    for name in ("mojibake", "repetition", "wrong_language", "broken_code"):
        judged(name, answer=f"```\n{hostile * 20_000}", kind="code")
        judged(name, answer=hostile * 5_000, kind="code")
    assert time.process_time() - started < 5
