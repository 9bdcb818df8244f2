"""Which exact values a question asks for, and which values of an answer nobody has stated.

    "Which status code does an older cursor fail with?", "It fails with status 400 and `cursor_expired`." ─▶ {"400"}

What the question itself names is given away and not asked for. Its form tells the rest: "How many …" and "Which status
code …" ask for a number, "Which header …" for the name beside that word. A question of no such form asks for the whole
statement, and so for each value of it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from generators.focus import NOUN
from generators.names import spoken_numbers, values

_NUMERIC = re.compile(
    r"\bhow (?:many|much|long|often|large|big|high|old|far|soon|late|fast|deep)\b|\b(?:status|exit|response) code\b"
    r"|\b(?:what|which) (?:is the )?(?:port|maximum|minimum|limit|percentage|number|amount|size|rate|duration)\b"
    r"|\b(?:above|below|after|within|up to|beyond|at) (?:what|which|how)\b",
    re.IGNORECASE,
)
_CHOICE = re.compile(rf"\b(?:which|what) (?:\w+ )?(?P<noun>{NOUN})s?\b", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?\d+(?:[.,:]\d+)*(?:e[-+]?\d+)?")
_LIST_MARK = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)
_CODE_LIKE = re.compile(r"[_/:{}<>]|\w\.\w|[a-z][A-Z]|\d|^--?[a-z]|^[A-Z]\w*-[A-Z]")
_SPAN = re.compile(r"`+([^`\n]+)`+")
# What some nouns look like: "Which exception …?" can only be answered by a name of that shape.
_SHAPES = (
    (re.compile(r"exception|error|warning", re.IGNORECASE), re.compile(r"(?:Error|Exception|Warning)$")),
    (re.compile(r"header", re.IGNORECASE), re.compile(r"^[A-Z]\w*(?:-[A-Z]\w*)+$")),
    (re.compile(r"endpoint|route|operation|path", re.IGNORECASE), re.compile(r"/")),
    (re.compile(r"option|flag|switch", re.IGNORECASE), re.compile(r"^--?\w")),
)
_STATUS = re.compile(r"status code", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks for.

    Attributes:
        values: The exact values that a right answer states; numbers in one writing.
        pointed: The question's form points at these values; otherwise they are all that the reference states.
    """

    values: frozenset[str]
    pointed: bool


def asked_for(question: str, reference: str) -> Asked:
    """Find the values of the reference that the question asks for."""
    given = _folded(question)
    # A part of a date or of a longer number that cannot be found even in the reference cannot be asked of an answer.
    fresh = {value for value in _stated(reference) if states(reference, value) and not states(given, value)}
    if _NUMERIC.search(question):
        numbers = {value for value in fresh if _is_number(value)} or spoken_numbers(reference) - numbers_of(question)
        if _STATUS.search(question):
            numbers = {value for value in numbers if re.fullmatch(r"[1-5]\d\d", value)} or numbers
        if numbers:
            return Asked(frozenset(numbers), pointed=True)
    choice = _CHOICE.search(question)
    if choice:
        named = {value for value in fresh if not _is_number(value)}
        chosen = {value for value in named if _beside(value, choice["noun"], reference)} or _shaped(named, choice[0])
        if chosen:
            return Asked(frozenset(chosen), pointed=True)
    return Asked(frozenset(fresh), pointed=False)


def states(text: str, value: str) -> bool:
    """Whether a text states a value: a number whole, a name in any case and also as a part of a longer expression."""
    if _is_number(value):
        return value in numbers_of(text)
    return re.search(rf"(?<!\w){re.escape(value.lower())}(?!\w)", _folded(text)) is not None


def unstated(answer: str, asked: Asked, sources: Iterable[str]) -> set[str]:
    """Values of the answer that none of the sources states: invented, or another fact's.

    Args:
        answer: What a system said.
        asked: If its question points at numbers, only other numbers can contradict it; so for names. Else both can.
        sources: What is known to be so: question, reference, quotes, the section.
    """
    known = "\n".join(sources)
    plain = _LIST_MARK.sub("", answer)
    found = set[str]()
    if not asked.pointed or any(_is_number(value) for value in asked.values):
        found |= numbers_of(plain) - numbers_of(known)
    if not asked.pointed or any(not _is_number(value) for value in asked.values):
        spans = {_bare(span.strip()) for span in _SPAN.findall(plain)}
        told = {value for value in _stated(plain) if not _is_number(value)}
        telling = {value for value in told if value in spans or _CODE_LIKE.search(value)}
        folded = _folded(known)
        found |= {value for value in telling if " ".join(value.lower().split()) not in folded}
    return found


def numbers_of(text: str) -> set[str]:
    """The numbers of a text in one writing, those written as words up to twelve included: 1,000 is 1000, 5.0 is 5."""
    return {_number(match) for match in _NUMBER.findall(text)} | spoken_numbers(text)


def _stated(text: str) -> set[str]:
    """The comparable values of a text; a short code span that is no name by its looks counts as one."""
    spans = {span.strip() for span in _SPAN.findall(text) if len(span) <= 80}
    found = {_number(value) if _NUMBER.fullmatch(value) else value for value in values(text)}
    return found | {_bare(span) for span in spans if span}


def _bare(span: str) -> str:
    """A code span as it is compared: a number in one writing, a call without its empty brackets."""
    return _number(span) if _NUMBER.fullmatch(span) else span.removesuffix("()")


def _is_number(value: str) -> bool:
    return _NUMBER.fullmatch(value) is not None


def _number(raw: str) -> str:
    raw = raw.lstrip("+")
    if re.fullmatch(r"-?\d{1,3}(?:,\d{3})+", raw):
        raw = raw.replace(",", "")
    # Not further: 3.10 and 3.1 are two releases.
    return raw.removesuffix(".0")


def _folded(text: str) -> str:
    return " ".join(text.replace("`", " ").lower().split())


def _beside(value: str, noun: str, reference: str) -> bool:
    """Whether a value stands beside a noun: "the `trio` package", "the option is `--no-retry`"."""
    name, word = re.escape(value.lower()), re.escape(noun.lower().removesuffix("s"))
    before = rf"(?<!\w){name}(?:\(\))?(?: [\w-]+)? {word}"
    after = rf"\b{word}s?(?: (?:is|are|was|named|called|of))?(?: the)?:? {name}(?!\w)"
    return re.search(f"{before}|{after}", _folded(reference)) is not None


def _shaped(named: Iterable[str], noun: str) -> set[str]:
    """The names that look like what the noun calls for; none where nothing is known of its looks."""
    shapes = [shape for word, shape in _SHAPES if word.search(noun)]
    return {name for name in named if any(shape.search(name) for shape in shapes)}
