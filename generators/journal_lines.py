r"""The lines of a journal's segment: what is written, and how it is read without looking at more than is needed.

    Entry | Doubt ─▶ <crc32 of the rest, 8 hex digits> <JSON>\n ─▶ Entry | Doubt

Four kinds, told by the first key of the JSON: ``request`` is a reply, ``sent`` an attempt that is about to leave,
``failed`` one that brought no reply, ``purged`` how many lines a purge took out of the segment. A reply's body stands
last, as text, or as base64 where it is no UTF-8: all that is said about it can be read without it.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

Kind = Literal["request", "sent", "failed", "purged"]

_HEADS: Mapping[bytes, Kind] = {
    b'{"request"': "request",
    b'{"sent":"': "sent",
    b'{"failed":': "failed",
    b'{"purged":"': "purged",
}
# Inside a JSON string a quote stands behind a backslash: the first of either is where the body begins.
_BODY, _BASE64 = b',"body":"', b',"base64":"'
_START = 9  # behind checksum and blank


@dataclass(frozen=True, slots=True)
class Entry:
    """One reply as received.

    Attributes:
        request: ``Request.identity`` of what was asked.
        teacher: The teacher's SPEC.
        body: The raw bytes.
        latency: Seconds from sending to the last byte.
        received: Unix time in seconds.
        input_tokens, output_tokens: As the provider counted them.
        cost_usd: Price at the time, ``None`` where unknown.
        model: As the provider names it; empty if it did not say.
        run: Which run of this workspace asked, counted from 1; 0 where it is not known.
        failure: Reason code where the answer is final and no reply (``content_filter``); else empty.
        detail: What the provider said to that.
        about: Ids of the chunks that the request showed; empty where it is not known.
    """

    request: str
    teacher: str
    body: bytes
    latency: float
    received: float
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    model: str = ""
    run: int = 0
    failure: str = ""
    detail: str = ""
    about: tuple[str, ...] = ()


_ENTRY_KEYS = {entry.name for entry in fields(Entry)}


@dataclass(frozen=True, slots=True)
class Doubt:
    """An attempt that brought no reply and may have to be paid all the same.

    Attributes:
        request: Its identity.
        run: Which run sent it.
        at: Unix time in seconds: when it was sent, or failed.
        reason: ``in_flight`` if the run ended before anything came back, else the failure's code.
    """

    request: str
    run: int
    at: float
    reason: str


def problem_of(line: bytes) -> str:
    """Why a line cannot be read; empty if it can."""
    if not line.endswith(b"\n"):
        return "cut short"
    if line[8:_START] != b" " or b"%08x" % zlib.crc32(memoryview(line)[_START:]) != line[:8]:
        return "checksum does not match"
    return ""


def kind_and_request(line: bytes) -> tuple[Kind | None, str]:
    """What a sound line is (None: something a later version wrote) and its request, without decoding the rest.

    Of ``purged``, the number in place of a request.
    """
    kind = next((kind for head, kind in _HEADS.items() if line.startswith(head, _START)), None)
    if kind is None:
        return None, ""
    start = line.index(b':"', _START) + 2
    return kind, line[start : line.index(b'"', start)].decode()


def reply_line(entry: Entry) -> bytes:
    """Write a reply."""
    record: dict[str, object] = {
        "request": entry.request,
        "teacher": entry.teacher,
        "model": entry.model,
        "run": entry.run,
        "received": round(entry.received, 3),
        "latency": round(entry.latency, 4),
        "input_tokens": entry.input_tokens,
        "output_tokens": entry.output_tokens,
        "cost_usd": entry.cost_usd,
    }
    if entry.about:
        record["about"] = list(entry.about)
    if entry.failure:
        record |= {"failure": entry.failure, "detail": entry.detail}
    try:
        record["body"] = entry.body.decode("utf-8")
    except UnicodeDecodeError:
        record["base64"] = base64.b64encode(entry.body).decode()
    return _sealed(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace"))


def sent_line(request: str, run: int, at: float) -> bytes:
    """Write that an attempt is about to leave."""
    return _sealed(b'{"sent":"%s","run":%d,"at":%.3f}' % (request.encode(), run, at))


def failed_line(doubt: Doubt, *, maybe_charged: bool) -> bytes:
    """Write that an attempt came to nothing."""
    record = {
        "failed": doubt.request,
        "run": doubt.run,
        "at": round(doubt.at, 3),
        "reason": doubt.reason,
        "maybe_charged": maybe_charged,
    }
    return _sealed(json.dumps(record, separators=(",", ":")).encode())


def purged_line(count: int) -> bytes:
    """Write that a purge took replies out of this segment, or lines that nobody could read."""
    return _sealed(b'{"purged":"%d"}' % count)


def entry_of(line: bytes) -> Entry:
    """Read a reply."""
    record = json.loads(line[_START:])
    text = record.pop("body", None)
    body = base64.b64decode(record.pop("base64")) if text is None else text.encode("utf-8")
    return _entry(record, body)


def receipt_of(line: bytes) -> Entry:
    """Read what is said about a reply; its body is left empty."""
    end = line.find(_BODY, _START)
    if end < 0:
        end = line.index(_BASE64, _START)
    return _entry(json.loads(line[_START:end] + b"}"), b"")


def doubt_of(line: bytes) -> Doubt | None:
    """Read an attempt without a reply; None if it is sure not to be charged."""
    record: dict[str, Any] = json.loads(line[_START:])
    if "sent" in record:
        return Doubt(record["sent"], record["run"], record["at"], "in_flight")
    return Doubt(record["failed"], record["run"], record["at"], record["reason"]) if record["maybe_charged"] else None


def _entry(record: Mapping[str, Any], body: bytes) -> Entry:
    known = {key: value for key, value in record.items() if key in _ENTRY_KEYS}
    return Entry(body=body, **{**known, "about": tuple(record.get("about", ()))})


def _sealed(rest: bytes) -> bytes:
    return b"%08x %s\n" % (zlib.crc32(b"\n", zlib.crc32(rest)), rest)
