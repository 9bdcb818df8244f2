"""What a question asks about by name or number: two questions that differ in it are two, however alike.

    "How long does `POST /v1/keys` wait, 30 s?" ─▶ names_asked: ("/v1/keys", "30", "POST")
    "Does the Python client retry?"             ─▶ also_named: {"python"}, for the capital in mid-sentence

What looks like a name tells two questions apart wherever it stands in one and not in the other (``names_asked``). A
plain word that is somewhere marked as a name (``limit`` in code, ``Python`` by its capital) does so only if the other
question does not use the word at all (``tell_apart``).
"""

import re
from collections.abc import Set as AbstractSet

_EDGES = ".,;:!?…\"'()[]“”‘’«»„¿¡"
_CODE_SPAN = re.compile(r"(?<!`)`+([^`\n]+)`+")
_MARKED_WORD = re.compile(r"`([^\W_]+)`")
_NONE = frozenset[str]()
_CAMEL = re.compile(r"[a-z][A-Z]")
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
    for token in tokens:
        if not token.isalpha() and "`" not in token:
            _add_name(token.strip(_EDGES), found)
    if _CAMEL.search(question):
        found.update(token for token in tokens if token.isalpha() and _CAMEL.search(token))
    if "`" in question:
        for span in _CODE_SPAN.findall(question):
            found.update(span.split())
    return tuple(sorted(found))


def _add_name(token: str, found: set[str]) -> None:
    if token.isalpha():
        if token in _SPOKEN or _CAMEL.search(token):
            found.add(_SPOKEN.get(token, token))
    elif _STRUCTURED.search(token) and token not in _ABBREVIATIONS and any(map(str.isalnum, token)):
        found.add(_THOUSANDS.sub("", token))


def plain_names(text: str) -> frozenset[str]:
    """Words of a text that it marks as code though they look like any word, in lower case: ``limit``, ``offset``."""
    return frozenset(map(str.lower, _MARKED_WORD.findall(text))) if "`" in text else _NONE


def also_named(question: str) -> set[str]:
    """Words of a question that a capital in mid-sentence, or capitals throughout, mark as names; in lower case."""
    found, shouted = set[str](), set[str]()
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


def tell_apart(one: str, other: str, marked_in_one: AbstractSet[str], marked_in_other: AbstractSet[str]) -> bool:
    """Whether one question uses a marked word that the other does not.

    Args:
        one: A question.
        other: Another.
        marked_in_one: Words that the source or the answer of the first marks as code.
        marked_in_other: Likewise of the other.
    """
    here, there = _words(one), _words(other)
    if here == there:
        return False
    only_here, only_there = here - there, there - here
    marked = marked_in_one | marked_in_other
    if not marked.isdisjoint(only_here) or not marked.isdisjoint(only_there):
        return True
    return not only_here.isdisjoint(also_named(one)) or not only_there.isdisjoint(also_named(other))


def _words(question: str) -> set[str]:
    return {_bare(token).lower() for token in question.split()}


def _bare(token: str) -> str:
    return token.replace("`", "").strip(_EDGES).removesuffix("'s").removesuffix("’s")
