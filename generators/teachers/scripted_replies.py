"""What a scripted teacher answers when nobody tells it: facts that stand in the user message, word for word.

    user message + schema ─▶ {"facts": [{"kind", "answer", "quotes", "questions"}]}

The same request gets the same reply, always. The facts are dull but true: each is a sentence or line of the message
that holds a number or a name, quoted as it stands.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

SENTENCE = re.compile(r"[^\s#>|`*-](?:[^\n]*?)(?:[.!?](?=\s|$)|$)", re.MULTILINE)
TELLING = re.compile(r"\d|`|[a-z]_[a-z]|[a-z][A-Z]|[A-Z]{2}|/\w")
NAME = re.compile(r"`([^`\n]{2,60})`|\b(\w*[a-z][A-Z_]\w+|\w+_\w+|/\w[\w/{}.-]+|\d[\d.,]*\s?\w*)")
WORDINGS = (
    "According to the documentation of {topic}, what is said about {name}?",
    "What should a developer know about {name} in {topic}?",
    "How does {topic} describe {name}?",
    "Which statement about {name} does {topic} make?",
    "{topic}: what holds for {name}?",
    "What does {topic} state regarding {name}?",
)
SHORTEST, LONGEST = 20, 400


def facts_of(text: str, schema: Mapping[str, Any] | None, turn: int = 0) -> str:
    """Write a reply for a user message.

    Args:
        text: The message.
        schema: Of the request; its bounds on items and its kinds are kept.
        turn: Another turn picks other sentences, if there are enough.
    """
    items = _at(schema, "properties", "facts")
    fact = _at(items, "items", "properties")
    number = min(int(items.get("maxItems", 3)), 3)
    wordings = max(2, int(_at(fact, "questions").get("minItems", 2)))
    kind = (_at(fact, "kind").get("enum") or ["definition"])[0]
    topic = _topic(text)
    sentences = _telling_sentences(text)
    start = turn * number % max(len(sentences), 1)
    chosen = (sentences[start:] + sentences[:start])[:number]
    facts = [
        {"kind": kind, "answer": sentence, "quotes": [sentence], "questions": _questions(sentence, topic, wordings)}
        for sentence in chosen
    ]
    return json.dumps({"facts": facts}, ensure_ascii=False)


def _at(schema: Mapping[str, Any] | None, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        found = (schema or {}).get(key)
        schema = found if isinstance(found, Mapping) else {}
    return schema or {}


def _topic(text: str) -> str:
    """The first line that says something, as the message's heading."""
    line = next((line.strip("#> \t") for line in text.splitlines() if line.strip("#> \t")), "the page")
    return line[:120]


def _telling_sentences(text: str) -> list[str]:
    """All distinct sentences outside headings, those that hold names or numbers first, in the text's order."""
    found: dict[str, None] = {}
    for match in SENTENCE.finditer(text):
        line_start = text.rfind("\n", 0, match.start()) + 1
        sentence = match.group().strip()
        if SHORTEST <= len(sentence) <= LONGEST and text[line_start] != "#" and " " in sentence:
            found[sentence] = None
    ranked = sorted(found, key=lambda sentence: TELLING.search(sentence) is None)
    return ranked or [text.strip()[:LONGEST] or "nothing"]


def _questions(sentence: str, topic: str, number: int) -> list[str]:
    name = NAME.search(sentence)
    about = (name.group(1) or name.group(2)).strip() if name else " ".join(sentence.split()[:6])
    return [WORDINGS[index % len(WORDINGS)].format(topic=topic, name=about) for index in range(number)]
