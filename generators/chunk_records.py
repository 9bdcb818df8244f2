"""The chunks of a version in its ``chunks.jsonl``: what a student is trained with or scored by, beside the pairs.

chunk_record(chunk) ─▶ {"id", "document", "heading", "lines", "kind", "text"};   read_chunks(version) ─▶ [Chunk]

They stand in the version as a teacher saw them, so that a version can be used where the documents are not.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generators.errors import UsageError
from generators.records import Chunk
from generators.tokens import count_tokens

CHUNKS_FILE = "chunks.jsonl"


def chunk_record(chunk: Chunk) -> dict[str, Any]:
    """A chunk as an object for JSON."""
    return {
        "id": chunk.id,
        "document": chunk.document,
        "heading": list(chunk.heading),
        "lines": chunk.lines,
        "kind": chunk.kind,
        "text": chunk.text,
    }


def read_chunks(version: Path) -> list[Chunk]:
    """The chunks of a version in their order; none if it was published without.

    Raises:
        UsageError: They cannot be read.
    """
    file = version / CHUNKS_FILE
    try:
        # Not splitlines(): U+2028 and friends inside a JSON string end no row.
        lines = file.read_text(encoding="utf-8").split("\n") if file.exists() else []
        return [_chunk(json.loads(line)) for line in lines if line]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(f"{file} cannot be read ({error!r}): point 'latest' at another version") from error


def _chunk(record: Mapping[str, Any]) -> Chunk:
    first, _, last = record["lines"].partition("-")
    text, heading = record["text"], tuple(record["heading"])
    tokens = count_tokens(text)
    return Chunk(record["id"], record["document"], heading, text, int(first), int(last), tokens, record["kind"])
