"""The Markdown reader: blocks are the verbatim lines, and nothing but what the reader documents is lost."""

import itertools
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from generators.docs.markdown import markdown_blocks, read
from generators.records import Block

REPOSITORY = Path(__file__).parents[1]


def blocks_of(text: str) -> list[Block]:
    return list(markdown_blocks(text))


def kinds_of(text: str) -> list[tuple[str, int, int]]:
    return [(block.kind, block.first_line, block.last_line) for block in blocks_of(text)]


def headings_of(text: str) -> list[tuple[int, str]]:
    return [(block.level, block.text) for block in blocks_of(text) if block.kind == "heading"]


# --- front matter


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("---\ntitle: Plain\nid: x\n---\nbody\n", "Plain"),
        ('---\nid: x\ntitle: "Colon: inside"\n---\nbody\n', "Colon: inside"),
        ("---\ntitle: Not quite: YAML\nid: x\n---\nbody\n", "Not quite: YAML"),
        ("---\ntitle: >-\n  two\n  lines\n---\nbody\n", "two lines"),
        ("---\nnested:\n  title: no\ntags: [title, no]\n---\nbody\n", ""),
        ('+++\ntitle = "TOML"\n+++\nbody\n', "TOML"),
        ("---\ntitle: Dots end it\n...\nbody\n", "Dots end it"),
    ],
)
def test_front_matter_gives_the_title_and_is_no_content(source: str, title: str) -> None:
    parsed = read(source.encode(), "page.md")
    line = source.split("\n").index("body") + 1
    assert parsed.title == title
    assert parsed.blocks == (Block("prose", "body", line, line),)


def test_a_thematic_break_at_the_top_is_no_front_matter() -> None:
    parsed = read(b"---\nSome sentence.\n---\nbody\n", "page.md")
    assert "Some sentence." in [block.text for block in parsed.blocks]


def test_deeply_nested_front_matter_is_harmless() -> None:
    for brackets in (9_000, 90_000):
        parsed = read(b"---\na: " + b"[" * brackets + b"\n---\nbody\n", "page.md")
        assert parsed.blocks[-1].text == "body"


# --- headings


def test_headings_are_plain_titles() -> None:
    source = (
        "# `GET /users/{id}` {#get-user} ##\n## A *bold* [link](x) and snake_case_name\n"
        "Setext *title*\n===\n### Map<K, V>, Promise<string> <a id='x'></a>{: .cls }\n"
        "#### ![badge](b) Words\n##### ![Only image](i)\n###### A \\* &amp; B\n#\n"
    )
    assert headings_of(source) == [
        (1, "GET /users/{id}"),
        (2, "A bold link and snake_case_name"),
        (1, "Setext title"),
        (3, "Map<K, V>, Promise<string>"),
        (4, "Words"),
        (5, "Only image"),
        (6, "A * & B"),
    ]


def test_html_headings_count_unless_commented_out() -> None:
    source = (
        '<div>\n<h1 align="center">\n  <img alt="Logo">\n</h1>\n<h2>A &amp; <b>B</b></h2>\n</div>\n\n'
        "<!-- <h3>no</h3> -->\n"
    )
    assert [(b.kind, b.level, b.text, b.first_line, b.last_line) for b in blocks_of(source)] == [
        ("prose", 0, "<div>", 1, 1),
        ("heading", 1, "Logo", 2, 4),
        ("heading", 2, "A & B", 5, 5),
        ("prose", 0, "</div>", 6, 6),
    ]


@pytest.mark.parametrize("fence", ["```", "~~~~"])
def test_headings_and_markers_inside_fences_are_code(fence: str) -> None:
    source = f"{fence}sh\n# no heading\n:::note\n<Note>\n{fence}\n\n# Yes\n"
    assert kinds_of(source) == [("code", 1, 5), ("heading", 7, 7)]


# --- pieces kept whole


