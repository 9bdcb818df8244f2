"""``anthropic/MODEL``: the messages API, with its native structured output.

``ANTHROPIC_BASE_URL`` with or without ``/v1``. The SDK supplies the headers (key or ``ANTHROPIC_AUTH_TOKEN``, API
version, custom ones) and turns the schema into what the API takes; ``wire`` sends (see there why).
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from generators.errors import TeacherError
from generators.teachers import Finish, Reply, Request, TeacherSettings
from generators.teachers.bodies import count_of, reply_object, text_of
from generators.teachers.dialect import Dialect
from generators.teachers.failures import PermanentFailure
from generators.teachers.http_teacher import HttpTeacher
from generators.teachers.keys import key_of
from generators.teachers.wire import checked_url

DEFAULT_BASE = "https://api.anthropic.com"
PLACEHOLDER_KEY = "none"
FINISHES: dict[object, Finish] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


class AnthropicTeacher(HttpTeacher):
    """A model behind ``/v1/messages``."""

    def __init__(self, model: str, spec: str, settings: TeacherSettings) -> None:
        super().__init__(AnthropicMessages(model, spec), spec, settings)


class AnthropicMessages:
    """Address, headers and bodies; see ``http_teacher.Provider``."""

    key_variable = "ANTHROPIC_API_KEY"
    base_variable = "ANTHROPIC_BASE_URL"
    reply_mark = b'"content"'
    dialect = Dialect()

    def __init__(self, model: str, spec: str) -> None:
        base = checked_url(os.environ.get(self.base_variable) or DEFAULT_BASE, spec)
        self._base = str(base).rstrip("/").removesuffix("/v1")
        self._is_own_server = not (base.host or "").endswith("anthropic.com")
        self._model = model
        self._key = key_of(self.key_variable, spec)
        self._token = key_of("ANTHROPIC_AUTH_TOKEN", spec)
        if not self._key and not self._token:
            if not self._is_own_server:
                raise TeacherError(
                    f"{spec}: no key; set {self.key_variable} (or {self.base_variable} to your own server)"
                )
            self._key = PLACEHOLDER_KEY
        self.secrets = tuple(secret for secret in (self._key, self._token) if secret not in ("", PLACEHOLDER_KEY))
        self.url = f"{self._base}/v1/messages"
        self._schema: tuple[Mapping[str, Any], dict[str, Any]] | None = None

    def headers(self) -> Mapping[str, str]:
        """As the SDK would send them; own servers and gateways get the key in the older header, too."""
        from anthropic import AsyncAnthropic

        if self._key:
            client = AsyncAnthropic(api_key=self._key, base_url=self._base, max_retries=0)
        else:
            client = AsyncAnthropic(auth_token=self._token, base_url=self._base, max_retries=0)
        merged = {**client.auth_headers, **client.default_headers}
        headers = {name: value for name, value in merged.items() if isinstance(value, str)}
        if self._is_own_server and self._key and "x-api-key" not in {name.lower() for name in headers}:
            headers["x-api-key"] = self._key
        return headers

    def encode(self, request: Request, dialect: Dialect) -> bytes:
        """The body of a request."""
        messages = dialect.messages_of(request)
        body: dict[str, Any] = {
            "model": self._model,
            "max_tokens": request.max_tokens,
            "messages": [{"role": turn.role, "content": turn.content} for turn in messages if turn.role != "system"],
        }
        system = "\n\n".join(turn.content for turn in messages if turn.role == "system")
        if system:
            body["system"] = system
        schema = dialect.schema_of(request)
        if schema is not None:
            body["output_config"] = {"format": {"type": "json_schema", "schema": self._transformed(schema)}}
        if request.temperature is not None and dialect.temperature:
            body["temperature"] = request.temperature
        if request.wire_seed is not None:
            # The API takes no seed; the tag keeps the bytes of several askings apart.
            body["metadata"] = {"user_id": f"slot-{request.wire_seed}"}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    def decode(self, body: bytes) -> Reply:
        """The reply in a body."""
        message = reply_object(body)
        content = message.get("content")
        if not isinstance(content, list):
            raise PermanentFailure("bad_reply", "no content in it")
        usage = message.get("usage")
        return Reply(
            text=text_of(content),
            finish=FINISHES.get(message.get("stop_reason"), "stop"),
            model=message["model"] if isinstance(message.get("model"), str) else self._model,
            input_tokens=count_of(usage, "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"),
            output_tokens=count_of(usage, "output_tokens"),
        )

    def _transformed(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema as the API takes it; kept, since a run asks thousands of times for the same."""
        if self._schema is None or self._schema[0] is not schema:
            from anthropic import transform_schema

            # The SDK's function shares inner objects with what it is given, and changes some.
            self._schema = (schema, transform_schema(json.loads(json.dumps(schema))))
        return self._schema[1]
