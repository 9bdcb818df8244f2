"""What a question asks about by name or number: two questions that differ in it are two, however alike.

    "How long does `POST /v1/keys` wait, 30 s?" ─▶ names_asked: ("/v1/keys", "30", "POST")
    "Does the Python client retry?"             ─▶ also_named: {"python"}, for the capital in mid-sentence

What looks like a name tells two questions apart wherever it stands in one and not in the other (``names_asked``). A
plain word that is somewhere marked as a name (``limit`` in code, ``Python`` by its capital) does so only if the other
question does not use the word at all (``tell_apart``).
"""

import re
from collections.abc import Iterable
from itertools import filterfalse

_EDGES = ".,;:!?…\"'()[]“”‘’«»„¿¡"
_CODE_SPAN = re.compile(r"(?<!`)`+([^`\n]+)`+")
_MARKED_WORD = re.compile(r"`([^\W_]+)`")
_NONE = frozenset[str]()
# A capital after a small letter; for the capital a text is searched twice as fast as for the letter.
_CAMEL = re.compile(r"[A-Z](?<=[a-z].)")
_STRUCTURED = re.compile(r"[\d_/\\@#$%&*=+|~<>{}^.:]|[a-z][A-Z]|^-+\w")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ABBREVIATIONS = frozenset(["e.g", "i.e", "a.k.a", "and/or", "w/o", "w/"])
# "One" is more often an article than a number.
_SPOKEN = {
    form: str(number)
    for number, word in enumerate(
        ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 2
    )
    for form in (word, word.capitalize())
} | {"zero": "0", "Zero": "0"}
_SPOKEN_WORDS = frozenset(_SPOKEN)
_SENTENCE_END = (".", "?", "!", ":")
_PRONOUNS = frozenset(["I", "I'm", "I've", "I'd", "I'll"])


def names_asked(question: str) -> tuple[str, ...]:
    """What looks like an identifier, a path, a flag or a number in a question, or stands in code, sorted."""
    tokens = question.split()
    found = set[str]() if _SPOKEN_WORDS.isdisjoint(tokens) else {_SPOKEN[word] for word in _SPOKEN_WORDS & {*tokens}}
    for token in filterfalse(str.isalpha, tokens):
        if "`" not in token:
            _add_name(token.strip(_EDGES), found)
    if _CAMEL.search(question):
        found.update(token for token in tokens if token.isalpha() and _CAMEL.search(token))
    if "`" in question:
        for span in _CODE_SPAN.findall(question):
            found.update(span.split())
    return tuple(sorted(found)) if found else ()


def _add_name(token: str, found: set[str]) -> None:
    if token.isalpha():
        if token in _SPOKEN:
            found.add(_SPOKEN[token])
        elif not token.islower() and _CAMEL.search(token):
            found.add(token)
    elif _STRUCTURED.search(token) and token not in _ABBREVIATIONS and any(map(str.isalnum, token)):
        found.add(_THOUSANDS.sub("", token) if "," in token else token)


def plain_names(text: str) -> frozenset[str]:
    """Words of a text that it marks as code though they look like any word, in lower case: ``limit``, ``offset``."""
    return frozenset(map(str.lower, _MARKED_WORD.findall(text))) if "`" in text else _NONE


def also_named(question: str) -> set[str]:
    """Words of a question that a capital in mid-sentence, or capitals throughout, mark as names; in lower case."""
    found, shouted = set[str](), set[str]()
    if question[1:].islower():
        return found
    starts, capitals, others = True, 0, 0
    for token in question.split():
        word = _bare(token)
        if word[:1].isupper() and word not in _PRONOUNS:
            capitals += len(word) > 3
            if len(word) > 1 and word.isupper():
                shouted.add(word.lower())
            elif not starts:
                found.add(word.lower())
        else:
            others += len(word) > 3
        starts = token.endswith(_SENTENCE_END)
    # In A Question Like This One capitals mark nothing.
    return shouted | found if capitals <= max(others, 1) else shouted


def tell_apart(one: str, other: str, marked_in_one: Iterable[str], marked_in_other: Iterable[str]) -> bool:
    """Whether one question uses a marked word that the other does not.

    Args:
        one: A question.
        other: Another.
        marked_in_one: Words that the source or the answer of the first marks as code.
        marked_in_other: Likewise of the other.
    """
    here, there = set(one.split()), set(other.split())
    marked = {*marked_in_one, *marked_in_other}
    return _names_alone(one, here, there, marked) or _names_alone(other, there, here, marked)


def _names_alone(question: str, own: set[str], others: set[str], marked: set[str]) -> bool:
    """Whether a word of a question that another question does not use is marked as a name."""
    fresh = own - others
    alone = {_bare(token).lower() for token in fresh}
    named = alone & marked
    if any(token[:1].isupper() for token in map(_bare, fresh)):
        named |= alone & also_named(question)
    # Most twins end here; of the others all words are compared, whatever stands around them.
    return bool(named and named - {_bare(token).lower() for token in others})


def _bare(token: str) -> str:
    return token if token.isalpha() else token.replace("`", "").strip(_EDGES).removesuffix("'s").removesuffix("’s")
