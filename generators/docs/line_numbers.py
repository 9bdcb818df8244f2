"""Line numbers for formats whose source has no lines: those of the extracted text."""

from collections.abc import Iterable
from dataclasses import replace

from generators.records import Block


def number_lines(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Number the lines of blocks that are written below each other, with a blank line between, save for list items."""
    numbered: list[Block] = []
    for block in blocks:
        before = numbered[-1] if numbered else None
        first = before.last_line + 2 if before else 1
        if before and before.kind == block.kind == "list_item":
            first -= 1
        numbered.append(replace(block, first_line=first, last_line=first + block.text.count("\n")))
    return tuple(numbered)
