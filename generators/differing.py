"""What two texts that are nearly the same say differently, where it matters: a number, a name, a unit, a "not".

    difference("within 30 seconds", "within 60 seconds") ─▶ "'30' against '60'";   nothing that matters ─▶ ""

Other words may differ: whether they mean the same is more than this can tell.
"""

import re
from collections import Counter
from collections.abc import Iterable

from generators.names import spoken_numbers, values
from generators.quotes import folded

_LIST_NUMBER = re.compile(r"^[ \t>]*\d{1,3}[.)](?=\s)", re.MULTILINE)
_NUMBER = re.compile(r"(?:(?<![\w.])-)?\d+(?:[.,:]\d+)*")
_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+")
_SHORT_NOT = re.compile(r"n't\b|(?<=\bcan)not\b")
# Words that turn a statement round, or say how far it goes. Inflected ones count by their stem.
_TELLING = re.compile(
    r"""\b(?:
    (?P<no>not|never|no|none|neither|nor)\b
  | (?P<stem>allow|permit|forbid|forbad|prohibit|den(?:y|ied|ies)\b|reject|refus|accept|enabl|disabl|requir|option
      |ignor|includ|exclud|increas|decreas|rais(?:es?|ed|ing)\b|succe|fail)
  | (?:nothing|nobody|nowhere|without|must|shall|should|may|might|always|only|unless|except|least|most|more|less|fewer
      |above|below|over|under|before|after|until|higher|lower|greater|smaller|larger|longer|shorter|first|last|true
      |false|min|max|minimum|maximum|sometimes|rarely|often)\b
  | (?P<unit>ms|milliseconds?|secs?|seconds?|mins?|minutes?|hours?|days?|weeks?|months?|years?|[kmgt]i?b|bytes?|bits?
      |kilobytes?|megabytes?|gigabytes?|characters?|percent|hourly|daily|weekly|monthly|yearly)\b
    )""",
    re.VERBOSE,
)
_NEGATION = re.compile(r"\b(?:not|never|no|none|neither|nor|cannot)\b|n['’]t\b", re.IGNORECASE)
_TURNED = ("un", "in", "im", "ir", "dis", "non", "de")
_LINK_TARGET = re.compile(r"\]\([^()\s]{0,500}\)")
_WORD = re.compile(r"[^\W\d_]{3,}")


def difference(one: str, other: str) -> str:
    """What a text has against what the other has in its place, for a person; empty if nothing that matters differs."""
    if squashed(one) == squashed(other):
        return ""
    return _numbers(one, other) or _names(one, other) or _telling(one, other) or _turned(one, other)


def is_negated(one: str, other: str) -> bool:
    """Whether one of two texts says "not" more often than the other; quick."""
    return len(_NEGATION.findall(one)) != len(_NEGATION.findall(other))


def squashed(text: str) -> str:
    """A text without spaces, marks, quotation marks and case."""
    return "".join(letter for letter in folded(text) if letter not in " \"'")


def _numbers(one: str, other: str) -> str:
    here, there = (_numbers_of(each) for each in (one, other))
    if here == there:
        return ""
    only_here = Counter(here) - Counter(there) - Counter(spoken_numbers(other))
    only_there = Counter(there) - Counter(here) - Counter(spoken_numbers(one))
    if only_here or only_there:
        return _against(only_here, only_there)
    # The same ones in another order: "from 100 to 1".
    return _against(here, there) if sorted(here) == sorted(there) else ""


def _numbers_of(text: str) -> list[str]:
    """All numbers, those within names too, in order; those that only count the items of a list are none."""
    found = _NUMBER.findall(folded(_LIST_NUMBER.sub("", text)))
    return [each.replace(",", "") if _THOUSANDS.fullmatch(each) else each for each in found]


def _names(one: str, other: str) -> str:
    # Where a link leads is no part of what is read.
    one, other = (_LINK_TARGET.sub("]", each) for each in (one, other))
    here, there = squashed(one), squashed(other)
    # A name may stand there in another case, and without the marks around it. Numbers are compared by themselves.
    only_here = sorted(name for name in values(one) if not _NUMBER.match(name) and squashed(name) not in there)
    only_there = sorted(name for name in values(other) if not _NUMBER.match(name) and squashed(name) not in here)
    return _against(only_here, only_there) if only_here or only_there else ""


def _telling(one: str, other: str) -> str:
    here, there = (Counter(_telling_words(each)) for each in (one, other))
    return _against(here - there, there - here) if here != there else ""


def _telling_words(text: str) -> Iterable[str]:
    for found in _TELLING.finditer(_SHORT_NOT.sub(" not", folded(text))):
        yield "not" if found["no"] else found[0].rstrip("s") if found["unit"] else found[0]


def _turned(one: str, other: str) -> str:
    """A word against its opposite: ``supported`` and ``unsupported``."""
    here, there = (set(_WORD.findall(folded(each))) for each in (one, other))
    for word in sorted(here - there):
        for prefix in _TURNED:
            if prefix + word in there - here:
                return _against([word], [prefix + word])
            if word.startswith(prefix) and word.removeprefix(prefix) in there - here:
                return _against([word], [word.removeprefix(prefix)])
    return ""


def _against(here: Iterable[str], there: Iterable[str]) -> str:
    return f"'{' '.join(here)}' against '{' '.join(there)}'"
