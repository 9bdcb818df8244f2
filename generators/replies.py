"""A teacher's reply ─▶ pairs, and a reject with its reason for each item that is none.

    '{"facts": [{"kind", "answer", "quotes", "questions"}]}' + the chunks it was asked about ─▶ [Pair | Reject, …]

Valid items of a partly bad reply are kept. Each fact belongs to the chunk that its quotes stand in; there are no
numbers to cross-reference. Nothing is dropped in silence.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from generators.quotes import find_quote
from generators.records import Chunk, Pair, Reject, content_id

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Fact(BaseModel):
    """One item of a reply, as the schema asks for it."""

    model_config = ConfigDict(extra="ignore", strict=True)

    kind: _Text
    answer: _Text
    quotes: list[_Text]
    questions: list[_Text]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a reply came to. ``repairable`` tells that asking once more may help: no item of it could be used."""

    pairs: list[Pair] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    repairable: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a reply comes from: the chunks asked about, the teacher's SPEC and the template's sha256."""

    chunks: Sequence[Chunk]
    teacher: str
    template: str


def parse_reply(text: str, origin: Origin, *, cut: bool = False) -> Parsed:
    """Turn one reply's text into pairs and rejects.

    Args:
        text: What the teacher wrote.
        origin: The chunks, teacher and template.
        cut: The reply ended at its token limit; its whole items are kept, the torn one is a ``truncated`` reject.

    Returns:
        Pairs in the reply's order, one a wording; rejects with stage ``parse``.
    """
    if not text.strip():
        return _whole(origin, "empty_reply", "the teacher sent no text", text)
    try:
        items = _items(text, cut=cut)
    except ValueError as error:
        return _whole(origin, "truncated" if cut else "invalid_json", str(error), text)
    if cut and items:
        # The repaired tail of a cut reply is a torn item: whatever closing brackets make of it, it is not whole.
        torn = items.pop()
        parsed = _facts(items, origin)
        parsed.rejects.append(_reject(origin, "truncated", "the reply ended at its token limit", torn))
        return parsed
    if not items:
        return _whole(origin, "no_facts", "the reply holds no facts", text)
    return _facts(items, origin)


def _items(text: str, *, cut: bool) -> list[object]:
    """Decode the reply to its list of raw facts; ``ValueError`` says what is wrong."""
    body = text.strip()
    try:
        decoded = json.loads(body)
    except (json.JSONDecodeError, RecursionError):
        from json_repair import repair_json

        decoded = repair_json(body, return_objects=True)
        if not isinstance(decoded, dict | list) or not decoded:
            raise ValueError(f"no JSON in {len(text)} characters{' (cut at the token limit)' if cut else ''}") from None
    facts = decoded.get("facts") if isinstance(decoded, dict) else decoded
    if not isinstance(facts, list):
        raise ValueError('the JSON has no list "facts"')
    return facts


def _facts(items: Sequence[object], origin: Origin) -> Parsed:
    parsed = Parsed()
    for item in items:
        try:
            fact = _Fact.model_validate(item)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "item"
            parsed.rejects.append(_reject(origin, "wrong_schema", f"{where}: {first['msg']}", item))
            continue
        if not fact.questions:
            parsed.rejects.append(_reject(origin, "no_question", "the fact has no question", item))
            continue
        parsed.pairs.extend(_pairs(fact, origin))
    if not parsed.pairs:
        return Parsed(parsed.pairs, parsed.rejects, repairable=True)
    return parsed


def _pairs(fact: _Fact, origin: Origin) -> Iterator[Pair]:
    chunk = _home(fact.quotes, origin.chunks)
    fact_id = content_id("fact", chunk.id, fact.answer, fact.quotes)
    for question in dict.fromkeys(fact.questions):
        yield Pair(
            id=content_id("pair", chunk.id, question, fact.answer),
            fact=fact_id,
            question=question,
            answer=fact.answer,
            quotes=tuple(fact.quotes),
            kind=fact.kind,
            chunk=chunk.id,
            teacher=origin.teacher,
            template=origin.template,
        )


def _home(quotes: Sequence[str], chunks: Sequence[Chunk]) -> Chunk:
    """The chunk that holds the quotes best; the first of equals."""
    if len(chunks) == 1:
        return chunks[0]
    return max(chunks, key=lambda chunk: sum(find_quote(quote, chunk.text) for quote in quotes))


def _whole(origin: Origin, reason: str, detail: str, text: str) -> Parsed:
    """A whole reply that cannot be used: one reject."""
    return Parsed([], [_reject(origin, reason, detail, text)], repairable=True)


def _reject(origin: Origin, reason: str, detail: str, raw: object) -> Reject:
    kept = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, default=str)
    return Reject(stage="parse", reason=reason, detail=detail, chunk=origin.chunks[0].id, raw=kept)
