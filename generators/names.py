"""The exact values of a text: identifiers, numbers, paths, headers, codes; what an answer must not invent.

    "Pass `timeout=10.0` to `httpx.get()`; a 429 carries Retry-After." ─▶ {"timeout", "10.0", "httpx.get", "429", …}

A closed set of the names found in a chunk goes to the teacher with the chunk; the grounding filters compare an answer's
values with those of its quotes.
"""

import re
from functools import lru_cache

# Alternatives in order: URL or absolute path, dotted or snake or camel identifier, header-like name, constant, number.
_VALUE = re.compile(
    r"""
    (?<!\w)(?=[A-Z0-9_/+-]|[a-z]+[^\sa-z])  # most words are plain, and this is the quickest way past them
    (?:
    (?P<url>https?://[^\s`"'<>)\]*]+)
  | (?P<path>(?<![\w.])/(?:[\w{}.:~-]+/?)+)
  | (?P<flag>(?<![\w-])--?[a-zA-Z][\w-]*)
  | (?P<header>\b[A-Z][A-Za-z0-9]*(?:-[A-Z][A-Za-z0-9]*)+\b)
  | (?P<name>\b[A-Za-z_]\w*(?:(?:\.|::|->)[A-Za-z_]\w*)+\b
        | \b_*[A-Za-z]\w*_\w*\b
        | \b[a-z]+[A-Z]\w*\b
        | \b[A-Z][a-z0-9]+[A-Z]\w*\b
        | \b[A-Z]{2,}(?!s\b)[a-z]\w*\b
        | \bv\d+(?:\.\d+)*\b
        | \b[A-Z][A-Z0-9]{2,}\b)
  | (?P<number>(?<![\w.])[-+]?\d+(?:[.,:]\d+)*(?:e[-+]?\d+)?)
    )
    """,
    re.VERBOSE,
)
_CODE_SPAN = re.compile(r"(?<!`)`+([^`\n]+)`+")
_PLAIN = re.compile(r"[\w.$@-]+")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
}


def names(text: str) -> list[str]:
    """List the distinct names and values of a text in order of appearance: code spans first found whole, then parts."""
    found: dict[str, None] = {}
    for span in _CODE_SPAN.finditer(text):
        found[span[1].strip()] = None
    for match in _VALUE.finditer(_CODE_SPAN.sub(" ", text)):
        found[match[0].rstrip(".,:;")] = None
    return [name for name in found if name]


# Each filter asks for the values of the same few texts.
@lru_cache(maxsize=1024)
def values(text: str) -> frozenset[str]:
    """The comparable atoms of a text: numbers without separators, identifiers by part, all else as it stands.

    ``httpx.Client(timeout=10.0)`` gives ``httpx.Client``, ``timeout``-like names only if they look like names, and
    ``10.0``. Number words up to twelve count as their number.
    """
    atoms: set[str] = set()
    for match in _VALUE.finditer(text):
        raw = match[0].rstrip(".,:;")
        atoms.add(_plain_number(raw) if match.lastgroup == "number" else raw)
    for span in _CODE_SPAN.findall(text) if "`" in text else ():
        inner = span.strip()
        if _PLAIN.fullmatch(inner):
            atoms.add(_plain_number(inner) if inner[0].isdigit() else inner)
    return frozenset(atoms - {""})


def spoken_numbers(text: str) -> set[str]:
    """The numbers that a text writes as words, as digits: ``three`` gives ``3``."""
    words = re.findall(r"[a-z]+", text.lower())
    return {_NUMBER_WORDS[word] for word in words if word in _NUMBER_WORDS}


def _plain_number(raw: str) -> str:
    """1,000 and 1000 are one number; 5.0 and 5 are not (an answer should keep the precision of its source)."""
    if re.fullmatch(r"[-+]?\d{1,3}(?:,\d{3})+", raw):
        raw = raw.replace(",", "")
    return raw.lstrip("+")
