"""Keys and headers out of the environment, fit to be sent: a control character in one would break the request.

variable ─▶ key, or "";   headers ─▶ the same, or ``TeacherError`` (exit 4) that names the variable, never its value
"""

import os
from collections.abc import Mapping

from generators.errors import TeacherError


def key_of(variable: str, spec: str) -> str:
    """The key of a variable without blanks around it; empty if it is not set.

    Raises:
        TeacherError: There is a line break or a control character in it: two keys, or half a file, were pasted.
    """
    key = os.environ.get(variable, "").strip()
    if not key.isprintable():
        where = next(at for at, character in enumerate(key, 1) if not character.isprintable())
        raise TeacherError(
            f"{spec}: {variable} holds a line break or another control character (behind {where - 1} characters); "
            "set it to the key alone"
        )
    return key


def checked_headers(headers: Mapping[str, str], spec: str) -> Mapping[str, str]:
    """The headers, if all can be sent; the SDKs take some from variables of their own.

    Raises:
        TeacherError: One holds a control character.
    """
    for name, value in headers.items():
        if not (name + value).isprintable():
            raise TeacherError(
                f"{spec}: the header {''.join(filter(str.isprintable, name))} holds a control character; "
                "look at the variables of the environment that it is made of"
            )
    return headers
