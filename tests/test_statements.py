"""What of a chunk can carry an answer: verbatim spans, split where they say something by themselves."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.quotes import find_quote
from generators.statements import plain, salient, sentence_spans, sentences, statements

PAGE = """\
Set the `timeout` argument, e.g. 10.0, to wait
longer. A `ReadTimeout` is raised after 5 seconds. See [the guide](https://x.y/z).

- `retries` (default 3): how often a request
  is sent again.
- `limit`: at most 100 rows.

| header | meaning of it |
|--------|---------|
| `X-Rate` | requests that are left this minute |

```python
>>> client = Client(timeout=10.0)
# a comment
}
```

> [!NOTE]
> Keys expire after 90 days of no use.

![A diagram of it all](flow.png)
"""


def test_the_statements_of_a_page():
    assert [(found.text, found.kind) for found in statements(PAGE)] == [
        ("Set the `timeout` argument, e.g. 10.0, to wait longer.", "prose"),
        ("A `ReadTimeout` is raised after 5 seconds.", "prose"),
        ("See [the guide](https://x.y/z).", "prose"),
        ("`retries` (default 3): how often a request is sent again.", "item"),
        ("`limit`: at most 100 rows.", "item"),
        ("| `X-Rate` | requests that are left this minute |", "row"),
        ("client = Client(timeout=10.0)", "code"),
        ("Keys expire after 90 days of no use.", "prose"),
    ]


def test_the_most_telling_statements_are_chosen_in_reading_order():
    chosen = [found.text for found in salient(PAGE, 3)]
    assert len(chosen) == 3
    assert [found.text for found in statements(PAGE) if found.text in chosen] == chosen
    assert not {"See [the guide](https://x.y/z).", "client = Client(timeout=10.0)"} & set(chosen)
    assert len(salient("Nothing much is said here at all.", 3)) == 1
    assert salient("# !", 3) == []


def test_an_answer_has_no_link_targets_and_a_row_its_header():
    answers = {found.text: found.answer for found in statements(PAGE)}
    assert answers["See [the guide](https://x.y/z)."] == "See the guide."
    row = answers["| `X-Rate` | requests that are left this minute |"]
    assert row == "header: `X-Rate`; meaning of it: requests that are left this minute"
    assert plain('**Use** ![icon](a.png) [`get()`](x_(y).md "T") now') == "Use `get()` now"


lines = st.sampled_from(
    [*PAGE.split("\n"), "", "    code()", "1. First. Second it is.", "!!! note", "<div>", "Plain `a. B` C."]
)


@settings(deadline=None)
@given(st.lists(lines, max_size=12).map("\n".join))
def test_statements_stand_in_the_text(text):
    for found in statements(text):
        assert find_quote(found.text, text) == 1.0
        assert found.answer.strip()
        assert 12 <= len(found.text) <= 600


@settings(deadline=None)
@given(st.text(alphabet='ab AB.!?:`\n"(e.g. i.e.1', max_size=200))
def test_sentences_are_all_of_a_paragraph(text):
    spans = list(sentence_spans(text))
    assert "".join(text[start:end] for start, end in spans) == text
    assert [text[start:end].strip() for start, end in spans if text[start:end].strip()] == sentences(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is 5.0 s, e.g. Slow. Then it ends.", ["It is 5.0 s, e.g. Slow.", "Then it ends."]),
        ("Call `a. B` or `` c`. D `` first. `x` is next.", ["Call `a. B` or `` c`. D `` first.", "`x` is next."]),
        ('He said "stop." (See fig. 3.) Then left.', ['He said "stop."', "(See fig. 3.)", "Then left."]),
        ("One unclosed ` tick. Another one.", ["One unclosed ` tick.", "Another one."]),
    ],
)
def test_sentences_end_where_they_end(text, expected):
    assert sentences(text) == expected


@pytest.mark.parametrize(
    "hostile", ["No. A ", "`a ``b ```c ", ". ", "[a](", "> ", "|", "- ", ".\"' ", "a:\n", "e.g. "], ids=repr
)
def test_no_text_takes_long(hostile):
    started = time.process_time()
    statements(hostile * 50_000)
    assert time.process_time() - started < 2
