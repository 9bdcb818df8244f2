"""Secrets of no known shape: a random value beside a name that says what it is.

    api_key = "9f8e7d6c5b4a3f2e" ─▶ Finding("api_key", …);   X-Auth-Token: …, "clientSecret": "…", password: …

The name decides how much chance the value must show: beside ``password`` all that is no word, beside ``token`` what is
not made of words, beside a bare ``key`` a long random text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from generators.detectors.guesses import is_code, is_password, is_random, is_stand_in
from generators.finding import Finding

_WORDS = ("pass", "pwd", "secret", "token", "key", "credential", "auth", "sessid", "sessionid", "cookie")
_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_LONGEST_NAME, _SHORTEST = 48, 6
# What follows the word: the rest of the name, closing marks, a separator, an opening quote.
_REST = re.compile(
    r"(?P<tail>[\w-]{0,24})(?P<close>\\?[\"'`]|\*\*|\]|\)|[\"'`]\])?"
    r"(?P<sep>[ \t]{0,8}(?:=>|:=|==?|:|\|)[ \t]{0,8}|[ \t]{1,3}is[ \t]{1,3}(?:set to[ \t])?|[ \t]{1,3}"
    r"|\([ \t]?(?=[\"'])|>)"
    r"(?P<open>\\?[\"'`])?"
)
# An unquoted value ends at what may follow it; one that is all the rest of its line ends with the line.
_BARE = re.compile(r"[^\s\"'`<>&;,|=(){}\[\]]{4,160}={0,2}")
_WHOLE = re.compile(r"[^\s\"'`<>]{4,160}(?=[ \t]*(?:\n|$|#|//))")
_NEXT_SETTING = re.compile(r"[;&](?=[A-Za-z][\w .-]{0,40}=)")
_MORE = re.compile(r"[^\s\"'`<>&;,|(){}\[\]]*")
_OPENINGS = ("", "export", "set", "ENV", "ARG", "$env:")
_ENDS = ("", "\n", "&", ";", "<", '"', "'", "`", "\\")
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
    r"_at|fingerprint|algorithm|usage|scopes?|issuer|method|mode|level|index|pairs?)$"
)
# The words that a word may be part of; for the others every tail that is not public is a name's.
_TAILS = {
    "pass": re.compile(r"(?:word|wd|phrase|code)?(?:[_-]\w+|\d+)?$"),
    "key": re.compile(r"(?!s?(?:board|word|store|holder|ring|note|ed|less|frame|stone|chain|press|space)).*$"),
    "auth": re.compile(r"(?:orization)?$"),
    "cookie": re.compile(r"$"),
    "sessid": re.compile(r"$"),
    "sessionid": re.compile(r"$"),
    "credential": re.compile(r"s?$"),
    "token": re.compile(r"(?!i[sz]).*$"),
}
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_DIGEST = re.compile(r"(?:sha\d+[-:])?[0-9a-f]{32,128}")


@dataclass(frozen=True, slots=True)
class _Value:
    """What stands beside a name; ``tight`` if nothing but a value can stand there."""

    start: int
    end: int
    text: str
    tight: bool
    quoted: bool


def find_assigned_secrets(text: str) -> Iterator[Finding]:
    """Find values that their names give away."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few capitals have no small letter of their own length
        lowered = text
    for word in _WORDS:
        at, done = lowered.find(word), 0
        while at >= 0:
            if at >= done:
                found = _beside(text, lowered, at, word)
                if found:
                    yield found
                    done = found.end
            at = lowered.find(word, at + len(word))


def _beside(text: str, lowered: str, at: int, word: str) -> Finding | None:
    """The secret beside the name that holds the word at this place, if there is one."""
    rest = _REST.match(text, at + len(word))
    if rest is None:
        return None
    before = lowered[max(0, at - _LONGEST_NAME) : at]
    name_start = at - len(before) + len(before.rstrip(_NAME))
    value = _value(text, rest, name_start) if _separates(rest, text, name_start) else None
    if value is None or len(value.text) < _SHORTEST:
        return None
    kind = _kind(before, word, rest["tail"].lower())
    if not kind or not _is_secret(value, kind):
        return None
    return Finding("api_key" if kind == "key" else kind, value.start, value.end)


def _kind(before: str, word: str, tail: str) -> str:
    """What a name stands for: ``password``, ``token``, ``api_key``; ``key`` if unsure; empty for nothing private."""
    known = _TAILS.get(word)
    if (known and not known.match(tail)) or _PUBLIC_TAIL.search(tail) or _PUBLIC_HEAD.search(before[-16:]):
        return ""
    if word in ("pass", "pwd"):
        return "" if not tail and before[-1:].isalpha() and word == "pass" else "password"
    if word == "key":
        return "api_key" if _QUALIFIED.search(before[-16:]) else "key"
    return "api_key" if word == "secret" and "key" in tail else "token"


def _separates(rest: re.Match[str], text: str, name_start: int) -> bool:
    """Whether the name is parted from the value as names are; a mere space only after a flag, ``>`` after a tag."""
    separator = rest["sep"].strip()
    if not separator:
        return text.startswith("--", name_start) and not rest["close"]
    return separator != ">" or text[name_start - 1 : name_start] == "<"


def _value(text: str, rest: re.Match[str], name_start: int) -> _Value | None:
    start, quote = rest.end(), rest["open"] or ("<" if rest["sep"] == ">" else "")
    if quote:
        stop = text.find(quote, start, start + 2000)
        value = text[start:stop]
        return None if stop < 0 or "\n" in value else _Value(start, stop, value, tight=True, quoted=True)
    # A line of more than a few words before the name is no list of settings, and is not looked through.
    prefix = text[max(0, name_start - 40) : name_start].rpartition("\n")
    opens_line = bool(prefix[1] or name_start <= 40) and prefix[2].strip("\"'` -*>\t") in _OPENINGS
    found = _WHOLE.match(text, start) if opens_line else None
    found = found or _BARE.match(text, start)
    if found is None:
        return None
    stop = _MORE.match(text, found.end()).end() if len(found[0]) == 160 else found.end()  # type: ignore[union-attr]
    value = _NEXT_SETTING.split(text[start:stop], maxsplit=1)[0].rstrip(".,:;")
    stop = start + len(value)
    following = text[stop : stop + 1]
    if following in ("(", "["):
        return None
    tight = "=" in rest["sep"] or not rest["sep"].strip() or following in _ENDS
    return _Value(start, stop, value, tight=tight, quoted=False)


def _is_secret(value: _Value, kind: str) -> bool:
    text = value.text
    if is_stand_in(text) or "://" in text or (not value.quoted and is_code(text)):
        return False
    if kind == "password":
        return is_password(text) if value.tight else is_random(text)
    if " " in text or not is_random(text):
        return False
    if kind == "key":
        return value.tight and len(text) >= 20 and not _UUID.fullmatch(text) and not _DIGEST.fullmatch(text)
    return len(text) >= (10 if value.tight else 16)
