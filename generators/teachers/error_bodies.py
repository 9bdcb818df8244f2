"""From an HTTP answer that is no reply to the failure or error it means.

    status + headers + body ─▶ TransientFailure | PermanentFailure | TeacherError

Providers and gateways agree on statuses only roughly, so the codes and the well-known sentences of their bodies are
looked at first. What they say may echo a part of the key; it is masked before it gets into any text.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generators.errors import TeacherError
from generators.teachers.failures import PermanentFailure, TransientFailure, retry_after

QUOTA_CODES = {
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "insufficient_balance",
    "insufficient_credits",
    "budget_exceeded",
    "access_terminated",
}
QUOTA_SENTENCES = (
    "exceeded your current quota",
    "credit balance is too low",
    "insufficient balance",
    "insufficient credit",
    "specified api usage limits",
    "billing hard limit",
    "spend limit",
    "spending limit",
    "out of credits",
    "budget has been exceeded",
)
FILTER_CODES = {
    "content_filter",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "data_inspection_failed",
    "moderation_blocked",
}
FILTER_SENTENCES = ("content management policy", "content filter", "requires moderation", "input was flagged")
OVERFLOW_CODES = {
    "context_length_exceeded",
    "exceed_context_size_error",
    "string_above_max_length",
    "request_too_large",
}
OVERFLOW_SENTENCES = (
    "context length",
    "context window",
    "context limit",
    "context size",
    "prompt is too long",
    "input is too long",
    "request too large",
    "too many input tokens",
    "input token count",
)
MODEL_CODES = {"model_not_found", "model_not_available", "deploymentnotfound"}
MODEL_SENTENCE = re.compile(
    r"\b(?:model|deployment)\b[^.]{0,120}?(?:not found|does not exist|not exist|no longer|is not a valid)"
    r"|(?:unknown|invalid|no such) model|not a valid model"
)
STATUS_REASONS = {408: "server_error", 409: "conflict", 425: "conflict", 429: "rate_limited", 529: "overloaded"}
KEY_SHAPE = re.compile(r"\b(?:sk|pk|rk|key|gsk|xai|AIza)[-_][\w*.…-]{4,}|(?i:bearer)\s+\S+")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked whom, for the person's eyes.

    Attributes:
        spec: The teacher's SPEC.
        place: Host and port of the server, without credentials.
        key_variable: The environment variable that the key comes from.
        base_variable: The one that the server's address comes from.
        secrets: What must stand in no text.
    """

    spec: str
    place: str
    key_variable: str
    base_variable: str
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What the server says: ``codes`` and ``param`` in lower case, ``message`` fit to be printed."""

    codes: frozenset[str]
    message: str
    param: str

    @property
    def text(self) -> str:
        """All of it in lower case, to look for words in."""
        return f"{' '.join(sorted(self.codes))} {self.param} {self.message.lower()}"


def parse_error(body: bytes, secrets: tuple[str, ...] = ()) -> ErrorBody:
    """Read the error body of any provider; a page that is not JSON becomes the message."""
    error = _error_object(body)
    if error is None:
        return ErrorBody(frozenset(), printable(body.decode("utf-8", "replace"), secrets), "")
    nested = error.get("innererror")
    codes = {error.get(key) for key in ("code", "type", "status")}
    codes |= {nested.get("code")} if isinstance(nested, dict) else set()
    message = error.get("message") or error.get("detail") or error.get("msg") or ""
    return ErrorBody(
        frozenset(code.lower() for code in codes if isinstance(code, str)),
        printable(message if isinstance(message, str) else json.dumps(message), secrets),
        str(error.get("param") or "").lower(),
    )


def failure_of(
    status: int, headers: Mapping[str, str], body: bytes, caller: Caller
) -> TransientFailure | PermanentFailure | TeacherError:
    """Say what an answer without a reply means; the caller raises it."""
    error = parse_error(body, caller.secrets)
    pause = retry_after(headers)
    needs_person = _needs_person(status, error, pause, caller)
    if needs_person is not None:
        return needs_person
    detail = f"{status}: {error.message}" if error.message else str(status)
    reason = _permanent_reason(status, error)
    if reason is not None:
        return PermanentFailure(reason, detail, body=body)
    if status in STATUS_REASONS or status >= 500:
        default = "overloaded" if status == 503 or "overloaded_error" in error.codes else "server_error"
        return TransientFailure(STATUS_REASONS.get(status, default), pause, detail, maybe_charged=status >= 500)
    return PermanentFailure("bad_request", detail)


def printable(text: str, secrets: tuple[str, ...] = (), length: int = 300) -> str:
    """Make a server's words fit for a terminal: one line, no control characters, no secrets, not long."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * length]).split())
    text = KEY_SHAPE.sub("***", text)
    words = ["***" if any(_shares(word, secret) for secret in secrets) else word for word in text.split(" ")]
    text = " ".join(words)
    return text if len(text) <= length else text[: length - 1] + "…"


