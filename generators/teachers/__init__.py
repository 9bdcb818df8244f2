"""Teachers: models that answer one request at a time, behind one small protocol, found by name.

    SPEC ─▶ open_teacher ─▶ Teacher;   Request ─▶ Teacher.send ─▶ RawReply ─▶ Teacher.read ─▶ Reply

``send`` makes one attempt on the network and hands back the bytes as they came, so that they can be kept before
anybody looks inside; ``read`` is pure, so that kept bytes can be decoded again later. Retries, pauses and budgets are
the caller's: nothing here sends a request twice, except that a provider which refuses a *feature* (a JSON schema, a
parameter) is asked again without it.

A provider is a file in this folder and a line of ``PROVIDERS``; its SDK is imported when it is first used.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal, Protocol, cast

from generators.errors import UsageError

Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length", "refusal", "filter"]

PROVIDERS = {
    "openai": "generators.teachers.openai_chat:OpenAITeacher",
    "anthropic": "generators.teachers.anthropic_messages:AnthropicTeacher",
    "litellm": "generators.teachers.litellm_chat:LiteLLMTeacher",
    "local": "generators.teachers.local_model:open_local",
}
_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
EXAMPLES = "openai/MODEL, anthropic/MODEL, litellm/ANYTHING, local/NAME, local:/path/to/model.gguf"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a teacher is asked.

    Attributes:
        messages: Instructions in a system message, the document in a user message.
        schema: JSON schema of the reply, or None for free text. The order of its properties counts: models write
            them in that order.
        schema_name: Letters, digits, ``_`` and ``-`` only.
        max_tokens: Of the reply, at most.
        temperature: None is the provider's default.
        seed: For providers that take one; the others leave it out.
        slot: Which of several askings of the same messages this is. Each has bytes of its own on the wire, through
            ``seed`` or a tag.
        about: Ids of the chunks that it shows; the journal keeps them, the teacher never sees them.
    """

    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None = None
    schema_name: str = "reply"
    max_tokens: int = 2048
    temperature: float | None = None
    seed: int | None = None
    slot: int = 0
    about: tuple[str, ...] = field(default=(), compare=False)

    def identity(self, model_spec: str) -> str:
        """Name the request: sha256 (64 hex digits) of what determines the reply, and of nothing else.

        Time-outs, concurrency, keys and servers are no part of it: the same request sent elsewhere is the same.
        """
        parts = (
            "request-1",
            model_spec,
            [(message.role, message.content) for message in self.messages],
            self.schema,
            self.schema_name,
            self.max_tokens,
            self.temperature,
            self.seed,
            self.slot,
        )
        return hashlib.sha256(_CANONICAL.encode(parts).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def wire_seed(self) -> int | None:
        """The seed to send: as given, moved by the slot; None if neither is set."""
        return None if self.seed is None and not self.slot else (self.seed or 0) + self.slot


@dataclass(frozen=True, slots=True)
class RawReply:
    """A reply as received. ``status`` is HTTP's (200 where there is no HTTP), ``latency`` in seconds.

    ``sunset`` is the day on which the model ends, where the provider says so.
    """

    body: bytes
    status: int
    latency: float
    sunset: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, decoded.

    Attributes:
        text: What the model wrote; may be empty, and may be cut when ``finish`` is ``length``.
        finish: ``stop``: complete; ``length``: cut at ``max_tokens`` or the context's end; ``refusal``: the model
            declined; ``filter``: the provider withheld it.
        model: As the provider names it; may be more precise than the SPEC.
        input_tokens: As billed, or None if the provider did not say.
        output_tokens: Likewise.
    """

    text: str
    finish: Finish
    model: str
    input_tokens: int | None
    output_tokens: int | None


@dataclass(frozen=True, slots=True)
class TeacherSettings:
    """How a teacher is reached or run; no part of a request's identity.

    Attributes:
        total_seconds: Deadline of one attempt, from connecting to the last byte.
        connect_seconds: Deadline of connecting.
        idle_seconds: Longest silence of the server, also before the first byte: a model that is asked for the whole
            reply at once says nothing while it thinks.
        max_reply_bytes: A longer body is not read to its end.
        threads: Of a local model; 0 is one for each physical core.
        slots: Requests that a local model works on at once; 0 is what was measured to be best.
        context_tokens: Room of a local model for prompt and reply of one request; 0 is 4,096. More than it was
            trained for is cut to that.
    """

    total_seconds: float = 600.0
    connect_seconds: float = 15.0
    idle_seconds: float = 600.0
    max_reply_bytes: int = 16 * 1024 * 1024
    threads: int = 0
    slots: int = 0
    context_tokens: int = 0


class Teacher(Protocol):
    """A model that can be asked.

    Attributes:
        spec: How the user names it, such as ``openai/gpt-5-mini``.
        is_local: It runs in this process and costs nothing.
        slots: How many requests in flight suit it best; 0 is as many as the caller likes.
    """

    spec: str
    is_local: bool
    slots: int

    async def send(self, request: Request) -> RawReply:
        """Make one attempt, all from one event loop, as many at once as wanted.

        Raises:
            TransientFailure: Worth another try later.
            PermanentFailure: This request cannot be answered as it is.
            TeacherError: No request can be answered until a person acts.
        """

    def read(self, body: bytes) -> Reply:
        """Decode the body of a reply; pure.

        Raises:
            PermanentFailure: ``invalid_utf8`` or ``bad_reply``: it is not what this provider answers.
        """

    async def aclose(self) -> None:
        """Let go of connections and memory; requests in flight are abandoned."""


def open_teacher(spec: str, settings: TeacherSettings | None = None) -> Teacher:
    """Find the teacher that a SPEC names, without asking it anything.

    Args:
        spec: ``openai/MODEL``, ``anthropic/MODEL``, ``litellm/ANYTHING``, ``local/NAME``, ``local:/path/to.gguf``.
        settings: How to reach or run it.

    Raises:
        UsageError: A malformed SPEC, an unknown provider, no such local model (exit 2).
        TeacherError: The key is missing (exit 4).
        MissingExtraError: The provider needs a package that is not installed (exit 2).
    """
    provider, model = parse_spec(spec)
    module, _, factory = PROVIDERS[provider].partition(":")
    opened = getattr(import_module(module), factory)(model, spec.strip(), settings or TeacherSettings())
    return cast("Teacher", opened)


def parse_spec(spec: str) -> tuple[str, str]:
    """Split a SPEC into provider and model, without importing anything; a local path becomes ``path:PATH``.

    Raises:
        UsageError: A malformed SPEC or an unknown provider.
    """
    spec = spec.strip()
    separator = ":" if spec.startswith("local:") else "/"
    provider, found, model = spec.partition(separator)
    if not found or not model.strip():
        raise UsageError(f"teacher '{spec}' is not of the form PROVIDER/MODEL; write one of: {EXAMPLES}")
    if provider not in PROVIDERS:
        raise UsageError(f"teacher '{spec}': unknown provider '{provider}'; write one of: {EXAMPLES}")
    return provider, f"path:{model}" if separator == ":" else model
