"""E-mail addresses and phone numbers.

    "Write to jane@acme.io or call +1 415 555 2671." ─▶ Finding("email", …), Finding("phone", …)

``is_sample`` tells which of them are reserved for documentation and belong to nobody.
"""

import re
from collections.abc import Iterator

from generators.detectors.account_numbers import has_many_digits
from generators.finding import Finding

_HOST = re.compile(r"(?<=[\w%+-])@((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:[^\W\d_]{2,24}|xn--[\w-]{2,50}))(?![\w-])")
_LOCAL = re.compile(r"[\w.%+'-]{1,64}$")
_RETINA = re.compile(r"\dx\.")  # icon@2x.png
_BEFORE = 300
# A host's user name in an address, and what Git calls everybody.
_IN_ADDRESS = re.compile(r"://[^\s/?#\"'<>]*$")
_NO_PERSON = ("git", "hg")

_DIGITS = r"(?:[ .()\-/]{0,2}+\d)"
_INTERNATIONAL = re.compile(rf"(?:(?<![\w.+(])\(?\+|%2B|(?<![\w.+])(?<=\()\+)\(?[1-9]{_DIGITS}{{7,14}}+(?!\d)")
_AMERICAN = re.compile(
    r"(?<![\w.+/-])(?:1[ .-])?(?:\([2-9]\d\d\)[ .-]?[2-9]\d\d[ .-]|[2-9]\d\d([.-])[2-9]\d\d\1)\d{4}(?![\w-])(?!\.\d)"
)
_LOCAL_SAMPLE = re.compile(r"(?<![\w.-])555-\d{4}(?![\w-])")
_NATIONAL = re.compile(rf"(?<![\w.,/-])\(?\d{_DIGITS}{{6,14}}+(?!\w)")
_SPOKEN_OF = re.compile(
    r"(?:\btel|phone|mobile|\bcell|\bfax|whatsapp|hotline|\bsms|\bcall(?:ing)?(?: us| me| him| her)?(?: at| on)|☎|📞)"
    r"\w{0,12}"
    r"(?:[\s_\"'`:=>|*()#.+-]|numbers?\b|no\b|is\b|at\b|on\b|us\b){0,16}$",
    re.IGNORECASE,
)
_CONTEXT = 40
_SAMPLE_HOST = re.compile(
    r"(?:^|[@.])(?:example\.(?:com|net|org|edu)|[\w-]+\.(?:example|test|invalid|localhost))$", re.IGNORECASE
)
# 555-0100 to 555-0199, and the numbers that Ofcom keeps for drama.
_SAMPLE_PHONE = re.compile(r"555[ .-]?01\d\d$|(?:44|0)7700900\d{3}$|(?:44|0)(?:1632960|2079460)\d{3}$")


def find_emails(text: str) -> Iterator[Finding]:
    """Find e-mail addresses."""
    if "@" not in text:
        return
    for host in _HOST.finditer(text):
        before = text[max(0, host.start() - _BEFORE) : host.start()]
        local = _LOCAL.search(before[-64:])
        name = local[0].lstrip(".'-") if local else ""
        if name and name.lower() not in _NO_PERSON and not _RETINA.match(host[1]) and not _IN_ADDRESS.search(before):
            yield Finding("email", host.start() - len(name), host.end())


def find_phones(text: str) -> Iterator[Finding]:
    """Find phone numbers: international, American, and any that is called one."""
    if not has_many_digits(text):
        return
    if "+" in text or "%2B" in text:
        yield from (Finding("phone", *_trimmed(found)) for found in _INTERNATIONAL.finditer(text) if _digits(found) > 7)
    for pattern in (_AMERICAN, _LOCAL_SAMPLE):
        yield from (Finding("phone", *found.span()) for found in pattern.finditer(text))
    for found in _NATIONAL.finditer(text):
        if _SPOKEN_OF.search(text[max(0, found.start() - _CONTEXT) : found.start()]):
            yield Finding("phone", *_trimmed(found))


def is_sample(kind: str, value: str) -> bool:
    """Whether an address or a number is one of those reserved for documentation (RFC 2606, 555-01xx)."""
    if kind == "email":
        return bool(_SAMPLE_HOST.search(value))
    return kind == "phone" and bool(_SAMPLE_PHONE.search(re.sub(r"[^\d]", "", value)))


def _digits(found: re.Match[str]) -> int:
    return sum(character.isdigit() for character in found[0])


def _trimmed(found: re.Match[str]) -> tuple[int, int]:
    """The span without a bracket that is not closed inside."""
    opens = found[0].startswith("(") and ")" not in found[0]
    return found.start() + opens, found.end()
