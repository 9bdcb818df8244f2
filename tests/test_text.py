"""The plain text reader: paragraphs, and headings only where nobody could doubt them."""

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.docs.text import read
from generators.records import Block


def blocks_of(text: str) -> tuple[Block, ...]:
    return read(text.encode(), "page.txt").blocks


def headings_of(text: str) -> list[tuple[int, str, int]]:
    return [(block.level, block.text, block.first_line) for block in blocks_of(text) if block.kind == "heading"]


def test_underlined_titles_take_their_level_from_the_order_of_the_underlines() -> None:
    text = "=====\nTitle\n=====\n\nPart\n----\ntext\n\nSub\n~~~\nmore\n\nPart 2\n------\n\nINSTALLATION\n\nend\n"
    assert headings_of(text) == [
        (1, "Title", 1),
        (2, "Part", 5),
        (3, "Sub", 9),
        (2, "Part 2", 13),
        (2, "INSTALLATION", 16),
    ]
    assert [block.text for block in blocks_of(text) if block.kind == "prose"] == ["text", "more", "end"]


def test_a_manual_page_has_headings_in_capitals() -> None:
    text = "LS(1)      User Commands      LS(1)\n\nNAME\n       ls - list\n\nSEE ALSO\n       dir(1)\n"
    assert headings_of(text) == [(1, "NAME", 3), (1, "SEE ALSO", 6)]
    assert [block.text for block in blocks_of(text)][2] == "       ls - list"


def test_an_rfc_has_numbered_headings_and_loses_its_page_furniture() -> None:
    text = (
        "Table of Contents\n\n   1.  Introduction . . . . 4\n   1.1  Purpose ..... 4\n\n"
        "1.  Introduction\n\n   The text of the introduction\n\n\n"
        "Fielding, et al.            Standards Track                    [Page 4]\n\f\n"
        "RFC 2616                        HTTP/1.1                       June 1999\n\n\n"
        "   goes on here.\n\n1.1 Purpose\n\n   Why.\n\nAppendix A.  Changes\n\n   None.\n"
    )
    assert headings_of(text) == [(1, "1.  Introduction", 6), (2, "1.1 Purpose", 18), (1, "Appendix A.  Changes", 22)]
    joined = "\n".join(block.text for block in blocks_of(text))
    assert "[Page 4]" not in joined
    assert "June 1999" not in joined
    assert "   goes on here." in joined


@pytest.mark.parametrize(
    "text",
    [
        "1. Open the door\n\n2. Close the door\n",
        "A paragraph that ends in capitals\nLIKE THIS\nand goes on.\n",
        "THIS IS NOT A DRILL.\n\ntext\n",
        "OK\n\ntext\n",
        "col a   col b\n-----   -----\n1       2\n",
        "2.4 of the files were lost, said the log.\n\ntext\n",
        "----\n\ntext\n",
    ],
)
def test_what_might_be_a_heading_is_none(text: str) -> None:
    assert headings_of(text) == []


def test_list_items_are_blocks_with_their_continuation_lines() -> None:
    text = "* one\n  more\n  - nested\n* two\n"
    assert blocks_of(text) == (Block("list_item", "* one\n  more\n  - nested", 1, 3), Block("list_item", "* two", 4, 4))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["=====", "-----", "word", "  word", "WORD", "1.2 Word", "* word", "", "\f", "a\tb"])))
def test_no_line_with_words_is_lost(lines: list[str]) -> None:
    blocks = blocks_of("\n".join(lines))
    covered = {line for block in blocks for line in range(block.first_line, block.last_line + 1)}
    assert {number for number, line in enumerate(lines, 1) if any(map(str.isalnum, line))} <= covered
    assert all(before.last_line < after.first_line for before, after in itertools.pairwise(blocks))


@pytest.mark.parametrize(
    "text", ["a\n=\n" * 100_000, "ab\n==\n" * 100_000, "=" * 10**6, "a" * 10**6, "\f" * 10**6, "\f\n" * 10**5]
)
def test_hostile_input_is_read_in_linear_time(text: str) -> None:
    started = time.process_time()
    blocks_of(text)
    assert time.process_time() - started < 5
