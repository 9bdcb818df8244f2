"""The records that the stages hand to each other: frozen, slotted, with ids made of content.

    Document (a file) ─▶ Block (a piece of it) ─▶ Chunk (a leaf section) ─▶ Pair (question + answer) | Reject

An id is the first 16 hex digits of a sha256 over what the record says, never over where it stands, so that moving,
renaming or reflowing a document changes nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["heading", "prose", "list_item", "code", "table", "admonition"]
ChunkKind = Literal["section", "operation", "schema"]


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def content_id(*parts: object) -> str:
    """Hash JSON-able values to 16 hex digits; equal values give equal ids on every machine."""
    return hashlib.sha256(_CANONICAL.encode(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a document that is not cut if that can be helped, in reading order.

    Attributes:
        kind: What it is. A heading opens a section; an admonition (note, warning) is kept whole with its body.
        text: The verbatim source of the piece without a trailing newline; for formats that people do not read as
            source (HTML, OpenAPI, PDF, DOCX) its rendering as Markdown. A heading's text is its plain title.
        first_line: 1-based line of the source where it starts (of the extracted text, where the source has none).
        last_line: The line where it ends, inclusive.
        level: 1 to 6 for a heading, else 0.
        section: For a heading, the kind of chunk that it opens.
    """

    kind: BlockKind
    text: str
    first_line: int
    last_line: int
    level: int = 0
    section: ChunkKind = "section"


@dataclass(frozen=True, slots=True)
class Document:
    """One file of the docs folder, read.

    Attributes:
        path: POSIX path below the docs folder it was found in; how people and reports name it.
        format: The reader that read it, such as ``markdown``.
        sha256: Of the file's bytes as they lie on disk.
        size: In bytes, as on disk.
        title: From front matter or metadata; empty if the document has only its headings.
        blocks: The content in reading order.
    """

    path: str
    format: str
    sha256: str
    size: int
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was found and not read, with a stable reason code and a detail for the person."""

    path: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A leaf section of a document: what one question is about.

    Attributes:
        id: Hash of the normalised text and the heading path; server addresses, file names and line numbers are no
            part of it.
        document: Path of the document it was first found in.
        heading: Titles from the document's top to this section.
        text: The verbatim text.
        first_line: 1-based, inclusive, like ``last_line``.
        tokens: Estimated length of the text in tokens.
        kind: Section of prose, API operation or schema.
        rows: Where the text's blocks come from: the row of the text (from 0) that each begins in, its first and its
            last line (the first again, where the text is a rendering). Empty where that is not known.
        seal: Of ``generators.privacy``: with which settings it found nothing private in this very text.
    """

    id: str
    document: str
    heading: tuple[str, ...]
    text: str
    first_line: int
    last_line: int
    tokens: int
    kind: ChunkKind = "section"
    rows: tuple[tuple[int, int, int], ...] = field(default=(), compare=False)
    seal: str = field(default="", compare=False)

    def line_of(self, row: int) -> int:
        """The document's line that a row of the text comes from, as near as is known."""
        for start, first, last in reversed(self.rows):
            if start <= row:
                return min(first + row - start, last)
        return self.first_line

    @property
    def lines(self) -> str:
        """The line span as people write it: ``12-40``."""
        return f"{self.first_line}-{self.last_line}"


@dataclass(frozen=True, slots=True)
class Pair:
    """One question, its answer and the verbatim quotes that carry the answer.

    Attributes:
        id: Hash of chunk id, question and answer.
        fact: Hash of chunk id, answer and quotes as the teacher gave them; the wordings of one fact share it.
        quotes: The section's own words, once the pair has passed the funnel; until then what the teacher gave as such.
        kind: What is asked for: how-to, parameter, error, code, limit, …
        chunk: Id of the chunk that the quotes stand in; the first of them, where they stand in several.
        teacher: The teacher's SPEC, such as ``openai/gpt-5-mini``.
        template: sha256 of the prompt template.
        scores: What graders and filters measured, by name.
        chunks: Of a pair that several sections answer: the chunk of each quote, in their order; else empty.
    """

    id: str
    fact: str
    question: str
    answer: str
    quotes: tuple[str, ...]
    kind: str
    chunk: str
    teacher: str
    template: str
    scores: Mapping[str, float] = field(default_factory=dict)
    chunks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """Something that did not make it into the dataset, and why.

    Attributes:
        stage: Where: ``privacy``, ``ask``, ``parse``, ``filter``, ``target``.
        reason: The stable reason code; for a filter its name.
        detail: The evidence, for the person.
        chunk: Id of the chunk it came from, if one.
        pair: The pair, where there is one.
        raw: The raw reply or item, where there is no pair.
        twin: Id of the pair that it repeats.
        similarity: Of the twins, 0 to 1.
    """

    stage: str
    reason: str
    detail: str = ""
    chunk: str = ""
    pair: Pair | None = None
    raw: str = ""
    twin: str = ""
    similarity: float | None = None
