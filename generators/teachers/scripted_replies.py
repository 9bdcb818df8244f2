"""What a scripted teacher answers when nobody tells it: facts that stand in the user message, word for word.

    user message + schema ─▶ {"facts": [{"kind", "answer", "quotes", "questions"}]}

The same request gets the same reply, always. The facts are dull but true: each is a sentence or line of the message
that holds a number or a name, if there is one, quoted as it stands; up to three a heading.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

HEADING = re.compile(r"#{1,6}\s+(.+)|<\w+ .*?\"(.+)\">")
FURNITURE = re.compile(r"\s*(?:</?\w+[^>]*>|```.*|~~~.*|[|:+=\s-]*)")
MARKER = re.compile(r"[\s>*+-]*")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
TELLING = re.compile(r"\d|`|[a-z]_[a-z]|[a-z][A-Z]|[A-Z]{2}|/\w")
NAME = re.compile(r"`([^`\n]{2,60})`|\b(\w*[a-z][A-Z_]\w+|\w+_\w+|/\w[\w/{}.-]+|\d[\d.,]*\s?\w*)")
WORDINGS = (
    "What does {topic} say about {name}?",
    "How is {name} settled in {topic}?",
    "I work with {topic}: what should I know about {name}?",
    "Which rule holds for {name} when it comes to {topic}?",
    "{name} and {topic}: what applies?",
    "Please tell me what holds for {name}, concerning {topic}.",
)
SHORTEST, LONGEST, FACTS = 20, 400, 3


def facts_of(text: str, schema: Mapping[str, Any] | None, turn: int = 0) -> str:
    """Write a reply for a user message.

    Args:
        text: The message.
        schema: Of the request; its bounds on items and its kinds are kept.
        turn: Another turn picks other sentences, if there are enough.
    """
    items = _at(schema, "properties", "facts")
    fact = _at(items, "items", "properties")
    # Not every provider's schema says how many; the prompts ask for three.
    wordings = max(3, int(_at(fact, "questions").get("minItems", 3)))
    kind = (_at(fact, "kind").get("enum") or ["definition"])[0]
    facts = []
    for topic, sentences in _sentences_by_topic(text).items():
        ranked = sorted(dict.fromkeys(sentences), key=lambda sentence: TELLING.search(sentence) is None)
        start = turn * FACTS % len(ranked)
        facts += [
            {"kind": kind, "answer": sentence, "quotes": [sentence], "questions": _questions(sentence, topic, wordings)}
            for sentence in (ranked[start:] + ranked[:start])[:FACTS]
        ]
    return json.dumps({"facts": facts[: items.get("maxItems")]}, ensure_ascii=False)


def _at(schema: Mapping[str, Any] | None, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        found = (schema or {}).get(key)
        schema = found if isinstance(found, Mapping) else {}
    return schema or {}


def _sentences_by_topic(text: str) -> dict[str, list[str]]:
    """The sentences below each heading, without the headings; a message without sentences is one itself."""
    topic, found = "the page", dict[str, list[str]]()
    for line in text.splitlines():
        if heading := HEADING.fullmatch(line.strip()):
            topic = (heading[1] or heading[2])[:120]
        elif not FURNITURE.fullmatch(line):
            marker = MARKER.match(line)
            for sentence in SENTENCE_END.split(line[marker.end() if marker else 0 :].rstrip()):
                if SHORTEST <= len(sentence) <= LONGEST and " " in sentence:
                    found.setdefault(topic, []).append(sentence)
    return found or {topic: [text.strip()[:LONGEST] or "nothing"]}


def _questions(sentence: str, topic: str, number: int) -> list[str]:
    name = NAME.search(sentence)
    about = (name.group(1) or name.group(2)).strip() if name else " ".join(sentence.split()[:6])
    return [WORDINGS[index % len(WORDINGS)].format(topic=topic, name=about) for index in range(number)]
