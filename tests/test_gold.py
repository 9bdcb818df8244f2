"""A person's own pairs: what a line may be, and what is said of one that is none."""

import json

import pytest

from factory.gold import read_gold
from generators.errors import UsageError
from generators.records import Chunk

CHUNKS = {
    "c1": Chunk("c1", "a.md", ("A",), "A project may have 20 keys.", 3, 4, 9),
    "c2": Chunk("c2", "b.md", ("B",), "A project may have 20 keys. A key lives for a year.", 1, 2, 9),
}
LINE = {"question": "How many keys may a project have?", "answer": "20."}


def gold(tmp_path, *lines):
    path = tmp_path / "gold.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return read_gold(path, CHUNKS)


def test_a_pair_belongs_to_the_chunk_of_its_quotes_or_to_the_file(tmp_path):
    quoted = {**LINE, "question": "How long does a key live?", "quotes": ["A key lives for a year."], "test": True}
    first, second = gold(tmp_path, "\ufeff" + json.dumps(LINE), "", quoted)
    assert (first.chunk.document, first.chunk.lines, first.pinned) == ("gold.jsonl", "1-1", False)
    assert (second.chunk.document, second.pair.chunk, second.pinned) == ("b.md", "c2", True)
    assert {first.pair.teacher, second.pair.teacher} == {"person"}


def test_a_named_document_settles_which_of_two_is_meant(tmp_path):
    line = {**LINE, "quotes": ["A project may have 20 keys."]}
    assert gold(tmp_path, line)[0].chunk.document == "a.md"
    assert gold(tmp_path, {**line, "document": "b.md"})[0].chunk.document == "b.md"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: this is no JSON"),
        ("[]", "line 2: this is no JSON object"),
        ({**LINE, "document": "none.md"}, "line 2: there is no document 'none.md'"),
        ({"question": "Why?"}, "line 2: answer: Field required"),
        ({**LINE, "question": " "}, "line 2: question"),
        ({**LINE, "answr": "x"}, "line 2: answr"),
        ({**LINE, "quotes": ["Nobody says this."]}, "line 2: no document holds the quote 'Nobody says this.'"),
        ({**LINE, "question": "how many  KEYS may a project have?"}, "line 2: asks the same as line 1"),
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path, line, said):
    with pytest.raises(UsageError, match=said.replace("'", ".")):
        gold(tmp_path, LINE, line)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        read_gold(tmp_path / "none.jsonl", CHUNKS)
