"""What can go wrong with one request, in two kinds: worth another try, or not.

What needs a person (key, quota, model name) is no failure of one request but a ``generators.errors.TeacherError``.

Reason codes of ``TransientFailure``: ``rate_limited``, ``overloaded``, ``server_error``, ``conflict``, ``connect``,
``dns``, ``connect_timeout``, ``idle_timeout``, ``total_timeout``, ``disconnected``, ``half_body``, ``bad_http``,
``feature_refused``.
Reason codes of ``PermanentFailure``: ``context_overflow``, ``content_filter``, ``bad_request``, ``oversized_reply``,
``invalid_utf8``, ``bad_reply``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

UNREACHABLE = frozenset({"dns", "connect", "connect_timeout"})


class RequestFailure(Exception):  # noqa: N818 - a failure of one request; errors are what people read
    """One request came to nothing.

    Attributes:
        reason: A stable code.
        detail: What exactly, for the person: printable, short, without secrets.
        maybe_charged: The request reached the server and no whole answer came back, so it may have to be paid.
        body: What the server answered, as received, where it is worth keeping.
    """

    def __init__(self, reason: str, detail: str = "", *, maybe_charged: bool = False, body: bytes = b"") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.body = body
        self.reason = reason
        self.detail = detail
        self.maybe_charged = maybe_charged


class TransientFailure(RequestFailure):
    """Worth another try.

    Attributes:
        retry_after: Seconds from now that the server wants to be left alone; None if it did not say.
    """

    def __init__(
        self, reason: str, retry_after: float | None = None, detail: str = "", *, maybe_charged: bool = False
    ) -> None:
        super().__init__(reason, detail, maybe_charged=maybe_charged)
        self.retry_after = retry_after


class FeatureRefused(TransientFailure):
    """The server takes no request with some feature; the teacher leaves it out when the request is sent again."""

    def __init__(self, detail: str) -> None:
        super().__init__("feature_refused", detail=detail)


class PermanentFailure(RequestFailure):
    """The same request would fail again."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds the server wants to be left alone; None if it did not say, or not intelligibly.

    Args:
        headers: Of the response, looked up without regard to case. A ``retry-after-ms`` is more exact than
            ``Retry-After`` (seconds or an HTTP date), and is preferred. A date counts from the server's own ``Date``,
            since clocks differ.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("Retry-After")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    until = _moment(value)
    if until is None:
        return None
    now = _moment(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
