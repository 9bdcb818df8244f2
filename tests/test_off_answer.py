"""What a question may ask by although its answer does not hold the word, and what makes an answer stand by itself."""

import pytest

from filters.apply import Candidate, FilterConfig
from filters.off_answer import make
from generators.records import Chunk, Pair

ID = "`id` (path, string, min length 34, max length 34): The id of the row."
OWNER = "`owner` (object): Who owns the row. See schema `shop.v1.owner`."
LIMIT = "`limit` (query, integer, one of `10`, `20`): The size of a page."
KEPT = [
    ("How long may the path parameter `id` of `GET /rows` be?", ID, ID),
    ("Which values can the query parameter `limit` of `GET /rows` have?", LIMIT, LIMIT),
    ("Which query parameter of `GET /rows` sets the size of a page?", LIMIT, LIMIT),
    ("What is the field `owner` of `GET /rows`?", OWNER, OWNER),
    ("How do I access `page.url` as a string?", "Use `str(page.url)` if you need a string.", "Use `str(page.url)` …"),
    ("What is the purpose of page tokens?", "Page tokens allow rows to be read in turns.", "Page tokens …"),
    ("How do I send form data?", "To send form data, use the `data=...` parameter.", "To send form data, use it:"),
]
DROPPED = [
    ("Which query parameter of `GET /rows` sets how many keys a project has?", LIMIT, LIMIT),
    ("How do I disable retries of a request?", "Retries happen by default.", "Retries happen by default."),
    ("Who owns a row?", "Row owners: see schema `shop.v1.owner`.", "Row owners: see schema `shop.v1.owner`."),
    ("How do I send form data?", "To send form data, do as follows.", "To send form data, do as follows:"),
]


def judged(question, answer, quote):
    chunk = Chunk("c", "a.yaml", ("Shop", "GET /rows"), answer, 1, 2, 9, "operation")
    pair = Pair("p", "f", question, answer, (answer, quote), "value", "c", "local/x", "0")
    return make(FilterConfig(answer_overlap=0.8)).judge(Candidate(pair, chunk))


@pytest.mark.parametrize(("question", "answer", "quote"), KEPT)
def test_what_a_question_asks_by_need_not_stand_in_the_answer(question, answer, quote):
    assert judged(question, answer, quote) is None


@pytest.mark.parametrize(("question", "answer", "quote"), DROPPED)
def test_what_it_asks_about_must(question, answer, quote):
    assert judged(question, answer, quote).detail
