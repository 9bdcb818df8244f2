"""Names that say that what stands beside them is secret, and whether it is: what several detectors share.

    kind_of_name("X-Api-Key") ─▶ "api_key";  kind_of_name("max_tokens") ─▶ ""
    is_secret("hunter2", "password", SETTING) ─▶ True;  is_secret("string", "password", PROSE) ─▶ False

The name decides how much chance the value must show: beside ``password`` all that is no word, beside ``token`` what is
not made of words, beside a bare ``key`` a long random text. So does the place: after ``=`` stands a value, after a mere
space more often the next word.
"""

import re
from typing import Literal

from generators.detectors.guesses import is_chosen, is_mixed, is_password, is_random, is_stand_in
from generators.unescaped import as_read

Place = Literal["setting", "prose", "loose"]
# Where nothing but a value can stand; where a sentence may go on; where one mostly does.
SETTING: Place = "setting"
PROSE: Place = "prose"
LOOSE: Place = "loose"
WORDS = (
    "pass", "pwd", "secret", "token", "key", "credential", "auth", "session", "sessid", "sessionid", "cookie", "pw",
)  # fmt: skip
_QUALIFIED = re.compile(
    r"(?:api|access|secret|auth|account|shared|master|private|sign(?:ing|ature)?|encryption|encrypt|decryption|service|"
    r"subscription|licen[sc]e|client|consumer|app|application|webhook|storage|admin|deploy|hmac|session|bearer|crypto|"
    r"integration|server|security|aes|ssh|jwt|project|live|test|root|user|x|write|read|ingest)[ _.-]?$"
)
# Values that have such names are no secrets, however random.
_PUBLIC_HEAD = re.compile(
    r"(?:public|primary|foreign|partition|sort|cache|object|row|range|registry|routing|idempotency|page|next|"
    r"prev(?:ious)?|continuation|cursor|sync|pagination|start|end|stop|pad|bos|eos|max|min|num|dedup|event|translation|"
    r"message|publishable|by|com|mon|tur|hot|whis|don|hoc)[ _.-]?$"
)
_PUBLIC_TAIL = re.compile(
    r"(?:ids?|types?|names?|urls?|uris?|paths?|files?|expir\w*|ttl|length|len|counts?|limits?|size|hash(?:es)?|sha\d*|md5|"
    r"digest|fields?|headers?|prefix|suffix|format|polic\w*|versions?|descriptions?|status|endpoints?|hint|min|max|reset|"
    r"_at|fingerprint|algorithm|usage|scopes?|issuer|method|mode|level|index|pairs?|stdin)$"
)
# The words that a word may be part of; for the others every tail that is not public is a name's.
_TAILS = {
    "pass": re.compile(r"(?:word|wd|phrase|code)?(?:[_-]\w+|\d+)?$"),
    "key": re.compile(r"(?!s?(?:board|word|store|holder|ring|note|ed|less|frame|stone|chain|press|space)).*$"),
    "auth": re.compile(r"(?:orization)?$"),
    "cookie": re.compile(r"$"),
    "sessid": re.compile(r"$"),
    "sessionid": re.compile(r"$"),
    "session": re.compile(r"(?:[ _-]?(?:cookie|id|value))?$"),
    "pw": re.compile(r"$"),
    "credential": re.compile(r"s?$"),
    "token": re.compile(r"(?!i[sz]).*$"),
}
_LEAST = {SETTING: 10, PROSE: 16, LOOSE: 16}
_LEAST_MIXED = 12  # of small letters, capitals and digits: no word is, so it may be shorter
_LEAST_KEY = 20
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_DIGEST = re.compile(r"(?:sha\d+[-:])?[0-9a-f]{32,128}")
_AROUND = " \t*_`\"'\\:"
_LONGEST_HEADER = 40
_OF_VALUE = re.compile(r"(?:[ _-]value|(?<=[^s])s)$")


def kind_beside(before: str, word: str, tail: str) -> str:
    """What the name ``before + word + tail``, in small letters, stands for, by one of ``WORDS``.

    ``password``, ``token``, ``api_key``; ``key`` if unsure; empty for nothing private.
    """
    known = _TAILS.get(word)
    if known and not known.match(tail):
        return ""
    # The id of a session is its key.
    if (word != "session" and _PUBLIC_TAIL.search(tail)) or _PUBLIC_HEAD.search(before[-16:]):
        return ""
    if word in ("pass", "pwd", "pw"):
        return "" if not tail and before[-1:].isalpha() and word != "pwd" else "password"
    if word == "key":
        return "api_key" if _QUALIFIED.search(before[-16:]) else "key"
    return "api_key" if word == "secret" and "key" in tail else "token"


def kind_of_name(name: str) -> str:
    """What a whole name, such as the title of a column, stands for: as ``kind_beside``."""
    plain = as_read(name).strip(_AROUND).lower()
    if not plain or len(plain) > _LONGEST_HEADER:
        return ""
    plain = _OF_VALUE.sub("", plain)
    places = ((plain.rfind(word), len(word), word) for word in WORDS)
    at, length, word = max(places)
    tail = plain[at + length :]
    if at < 0 or not re.fullmatch(r"[\w-]*", tail):
        return ""
    return kind_beside(plain[:at], word, tail)


def is_secret(value: str, kind: str, place: Place) -> bool:
    """Whether a value beside a name of this kind is the secret itself, not a word about it or a stand-in."""
    if is_stand_in(value) or "://" in value:
        return False
    if kind == "password":
        if place == SETTING:
            return is_password(value)
        return is_chosen(value) and (place == PROSE or is_random(value) or is_mixed(value))
    if " " in value or not is_random(value):
        return False
    if kind == "key":
        listed = _UUID.fullmatch(value) or _DIGEST.fullmatch(value)
        return place == SETTING and len(value) >= _LEAST_KEY and not listed
    if place == LOOSE and (_UUID.fullmatch(value) or not any(map(str.isdigit, value))):
        return False
    return len(value) >= _LEAST[place] or (place == PROSE and len(value) >= _LEAST_MIXED and is_mixed(value))