@pytest.mark.parametrize(
    "piece",
    [
        '!!! note "Title"\n    Body.\n\n    ```py\n    # no heading\n    ```\n\n    - item',
        "??? tip\n    Folded.",
        '=== "Python"\n\n    ```py\n    x\n    ```',
        ":::note[Title]\n\nBody\n\n```sh\n:::\n```\n\n:::",
        "::::tip\n\n:::danger\ninner\n:::\n\n::::",
        "<Note>\n\nBody\n\n</Note>",
        "<Warning>One line</Warning>",
        '<Card\n  title="x"\n>\n\nBody\n\n</Card>',
        "<details>\n<summary>More</summary>\n\nBody\n\n</details>",
        "{{< note >}}\nBody\n\nmore\n{{< /note >}}",
        '{% hint style="info" %}\nBody\n\nmore\n{% endhint %}',
        "> [!WARNING]\n> Body",
        "> **Note**\n> Body",
        "```{warning}\nBody\n```",
    ],
)
def test_admonitions_are_one_block(piece: str) -> None:
    source = f"Before.\n\n{piece}\n\nAfter.\n"
    assert [(block.kind, block.text) for block in blocks_of(source)] == [
        ("prose", "Before."),
        ("admonition", piece),
        ("prose", "After."),
    ]


def test_a_component_with_headings_is_opened() -> None:
    source = '<Tabs>\n  <Tab title="a">\n    ## Inside\n\n    Text `a`.\n  </Tab>\n</Tabs>\n'
    assert headings_of(source) == [(2, "Inside")]
    assert ("prose", 5, 5) in kinds_of(source)


def test_an_unclosed_container_is_plain_markdown() -> None:
    source = "::: module.Class\n    :option:\n\n<Note>\n\n# Heading\n\ntext\n"
    assert headings_of(source) == [(1, "Heading")]


def test_list_items_carry_their_nested_content() -> None:
    source = "1. one\n\n   ```py\n   # no heading\n   ```\n\n   :::note\n   inner\n   :::\n2. two\n   - nested\n"
    assert kinds_of(source) == [("list_item", 1, 9), ("list_item", 10, 11)]


def test_tables_are_one_block() -> None:
    assert kinds_of("| a | b |\n|---|---|\n| 1 | 2 |\n\n<table>\n\n<tr>\n\n</table>\n") == [
        ("table", 1, 3),
        ("table", 5, 9),
    ]


def test_what_is_no_content_is_left_out() -> None:
    source = (
        "import Tabs from '@theme/Tabs';\nimport {\n  A,\n} from \"x\";\n\n"
        "export const meta = {\n  a: 1,\n\n  b: 2,\n};\n\n"
        "{/* comment */}\n\n<!-- a\n\n# comment -->\n\n<script>\nx\n\ny\n</script>\n\n<style>\na {}\n</style>\n\n"
        "[ref]: http://example.org\n\n***\n\nText <!-- hidden --> and `<!-- code -->`.\n\n- item <!-- hidden -->\n"
    )
    assert [block.text for block in blocks_of(source)] == ["Text  and `<!-- code -->`.", "- item"]


def test_prose_that_begins_like_a_module_statement_stays() -> None:
    source = "import your data with the tool.\n\nexport it later.\n"
    assert [block.text for block in blocks_of(source)] == ["import your data with the tool.", "export it later."]


def test_embedded_images_do_not_flood_the_text() -> None:
    (block,) = blocks_of(f"![x](data:image/png;base64,{'A' * 5000})\n")
    assert block.text == "![x](data:image/png;base64,…)"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks_and_line_ends(encoding: str) -> None:
    parsed = read("# Größe\r\n\r\ntext\rmore\n".encode(encoding), "page.md")
    assert parsed.blocks == (Block("heading", "Größe", 1, 1, 1), Block("prose", "text\nmore", 3, 4))


# --- properties

# "@" stands for a word that must not be lost.
COMMONMARK = [
    "# @",
    "## @ ##",
    "@\n===",
    "@ text",
    "@\n@",
    "```\n@\n```",
    "~~~py\n# @",
    "    @",
    "- @",
    "- @\n  - @\n\n  @",
    "1. @\n   ```\n   @\n   ```",
    "> @\n@",
    "---",
]
FRAGMENTS = [
    *COMMONMARK,
    "| @ |\n|---|\n| @ |",
    "!!! note\n    @\n\n    @",
    "!!! @",
    ":::tip\n@\n:::",
    ":::@",
    ":::",
    "::::a\n# @\n::::",
    "<Note>\n@\n</Note>",
    "<Note>",
    "</Note>",
    "<Tabs>\n<Tab>\n@\n# @\n</Tab>\n</Tabs>",
    "<A\n  b='@'\n/>\n",
    "<div>\n@\n</div>",
    "<h1>@</h1>",
    "<details>\n\n@\n\n</details>",
    "<table>\n\n@",
    "<!-- x -->",
    "@ <!-- x --> @",
    "import x from 'y'",
    "export const x = 1\n",
    "{/* x */}",
    "[^1]: @",
    "```{note}\n@\n```",
    "{{< note >}}\n@",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12), st.sampled_from(["\n", "\n\n"]))
