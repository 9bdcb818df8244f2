r"""Private keys in PEM, PGP and PuTTY form, whole or cut.

    "-----BEGIN RSA PRIVATE KEY-----\nMIIE…\n-----END RSA PRIVATE KEY-----" ─▶ Finding("private_key", …)

A long section is cut into chunks between its lines, so that a chunk may hold a key's beginning, its end, or nothing but
a piece of its body. In JSON the line ends are written as a backslash and an n.
"""

import re
from collections.abc import Iterator

from generators.finding import Finding

_MARK = re.compile(
    r"(?P<begin>-----BEGIN[A-Z0-9 ]{0,40} PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[23]:)"
    r"|-----END[A-Z0-9 ]{0,40} PRIVATE KEY(?: BLOCK)?-----|Private-MAC:[ \t]*[0-9a-f]{16,}"
)
_GAP = r"(?:\\[nrt]|[\s\"'+,|>#*\\])*+"  # between two lines, also in JSON, in a diff and in code that joins them
_HEADER = r"(?:[A-Z][\w-]{2,30}: ?[^\n\\]{0,200}(?=\n|\\n))"  # "Proc-Type: 4,ENCRYPTED"
_BODY = re.compile(rf"(?:{_GAP}(?:{_HEADER}|[A-Za-z0-9+/=]{{20,}}+))*+(?:{_GAP}[A-Za-z0-9+/]{{1,64}}={{1,2}})?")
_ENDING_BODY = re.compile(rf"(?:[A-Za-z0-9+/=]{{20,}}+{_GAP})++(?:[A-Za-z0-9+/]{{1,64}}={{0,2}}{_GAP})?")
_LINE = re.compile(r"[A-Za-z0-9+/]{40,}+={0,2}")
_LEAST_BODY = 200


def find_private_keys(text: str) -> Iterator[Finding]:
    """Find private keys, with all that stands between their marks."""
    if "PRIVATE KEY" in text or "PuTTY-User-Key" in text or "Private-MAC:" in text:
        yield from _marked(text)
    elif len(text) >= _LEAST_BODY and text.count(" ") * 40 < len(text) and _is_body(text):
        yield Finding("private_key", 0, len(text))


def _marked(text: str) -> Iterator[Finding]:
    """A key lasts from its first mark to its second; one that is cut, as far as there is base64."""
    since, opened = 0, -1
    for mark in (*_MARK.finditer(text), None):
        if opened >= 0 and (mark is None or mark["begin"]):
            body = _BODY.match(text, since)
            since = since + len(body[0].rstrip()) if body else since
            yield Finding("private_key", opened, since)
            opened = -1
        if mark is None:
            return
        if mark["begin"]:
            opened = mark.start()
        else:
            yield Finding(
                "private_key", opened if opened >= 0 else _start_of_body(text, since, mark.start()), mark.end()
            )
            opened = -1
        since = mark.end()


def _start_of_body(text: str, start: int, end: int) -> int:
    """Where the base64 before an end mark begins."""
    return next((found.start() for found in _ENDING_BODY.finditer(text, start, end) if found.end() == end), end)


def _is_body(text: str) -> bool:
    """Whether nearly all of a text is lines of base64, with capitals, small letters and digits."""
    found = sum(len(line[0]) for line in _LINE.finditer(text))
    return found >= 0.8 * len(text.strip()) and all(re.search(kind, text) for kind in ("[A-Z]", "[a-z]", r"\d"))
