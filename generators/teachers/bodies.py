"""Careful reading of reply bodies: what a provider's documentation promises, a gateway may not keep."""

import json
from typing import Any

from generators.teachers.failures import PermanentFailure


def reply_object(body: bytes) -> dict[str, Any]:
    """Decode a body into a JSON object; a byte order mark, which some gateways put first, is no part of it.

    Raises:
        PermanentFailure: ``invalid_utf8`` or ``bad_reply``.
    """
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise PermanentFailure("invalid_utf8", f"at byte {error.start} of {len(body):,}") from error
    except (ValueError, RecursionError) as error:
        raise PermanentFailure("bad_reply", f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise PermanentFailure("bad_reply", f"a JSON {type(value).__name__}, not an object")
    return value


def text_of(content: object) -> str:
    """Join the text of a message: a string, or a list of parts of which the text parts count; else empty.

    Half of an emoji that a model cut in two is replaced, since it could not be written to any file.
    """
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        content = "".join(part for part in parts if isinstance(part, str))
    if not isinstance(content, str):
        return ""
    return content.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def count_of(usage: object, *names: str) -> int | None:
    """Sum the named token counts; None if the first is missing."""
    counts = [usage.get(name) for name in names] if isinstance(usage, dict) else [None]
    if not isinstance(counts[0], int):
        return None
    return sum(count for count in counts if isinstance(count, int))


def dict_of(value: object) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
