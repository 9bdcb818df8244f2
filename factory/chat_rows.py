"""Anyone's chat JSONL, line by line: the question and the answer of a row, whichever of the usual schemas it has.

    a file of lines ─▶ (number, line) …;  a line ─▶ ("How do I …?", "Call …") or a ``BadRowError`` that says why not

Schemas: ``messages`` (role/content), ShareGPT ``conversations`` (from/value), Alpaca (instruction/input/output),
prompt/completion and question/answer. One file may hold them mixed. Of several turns all questions and all answers
count. Nothing here changes a line.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast

from generators.errors import UsageError

# A longer line is named and passed over, never held in memory.
LONGEST_LINE = 64 * 2**20
_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"
_BLANKS = " \t\r\n"
# What json.loads comes to in the end; by its ways there it takes twice as long.
_SCAN: Callable[[str, int], tuple[Any, int]] = vars(json.JSONDecoder())["scan_once"]
_USER = frozenset(["user", "human", "prompter", "instruction"])
_ASSISTANT = frozenset(["assistant", "gpt", "model", "bot", "chatgpt", "ai", "output"])


class BadRowError(Exception):
    """A line that holds no question and answer; the message says why."""


@contextmanager
def open_rows(path: Path) -> Iterator[tuple[IO[bytes], bool]]:
    """Open a file, plain or gzipped; tells which. ``UsageError`` if it cannot be read."""
    with _open(path) as raw:
        start = raw.peek(4)[:4]
        if start.startswith(_WIDE_BOMS):
            raise UsageError(f"{path} is UTF-16 text: convert it to UTF-8 first")
        if not start.startswith(_GZIP):
            yield raw, False
            return
        try:
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw)), True
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UsageError(f"{path} is a damaged gzip file ({error}); nothing is written") from error


def _open(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {path}") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def lines_of(file: IO[bytes]) -> Iterator[tuple[int, bytes, int]]:
    """Each line that is not blank: number, bytes without a BOM, length; the bytes of one too long are cut."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        length = len(line)
        if length > LONGEST_LINE and not line.endswith(b"\n"):
            while (more := file.readline(LONGEST_LINE)) and not more.endswith(b"\n"):
                length += len(more)
            length += len(more)
        if number == 1:
            line = line.removeprefix(_BOM)
        if line and not line.isspace():
            yield number, line, length


def read_row(line: bytes, length: int) -> tuple[str, str]:
    """The question and the answer of a line; ``BadRowError`` if it has none."""
    if length > LONGEST_LINE:
        raise BadRowError(f"the line has {length:,} bytes, more than {LONGEST_LINE:,}")
    try:
        text = line.decode()
        start = 0 if text[0] == "{" else len(text) - len(text.lstrip(_BLANKS))
        record, end = _SCAN(text, start)
        if (rest := text[end:]) != "\n" and rest.strip(_BLANKS):
            raise BadRowError(f"not JSON: extra data at {end}")
    except StopIteration as error:
        raise BadRowError("holds NUL bytes" if b"\0" in line else f"not JSON: no value at {error.value}") from error
    except UnicodeDecodeError as error:
        raise BadRowError(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise BadRowError("holds NUL bytes" if b"\0" in line else f"not JSON: {error.msg} at {error.pos}") from error
    except (RecursionError, ValueError) as error:
        raise BadRowError("not JSON that can be read: nested too deep, or a number too long") from error
    if not isinstance(record, dict):
        raise BadRowError(f"no JSON object but {type(record).__name__}")
    return _texts(record)


def _texts(record: Mapping[str, Any]) -> tuple[str, str]:
    for turns in ("messages", "conversations"):
        if isinstance(record.get(turns), list):
            return _of_turns(record[turns])
    for asked, told in (("prompt", "completion"), ("instruction", "output"), ("question", "answer")):
        if asked in record and told in record:
            question, answer = _text(record[asked]), _text(record[told])
            more = _text(record.get("input")) if asked == "instruction" else ""
            return f"{question}\n{more}" if more else question, answer
    keys = ", ".join(list(record)[:6])
    raise BadRowError(f"neither messages, conversations, prompt, instruction nor question in it (keys: {keys[:200]})")


def _of_turns(turns: list[Any]) -> tuple[str, str]:
    """All that users asked and all that assistants answered."""
    asked, told = list[str](), list[str]()
    for turn in turns:
        if not isinstance(turn, dict):
            raise BadRowError("a turn that is no object")
        role = str(turn.get("role") or turn.get("from"))
        said = asked if role in _USER else told if role in _ASSISTANT else None
        if said is not None:
            content = turn.get("content", turn.get("value"))
            said.append(content if isinstance(content, str) else _text(content))
    if not asked or not told:
        raise BadRowError(f"no {'answer of an assistant' if asked else 'question of a user'} in it")
    return "\n".join(asked), "\n".join(told)


def _text(content: Any) -> str:  # noqa: ANN401 - from a file
    """A content as text: itself, its text parts, or the contents of its turns."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "\n".join(_text(part.get("text", part.get("content", part.get("value")))) for part in content)
    raise BadRowError(f"a text that is none: {str(content)[:80]}")
