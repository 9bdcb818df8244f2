"""When a provider says that a model will be shut down: in a header of its replies, or in a reply's body.

    headers, body ─▶ "2027-03-31", or "" where it says nothing

Read from the replies that are had anyway: the ``Sunset`` header (RFC 8594), and ``shutdown_date`` or
``deprecation_date`` in the body, as gateways write it. No request is sent to find out.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

_KEYS = ("shutdown_date", "deprecation_date", "retirement_date")
_MARK = re.compile(rb'"(?:shutdown|deprecation|retirement)_date"')


def sunset_of(headers: Mapping[str, str], body: bytes) -> str:
    """The day on which the model ends, as ISO 8601; empty if that is not said, or is no date."""
    told = headers.get("Sunset", "")
    if told:
        try:
            return parsedate_to_datetime(told).date().isoformat()
        except ValueError:
            return _day(told)
    return _in_body(body) if _MARK.search(body) else ""


def _in_body(body: bytes) -> str:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return next((_day(found[key]) for key in _KEYS if key in found), "") if isinstance(found, dict) else ""


def _day(told: object) -> str:
    """A date, or seconds since 1970, as ISO 8601."""
    try:
        if isinstance(told, int | float) and not isinstance(told, bool):
            return datetime.fromtimestamp(told, UTC).date().isoformat()
        return date.fromisoformat(str(told)[:10]).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""
