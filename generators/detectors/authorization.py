"""What stands in ``Authorization``, whatever its scheme is called.

    "Authorization: Bearer mF_9.B5f-4.1JqM" ─▶ Finding("token", 22, 37);  "Authorization: ApiKey VnVhQ2ZHY0…" likewise

Of schemes with parameters (``Digest response="…"``, ``AWS4-HMAC-SHA256 …, Signature=…``) those that prove something.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator

from generators.detectors.guesses import is_ticket
from generators.finding import Finding

# These two are known wherever they stand.
_SCHEME = re.compile(r"[Bb](?:earer|asic)|BEARER|BASIC|[Tt](?<=: .)oken")
_VALUE = r"[\"']?([A-Za-z0-9+/=_.~:-]{6,4000})"
_SCHEMED = re.compile(rf"[ \t]{{1,3}}(?:token=)?{_VALUE}")
_HEADER = re.compile(r"(?:uthorization|UTHORIZATION)[\"'`]?[\])]?[ \t]{0,4}[:=,][ \t]{0,4}[\"'`]?(?=[A-Za-z])")
_ANY_SCHEMED = re.compile(rf"[A-Za-z][\w-]{{1,30}}[ \t]{{1,3}}(?:(?:token|key|api_?key|access_token)=)?{_VALUE}")
_PARAMETERS = re.compile(r"[A-Za-z][\w-]{1,30}[ \t]{1,3}[A-Za-z][\w-]{1,30}=[^\n]{1,2000}")
_PROOF = re.compile(
    rf"(?<![\w-])(?:response|signature|mac|token|oauth_token|oauth_signature|key|api_?key|secret|assertion)={_VALUE}",
    re.IGNORECASE,
)


def find_authorization(text: str) -> Iterator[Finding]:
    """Find the tokens and passwords of ``Bearer …``, ``Basic …`` and of every scheme after ``Authorization:``."""
    if "earer" in text or "asic" in text or "BEARER" in text or "BASIC" in text or "oken" in text:
        yield from _of_known_schemes(text)
    if "uthorization" in text or "UTHORIZATION" in text:
        yield from _of_any_scheme(text)


def _of_known_schemes(text: str) -> Iterator[Finding]:
    for scheme in _SCHEME.finditer(text):
        found = _SCHEMED.match(text, scheme.end())
        if not found:
            continue
        value, basic = found[1], scheme[0].lower() == "basic"
        if _is_login(value) if basic else is_ticket(value):
            yield Finding("password" if basic else "token", found.start(1), found.end(1))


def _of_any_scheme(text: str) -> Iterator[Finding]:
    done = 0
    for header in _HEADER.finditer(text):
        found = _ANY_SCHEMED.match(text, header.end())
        if found and is_ticket(found[1]):
            yield Finding("token", found.start(1), found.end(1))
        parameters = _PARAMETERS.match(text, header.end()) if header.end() >= done else None
        if parameters:
            done = parameters.end()
            for proof in _PROOF.finditer(text, parameters.start(), done):
                if is_ticket(proof[1]):
                    yield Finding("token", proof.start(1), proof.end(1))


def _is_login(value: str) -> bool:
    """Whether base64 spells ``user:password``."""
    try:
        decoded = b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (Base64Error, ValueError):
        return False
    user, colon, password = decoded.partition(b":")
    return bool(colon and user + password) and decoded.isascii() and decoded.decode("ascii").isprintable()
