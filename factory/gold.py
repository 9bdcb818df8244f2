"""A person's own pairs: read from a file, kept through every refresh, pinned to the test where they say so.

    gold.jsonl + chunks ─▶ [Gold(pair, pinned, document, lines)]

A line is ``{"question", "answer"}`` and, if wanted, ``"quotes"`` (list of strings), ``"document"``, ``"kind"`` and
``"test": true``. Quotes tie a pair to the chunk that they stand in; without any it belongs to the file itself.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from generators.aligned import with_passages
from generators.errors import UsageError
from generators.quotes import is_verbatim
from generators.records import Chunk, Pair, content_id

FILE = "gold.jsonl"
TEACHER = "person"
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Line(BaseModel):
    """A line of the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: _Text
    answer: _Text
    quotes: list[_Text] = []
    document: str = ""
    kind: str = "gold"
    test: bool = False


@dataclass(frozen=True, slots=True)
class Gold:
    """One pair of a person.

    Attributes:
        pair: With the teacher ``person``.
        pinned: It belongs to the test.
        chunk: That it is about; for a pair without quotes a stand-in that holds its answer.
    """

    pair: Pair
    pinned: bool
    chunk: Chunk


def read_gold(path: Path, chunks: Mapping[str, Chunk]) -> list[Gold]:
    """Read a person's pairs; ``UsageError`` names the file and line of what is none.

    The same question twice is an error too: the person has to say which answer counts.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    found: list[Gold] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        gold = _gold(path, number, line, chunks)
        first = lines.setdefault(" ".join(gold.pair.question.casefold().split()), number)
        if first != number:
            raise UsageError(f"{path}, line {number}: asks the same as line {first}; keep one of them")
        found.append(gold)
    return found


def _gold(path: Path, number: int, line: str, chunks: Mapping[str, Chunk]) -> Gold:
    try:
        said = _Line.model_validate(json.loads(line))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said_of = f"{where}: {first['msg']}" if where else "this is no JSON object"
        raise UsageError(f"{path}, line {number}: {said_of}") from error
    except ValueError as error:
        raise UsageError(f"{path}, line {number}: this is no JSON ({error})") from error
    if said.document and all(chunk.document != said.document for chunk in chunks.values()):
        raise UsageError(f"{path}, line {number}: there is no document '{said.document}'")
    chunk = _home(said, chunks.values())
    if chunk is None and said.quotes:
        raise UsageError(f"{path}, line {number}: no document holds the quote '{said.quotes[0][:60]}'")
    about = chunk or Chunk("", path.name, (), said.answer, number, number, 0)
    pair = Pair(
        id=content_id("pair", "gold", said.question, said.answer),
        fact=content_id("fact", "gold", said.answer, said.quotes),
        question=said.question,
        answer=said.answer,
        quotes=tuple(said.quotes),
        kind=said.kind,
        chunk=about.id,
        teacher=TEACHER,
        template="",
    )
    return Gold(with_passages(pair, about), said.test, about)


def _home(said: _Line, chunks: Iterable[Chunk]) -> Chunk | None:
    """The first chunk that holds all quotes, of the document that is named, if one is."""
    if not said.quotes:
        return None
    there = (chunk for chunk in chunks if not said.document or chunk.document == said.document)
    return next((chunk for chunk in there if _holds(chunk, said.quotes)), None)


def _holds(chunk: Chunk, quotes: Sequence[str]) -> bool:
    return all(is_verbatim(quote, chunk.text) for quote in quotes)
