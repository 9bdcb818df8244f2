"""Chunks of generated and of awkward documents: stable ids, verbatim text, right spans, bounded sizes."""

import hashlib
import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.chunks import ChunkConfig, chunk_document
from generators.docs import markdown, openapi
from generators.records import Block, Document

SMALL = ChunkConfig(max_tokens=60, min_tokens=20)
WORDS = ["retry", "timeout", "sets", "the", "of", "client", "header", "when", "401", "`max_keepalive`", "seconds", "a"]

words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=40)
paragraph = words.map(lambda found: ("prose", found))
items = st.lists(words, min_size=1, max_size=4).map(lambda found: ("list", found))
code = st.lists(
    st.sampled_from(["import os", "", "    return 1", "x = f(  a )", "# note"]), min_size=1, max_size=8
).map(lambda found: ("code", found))
table = st.lists(words, min_size=1, max_size=4).map(lambda found: ("table", found))
note = words.map(lambda found: ("note", found))
body = st.lists(st.one_of(paragraph, items, code, table, note), min_size=1, max_size=5)
documents = st.lists(st.tuples(st.integers(1, 4), body), min_size=1, max_size=6)


def write(sections, width=7):
    """Markdown of [(level, body)], its paragraphs ``width`` words a line; each heading is unlike the others."""
    return "".join(
        f"{'#' * level} Part {number}\n\n" + "".join(f"{render(*block, width)}\n\n" for block in blocks)
        for number, (level, blocks) in enumerate(sections)
    )


def render(kind, content, width):
    if kind == "code":
        return "\n".join(["```python", *content, "```"])
    if kind == "table":
        return "\n".join(
            ["| name | about |", "|------|-------|", *(f"| {row[0]} | {' '.join(row)} |" for row in content)]
        )
    if kind == "list":
        return "\n".join("- " + wrap(item, width, "  ") for item in content)
    return wrap(content, width, "") if kind == "prose" else "> [!NOTE]\n> " + wrap(content, width, "> ")


def wrap(found, width, indent):
    return f"\n{indent}".join(" ".join(found[at : at + width]) for at in range(0, len(found), width))


def read(text, path="guide.md"):
    data = text if isinstance(text, bytes) else text.encode()
    parsed = markdown.read(data, path)
    return Document(path, "markdown", hashlib.sha256(data).hexdigest(), len(data), parsed.title, parsed.blocks)


def chunks(text, config=None, path="guide.md"):
    return list(chunk_document(read(text, path), config))


def ids(text, config=None, path="guide.md"):
    return [chunk.id for chunk in chunks(text, config, path)]


@settings(deadline=None)
@given(documents, st.data())
def test_editing_one_section_changes_that_id_and_no_other(sections, data):
    place = data.draw(st.integers(0, len(sections) - 1))
    level, old = sections[place]
    new = data.draw(body)
    before, after = ids(write(sections)), ids(write([*sections[:place], (level, new), *sections[place + 1 :]]))
    assert len(before) == len(sections)
    changed = [at for at, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    assert changed == ([] if render_all(old) == render_all(new) else [place])


def render_all(blocks):
    return [render(*block, 1000) for block in blocks]


@settings(deadline=None)
@given(documents, st.integers(1, 60))
def test_layout_is_no_part_of_an_id(sections, width):
    text = write(sections)
    for config in (None, SMALL):
        expected = ids(text, config)
        assert ids(write(sections, width), config) == expected
        assert ids(text.replace("\n", "\r\n"), config, "moved/renamed.mdx") == expected
        assert ids("\ufeff" + text.replace("\n", "   \n"), config) == expected


@settings(deadline=None)
@given(st.lists(body, min_size=2, max_size=6), st.randoms())
def test_order_of_sections_is_no_part_of_an_id(bodies, order):
    sections = [f"## Part {number}\n\n{write([(3, found)])}" for number, found in enumerate(bodies)]
    shuffled = order.sample(sections, len(sections))
    for config in (None, SMALL):
        assert Counter(ids("# Top\n\n" + "".join(shuffled), config)) == Counter(
            ids("# Top\n\n" + "".join(sections), config)
        )


@settings(deadline=None)
@given(documents, st.sampled_from([None, SMALL, ChunkConfig(12, 4)]))
def test_all_text_is_in_one_chunk_verbatim_and_in_its_span(sections, config):
    text = write(sections)
    lines = text.split("\n")
    found = chunks(text, config)
    blocks = [block for block in read(text).blocks if block.kind != "heading"]
    assert letters(chunk.text for chunk in found) == letters(block.text for block in blocks)
    for chunk in found:
        span = lines[chunk.first_line - 1 : chunk.last_line]
        for line in chunk.text.split("\n"):
            assert any(line in source for source in span)
        assert chunk.lines == f"{chunk.first_line}-{chunk.last_line}"
    for one, other in pairwise(found):
        assert one.first_line <= one.last_line <= other.first_line


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["prose", "code", "table", "list_item"]), st.text(min_size=1)), min_size=1))
def test_no_chunk_is_above_the_limit(found):
    blocks = tuple(Block(kind, text * 9, 1, 1 + text.count("\n") * 9) for kind, text in found)
    document = Document("a.md", "markdown", "", 0, "", blocks)
    cut = list(chunk_document(document, ChunkConfig(30, 10)))
    assert all(chunk.tokens <= 30 for chunk in cut)
    assert letters(chunk.text for chunk in cut) == letters(block.text for block in blocks)


