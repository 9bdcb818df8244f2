"""What a statement can be asked for: its foci, so that a small teacher need only phrase the question.

    "To turn retries off, pass `--no-retry`."  ─▶ how to turn retries off (How …?), `--no-retry` (Which …?)
    "The upload is retried 4 times."           ─▶ 4 times (How …?)

Asking a small model for "questions about this" gives questions about anything; asking it for the question that a marked
part answers, with the question's first word given, is within its reach (answer-aware question generation).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Focus:
    """Something that a statement answers.

    Attributes:
        asks: The part of the statement, or what of it, as told to the teacher.
        opening: The words that the question begins with, one of them.
    """

    asks: str
    opening: tuple[str, ...]


# The opening clause tells what is asked: a purpose, or a condition.
_PURPOSE = re.compile(
    r"^(?:(?:in order )?to|if you (?:want|need|wish|would like|have) to|if you(?:'d| would) like to) "
    r"(?P<what>(?:`[^`]*`|[^,:`]){6,90})[,:]",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"^(?P<word>if|when|whenever|once|unless|after|before) (?P<what>(?:`[^`]*`|[^,:`]){6,90}),", re.IGNORECASE
)
# A parameter, property or field with what is known of it, as API descriptions list them.
_ENTRY = re.compile(r"^(?P<name>`[^`\n]{1,80}`) ?(?:\(|:|–|—|- )")
_IS = re.compile(
    r"^(?:[Tt]he |[Aa]n? )?(?P<name>`[^`\n]{2,60}`(?: [a-z]+){0,2}|(?!You\b|We\b)"
    r"[A-Z][\w.-]*[A-Za-z\d](?: [A-Z]\w+){0,2}) "
    r"(?:is|are) (?:an? |the |used |how |what |where |one of )"
)
_DOES = re.compile(
    r"^(?:[Tt]he )?(?P<name>`[^`\n]{2,60}`(?: [a-z]+){0,2}) (?!is\b|has\b|was\b|does\b|as\b)(?:[a-z]{3,}s) "
)
_ABLE = re.compile(
    r"^(?:you|users|clients|developers) can (?:also )?(?P<what>[^,.`]{6,90}(?:`[^`]+`[^,.`]{0,40})?),? "
    r"(?:using|by|with|via|through) ",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:this|that|these|those|it|its|they|them|so|such|above|below|following)\b", re.IGNORECASE
)
_UNIT = (
    r"times|bytes|characters|seconds?|minutes?|hours?|days?|weeks?|months?|years?|[kMG]i?B|ms|requests?|items?|pages?|"
    r"retries|attempts?|rows?|entries|keys?|users?|events?|endpoints?|parcels?|addresses|files?|connections?|euros?|"
    r"dollars?|cents?|percent|kg|grams|g|cm|mm|km"
)
_AMOUNT = re.compile(
    r"(?<![\w.:`/#-])(?:(?:status|version|port|HTTP)\s+)?(?:\d[\d,.]*\d|\d)(?:\s?%|\s?[-–]\s?\d+)?"
    rf"(?:\s(?:{_UNIT})\b(?:\s(?:per|a|an)\s\w+)?)?(?![\w:`.]\w|[`:])"
)
_SPELT = re.compile(
    rf"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve)\s(?:\w+\s)?(?:{_UNIT})\b", re.IGNORECASE
)
_CODE = re.compile(r"`[^`\n]{2,60}`")
_NAME = re.compile(
    r"\b(?:[A-Z][a-z0-9]+(?:[A-Z][a-z]\w*)+|[a-z]\w*_\w+|[A-Z]+_[A-Z0-9_]+|[A-Z][a-z]+(?:-[A-Z][a-z]+)+)\b"
)
_HOW = ("How",)
_WHAT = ("What",)
_WHICH = ("Which",)
_HOW_MUCH = (
    "How many",
    "How long",
    "How much",
    "How often",
    "How large",
    "After how many",
    "Within how many",
    "What is the",
)
_WHICH_STATUS = ("Which status", "With which status")


def foci(statement: str, count: int, owner: str = "") -> list[Focus]:
    """List at most ``count`` things that the statement answers, the most telling first; none if nothing stands out.

    Args:
        statement: As an answer puts it.
        count: At most.
        owner: What the statement belongs to, such as an operation; a parameter is asked for as one of its.
    """
    chosen: list[Focus] = []
    for focus in _candidates(statement, owner):
        taken = any(_same(focus.asks, other.asks) for other in chosen)
        if not taken and (" " in focus.asks or statement.count(focus.asks) == 1):
            chosen.append(focus)
        if len(chosen) == count:
            break
    return chosen


def _same(one: str, other: str) -> bool:
    """Whether two foci ask for the same, but for a name and what that name is: a question and its reverse."""
    return (one in other or other in one) and not (one.startswith("what ") or other.startswith("what "))


def _candidates(statement: str, owner: str) -> Iterator[Focus]:
    entry = _ENTRY.match(statement)
    if entry:
        of_owner = f" of {owner}" if owner else ""
        if entry["name"].strip("`").isdigit():
            yield Focus(f"what status {entry['name']}{of_owner} means", _WHAT)
        else:
            yield Focus(f"what {entry['name']}{of_owner} is", _WHAT)
            yield Focus(entry["name"], ("Which",))
        return
    opening = _PURPOSE.match(statement) or _ABLE.match(statement) or _CONDITION.match(statement)
    body = statement[opening.end() :] if opening else statement
    if opening and not _POINTS_BACK.search(opening["what"]):
        word = opening.groupdict().get("word")
        yield (
            Focus(f"what happens {word.lower()} {opening['what']}", _WHAT)
            if word
            else Focus(f"how to {opening['what']}", _HOW)
        )
    if not opening:
        yield from _about_subject(statement)
    for pattern, openings in ((_AMOUNT, _HOW_MUCH), (_SPELT, _HOW_MUCH), (_CODE, _WHICH), (_NAME, _WHICH)):
        for found in reversed(list(pattern.finditer(body))):
            asks = found[0].strip()
            yield Focus(asks, _WHICH_STATUS if asks.lower().startswith("status") else openings)


def _about_subject(statement: str) -> Iterator[Focus]:
    """What the statement's subject is or does."""
    being, doing = _IS.match(statement), _DOES.match(statement)
    if being:
        yield Focus(f"what {being['name']} is", _WHAT)
    elif doing and not _AMOUNT.search(statement):
        yield Focus(f"what {doing['name']} does", _WHAT)
