"""Passwords and tokens in the places that are made for them: addresses, ``Authorization``, ``curl -u``, netrc.

    "postgres://app:hunter2@db/prod" ─▶ Finding("password", 15, 22)

In an address only the password is private; who and where stay readable.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator

from generators.detectors.guesses import is_password, is_random, is_stand_in, is_ticket
from generators.finding import Finding

# Up to the last @ before the host: a password may hold one.
_LOGIN = re.compile(r"[^\s/:@\"'`<>\[\](){}]{0,100}:([^\s/\"'`<>]{1,200})@(?=[\w.\[-])")
_TOKEN_LOGIN = re.compile(r"([^\s/:@\"'`<>\[\](){}]{16,200}):?@(?=[\w.\[-])")
_SCHEME = re.compile(r"[Bb](?:earer|asic)|BEARER|BASIC|[Tt](?<=: .)oken")
_SCHEMED = re.compile(r"[ \t]{1,3}(?:token=)?[\"']?([A-Za-z0-9+/=_.~:-]{6,4000})")
_FLAG = re.compile(r"-(?<![\w-].)(?:u|-user|-proxy-user|U)[ =]?([\"']?)([^\s:\"']{0,100}):([^\s\"']{3,200})")
_NETRC = re.compile(r"\blogin\s{1,4}\S{1,100}\s{1,4}password\s{1,4}(\S{1,200})")
_CALL = re.compile(
    r"(?:uth|UTH|ogin|redentials?)\w{0,20}(?:\(|\s{0,2}=\s{0,2}\()\s{0,4}[\"'][^\"'\n]{0,100}[\"'],\s{0,4}[\"']([^\"'\n]{1,200})[\"']"
)


def find_credentials(text: str) -> Iterator[Finding]:
    """Find what lets somebody in, by where it stands."""
    if "@" in text and "://" in text:
        yield from _in_addresses(text)
    if "earer" in text or "asic" in text or "BEARER" in text or "BASIC" in text or "oken" in text:
        yield from _in_headers(text)
    if "-u" in text or "--user" in text or "--proxy-user" in text or "-U" in text:
        yield from _passwords(text, _FLAG, 3)
    if "login" in text:
        yield from _passwords(text, _NETRC, 1)
    if "uth" in text or "UTH" in text or "ogin" in text or "redential" in text:
        yield from _passwords(text, _CALL, 1)


def _in_addresses(text: str) -> Iterator[Finding]:
    at = text.find("://")
    while at >= 0:
        at += 3
        login, token = _LOGIN.match(text, at), _TOKEN_LOGIN.match(text, at)
        if login and not is_stand_in(login[1], least=3):
            yield Finding("password", login.start(1), login.end(1))
        elif token and is_random(token[1]) and not is_stand_in(token[1]):
            yield Finding("token", token.start(1), token.end(1))
        at = text.find("://", at)


def _in_headers(text: str) -> Iterator[Finding]:
    for scheme in _SCHEME.finditer(text):
        found = _SCHEMED.match(text, scheme.end())
        if not found:
            continue
        value, basic = found[1], scheme[0].lower() == "basic"
        if _is_login(value) if basic else is_ticket(value):
            yield Finding("password" if basic else "token", found.start(1), found.end(1))


def _is_login(value: str) -> bool:
    """Whether base64 spells ``user:password``."""
    try:
        decoded = b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (Base64Error, ValueError):
        return False
    user, colon, password = decoded.partition(b":")
    return bool(colon and user + password) and decoded.isascii() and decoded.decode("ascii").isprintable()


def _passwords(text: str, pattern: re.Pattern[str], group: int) -> Iterator[Finding]:
    for found in pattern.finditer(text):
        value = found[group]
        if not value.isdigit() and (is_password(value) or (is_random(value) and not is_stand_in(value))):
            yield Finding("password", found.start(group), found.end(group))
