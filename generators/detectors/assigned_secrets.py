"""Secrets of no known shape: a random value beside a name that says what it is.

    api_key = "9f8e7d6c5b4a3f2e" ─▶ Finding("api_key", …);   X-Auth-Token: …, "clientSecret": "…", password: …

The value may also stand in a sentence ("The API key is …", "token …"), on the line below, or in a block of code there;
what is not plainly a value must then look more like one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from generators.detectors.guesses import is_code
from generators.detectors.secret_names import LOOSE, PROSE, SETTING, WORDS, Place, is_secret, kind_beside
from generators.finding import Finding

_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_LONGEST_NAME, _SHORTEST = 48, 6
# The value is on the line below, after an empty line, in a block of code, or in YAML's ``|`` and ``>-``.
_BELOW = (
    r"[ \t]{0,8}(?:=|:|[ \t]is:?)[ \t]{0,8}(?:[|>][+-]?[ \t]{0,8})?\n(?:[ \t]{0,80}\n)?"
    r"(?:[ \t]{0,12}(?:`{3,8}|~{3,8})[ \w-]{0,20}\n)?[ \t>]{0,24}(?:[-*][ \t]{1,4})?"
)
# What follows the word: the rest of the name, closing marks, a separator, an opening quote.
_REST = re.compile(
    r"(?P<tail>[\w-]{0,24})(?P<close>\\?[\"'`]|\*\*|\]|\)|[\"'`]\])?"
    rf"(?P<sep>(?P<below>{_BELOW})|[ \t]{{0,8}}(?:=>|:=|==?|:|\|)[ \t]{{0,8}}"
    r"|[ \t]{1,3}is(?:[ \t]set[ \t]to|[ \t]now)?:?[ \t]{1,3}|[ \t]{1,3}[-\u2013\u2014\u2192][ \t]{1,3}|[ \t]{1,3}"
    r"|\([ \t]?(?=[\"'])|>)"
    r"(?P<open>\\?[\"'`])?"
)
# An unquoted value ends at what may follow it; one that is all the rest of its line ends with the line.
_BARE = re.compile(r"[^\s\"'`<>&;,|=(){}\[\]]{4,160}={0,2}")
_WHOLE = re.compile(r"[^\s\"'`<>]{4,160}(?=[ \t]*(?:\n|$|#|//))")
_NEXT_SETTING = re.compile(r"[;&](?=[A-Za-z][\w .-]{0,40}=)")
_LONGEST_BARE, _LONGEST_QUOTED = 160, 2000
_MORE = re.compile(r"[^\s\"'`<>&;,|(){}\[\]]*")
_OPENINGS = ("", "export", "set", "ENV", "ARG", "$env:")
_DASHES = ("-", "\u2013", "\u2014", "\u2192")
_LINE_END = re.compile(r"[.,:;]{0,2}[ \t]*(?:\n|\Z)")
_SET_IN = re.compile(r"[:=>|+-][ \t]*\n[ \t]+(?:[-*][ \t]+)?\Z")
_ENDS = ("", "\n", "&", ";", "<", '"', "'", "`", "\\")


@dataclass(frozen=True, slots=True)
class _Value:
    """What stands beside a name, and how sure it is that a value stands there."""

    start: int
    end: int
    text: str
    place: Place


def find_assigned_secrets(text: str) -> Iterator[Finding]:
    """Find values that their names give away."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few capitals have no small letter of their own length
        lowered = text
    for word in WORDS:
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
    if not _separates(rest, text, name_start):
        return None
    if word == "pass" and not rest["tail"] and not rest["sep"].strip() and not text.startswith("-", name_start):
        return None  # "pass `check_0d=True`" is what one does
    kind = kind_beside(before, word, rest["tail"].lower())
    value = _value(text, rest, name_start) if kind else None
    if value is None or len(value.text) < _SHORTEST or not is_secret(value.text, kind, value.place):
        return None
    return Finding("api_key" if kind == "key" else kind, value.start, value.end)


def _separates(rest: re.Match[str], text: str, name_start: int) -> bool:
    """Whether a value may stand here: after ``>`` only the text of a tag, and not what a call returns."""
    if rest["close"] == ")" and "==" in rest["sep"]:
        return False
    return rest["sep"] != ">" or text[name_start - 1 : name_start] == "<"


def _value(text: str, rest: re.Match[str], name_start: int) -> _Value | None:
    start, quote = rest.end(), rest["open"] or ("<" if rest["sep"] == ">" else "")
    if quote:
        stop = text.find(quote, start, start + _LONGEST_QUOTED)
        value = text[start:stop]
        return None if stop < 0 or "\n" in value else _Value(start, stop, value, _place(rest, text, name_start, quote))
    stop = _end_of_bare(text, start, name_start)
    value = _NEXT_SETTING.split(text[start:stop], maxsplit=1)[0].rstrip(".,:;")
    stop = start + len(value)
    following = text[stop : stop + 1]
    if not value or following in ("(", "[") or is_code(value):
        return None
    if rest["below"] and not _LINE_END.match(text, stop):
        return None
    return _Value(start, stop, value, _place(rest, text, name_start, following))


def _end_of_bare(text: str, start: int, name_start: int) -> int:
    """Where a value without quotes ends; its own beginning if there is none."""
    # A line of more than a few words before the name is no list of settings, and is not looked through.
    prefix = text[max(0, name_start - 40) : name_start].rpartition("\n")
    opens_line = bool(prefix[1] or name_start <= 40) and prefix[2].strip("\"'` -*>\t") in _OPENINGS
    found = _WHOLE.match(text, start) if opens_line else None
    found = found or _BARE.match(text, start)
    if found is None:
        return start
    more = _MORE.match(text, found.end()) if len(found[0]) == _LONGEST_BARE else None
    return more.end() if more else found.end()


def _place(rest: re.Match[str], text: str, name_start: int, beside: str) -> Place:
    """How sure it is that a value stands here; ``beside`` is the quote before it, or what follows it."""
    separator = rest["sep"].strip()
    quoted = bool(rest["open"])
    if rest["below"]:
        # One that is set in, right below its name, is a setting's; other text below a name may be anything.
        return SETTING if quoted else PROSE if _SET_IN.search(rest["sep"]) else LOOSE
    if not separator:
        flag = text.startswith("--", name_start) and not rest["close"]
        return SETTING if flag else LOOSE
    if separator in _DASHES:
        return PROSE
    return SETTING if quoted or "=" in separator or beside in _ENDS else PROSE
