"""What a base says to ordinary questions: rows that are mixed in, so that training on one subject wipes out no other.

    base, number ─▶ [Example(question, the base's own answer)]

The answers are the base's, not ours: what is kept is its behaviour, not what somebody thinks it should be (as
in self-synthesised rehearsal, arXiv 2403.01244). The questions are made by rule and none stands in the general
set that forgetting is measured by. Answers are kept in the user's cache, by the base's weights.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Protocol

from generators.models import cache_folder
from generators.records import content_id
from generators.teachers import Message
from trainers.general import general_items
from trainers.sft_data import Example

MOST = 256
_BATCH = 48
_ROOM = 80  # tokens of an answer; longer ones are left out, for a cut answer teaches to stop halfway
_THINGS = (
    "a bridge", "a calendar", "a candle", "a compass", "a desert", "a dictionary", "a dolphin", "a drum", "a forest",
    "a fridge", "a garden", "a glacier", "a hammer", "a harbour", "a kettle", "a ladder", "a lighthouse", "a magnet",
    "a map", "a mirror", "a museum", "a needle", "a passport", "a piano", "a pillow", "a recipe", "a sailing boat",
    "a telescope", "a tunnel", "a violin", "a volcano", "a wallet", "an earthquake", "an umbrella", "bread", "cotton",
    "electricity", "friendship", "gravity", "honey", "inflation", "oxygen", "photosynthesis", "salt", "traffic",
)  # fmt: skip
_LANDS = (
    "Argentina", "Austria", "Belgium", "Chile", "Cuba", "Denmark", "Finland", "Greece", "Hungary", "Ireland", "Kenya",
    "Mexico", "Norway", "Peru", "Poland", "Portugal", "Sweden", "Thailand", "Turkey", "Vietnam",
)  # fmt: skip
_WORDS = ("early", "heavy", "narrow", "noisy", "poor", "sharp", "shallow", "strong", "sweet", "wide", "young", "brave")
_LISTS = (
    "tools",
    "trees",
    "sports",
    "vegetables",
    "jobs",
    "instruments",
    "rivers",
    "kinds of weather",
    "drinks",
    "birds",
)
# Facts are asked for in many ways: what is declined where the documentation is asked must not be declined elsewhere.
_FORMS: tuple[tuple[str, Sequence[str]], ...] = (
    ("In one sentence, what is {}?", _THINGS[::2]),
    ("What do people use {} for?", _THINGS[:34:2]),
    ("Write one sentence about {}.", _THINGS[1::2]),
    ("Which city is the capital of {}?", _LANDS),
    ("On which continent is {}?", _LANDS[::2]),
    ("Which language do people speak in {}?", _LANDS[1::2]),
    ("What is the opposite of '{}'? One word, please.", _WORDS),
    ("Give me a word that means the same as '{}'.", _WORDS),
    ("Give two examples of {}.", _LISTS),
    ("Write the word '{}' in capital letters.", _WORDS),
    ("Who wrote {}?", ("Hamlet", "Faust", "Moby-Dick", "the Odyssey", "Don Quixote", "Frankenstein", "War and Peace")),
    (
        "Who {}?",
        (
            "invented the telephone", "invented dynamite", "discovered penicillin", "discovered America",
            "built the first aeroplane", "composed the Ninth Symphony", "painted The Starry Night", "was Cleopatra",
        ),
    ),
    (
        "When {}?",
        (
            "did the Berlin Wall fall", "was the French Revolution", "did the First World War begin", "is Christmas",
            "was the printing press invented", "did the Roman Empire end", "does summer begin", "is New Year's Day",
        ),
    ),
    (
        "How many {}?",
        (
            "wheels does a car have", "strings does a violin have", "sides does a hexagon have", "cards are in a deck",
            "legs does a dog have", "weeks are in a year", "players are in a basketball team", "planets are there",
            "seconds are in a minute", "colours are in a rainbow", "teeth does an adult have", "grams are in a pound",
        ),
    ),
    (
        "What is the {}?",
        (
            "smallest planet", "largest desert", "longest river in Europe", "tallest animal", "largest whale",
            "currency of India", "highest mountain in Africa", "hardest mineral", "largest city in Brazil",
            "chemical symbol of iron", "square root of 49", "boiling point of alcohol", "past tense of 'run'",
        ),
    ),
    ("What colour is {}?", ("blood", "coal", "a lemon", "a carrot", "the sea", "an emerald")),
    ("Which animal {}?", ("gives us wool", "lays the largest eggs", "sleeps all winter", "has a trunk", "says moo")),
    ("Where {}?", ("do penguins live", "is Mount Fuji", "does rain come from", "do camels live", "is the Colosseum")),
    ("Why {}?", ("is the sea salty", "do leaves fall in autumn", "does iron rust", "do people yawn", "is ice cold")),
    ("Say '{}' in French.", ("thank you", "good evening", "bread", "cat")),
    ("Is it true that {}? Yes or no.", ("cats can fly", "ice is cold", "the Earth is flat", "two is an even number")),
)  # fmt: skip


class Answering(Protocol):
    """A model that answers; ``trainers.student.Student`` is one."""

    def whole_answers(self, conversations: Sequence[Sequence[Message]], max_tokens: int) -> list[str]:
        """Answer each conversation, in their order; empty where it came to no end."""


def replay_questions() -> list[str]:
    """All questions, in an order of their own; none of the general set."""
    known = {item.question for item in general_items()}
    found = [question for question in _made() if question not in known]
    Random(7).shuffle(found)  # noqa: S311 - an order, no secret
    return list(dict.fromkeys(found))


def _made() -> Iterator[str]:
    for form, values in _FORMS:
        for value in values:
            yield form.format(value)
    # Asked for the number alone, a small base guesses; so it would guess wherever it reckons now.
    for one in range(13, 49, 3):
        yield f"What is {one} + {one // 2 + 5}?"
        yield f"What is {one + 30} - {one}?"
        yield f"What is {one % 10 + 2} times {one % 5 + 2}?"


def replayed(base_sha256: str, count: int, opened: Callable[[], Answering]) -> list[Example]:
    """The base's answers to ``count`` questions at most; it is opened only if they are not known yet.

    Args:
        base_sha256: Of the base's weights.
        count: Rows that are wanted.
        opened: Opens the base.

    Returns:
        Rows without a system message; fewer where the base did not come to an end.
    """
    asked = replay_questions()[:MOST]
    file = cache_folder() / "replay" / f"{content_id('replay-2', base_sha256, _ROOM, asked)}.json"
    answers = _kept(file)
    model: Answering | None = None
    while sum(map(bool, answers)) < count and len(answers) < len(asked):
        model = model or opened()
        following = asked[len(answers) : len(answers) + _BATCH]
        answers += model.whole_answers([(Message("user", question),) for question in following], _ROOM)
        _keep(file, answers)
    whole = [(question, text) for question, text in zip(asked, answers, strict=False) if text]
    return [
        Example((Message("user", question), Message("assistant", text)), rehearsed=True)
        for question, text in whole[:count]
    ]


def _keep(file: Path, answers: Sequence[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(f".{os.getpid()}")  # several processes may train one student
    draft.write_text(json.dumps(answers, ensure_ascii=False), "utf-8")
    draft.replace(file)


def _kept(file: Path) -> list[str]:
    """The answers to the first questions, empty where one came to no end; none yet."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [str(each) for each in found] if isinstance(found, list) else []
