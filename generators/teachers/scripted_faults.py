"""The ways in which a scripted teacher goes wrong, rendered as either wire protocol shows them.

    Fault + the reply that would have been ─▶ Answer to put on the wire

``Fault("status", status=429, retry_after="2")``, ``Fault("reset")``, …: ``FAULTS`` names them all.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Protocol = Literal["openai", "anthropic"]

# What the error bodies of OpenAI and Anthropic say: name -> (status, OpenAI's code, Anthropic's type, message).
ERROR_BODIES = {
    "unauthorized": (401, "invalid_api_key", "authentication_error", "Incorrect API key provided: {key}."),
    "forbidden": (403, "permission_denied", "permission_error", "Key {key} has no access to this model."),
    "unknown_model": (404, "model_not_found", "not_found_error", "The model '{model}' does not exist."),
    "insufficient_quota": (
        429,
        "insufficient_quota",
        "billing_error",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "low_credit": (400, "billing_error", "invalid_request_error", "Your credit balance is too low to use the API."),
    "context_overflow": (
        400,
        "context_length_exceeded",
        "invalid_request_error",
        "prompt is too long: this model's maximum context length is 8192 tokens, got 9001.",
    ),
    "content_filter_error": (
        400,
        "content_filter",
        "content_filter",
        "The response was filtered due to the content management policy.",
    ),
    "schema_unsupported": (
        400,
        "invalid_request_error",
        "invalid_request_error",
        "response_format json_schema / output_config.format is not supported by this model.",
    ),
    "max_tokens_unsupported": (
        400,
        "unsupported_parameter",
        "invalid_request_error",
        "Unsupported parameter: 'max_tokens' is not supported with this model; use 'max_completion_tokens'.",
    ),
    "temperature_unsupported": (
        400,
        "unsupported_value",
        "invalid_request_error",
        "Unsupported value: 'temperature' does not support this value; only the default is supported.",
    ),
    "status": (500, "server_error", "api_error", "scripted fault"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong.

    Attributes:
        name: A key of ``FAULTS``.
        status: For ``status``: any HTTP status.
        retry_after: Value of a ``Retry-After`` header: seconds or an HTTP date.
        retry_after_ms: Value of a ``retry-after-ms`` header.
        seconds: For ``slow``: this much later than usual.
        size: For ``huge``: bytes of the body.
        late: Any fault, so many seconds later than usual.
    """

    name: str
    status: int | None = None
    retry_after: str | None = None
    retry_after_ms: str | None = None
    seconds: float = 5.0
    size: int = 1 << 30
    late: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            raise ValueError(f"unknown fault {self.name!r}; known: {', '.join(sorted(FAULTS))}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server puts on the wire.

    Attributes:
        status: Of HTTP.
        body: Whole; what is cut or inflated is so by ``ending``.
        headers: Beside content type and length.
        delay: Seconds to wait beyond the server's usual delay.
        ending: ``whole``; ``reset_before``: no byte, then a reset; ``reset_after``: headers, then a reset; ``half``:
            half the body, then closed; ``huge``: filler up to ``size``.
        size: Of a huge body.
        charged: Whether a provider would bill it.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    ending: Literal["whole", "reset_before", "reset_after", "half", "huge"] = "whole"
    size: int = 0
    charged: bool = True


def reply_body(
    protocol: Protocol, text: str, model: str, prompt_characters: int, *, finish: str = "stop", refusal: str = ""
) -> bytes:
    """Render a reply in the protocol's shape; ``finish`` in OpenAI's words. Four characters count as a token."""
    spent = prompt_characters // 4 + 1, len(text) // 4 + 1
    if protocol == "openai":
        message = {"role": "assistant", "content": text, "refusal": refusal or None}
        body: dict[str, Any] = {
            "id": "chatcmpl-scripted",
            "object": "chat.completion",
            "created": 0,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": spent[0], "completion_tokens": spent[1], "total_tokens": sum(spent)},
        }
    else:
        reasons = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
        body = {
            "id": "msg_scripted",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": refusal or text}],
            "stop_reason": "refusal" if refusal else reasons[finish],
            "stop_sequence": None,
            "usage": {"input_tokens": spent[0], "output_tokens": spent[1]},
        }
    return json.dumps(body, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a fault may need to know: who asks, how, and what the reply would have been."""

    protocol: Protocol
    model: str
    key: str
    text: str
    prompt_characters: int

    def reply(self, text: str | None = None, finish: str = "stop", refusal: str = "") -> Answer:
        """The reply, or another text or ending of it."""
        text = self.text if text is None else text
        return Answer(
            200,
            reply_body(self.protocol, text, self.model, self.prompt_characters, finish=finish, refusal=refusal),
        )


def _error(fault: Fault, at: Circumstances) -> Answer:
    status, code, kind, message = ERROR_BODIES[fault.name]
    # Real providers quote a part of the key; so does this one.
    message = message.format(key=f"{at.key[:8]}…{at.key[-6:]}", model=at.model)
    if at.protocol == "openai":
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        body: dict[str, Any] = {"error": error}
    else:
        body = {"type": "error", "error": {"type": kind, "message": message}}
    headers = {"Retry-After": fault.retry_after, "retry-after-ms": fault.retry_after_ms}
    return Answer(
        fault.status or status,
        json.dumps(body).encode(),
        {name: value for name, value in headers.items() if value is not None},
        charged=False,
    )


def _cut(text: str) -> str:
    return text[: len(text) * 2 // 3]


def _fewer_wordings(text: str) -> str:
    facts = json.loads(text)["facts"]
    return json.dumps({"facts": [{**fact, "questions": fact["questions"][:1]} for fact in facts]}, ensure_ascii=False)


FAULTS: dict[str, Callable[[Fault, Circumstances], Answer]] = {
    **dict.fromkeys(ERROR_BODIES, _error),
    "reset": lambda _, at: replace(at.reply(), ending="reset_before"),
    "reset_after_headers": lambda _, at: replace(at.reply(), ending="reset_after"),
    "half_body": lambda _, at: replace(at.reply(), ending="half"),
    "garbage": lambda _, at: replace(at.reply(), body=bytes(range(1, 128)) * 3),
    "html": lambda _, at: replace(at.reply(), body=b"<html><body>Sign in to the network</body></html>"),
    "invalid_utf8": lambda _, at: replace(at.reply(), body=at.reply().body.replace(b"role", b"ro\xff\xfele", 1)),
    "empty": lambda _, at: at.reply(""),
    "truncated": lambda _, at: at.reply(_cut(at.text), "length"),
    "loop": lambda _, at: at.reply(_cut(at.text) + " and so on" * 200, "length"),
    "no_facts": lambda _, at: at.reply('{"facts": []}'),
    "few_wordings": lambda _, at: at.reply(_fewer_wordings(at.text)),
    "refusal": lambda _, at: at.reply("", refusal="I cannot help with that."),
    "content_filter": lambda _, at: at.reply(_cut(at.text), "content_filter"),
    "wrong_schema": lambda _, at: at.reply('{"pairs": [{"question": 1, "answer": null}]}'),
    "not_json": lambda _, at: at.reply("Sure! Here are the facts you asked for."),
    "slow": lambda fault, at: replace(at.reply(), delay=fault.seconds),
    "huge": lambda fault, at: replace(at.reply(), ending="huge", size=fault.size),
}
# What a patient client gets over: the mixture of ``--faults``.
PASSING: tuple[Fault, ...] = (
    Fault("status", status=429, retry_after="1"),
    Fault("status", status=429, retry_after_ms="300"),
    Fault("status", status=500),
    Fault("status", status=503, retry_after="1"),
    Fault("status", status=529),
    Fault("status", status=408),
    Fault("status", status=409),
    Fault("reset"),
    Fault("reset_after_headers"),
    Fault("half_body"),
    Fault("slow", seconds=1.0),
)
# The same kinds with pauses too short to be waited for, for tests and measurements of many requests.
BRIEF: tuple[Fault, ...] = tuple(
    replace(fault, retry_after=None, retry_after_ms="5" if fault.retry_after or fault.retry_after_ms else None)
    if fault.name == "status"
    else replace(fault, seconds=0.02)
    for fault in PASSING
)
