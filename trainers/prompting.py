"""The requests and conversations of an exam: to the teacher, to the base with documents, to the judge.

    answer_request(desk, question, chunks) ─▶ Request          grade_request(desk, key, answer) ─▶ Request

The only place where scoring writes requests. Sections come from the version, as privacy rules left them; whatever else
goes out (questions, references, answers) is made of them or of what a model said, and is cleaned once more here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from generators.privacy import PrivacyConfig, admitted, redact
from generators.records import Chunk
from generators.teachers import Message, Request
from generators.templates import Template, load_template
from trainers.grading import Key

ANSWER_VALUES = frozenset({"sections", "question", "product"})
JUDGE_VALUES = frozenset({"question", "reference", "quotes", "source", "answer"})
PAIR_VALUES = frozenset({"question", "reference", "quotes", "source", "first", "second"})

# A model that thinks before it answers spends tokens on it; a local one must not go on and on.
_REMOTE_TOKENS, _LOCAL_TOKENS = 2000, 256
_LONGEST_ANSWER = 8000  # characters; what a broken student repeats beyond that tells a judge nothing


def _choice(key: str, *values: str) -> Mapping[str, object]:
    properties = {"why": {"type": "string"}, key: {"type": "string", "enum": list(values)}}
    return {"type": "object", "properties": properties, "required": ["why", key], "additionalProperties": False}


GRADE_SCHEMA = _choice("grade", "correct", "incorrect", "not_attempted")
PAIR_SCHEMA = _choice("better", "first", "second", "tie")


@dataclass(frozen=True, slots=True)
class Desk:
    """The prompts of an exam and the settings of its requests.

    Attributes:
        product: What the documentation is about, as the prompts name it.
        answer, judge, pairs: The prompts.
        privacy: What is replaced or withheld before anybody else sees it.
    """

    product: str
    answer: Template
    judge: Template
    pairs: Template
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)


def open_desk(product: str, judge: str = "judge", privacy: PrivacyConfig | None = None) -> Desk:
    """Load the prompts.

    Args:
        product: What the documentation is about.
        judge: Name or path of the prompt that grades.
        privacy: Of the settings.

    Raises:
        UsageError: A prompt that is not there, or cannot be filled in.
    """
    return Desk(
        product,
        load_template("answer", ANSWER_VALUES),
        load_template(judge, JUDGE_VALUES),
        load_template("judge-pairs", PAIR_VALUES),
        privacy or PrivacyConfig(),
    )


def conversation(desk: Desk, question: str, chunks: Iterable[Chunk]) -> tuple[Message, ...]:
    """Ask one question with sections to read, or without."""
    sections = [{"heading": each.heading, "text": each.text} for each in admitted(chunks, desk.privacy)]
    values = {"sections": sections, "question": redact(question, desk.privacy), "product": desk.product}
    return _messages(desk.answer, values)


def answer_request(desk: Desk, question: str, chunks: Iterable[Chunk], *, is_local: bool) -> Request:
    """The same as a request."""
    shown = list(chunks)
    request = _request(conversation(desk, question, shown), None, is_local=is_local)
    return replace(request, about=tuple(chunk.id for chunk in shown))


def grade_request(desk: Desk, key: Key, answer: str, vote: int, *, is_local: bool) -> Request:
    """Ask a judge for one grade; another vote is another slot of the same request."""
    values = {**_shown(desk, key), "answer": redact(answer[:_LONGEST_ANSWER], desk.privacy)}
    return _request(_messages(desk.judge, values), GRADE_SCHEMA, vote, is_local=is_local)


def pair_request(desk: Desk, key: Key, first: str, second: str, *, is_local: bool) -> Request:
    """Ask a judge which of two answers is better."""
    shown = {
        name: redact(text[:_LONGEST_ANSWER], desk.privacy) for name, text in (("first", first), ("second", second))
    }
    return _request(_messages(desk.pairs, {**_shown(desk, key), **shown}), PAIR_SCHEMA, is_local=is_local)


def _shown(desk: Desk, key: Key) -> dict[str, object]:
    def clean(text: str) -> str:
        return redact(text, desk.privacy)

    quotes = [clean(quote) for quote in key.quotes]
    values: dict[str, object] = {"question": clean(key.question), "reference": clean(key.reference)}
    return values | {"quotes": quotes, "source": clean(key.source)}


def _messages(template: Template, values: Mapping[str, object]) -> tuple[Message, ...]:
    system, user = template.render(values)
    return (Message("system", system), Message("user", user))


def _request(
    messages: Sequence[Message], schema: Mapping[str, object] | None, slot: int = 0, *, is_local: bool
) -> Request:
    return Request(
        messages=tuple(messages),
        schema=schema,
        schema_name="grade",
        max_tokens=_LOCAL_TOKENS if is_local else _REMOTE_TOKENS,
        temperature=0.0 if is_local and not slot else None,
        slot=slot,
    )
