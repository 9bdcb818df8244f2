"""From chunks to the requests that ask a teacher about them.

    chunks + template + settings ─▶ Asking(chunks, request), …

Small neighbours of one document share a request where the template allows it. A request's bytes depend on the
documents, the template and the settings alone. Every chunk is cleaned of private values and hidden text here
(``generators.privacy``), whoever asks; an asking holds the chunks as the teacher sees them.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from generators.errors import UsageError
from generators.focus import Focus
from generators.names import names
from generators.privacy import PrivacyConfig, admitted
from generators.records import Chunk, content_id
from generators.statements import Statement, passages, salient, statements, whole
from generators.teachers import Message, Request
from generators.templates import Template
from generators.tokens import count_tokens

KINDS = ("how-to", "parameter", "error", "code", "limit", "value", "which", "reverse", "definition")
# Tokens of one fact in a reply: a wording, and the answer with its quotes and the JSON around them (measured).
_WORDING_TOKENS = 22
_FACT_TOKENS = 110
_TOKENS_A_FACT = 60
_MOST_NAMES = 60
_LONGEST_NAME = 80  # a longer code span is no name, and a document's sentences are no instructions
_ANY_OPENING = ("What", "How", "When", "Which")
_SPECIAL = re.compile(r"[][^$.()|{}*+?]")
_UNPATTERNED = re.compile(r'["\\\x00-\x1f?]')  # what a JSON string would escape, a pattern cannot say
_MOST_REPLY_TOKENS = 16_000  # more than that, models in wide use refuse


@dataclass(frozen=True, slots=True)
class QaConfig:
    """How teachers are asked.

    Attributes:
        product: What the documentation is about, for the prompt; may be empty.
        request_tokens: Neighbours share a request up to this many tokens of text.
        temperature: Sampling temperature; ``None`` leaves the provider's own.
        seed: Of the sampling, where the provider takes one.
        facts: Facts a section at most; 0 leaves the template's own number.
        privacy: What is replaced or withheld before a teacher sees it.
        fresh: Chunk id → the passages to ask about in the first round, of chunks that are known but for these.
    """

    product: str = ""
    request_tokens: int = 1200
    temperature: float | None = None
    seed: int = 0
    facts: int = 0
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)
    fresh: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asking:
    """One request and the chunks it asks about, as the teacher sees them."""

    chunks: tuple[Chunk, ...]
    request: Request
    prompt_tokens: int
    reply_tokens: int


_count_again = lru_cache(maxsize=4)(count_tokens)  # for the instructions, which most requests share


def recipe(template: Template, config: QaConfig, teacher: str) -> str:
    """Hash what, besides the documents, decides what a teacher is asked; another recipe means asking again."""
    asked = (config.product, config.temperature, config.seed, config.facts, config.privacy.fingerprint)
    return content_id("recipe", template.sha256, teacher, *asked)


def build_requests(chunks: Iterable[Chunk], template: Template, config: QaConfig, slot: int = 0) -> Iterator[Asking]:
    """Yield the requests that ask about the chunks, in their order; lazily, one document's neighbours at a time.

    Chunks that the privacy settings withhold are left out; ``generators.privacy.clean`` says why.
    """
    for group in groups(admitted(chunks, config.privacy), template, config):
        yield _request(group, template, config, slot)


def build_request(group: Sequence[Chunk], template: Template, config: QaConfig, slot: int = 0) -> Asking:
    """Write the one request that asks about a group of chunks; ``UsageError`` if all of them are withheld."""
    chunks = list(admitted(group, config.privacy))
    if not chunks:
        raise UsageError("the privacy settings withhold all that was to be asked about")
    return _request(chunks, template, config, slot)


def _request(group: Sequence[Chunk], template: Template, config: QaConfig, slot: int) -> Asking:
    """Write the request for chunks that are clean."""
    constants = template.constants
    most = config.facts or constants.facts_per_section
    fresh = [() if slot else _new_in(chunk, config.fresh.get(chunk.id, ())) for chunk in group]
    wanted = [
        _facts_in(chunk, new, most, bound=constants.bound_quotes) for chunk, new in zip(group, fresh, strict=True)
    ]
    text = "\n\n".join(chunk.text for chunk in group)
    values = {
        "sections": [
            {"heading": chunk.heading, "text": chunk.text, "kind": chunk.kind, "fresh": new}
            for chunk, new in zip(group, fresh, strict=True)
        ],
        "names": [name for name in names(text) if len(name) <= _LONGEST_NAME][:_MOST_NAMES],
        "facts": sum(wanted),
        "wordings": constants.wordings,
        "kinds": KINDS,
        "product": config.product,
        "slot": slot,
    }
    system, user = template.render(values)
    bound = _bound_statements(group, wanted, most * slot, fresh) if constants.bound_quotes else []
    schema = _bound_schema(bound) if constants.bound_quotes else _schema(constants.wordings)
    reply_tokens = sum(wanted) * (_FACT_TOKENS + _WORDING_TOKENS * constants.wordings)
    request = Request(
        messages=(Message("system", system), Message("user", user)),
        schema=schema,
        schema_name="facts",
        max_tokens=_room(reply_tokens, bound=constants.bound_quotes, text=text),
        temperature=config.temperature,
        seed=config.seed,
        slot=slot,
        about=tuple(chunk.id for chunk in group),
    )
    return Asking(tuple(group), request, _count_again(system) + count_tokens(user), reply_tokens)


def _new_in(chunk: Chunk, fresh: Sequence[str]) -> tuple[str, ...]:
    """The passages to ask about that the chunk has as the teacher sees it: all or half of it, cleaned."""
    if not fresh:
        return ()
    there = set(passages(chunk.text))
    return tuple(passage for passage in fresh if passage in there)


def repair_request(asking: Asking, reply: str, problem: str) -> Asking:
    """Ask once more, showing the teacher its own reply and what was wrong with it."""
    old = asking.request
    complaint = f"That reply could not be used: {problem}. Reply again, with JSON of the given schema only."
    messages = (*old.messages, Message("assistant", reply[:4000] or "(empty)"), Message("user", complaint))
    request = replace(old, messages=messages)
    return Asking(asking.chunks, request, asking.prompt_tokens + count_tokens(reply[:4000]), asking.reply_tokens)


def roomier_request(asking: Asking) -> Asking | None:
    """Ask for the same with twice the room; None if there is no more room to be had."""
    room = min(_MOST_REPLY_TOKENS, 2 * asking.request.max_tokens)
    if room <= asking.request.max_tokens:
        return None
    return replace(asking, request=replace(asking.request, max_tokens=room))


def groups(chunks: Iterable[Chunk], template: Template, config: QaConfig) -> Iterator[list[Chunk]]:
    """Which chunks share a request: a document's neighbours, up to the template's number and the settings' tokens."""
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


