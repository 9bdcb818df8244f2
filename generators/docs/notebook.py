"""Jupyter notebooks (format 3 and 4) -> blocks: Markdown cells as Markdown, code cells and their text output as fences.

Images, HTML, widgets and tracebacks among the outputs are left out, and so are empty cells; a long output is cut with a
line that says so. Line numbers point into the ``.ipynb`` file as it lies on disk: at the JSON line of each source line
where the file is written one line each, as Jupyter does, and at the cell's last line for outputs. They are found by
looking for the text, so they are best effort; a file without line breaks is all line 1.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from generators.docs.markdown import markdown_blocks
from generators.docs.parsed import Parsed, decode_text
from generators.errors import UnreadableDocumentError
from generators.records import Block

_MAX_OUTPUT_LINES = 40
_MAX_OUTPUT_LINE = 400  # characters
_MAX_MISSES = 5  # sources not found in the file, before line numbers are given up: each search reads on to its end
_TERMINAL_CODE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")

_Json = dict[str, Any]


def read(data: bytes, name: str) -> Parsed:
    """Read a notebook.

    Raises:
        UnreadableDocumentError: ``undecodable``, ``binary``, or ``malformed`` if it is no notebook.
    """
    text = decode_text(data, name)
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableDocumentError("malformed", f"{name}: no JSON at line {error.lineno}: {error.msg}") from error
    cells = _cells(notebook)
    if cells is None:
        raise UnreadableDocumentError("malformed", f"{name}: JSON, but not a Jupyter notebook: it has no list of cells")
    metadata = _dict(notebook.get("metadata"))
    title = metadata.get("title") or metadata.get("name") or ""
    return Parsed(title if isinstance(title, str) else "", tuple(_blocks(cells, _language(metadata), _Lines(text))))


def _cells(notebook: object) -> list[_Json] | None:
    """Format 4 has cells, format 3 has worksheets of cells; None if there are neither."""
    if not isinstance(notebook, dict):
        return None
    sheets = notebook.get("worksheets", [notebook])
    if not isinstance(sheets, list) or not ("cells" in notebook or "worksheets" in notebook):
        return None
    lists = [_dict(sheet).get("cells") or [] for sheet in sheets]
    return [cell for cells in lists if isinstance(cells, list) for cell in cells if isinstance(cell, dict)]


def _language(metadata: _Json) -> str:
    named = _dict(metadata.get("kernelspec")).get("language"), _dict(metadata.get("language_info")).get("name")
    return next((str(name) for name in named if name), "python")


def _blocks(cells: list[_Json], language: str, lines: "_Lines") -> Iterator[Block]:
    for cell in cells:
        kind = cell.get("cell_type")
        source = _text(cell.get("source", cell.get("input")))
        if not source.strip():
            continue
        first = lines.find(source)
        if kind == "code":
            fence = _fenced(source.strip("\n"), str(cell.get("language") or language))
            last = lines.at(first + source.rstrip().count("\n"))
            yield Block("code", fence, first, last)
            yield from _outputs(cell, last)
        elif kind == "heading":  # format 3
            yield Block("heading", " ".join(source.split()), first, first, min(max(_level(cell), 1), 6))
        else:
            for block in markdown_blocks(source, first):
                last = lines.at(block.last_line)
                yield Block(block.kind, block.text, lines.at(block.first_line), last, block.level)


def _level(cell: _Json) -> int:
    level = cell.get("level")
    return level if isinstance(level, int) else 1


def _outputs(cell: _Json, line: int) -> Iterator[Block]:
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else []:
        text = _TERMINAL_CODE.sub("", _output_text(_dict(output))).strip("\n")
        if text.strip():
            yield Block("code", _fenced(_shortened(text), "text"), line, line)


def _output_text(output: _Json) -> str:
    kind = output.get("output_type")
    if kind in ("error", "pyerr"):
        return f"{output.get('ename', 'Error')}: {output.get('evalue', '')}"
    if kind == "stream":
        return _text(output.get("text"))
    data = _dict(output.get("data"))
    return _text(data.get("text/plain", output.get("text")))


def _shortened(text: str) -> str:
    lines = text.split("\n")
    shown = [line if len(line) <= _MAX_OUTPUT_LINE else line[:_MAX_OUTPUT_LINE] + " …" for line in lines]
    if len(lines) > _MAX_OUTPUT_LINES:
        shown[_MAX_OUTPUT_LINES:] = [f"… ({len(lines) - _MAX_OUTPUT_LINES} more lines)"]
    return "\n".join(shown)


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _text(value: object) -> str:
    """A source or output: a string or a list of them. Halves of surrogate pairs, which JSON can hold, are replaced."""
    parts = value if isinstance(value, list) else [value]
    text = "".join(part for part in parts if isinstance(part, str))
    text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").replace("\0", "\ufffd")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _dict(value: object) -> _Json:
    return value if isinstance(value, dict) else {}


class _Lines:
    """Finds the lines of the notebook file that hold the cells' sources, which come in the same order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._line = 1
        self._last = text.count("\n") + 1
        self._misses = 0

    def find(self, source: str) -> int:
        """The line of a source's first line; the last one found, if it cannot be found."""
        sought = source.split("\n", 1)[0]
        for ascii_only in (False, True) if self._misses < _MAX_MISSES else ():
            found = self._text.find(json.dumps(sought, ensure_ascii=ascii_only)[:-1], self._position)
            if found >= 0:
                self._line += self._text.count("\n", self._position, found)
                self._position = found + 1
                return self._line
        self._misses += 1
        return self._line

    def at(self, line: int) -> int:
        """The line, or the file's last line if the file is not written one line each."""
        return min(line, self._last)
