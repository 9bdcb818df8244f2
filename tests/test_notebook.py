"""The notebook reader, on notebooks as Jupyter writes them."""

import json
from typing import Any

import pytest

from generators.docs import read_as
from generators.docs.notebook import read
from generators.errors import UnreadableDocumentError
from generators.records import Block


def write(cells: list[dict[str, Any]], **more: Any) -> bytes:
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}, **more}, indent=1).encode()


def blocks_of(*cells: dict[str, Any], **more: Any) -> tuple[Block, ...]:
    return read(write(list(cells), **more), "n.ipynb").blocks


def markdown(*lines: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": list(lines)}


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": source, "outputs": list(outputs)}


def test_cells_become_blocks_at_their_lines_in_the_file() -> None:
    data = write(
        [markdown("# Title\n", "\n", "Größe ☃ text"), code("x = 1\nx", {"output_type": "stream", "text": ["1\n"]})]
    )
    lines = data.decode().split("\n")
    heading, prose, source, output = read(data, "n.ipynb").blocks
    assert (heading.kind, heading.text, heading.level) == ("heading", "Title", 1)
    assert (prose.kind, prose.text) == ("prose", "Größe ☃ text")
    assert (source.kind, source.text) == ("code", "```python\nx = 1\nx\n```")
    assert (output.kind, output.text) == ("code", "```text\n1\n```")
    assert "# Title" in lines[heading.first_line - 1]
    assert json.dumps("Größe ☃ text") in lines[prose.first_line - 1]
    assert "x = 1" in lines[source.first_line - 1]


def test_text_outputs_are_kept_short_and_all_else_is_dropped() -> None:
    image = {"output_type": "display_data", "data": {"image/png": "iVBOR"}, "metadata": {}}
    table = {"output_type": "execute_result", "data": {"text/html": "<table>", "text/plain": ["a  b\n", "1  2"]}}
    error = {"output_type": "error", "ename": "KeyError", "evalue": "'k'", "traceback": ["\x1b[31mlong\x1b[0m"]}
    colours = {"output_type": "stream", "name": "stderr", "text": "\x1b[31mred\x1b[0m ```\n"}
    long = {"output_type": "stream", "text": "line\n" * 100}
    wide = {"output_type": "stream", "text": "w" * 9000}
    texts = [block.text for block in blocks_of(code("f()", image, table, error, colours, long, wide))][1:]
    assert texts[:3] == ["```text\na  b\n1  2\n```", "```text\nKeyError: 'k'\n```", "````text\nred ```\n````"]
    assert texts[3].split("\n")[-2:] == ["… (60 more lines)", "```"]
    assert len(texts[4]) < 500


def test_the_language_is_the_kernel_s() -> None:
    (block,) = blocks_of(code("1"), metadata={"kernelspec": {"language": "julia"}, "title": "T"})
    assert block.text.startswith("```julia\n")
    (block,) = blocks_of(code("1"), metadata={"language_info": {"name": "R"}})
    assert block.text.startswith("```R\n")


def test_format_3_has_worksheets_inputs_and_headings() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Old ", "title"]},
        {
            "cell_type": "code",
            "input": ["1+1"],
            "language": "python",
            "outputs": [{"output_type": "pyout", "text": ["2"]}],
        },
    ]
    data = json.dumps({"nbformat": 3, "metadata": {"name": "N"}, "worksheets": [{"cells": cells}]}).encode()
    parsed = read(data, "n.ipynb")
    assert parsed.title == "N"
    assert [(block.kind, block.text, block.level) for block in parsed.blocks] == [
        ("heading", "Old title", 2),
        ("code", "```python\n1+1\n```", 0),
        ("code", "```text\n2\n```", 0),
    ]
    assert {(block.first_line, block.last_line) for block in parsed.blocks} == {(1, 1)}


def test_half_a_surrogate_pair_is_replaced() -> None:
    (block,) = blocks_of(markdown("half \ud83d of a pair"))
    block.text.encode()
    assert block.text.startswith("half ")


@pytest.mark.parametrize("data", [b"{", b"[]", b"{}", b'"x"', b'{"worksheets": {}}', b"[" * 100_000])
def test_what_is_no_notebook_is_malformed(data: bytes) -> None:
    with pytest.raises(UnreadableDocumentError) as raised:
        read_as("notebook", data, "n.ipynb")
    assert raised.value.reason == "malformed"


@pytest.mark.parametrize("odd", [None, 3, "x", [], {}, [None], [3], {"a": []}])
def test_odd_values_do_not_escape(odd: Any) -> None:
    cell = {"cell_type": "code", "source": "x", "outputs": odd, "level": odd, "language": odd}
    outputs = [{"output_type": kind, "data": odd, "text": odd, "ename": odd} for kind in ("stream", "error", "pyout")]
    cells = [
        cell,
        {**cell, "outputs": outputs},
        {"cell_type": "heading", "source": odd, "level": odd},
        odd,
        {"source": odd},
    ]
    assert "x" in blocks_of(*cells, metadata=odd)[0].text
