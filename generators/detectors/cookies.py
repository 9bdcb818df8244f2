"""The random values of cookies, whatever these are called.

"Set-Cookie: sid=k29sjdKLsd98WQmnZx21; Path=/" ─▶ Finding("token", 16, 36)
"""

import re
from collections.abc import Iterator

from generators.detectors.guesses import is_random, is_stand_in
from generators.finding import Finding

# "Cookie: a=…", "cookies={"a": "…"}", "--cookie 'a=…'", and curl's "-b 'a=…'".
_START = re.compile(
    r"(?:ookies?|OOKIE)[\"'`]?\]?(?:[ \t]{0,4}[:=,(]|(?<=ookie)[ \t])[ \t]{0,4}(?:dict\()?[{\"'`]{0,3}"
    r"|-b(?<=\s..)[ \t]{1,4}[\"']?"
)
_PAIR = re.compile(
    r"[ \t]{0,4}[\"']?([\w.%-]{1,64})[\"']?[ \t]{0,2}[=:][ \t]{0,2}[\"']?([^\s;,\"'`<>{}()]{0,4096})[\"']?"
)
_NEXT = re.compile(r"[;,]")
_SHORTEST = 16


def find_cookies(text: str) -> Iterator[Finding]:
    """Find what is random in the cookies of a header, of a call or of a command line."""
    if "ookie" not in text and "OOKIE" not in text and " -b" not in text:
        return
    done = 0
    for start in _START.finditer(text):
        at = start.end()
        while at >= done and (pair := _PAIR.match(text, at)):
            if _is_secret(pair[2]):
                yield Finding("token", *pair.span(2))
            done = pair.end()
            following = _NEXT.match(text, done)
            if not following:
                break
            at = following.end()


def _is_secret(value: str) -> bool:
    return len(value) >= _SHORTEST and "://" not in value and is_random(value) and not is_stand_in(value)
