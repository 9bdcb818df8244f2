"""Passwords and tokens in the places that are made for them: addresses, ``curl -u``, netrc, calls.

    "postgres://app:hunter2@db/prod" ─▶ Finding("password", 15, 22)

In an address only the password is private; who and where stay readable.
"""

import re
from collections.abc import Iterator

from generators.detectors.guesses import is_password, is_random, is_stand_in
from generators.finding import Finding

# Up to the last @ before the host: a password may hold one.
_LOGIN = re.compile(r"[^\s/:@\"'`<>\[\](){}]{0,100}:([^\s/\"'`<>]{1,200})@(?=[\w.\[-])")
_TOKEN_LOGIN = re.compile(r"([^\s/:@\"'`<>\[\](){}]{16,200}):?@(?=[\w.\[-])")
_FLAG = re.compile(r"-(?<![\w-].)(?:u|-user|-proxy-user|U)[ =]?([\"']?)([^\s:\"']{0,100}):([^\s\"']{3,200})")
_NETRC = re.compile(r"\blogin\s{1,4}\S{1,100}\s{1,4}password\s{1,4}(\S{1,200})")
_CALL = re.compile(
    r"(?:uth|UTH|ogin|redentials?)\w{0,20}(?:\(|\s{0,2}=\s{0,2}\()\s{0,4}[\"'][^\"'\n]{0,100}[\"'],\s{0,4}[\"']([^\"'\n]{1,200})[\"']"
)


def find_credentials(text: str) -> Iterator[Finding]:
    """Find what lets somebody in, by where it stands."""
    if "@" in text and "://" in text:
        yield from _in_addresses(text)
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


def _passwords(text: str, pattern: re.Pattern[str], group: int) -> Iterator[Finding]:
    for found in pattern.finditer(text):
        value = found[group]
        if not value.isdigit() and (is_password(value) or (is_random(value) and not is_stand_in(value))):
            yield Finding("password", found.start(group), found.end(group))