def test_heading_path_title_and_first_line():
    text = "---\ntitle: Guide\n---\nBefore.\n\n## One\n\nA.\n\n### Deep `x`\n\nB.\n\n## Two\n\n## Three\n\nC.\n"
    assert [(chunk.heading, chunk.first_line, chunk.last_line, chunk.text) for chunk in chunks(text)] == [
        (("Guide",), 4, 4, "Before."),
        (("Guide", "One"), 6, 8, "A."),
        (("Guide", "One", "Deep x"), 10, 12, "B."),
        (("Guide", "Three"), 16, 18, "C."),
    ]
    assert [chunk.heading for chunk in chunks("---\ntitle: Guide\n---\n# The guide\n\nA.\n")] == [("The guide",)]


def test_a_word_a_code_space_and_a_heading_count():
    base = "# A\n\nOne two.\n\n```\nif x:\n    y()\n```\n"
    for edited in ("One too.", "        y()", "# B"):
        old = {"One too.": "One two.", "        y()": "    y()", "# B": "# A"}[edited]
        assert ids(base.replace(old, edited)) != ids(base)


def test_reflowing_around_a_fence_in_a_note_changes_nothing_and_its_code_does():
    note = "!!! note\n    Call it once\n    and not twice:\n\n    ```\n    a  = 1\n    ```\n\n    Then\n    go on.\n"
    reflowed = note.replace("once\n    and", "once and").replace("Then\n    go", "Then go")
    assert ids(reflowed) == ids(note)
    assert ids(note.replace("a  = 1", "a = 1")) != ids(note)


def test_identical_sections_share_an_id_and_part_when_one_is_edited():
    same = "## Note\n\nKeep the key secret.\n\n"
    first, second = ids("# A\n\n" + same * 2)
    assert first == second
    edited, untouched = ids("# A\n\n" + same.replace("secret", "safe") + same)
    assert (edited != first, untouched) == (True, first)


def letters(texts):
    return "".join("".join(texts).split())


def sentence(number, rng):
    return f"Value {number} of {' '.join(rng.choices(WORDS, k=14))}."


LONG = {
    "paragraphs": lambda lines: "\n\n".join(lines),
    "one paragraph": lambda lines: "\n".join(lines),
    "one line": lambda lines: " ".join(lines),
    "list": lambda lines: "\n".join(f"- {line}" for line in lines),
    "nested list": lambda lines: "- Top\n" + "\n".join(f"  - {line}" for line in lines),
    "table": lambda lines: "| a |\n|---|\n" + "\n".join(f"| {line} |" for line in lines),
    "code": lambda lines: "```\n" + "\n".join(f"call('{line}')" for line in lines) + "\n```",
}


