"""The facts that a reply's text holds, whatever stands around them: prose, a code fence, a slip in the punctuation.

text ─▶ decoded_facts ─▶ (raw facts, pieces that were meant as facts and are no JSON, what follows the last fact)
"""

import json
import re

_FACT_KEYS = {"kind", "answer", "quotes", "questions"}
_KEY = re.compile(rf"""["'](?:{"|".join(sorted(_FACT_KEYS))})["']""")
_OPENING = re.compile(r"[\[{]")
AROUND_FACTS = " \n\t,]}`"
# Bounds on the time that a hostile reply costs.
_MOST_FAILURES = 1000
_LONGEST_MENDED = 4000


def decoded_facts(text: str) -> tuple[list[object], list[str], str]:
    """The raw facts of a reply, the parts of it that were meant as facts and are no JSON, and what follows the last.

    What the reply is not as a whole, its facts may be one by one: in prose, in a code fence, in several objects, or
    before the place where it breaks. Each object that the decoder takes counts; nothing is guessed from half of one.
    """
    decoder = json.JSONDecoder(strict=False)
    items, broken = list[object](), list[str]()
    at, failures = _opening(text, 0), 0
    since = at
    while at < len(text) and failures < _MOST_FAILURES:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            value, end = None, at + 1
            failures += 1
        found = _facts_of(value)
        if found is not None:
            keep_piece(text[since:at], items, broken)
            items += found
            since = end
        at = _opening(text, end)
    return items, broken, text[since:]


def first_object(text: str) -> dict[str, object]:
    """The first JSON object of a reply, whatever stands around it; an empty one if there is none."""
    decoder = json.JSONDecoder(strict=False)
    at, failures = _opening(text, 0), 0
    while at < len(text) and failures < _MOST_FAILURES:
        try:
            value, _ = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            value, failures = None, failures + 1
        if isinstance(value, dict):
            return value
        at = _opening(text, at + 1)
    return {}


def _opening(text: str, start: int) -> int:
    """Where the next object or list opens; the text's end if none does."""
    found = _OPENING.search(text, start)
    return found.start() if found else len(text)


def _facts_of(value: object) -> list[object] | None:
    """The facts that a decoded value holds or is; None if it is something else."""
    if isinstance(value, dict) and "facts" in value:
        return value["facts"] if isinstance(value["facts"], list) else [value["facts"]]
    if isinstance(value, dict):
        return [value] if _FACT_KEYS & value.keys() else None
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return [fact for each in value for fact in (_facts_of(each) or [each])]
    return None


def keep_piece(piece: str, items: list[object], broken: list[str]) -> None:
    """Look at what lies between two facts: a fact with a slip in its punctuation, one that is lost, or nothing."""
    if not _KEY.search(piece):
        return
    mended = _mended(piece)
    if mended is None:
        broken.append(piece)
    else:
        items += mended


def _mended(piece: str) -> list[object] | None:
    """The facts of a piece of almost-JSON, if mending its punctuation brings back all that it says."""
    closed = piece.rstrip(AROUND_FACTS.replace("}", ""))
    if len(piece) > _LONGEST_MENDED or not closed.endswith("}"):
        return None
    from json_repair import repair_json

    try:
        mended = repair_json(closed, return_objects=True)
    except (ValueError, RecursionError):
        return None
    said, kept = (re.sub(r"\W", "", each) for each in (closed, json.dumps(mended, ensure_ascii=False)))
    return _facts_of(mended) if said == kept else None
