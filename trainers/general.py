"""A small set of general questions that rules can check: what fine-tuning on documents must not make a model forget.

    general_items() ─▶ [GeneralItem(id, kind, question, check)]          passes(item, answer) ─▶ bool

Arithmetic, common knowledge, and instructions whose keeping can be seen; ours, in ``general.jsonl``, easy enough that a
small base gets many right: only what it can do, it can forget.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

# Room for an answer; a model that goes on and on is cut here.
ANSWER_TOKENS = 48

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class GeneralItem:
    """One question. ``check`` names the rules that its answer must keep, each with its argument."""

    id: str
    kind: str
    question: str
    check: Mapping[str, Any]


@cache
def general_items() -> tuple[GeneralItem, ...]:
    """The set that ships with us."""
    text = (resources.files("trainers") / "general.jsonl").read_text(encoding="utf-8")
    return tuple(GeneralItem(**json.loads(line)) for line in text.splitlines())


def passes(item: GeneralItem, answer: str) -> bool:
    """Whether an answer keeps every rule of its item."""
    return all(
        _RULES[rule](answer.strip() if rule in _AS_WRITTEN else answer.strip().lower(), argument)
        for rule, argument in item.check.items()
    )


def _number(answer: str, expected: str) -> bool:
    """The last number is what the answer comes to: "7 + 5 = 12"."""
    found = _NUMBER.findall(answer)
    return bool(found) and found[-1].replace(",", "").removesuffix(".0") == expected


def _stands(text: str, wanted: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text)


def _any_of(answer: str, wanted: Sequence[str]) -> bool:
    return any(_stands(answer, each.lower()) for each in wanted)


def _only(answer: str, wanted: str) -> bool:
    return _WORD.findall(answer) == [wanted]


def _contains(answer: str, wanted: Sequence[str]) -> bool:
    return all(each in answer for each in wanted)


def _avoids(answer: str, banned: Sequence[str]) -> bool:
    return not any(each in answer for each in banned)


def _at_least(answer: str, argument: tuple[int, Sequence[str]]) -> bool:
    """At least so many different ones of a list."""
    count, wanted = argument
    return sum(_stands(answer, each) is not None for each in wanted) >= count


def _in_order(answer: str, wanted: Sequence[str]) -> bool:
    """All of them, one after the other, whatever stands between."""
    return re.search(".*?".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in wanted), answer, re.DOTALL) is not None


def _repeats(answer: str, argument: tuple[str, int]) -> bool:
    word, count = argument
    return _WORD.findall(answer).count(word) == count


def _lines_start(answer: str, argument: tuple[str, int]) -> bool:
    mark, count = argument
    return sum(line.lstrip().startswith(mark) for line in answer.splitlines()) == count


# The others look at the answer in small letters.
_AS_WRITTEN = ("states",)
_RULES: Mapping[str, Callable[[str, Any], bool]] = {
    "number": _number,
    "any_of": _any_of,
    "states": lambda answer, wanted: _stands(answer, wanted) is not None,
    "only": _only,
    "contains": _contains,
    "avoids": _avoids,
    "at_least": _at_least,
    "in_order": _in_order,
    "repeats": _repeats,
    "lines_start": _lines_start,
    "starts_with": lambda answer, wanted: answer.lstrip("\"'*").startswith(wanted),
    "ends_with": lambda answer, wanted: answer.rstrip("\"'*" + "." * (wanted not in "?!")).endswith(wanted),
    "words_at_most": lambda answer, most: len(_WORD.findall(answer)) <= most,
    "words_at_least": lambda answer, least: len(_WORD.findall(answer)) >= least,
}