def test_no_word_is_lost_and_spans_are_in_order(fragments: list[str], between: str) -> None:
    pieces = between.join(fragments).split("@")
    words = [f"word{number}end" for number in range(len(pieces) - 1)]
    text = "".join(itertools.chain.from_iterable(zip(pieces, [*words, ""], strict=True)))
    blocks = blocks_of(text)
    joined = "\n".join(block.text for block in blocks)
    assert [word for word in words if word not in joined] == []
    assert all(before.last_line <= after.first_line for before, after in itertools.pairwise(blocks))
    assert all(1 <= block.first_line <= block.last_line <= text.count("\n") + 1 for block in blocks)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="#`~>-*+ \n\t<>/!:[]{}()=|1.aB&_\\é", max_size=80))
def test_any_text_is_covered(text: str) -> None:
    blocks = blocks_of(text)
    covered = {line for block in blocks for line in range(block.first_line, block.last_line + 1)}
    if "<!--" not in text and "]:" not in text and "{/*" not in text:
        lines = [number for number, line in enumerate(text.split("\n"), 1) if "a" in line or "B" in line]
        assert set(lines) <= covered


def plain_markdown_of_this_repository() -> list[Path]:
    return sorted(path for folder in ("examples", "docs", ".") for path in (REPOSITORY / folder).glob("**/*.md"))[:40]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(COMMONMARK), max_size=12), st.sampled_from(["\n", "\n\n"]))
def test_headings_and_code_are_those_of_another_parser(fragments: list[str], between: str) -> None:
    assert_like_markdown_it(between.join(fragments).replace("@", "word"))


def test_headings_and_code_of_real_pages_are_those_of_another_parser() -> None:
    for page in plain_markdown_of_this_repository():
        assert_like_markdown_it(page.read_text())


def assert_like_markdown_it(text: str) -> None:
    tokens = [token for token in MarkdownIt("commonmark").enable("table").parse(text) if token.map and not token.level]
    headings = {(token.map[0] + 1, int(token.tag[1])) for token in tokens if token.type == "heading_open"}
    code = {token.map[0] + 1 for token in tokens if token.type in ("fence", "code_block")}
    blocks = blocks_of(text)
    inside = {
        line for block in blocks if block.kind == "admonition" for line in range(block.first_line, block.last_line + 1)
    }
    assert {(b.first_line, b.level) for b in blocks if b.kind == "heading"} == {
        h for h in headings if h[0] not in inside
    }
    assert {b.first_line for b in blocks if b.kind == "code"} == code - inside


# --- hostile input stays linear

N = 400_000


@pytest.mark.parametrize(
    "text",
    [
        "[" * N,
        ">" * N,
        "`" * N,
        " ".join("`" * length for length in range(900)),
        "- " * N,
        "# a" + "*a" * N,
        "# b" + " " * N + "x",
        "<!--\n\n" * (N // 6),
        "<A>\n" * (N // 4) + "</A>\n",
        "<A>\n" * (N // 9) + "</A>\n" * (N // 9),
        "<A>\n# x\n" * (N // 13) + "</A>\n" * (N // 13),
        ":::a\n" * (N // 9) + ":::\n" * (N // 9),
        "{/*\n" * (N // 4),
        "\n\nexport const {" * (N // 17),
        "import " + "a," * N,
        "<h1>" * (N // 4),
        "<div>" + "<script>" * (N // 8),
        "data:a;base64," * (N // 14),
        "---\n" + "a: b\n" * (N // 5),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_hostile_input_is_read_in_linear_time(text: str) -> None:
    started = time.process_time()
    blocks_of(text)
    assert time.process_time() - started < 5
