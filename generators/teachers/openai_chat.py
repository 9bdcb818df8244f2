"""``openai/MODEL``: chat completions of OpenAI, and of every server that speaks them (vLLM, Ollama, gateways).

``OPENAI_BASE_URL`` with or without ``/v1``; the SDK supplies the headers (key, organisation, project, custom ones),
``wire`` sends (see there why). Without a key, servers other than OpenAI's are tried with a placeholder, since local
ones want none.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from generators.errors import TeacherError
from generators.teachers import Finish, Reply, Request, TeacherSettings
from generators.teachers.bodies import count_of, dict_of, reply_object, text_of
from generators.teachers.dialect import Dialect
from generators.teachers.failures import PermanentFailure
from generators.teachers.http_teacher import HttpTeacher
from generators.teachers.keys import key_of
from generators.teachers.wire import checked_url

DEFAULT_BASE = "https://api.openai.com/v1"
PLACEHOLDER_KEY = "none"
FINISHES: dict[object, Finish] = {"length": "length", "content_filter": "filter", "refusal": "refusal"}
# What strict schemas may hold, as documented for structured outputs; all else makes OpenAI refuse the whole schema.
STRICT_KEYWORDS = (
    *("type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf"),
    *("$ref", "$defs", "definitions", "description", "title", "pattern", "format", "minItems", "maxItems"),
    *("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
)


class OpenAITeacher(HttpTeacher):
    """A model behind ``/v1/chat/completions``."""

    def __init__(self, model: str, spec: str, settings: TeacherSettings) -> None:
        super().__init__(OpenAIChat(model, spec), spec, settings)


class OpenAIChat:
    """Address, headers and bodies; see ``http_teacher.Provider``."""

    key_variable = "OPENAI_API_KEY"
    base_variable = "OPENAI_BASE_URL"
    reply_mark = b'"choices"'

    def __init__(self, model: str, spec: str) -> None:
        base = checked_url(os.environ.get(self.base_variable) or DEFAULT_BASE, spec)
        self._base = str(base).rstrip("/") + ("/v1" if base.path == "/" else "")
        self._model = model
        is_openai = (base.host or "").endswith("openai.com")
        key = key_of(self.key_variable, spec)
        if not key and is_openai:
            raise TeacherError(f"{spec}: no key; set {self.key_variable} (or {self.base_variable} to your own server)")
        self._key = key or PLACEHOLDER_KEY
        self.secrets: tuple[str, ...] = (key,) if key else ()
        self.url = f"{self._base}/chat/completions"
        # OpenAI's newer models refuse max_tokens; most other servers know nothing else.
        self.dialect = Dialect(new_limit_name=is_openai)
        self._schema: tuple[Mapping[str, Any], dict[str, Any]] | None = None

    def headers(self) -> Mapping[str, str]:
        """As the SDK would send them."""
        from openai import AsyncOpenAI

        client = AsyncOpenAI(api_key=self._key, base_url=self._base, max_retries=0)
        merged = {**client.auth_headers, **client.default_headers}
        return {name: value for name, value in merged.items() if isinstance(value, str)}

    def encode(self, request: Request, dialect: Dialect) -> bytes:
        """The body of a request."""
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": turn.role, "content": turn.content} for turn in dialect.messages_of(request)],
            "max_completion_tokens" if dialect.new_limit_name else "max_tokens": request.max_tokens,
        }
        schema = dialect.schema_of(request)
        if schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": request.schema_name, "strict": True, "schema": self._strict(schema)},
            }
        if request.temperature is not None and dialect.temperature:
            body["temperature"] = request.temperature
        if request.wire_seed is not None and dialect.seed:
            body["seed"] = request.wire_seed
        elif request.slot:
            body["user"] = f"slot-{request.slot}"
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    def decode(self, body: bytes) -> Reply:
        """The reply in a body."""
        return decode_completion(body, self._model)

    def _strict(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema as OpenAI takes it; kept, since a run asks thousands of times for the same."""
        if self._schema is None or self._schema[0] is not schema:
            self._schema = (schema, strict_schema(schema))
        return self._schema[1]


def decode_completion(body: bytes, model: str) -> Reply:
    """Decode a chat completion.

    Raises:
        PermanentFailure: ``invalid_utf8`` or ``bad_reply``.
    """
    completion = reply_object(body)
    choices = completion.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise PermanentFailure("bad_reply", "no choices in it")
    choice = choices[0]
    message = dict_of(choice.get("message"))
    if choice.get("finish_reason") == "error":
        raise PermanentFailure("bad_reply", "the provider broke off with an error")
    refusal = text_of(message.get("refusal"))
    usage = completion.get("usage")
    return Reply(
        text=text_of(message.get("content")) or refusal,
        finish="refusal" if refusal else FINISHES.get(choice.get("finish_reason"), "stop"),
        model=completion["model"] if isinstance(completion.get("model"), str) else model,
        input_tokens=count_of(usage, "prompt_tokens"),
        output_tokens=count_of(usage, "completion_tokens"),
    )


def strict_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the keywords that strict mode knows not; objects are closed and all their properties required."""
    kept: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword not in STRICT_KEYWORDS:
            continue
        if keyword in ("properties", "$defs", "definitions"):
            kept[keyword] = {name: strict_schema(inner) for name, inner in value.items()}
        elif keyword == "items":
            kept[keyword] = strict_schema(value)
        elif keyword == "anyOf":
            kept[keyword] = [strict_schema(inner) for inner in value]
        else:
            kept[keyword] = value
    if "properties" in kept:
        kept |= {"required": list(kept["properties"]), "additionalProperties": False}
    return kept
