"""A teacher's reply ─▶ pairs, and a reject with its reason for each item that is none.

    '{"facts": [{"kind", "answer", "quotes", "questions"}]}' + the chunks it was asked about ─▶ [Pair | Reject, …]

Valid items of a partly bad reply are kept. Each fact belongs to the chunk that its quotes stand in; there are no
numbers to cross-reference. Nothing is dropped in silence.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from generators.loose_json import AROUND_FACTS, decoded_facts, keep_piece
from generators.quotes import find_quote, is_verbatim
from generators.records import Chunk, Pair, Reject, content_id
from generators.statements import kind_of, plain, statements

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_QUESTION = TypeAdapter(_Text)


class _Fact(BaseModel):
    """One item of a reply, as the schema asks for it."""

    model_config = ConfigDict(extra="ignore", strict=True)

    kind: _Text
    answer: _Text
    quotes: list[_Text]
    questions: list[Any]


class _BoundFact(BaseModel):
    """One item of a reply whose quotes and foci the schema fixed: the teacher wrote the questions alone."""

    model_config = ConfigDict(extra="ignore", strict=True)

    quotes: list[_Text] = Field(min_length=1)
    asks_for: list[_Text]
    questions: list[Any]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a reply came to. ``repairable`` tells that asking once more may help: no item of it could be used."""

    pairs: list[Pair] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    repairable: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a reply comes from.

    Attributes:
        chunks: What was asked about.
        teacher: The teacher's SPEC.
        template: sha256 of the prompt.
        bound: Quotes and answers were fixed by the schema (``TemplateConstants.bound_quotes``).
        wordings: Questions that were asked for, a fact; 0 if that does not matter.
    """

    chunks: Sequence[Chunk]
    teacher: str
    template: str
    bound: bool = False
    wordings: int = 0


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
    items, broken, rest = decoded_facts(text)
    if not cut:
        keep_piece(rest, items, broken)
    if not items:
        reason, detail = _nothing_in(text, cut=cut)
        if not broken or reason == "wrong_schema":
            return _whole(origin, reason, detail, text)
    parsed = _facts(items, origin)
    parsed.rejects.extend(
        _reject(origin, "invalid_json", "this part of the reply is no JSON", piece) for piece in broken
    )
    if cut and rest.strip(AROUND_FACTS):
        parsed.rejects.append(_reject(origin, "truncated", "the reply ended at its token limit", rest))
    return replace(parsed, repairable=not parsed.pairs)


def _nothing_in(text: str, *, cut: bool) -> tuple[str, str]:
    """Why a reply holds no fact: reason and detail."""
    if cut:
        return "truncated", f"no whole fact in {len(text)} characters (cut at the token limit)"
    try:
        decoded = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return "invalid_json", f"no JSON in {len(text)} characters"
    if isinstance(decoded, list) or (isinstance(decoded, dict) and "facts" in decoded):
        return "no_facts", "the reply holds no facts"
    return "wrong_schema", 'the JSON has no list "facts"'


def _facts(items: Sequence[object], origin: Origin) -> Parsed:
    parsed = Parsed()
    seen: set[str] = set()
    for item in items:
        try:
            fact = _bound_fact(item, origin) if _is_bound(item, origin) else _Fact.model_validate(item)
        except ValidationError as error:
            parsed.rejects.append(_reject(origin, "wrong_schema", _first_problem(error), item))
            continue
        if _is_bound(item, origin):
            fact = _without_given_away(fact, item, origin, parsed.rejects)
            if not fact.questions:
                continue
        wordings, unusable = _wordings(fact.questions)
        if not wordings:
            parsed.rejects.append(_reject(origin, "no_question", "the fact has no question", item))
            continue
        parsed.rejects.extend(_reject(origin, "wrong_schema", "a question is no text", each) for each in unusable)
        if len(fact.questions) < origin.wordings and not _is_bound(item, origin):
            detail = f"{len(fact.questions)} wordings of {origin.wordings}"
            parsed.rejects.append(_reject(origin, "too_few_wordings", detail, item))
        for pair in _pairs(fact, wordings, origin):
            if pair.id in seen:
                again = "the same question twice in one reply"
                parsed.rejects.append(Reject("parse", "exact_duplicate", again, pair.chunk, pair, "", pair.id, 1.0))
            else:
                seen.add(pair.id)
                parsed.pairs.append(pair)
    return parsed


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "item"
    return f"{where}: {first['msg']}"


def _wordings(questions: Sequence[object]) -> tuple[list[str], list[object]]:
    """The questions that are text, and those that are not."""
    usable, unusable = list[str](), list[object]()
    for question in questions:
        try:
            usable.append(_QUESTION.validate_python(question, strict=True))
        except ValidationError:
            unusable.append(question)
    return usable, unusable


def _is_bound(item: object, origin: Origin) -> bool:
    """Whether the schema fixed the fact; that of a section without statements does not."""
    return origin.bound and isinstance(item, dict) and "asks_for" in item


def _bound_fact(item: object, origin: Origin) -> _Fact:
    """A whole fact from one whose answer is the quoted statement."""
    bound = _BoundFact.model_validate(item)
    known = {statement.text: statement for chunk in origin.chunks for statement in statements(chunk.text)}
    statement = known.get(bound.quotes[0])
    answer = statement.answer if statement else plain(bound.quotes[0])
    kind = kind_of(statement) if statement else "definition"
    return _Fact(kind=kind, answer=answer, quotes=bound.quotes, questions=bound.questions)


def _without_given_away(fact: _Fact, item: object, origin: Origin, rejects: list[Reject]) -> _Fact:
    """Leave out the questions that hold what they were to ask for."""
    bound = _BoundFact.model_validate(item)
    kept: list[str] = []
    for question, asked in zip_longest(bound.questions, bound.asks_for[: len(bound.questions)], fillvalue=""):
        if _gives_away(question, asked):
            detail = f"the question holds what it asks for: '{asked}'"
            rejects.append(_reject(origin, "answer_in_question", detail, {"question": question, "answer": fact.answer}))
        else:
            kept.append(question)
    return fact.model_copy(update={"questions": kept})


def _gives_away(question: object, asked: str) -> bool:
    """Whether a question holds the name or the amount that it was to ask for."""
    if not isinstance(question, str) or not asked or not ("`" in asked[:1] or re.search(r"\d", asked)):
        return False
    held = re.sub(r"\W+", " ", asked).strip().lower()
    return f" {held} " in f" {re.sub(r'[^a-z0-9_]+', ' ', question.lower())} "


def _pairs(fact: _Fact, wordings: Sequence[str], origin: Origin) -> Iterator[Pair]:
    chunk = _home(fact.quotes, origin.chunks)
    fact_id = content_id("fact", chunk.id, fact.answer, fact.quotes)
    for question in wordings:
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
    verbatim = [sum(is_verbatim(quote, chunk.text) for quote in quotes) for chunk in chunks]
    if any(verbatim):
        return chunks[verbatim.index(max(verbatim))]
    return max(chunks, key=lambda chunk: sum(find_quote(quote, chunk.text) for quote in quotes))


def _whole(origin: Origin, reason: str, detail: str, text: str) -> Parsed:
    """A whole reply that cannot be used: one reject."""
    return Parsed([], [_reject(origin, reason, detail, text)], repairable=True)


def _reject(origin: Origin, reason: str, detail: str, raw: object) -> Reject:
    try:
        kept = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)
    except RecursionError:
        kept = "(nested too deeply; the journal has the reply)"
    # JSON can spell half characters, which no file can hold.
    kept = kept.encode("utf-8", "backslashreplace").decode()
    return Reject(stage="parse", reason=reason, detail=detail, chunk=origin.chunks[0].id, raw=kept)