def _shares(word: str, secret: str, size: int = 6) -> bool:
    """Whether the word holds the secret or ``size`` characters of it in a row."""
    if len(secret) <= size:
        return bool(secret) and secret in word
    return any(secret[start : start + size] in word for start in range(len(secret) - size + 1))


def _error_object(body: bytes) -> dict[str, Any] | None:
    """Find the object that holds the message; gateways nest it, or not, or wrap it in a list."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return None
    inner = value.get("error")
    if isinstance(inner, dict):
        return inner
    return {**value, "message": inner} if isinstance(inner, str) else value


def _needs_person(status: int, error: ErrorBody, pause: float | None, caller: Caller) -> TeacherError | None:
    who = f"{caller.spec} ({caller.place})"
    said = f": {error.message}" if error.message else ""
    if _is_quota(status, error, pause):
        return TeacherError(f"{who}: the quota or credit is used up ({status}); top up or raise the limit there{said}")
    if status == 401 or (status == 403 and not _has(error, FILTER_CODES, FILTER_SENTENCES)):
        # Nothing of what the server says: it likes to quote the key.
        what = "does not accept the key" if status == 401 else "does not allow this key to use the model"
        return TeacherError(f"{who}: the server {what} ({status}); set {caller.key_variable} to a valid key")
    if status == 407:
        return TeacherError(f"{who}: the proxy wants a login (407); put it into HTTPS_PROXY")
    if _is_unknown_model(status, error):
        return TeacherError(
            f"{who}: no such model or address ({status}); check the model's name and {caller.base_variable}{said}"
        )
    if 300 <= status < 400 or status == 405:
        return TeacherError(f"{who}: this is not the address of the API ({status}); check {caller.base_variable}")
    return None


def _is_quota(status: int, error: ErrorBody, pause: float | None) -> bool:
    if status == 402 or (error.codes & QUOTA_CODES and 400 <= status < 500):
        return True
    # Some say the same sentence for a limit that is over in a minute, but then they also say when to come back.
    comes_back = pause is not None or "retry in" in error.text
    return 400 <= status < 500 and not comes_back and _has(error, set(), QUOTA_SENTENCES)


def _is_unknown_model(status: int, error: ErrorBody) -> bool:
    if status in (404, 410) or error.codes & MODEL_CODES:
        return True
    about_format = "response_format" in error.text or "schema" in error.text
    return status in (400, 422) and not about_format and bool(MODEL_SENTENCE.search(error.text))


def _permanent_reason(status: int, error: ErrorBody) -> str | None:
    if status >= 500 or status in (408, 409, 425):
        return "context_overflow" if error.codes & OVERFLOW_CODES else None
    if _has(error, FILTER_CODES, FILTER_SENTENCES) and status != 429:
        return "content_filter"
    if status == 413 or _has(error, OVERFLOW_CODES, OVERFLOW_SENTENCES if status != 429 else ("request too large",)):
        return "context_overflow"
    return None


def _has(error: ErrorBody, codes: set[str], sentences: tuple[str, ...]) -> bool:
    return bool(error.codes & codes) or any(sentence in error.text for sentence in sentences)
