"""Ask a model whether a section supports a pair that was written from it.

    support_request(pair, chunk, template, …) ─▶ Request;   reply's text ─▶ read_support ─▶ (supported or not, why)

The request is written here, so the section is cleaned of private values as every other one is.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from generators.loose_json import first_object
from generators.privacy import PrivacyConfig, admitted, redact
from generators.records import Chunk, Pair
from generators.teachers import Message, Request
from generators.templates import Template

VALUES = frozenset({"section", "question", "answer", "product"})
# A model that thinks before it answers spends tokens on it; a local one must not go on and on.
_REMOTE_TOKENS, _LOCAL_TOKENS = 2000, 200
_SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {"why": {"type": "string"}, "supported": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["why", "supported"],
    "additionalProperties": False,
}


class _Support(BaseModel):
    """The reply, as the schema asks for it."""

    model_config = ConfigDict(extra="ignore")

    why: str = ""
    supported: Literal["yes", "no"]


def support_request(
    pair: Pair,
    chunk: Chunk,
    template: Template,
    privacy: PrivacyConfig,
    *,
    product: str = "",
    vote: int = 0,
    is_local: bool = False,
) -> Request | None:
    """Write the request for one vote; another vote is another slot. ``None`` if the section may not be shown."""
    shown = next(iter(admitted([chunk], privacy)), None)
    if shown is None:
        return None
    system, user = template.render(
        {
            "section": {"heading": shown.heading, "text": shown.text},
            "question": redact(pair.question, privacy),
            "answer": redact(pair.answer, privacy),
            "product": product,
        }
    )
    return Request(
        messages=(Message("system", system), Message("user", user)),
        schema=_SCHEMA,
        schema_name="support",
        max_tokens=_LOCAL_TOKENS if is_local else _REMOTE_TOKENS,
        temperature=0.0 if is_local and not vote else None,
        slot=vote,
        about=(chunk.id,),
    )


def read_support(text: str) -> tuple[bool | None, str]:
    """Whether the pair is supported, and why; ``None`` if the reply says neither."""
    try:
        found = _Support.model_validate(first_object(text))
    except ValidationError:
        return None, "the checker's reply is not of the form that was asked for"
    return found.supported == "yes", found.why