def _facts_in(chunk: Chunk, fresh: Sequence[str], most: int, *, bound: bool) -> int:
    """How many facts to ask of a chunk, or of what is new in it: in proportion to what it states, at least one.

    A capable teacher finds them anywhere in the text; a small one is bound to statements that stand by themselves.
    """
    if bound:
        stated = 0.6 * sum(statement.weight > 0 for statement in statements("\n\n".join(fresh) or chunk.text))
    else:
        stated = (count_tokens("\n".join(fresh)) if fresh else chunk.tokens) / _TOKENS_A_FACT
    return max(1, min(most, math.ceil(stated)))


def _room(reply_tokens: int, *, bound: bool, text: str) -> int:
    """The token limit of a reply: generous, since a cut reply is paid for and half lost; yet it bounds a loop."""
    if bound:
        return reply_tokens + 200 + 2 * min(count_tokens(text), 300)
    return min(_MOST_REPLY_TOKENS, max(1500, 3 * reply_tokens))


@lru_cache
def _schema(wordings: int) -> Mapping[str, object]:
    """One object for all requests, so that what teachers make of it is made once."""
    texts = {"type": "array", "items": {"type": "string"}}
    fact = _object(
        kind={"type": "string", "enum": list(KINDS)},
        answer={"type": "string"},
        quotes={**texts, "minItems": 1},
        questions={**texts, "minItems": wordings},
    )
    return _object(facts={"type": "array", "items": fact})


def _bound_statements(
    group: Sequence[Chunk], wanted: Sequence[int], skip: int, fresh: Sequence[Sequence[str]]
) -> list[Statement]:
    """The statements that a small teacher is to ask about, other ones in each round; at least one of every chunk."""
    return [
        found
        for chunk, count, new in zip(group, wanted, fresh, strict=True)
        for found in salient(chunk.text, count, owner(chunk), skip, new or None) or [whole(chunk.text)]
    ]


def has_more(chunk: Chunk, template: Template, config: QaConfig, slot: int) -> bool:
    """Whether another round can bring something new: a free teacher finds it, a bound one needs statements left."""
    if not template.constants.bound_quotes:
        return True
    most = config.facts or template.constants.facts_per_section
    return sum(statement.weight > 0 for statement in statements(chunk.text, owner(chunk))) > most * slot


def owner(chunk: Chunk) -> str:
    """The operation or schema that a chunk describes, as a question names it; empty for a section of prose."""
    if chunk.kind == "section" or not chunk.heading:
        return ""
    name = chunk.heading[-1].partition(": ")[0]
    return f"`{name}`" if chunk.kind == "operation" else f"the schema `{name.removeprefix('Schema ')}`"


def _bound_schema(bound: Sequence[Statement]) -> Mapping[str, object]:
    """A schema whose facts are fixed but for their questions; a grammar then keeps a small model from inventing.

    The quote and what is asked for come first, so that a model that writes left to right asks about what it has read.
    A question's first word is given, its length is not bounded: counted repetitions make a grammar that samples far
    slower.
    """
    facts = []
    for statement in bound:
        asked = statement.foci or (Focus("what it says", _ANY_OPENING),)
        questions = [{"type": "string", "pattern": _pattern(focus)} for focus in asked]
        facts.append(
            _object(
                quotes={"const": [statement.text]},
                asks_for={"const": [focus.asks for focus in asked]},
                questions={"type": "array", "prefixItems": questions, "minItems": len(asked), "maxItems": len(asked)},
            )
        )
    return _object(facts={"type": "array", "prefixItems": facts, "minItems": len(facts), "maxItems": len(facts)})


def _pattern(focus: Focus) -> str:
    """The pattern of a question that begins with one of the focus's openings."""
    usable = [opening for opening in focus.opening if not _UNPATTERNED.search(opening)]
    literal = "|".join(_SPECIAL.sub(r"\\\g<0>", opening) for opening in usable or _ANY_OPENING)
    return rf'^({literal})( [^"\\\n?]+){"?" if focus.whole and usable else ""}\?$'


def _object(**properties: object) -> Mapping[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