@pytest.mark.parametrize("shape", LONG)
def test_an_edit_in_a_long_section_moves_only_the_parts_around_it(shape):
    rng = random.Random(shape)
    lines = [sentence(number, rng) for number in range(600)]
    before = chunks("# Long\n\n" + LONG[shape](lines))
    assert len(before) >= 10
    assert all(chunk.tokens <= 900 for chunk in before)
    assert all(chunk.tokens >= 250 for chunk in before)
    known = {chunk.id for chunk in before}
    moved = []
    for place in range(5, 600, 41):
        for edited in ([f"An edited value {place}."], [], [lines[place], "One more value.", "And yet another."]):
            after = chunks("# Long\n\n" + LONG[shape]([*lines[:place], *edited, *lines[place + 1 :]]))
            moved.append(len({chunk.id for chunk in after} - known))
    assert max(moved) <= 6
    assert sum(moved) / len(moved) <= 2


def test_long_sections_are_cut_between_blocks_and_not_after_an_introduction():
    rng = random.Random(1)
    block = "How to do it:\n\n```\n{}\n```\n\n"
    text = "# Long\n\n" + "".join(block.format("\n".join(rng.choices(WORDS, k=30))) for _ in range(40))
    for chunk in chunks(text):
        assert chunk.text.startswith("How to do it:")
        assert chunk.text.endswith("```")


def test_long_code_is_cut_at_blank_lines():
    rng = random.Random(2)
    functions = [f"def f{n}():\n" + "\n".join(f"    {w}()" for w in rng.choices(WORDS, k=20)) for n in range(40)]
    found = chunks("# Long\n\n```\n" + "\n\n".join(functions) + "\n```\n")
    assert len(found) > 3
    assert all(chunk.text.startswith("def f") for chunk in found[1:])


@pytest.mark.parametrize(
    "hostile",
    [
        "x" * 3_000_000,
        "word " * 600_000,
        "No. A " * 300_000,
        "`" * 500_000 + "``a " * 200_000,
        "| " * 1_000_000,
        "。" * 500_000,
    ],
    ids=["letters", "words", "abbreviations", "backticks", "pipes", "ideographs"],
)
def test_a_huge_line_is_cut_in_time(hostile):
    document = Document("a.md", "markdown", "", 0, "", (Block("prose", hostile.strip(), 1, 1),))
    found = list(chunk_document(document))
    assert all(chunk.tokens <= 900 and chunk.lines == "1-1" for chunk in found)
    assert sum(len("".join(chunk.text.split())) for chunk in found) == len("".join(hostile.split()))


def test_lone_surrogates_do_not_break_cutting():
    blocks = (Block("prose", "a \ud800 b. " * 900, 1, 1),)
    assert len(list(chunk_document(Document("a.ipynb", "notebook", "", 0, "", blocks)))) > 2


API = """
openapi: 3.0.0
info: {title: Orders, version: "1"}
servers: [{url: "https://api.example.com/v1"}]
paths:
  /orders:
    get: {summary: List orders, responses: {"200": {description: A list}}}
    post: {summary: Create an order, responses: {"201": {description: Created}}}
components:
  schemas:
    Order: {type: object, properties: {id: {type: string, description: The order's id}}}
"""


def test_server_address_is_no_part_of_operations_and_schemas():
    def ids_by_kind(text):
        parsed = openapi.read(text.encode(), "api.yaml")
        found = chunk_document(Document("api.yaml", "openapi", "", 0, parsed.title, parsed.blocks))
        return {(chunk.heading, chunk.kind): chunk.id for chunk in found}

    before, after = ids_by_kind(API), ids_by_kind(API.replace("api.example.com/v1", "staging.example.com/v2"))
    assert Counter(kind for _, kind in before) >= Counter({"operation": 2, "schema": 1})
    assert {key for key in before if before[key] != after[key]} <= {key for key in before if key[1] == "section"}
    edited = ids_by_kind(API.replace("Create an order", "Place an order"))
    assert [key[0][-1] for key in before if before[key] != edited.get(key)] == ["POST /orders: Create an order"]
