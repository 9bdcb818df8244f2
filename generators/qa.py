"""From chunks to the requests that ask a teacher about them.

    chunks + template + settings ─▶ Asking(chunks, request), …

Small neighbours of one document share a request where the template allows it. A request's bytes depend on the
documents, the template and the settings alone.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from generators.names import names
from generators.records import Chunk, content_id
from generators.statements import plain, salient, statements
from generators.teachers import Message, Request
from generators.templates import Template
from generators.tokens import count_tokens

KINDS = ("how-to", "parameter", "error", "code", "limit", "value", "which", "reverse", "definition")
# Tokens of one fact in a reply: a wording, and the answer with its quotes and the JSON around them (measured).
_WORDING_TOKENS = 22
_FACT_TOKENS = 110
_MOST_NAMES = 60


@dataclass(frozen=True, slots=True)
class QaConfig:
    """How teachers are asked.

    Attributes:
        product: What the documentation is about, for the prompt; may be empty.
        request_tokens: Neighbours share a request up to this many tokens of text.
        temperature: Sampling temperature; ``None`` leaves the provider's own.
        seed: Of the sampling, where the provider takes one.
        facts: Facts a section at most; 0 leaves the template's own number.
    """

    product: str = ""
    request_tokens: int = 1200
    temperature: float | None = None
    seed: int = 0
    facts: int = 0


@dataclass(frozen=True, slots=True)
class Asking:
    """One request and the chunks it asks about."""

    chunks: tuple[Chunk, ...]
    request: Request
    prompt_tokens: int
    reply_tokens: int


def recipe(template: Template, config: QaConfig, teacher: str) -> str:
    """Hash what, besides the documents, decides what a teacher is asked; another recipe means asking again."""
    return content_id("recipe", template.sha256, teacher, config.product, config.temperature, config.seed, config.facts)


def build_requests(chunks: Iterable[Chunk], template: Template, config: QaConfig, slot: int = 0) -> Iterator[Asking]:
    """Yield the requests that ask about the chunks, in their order; lazily, one document's neighbours at a time."""
    for group in _groups(chunks, template, config):
        yield build_request(group, template, config, slot)


def build_request(group: Sequence[Chunk], template: Template, config: QaConfig, slot: int = 0) -> Asking:
    """Write the one request that asks about a group of chunks."""
    constants = template.constants
    wanted = [_facts_in(chunk, config.facts or constants.facts_per_section) for chunk in group]
    text = "\n\n".join(chunk.text for chunk in group)
    values = {
        "sections": [{"heading": chunk.heading, "text": chunk.text, "kind": chunk.kind} for chunk in group],
        "names": names(text)[:_MOST_NAMES],
        "facts": sum(wanted),
        "wordings": constants.wordings,
        "kinds": KINDS,
        "product": config.product,
        "slot": slot,
    }
    system, user = template.render(values)
    bound = (
        [salient(chunk.text, count) for chunk, count in zip(group, wanted, strict=True)]
        if constants.bound_quotes
        else []
    )
    schema = (
        _bound_schema([s.text for found in bound for s in found], constants.wordings)
        if any(bound)
        else _schema(constants.wordings)
    )
    reply_tokens = sum(wanted) * (_FACT_TOKENS + _WORDING_TOKENS * constants.wordings)
    request = Request(
        messages=(Message("system", system), Message("user", user)),
        schema=schema,
        schema_name="facts",
        max_tokens=_room(reply_tokens, bound=constants.bound_quotes, text=text),
        temperature=config.temperature,
        seed=config.seed,
        slot=slot,
    )
    return Asking(tuple(group), request, count_tokens(system) + count_tokens(user), reply_tokens)


def repair_request(asking: Asking, reply: str, problem: str) -> Asking:
    """Ask once more, showing the teacher its own reply and what was wrong with it."""
    old = asking.request
    complaint = f"That reply could not be used: {problem}. Reply again, with JSON of the given schema only."
    messages = (*old.messages, Message("assistant", reply[:4000] or "(empty)"), Message("user", complaint))
    request = Request(messages, old.schema, old.schema_name, old.max_tokens, old.temperature, old.seed, old.slot)
    return Asking(asking.chunks, request, asking.prompt_tokens + count_tokens(reply[:4000]), asking.reply_tokens)


def _groups(chunks: Iterable[Chunk], template: Template, config: QaConfig) -> Iterator[list[Chunk]]:
    """Neighbours of one document, up to the template's number and the settings' tokens."""
    group, size = list[Chunk](), 0
    for chunk in chunks:
        full = len(group) >= template.constants.sections_per_request or size + chunk.tokens > config.request_tokens
        if group and (full or chunk.document != group[0].document):
            yield group
            group, size = [], 0
        group.append(chunk)
        size += chunk.tokens
    if group:
        yield group


def _facts_in(chunk: Chunk, most: int) -> int:
    """How many facts to ask of a chunk: in proportion to what it states, at least one."""
    weighty = sum(statement.weight > 0 for statement in statements(chunk.text))
    return max(1, min(most, math.ceil(weighty * 0.6)))


def _room(reply_tokens: int, *, bound: bool, text: str) -> int:
    """The token limit of a reply: generous, since a cut reply is paid for and half lost; yet it bounds a loop."""
    if bound:
        return reply_tokens + 200 + 2 * min(count_tokens(text), 300)
    return max(1500, 3 * reply_tokens)


def _schema(wordings: int) -> Mapping[str, object]:
    fact = _fact_schema({"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}, wordings)
    return _reply_schema({"type": "array", "items": fact})


def _bound_schema(quotes: Sequence[str], wordings: int) -> Mapping[str, object]:
    """A schema whose facts are fixed but for their questions; a grammar then keeps a small model from inventing."""
    facts = [_fact_schema({"const": plain(quote)}, {"const": [quote]}, wordings, bound=True) for quote in quotes]
    return _reply_schema({"type": "array", "prefixItems": facts, "minItems": len(facts), "maxItems": len(facts)})


def _fact_schema(
    answer: Mapping[str, object], quotes: Mapping[str, object], wordings: int, *, bound: bool = False
) -> Mapping[str, object]:
    """A fact; a bound one comes quotes first, so that a model that writes left to right asks about what it has read.

    Only ``minLength`` bounds the question: a ``pattern`` or ``maxLength`` makes a grammar that samples far slower.
    """
    question = {"type": "string", "minLength": 12} if bound else {"type": "string"}
    properties = {
        "kind": {"type": "string", "enum": list(KINDS)},
        "answer": answer,
        "quotes": quotes,
        "questions": {
            "type": "array",
            "items": question,
            "minItems": wordings,
            **({"maxItems": wordings} if bound else {}),
        },
    }
    order = ["quotes", "answer", "questions", "kind"] if bound else list(properties)
    return {
        "type": "object",
        "properties": {name: properties[name] for name in order},
        "required": order,
        "additionalProperties": False,
    }


def _reply_schema(facts: Mapping[str, object]) -> Mapping[str, object]:
    return {"type": "object", "properties": {"facts": facts}, "required": ["facts"], "additionalProperties": False}
