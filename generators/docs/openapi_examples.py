"""Examples of an API description -> fenced code blocks, each with a line that says what it is an example of."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from generators.docs.marks import codes, fence
from generators.docs.openapi_descriptions import plain_markdown
from generators.docs.openapi_refs import Resolver
from generators.docs.openapi_tree import Node, is_text, mapping, sequence, string
from generators.docs.openapi_values import dump_json
from generators.records import Block

# Names that generators give when the author gave none.
_IDLE_NAMES = ("", "default", "example", "value", "response", "Example", "Default")
_LANGUAGES = ("json", "xml", "html", "yaml", "csv", "javascript", "markdown")


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a body.

    Attributes:
        value: The body; a text for a body that is no JSON.
        types: Content types it is one of.
        title: Its name or summary, if the author gave one.
        note: Its description.
    """

    value: Node
    types: tuple[str, ...] = ()
    title: str = ""
    note: str = ""


def media_examples(media: Node, types: tuple[str, ...], resolver: Resolver) -> list[Example]:
    """The examples of one content type; without any, that of its schema."""
    found = [Example(media["example"], types)] if isinstance(media, dict) and "example" in media else []
    for name, node in mapping(media, "examples").items():
        example = resolver.resolve(node)
        if not isinstance(example, dict):
            continue
        title = string(example, "summary") or ("" if name in _IDLE_NAMES else name)
        value = example.get("value", string(example, "externalValue") or None)
        found.append(Example(value, types, title, plain_markdown(string(example, "description"))))
    return found or schema_examples(resolver.resolve(media.get("schema") if isinstance(media, dict) else None), types)


def schema_examples(schema: Node, types: tuple[str, ...] = ()) -> list[Example]:
    """The examples that stand in a schema itself."""
    if not isinstance(schema, dict):
        return []
    values = [schema["example"]] if "example" in schema else sequence(schema, "examples")
    return [Example(value, types) for value in values]


def example_blocks(what: str, examples: list[Example], lines: tuple[int, int]) -> Iterator[Block]:
    """A line and a code block for each example; one that only repeats another is left out."""
    shown: list[Node] = []
    for example in examples:
        if example.value in shown:
            continue
        shown.append(example.value)
        head = f"Example of {what}{f', {codes(example.types)}' if example.types else ''}"
        head += f" ({' '.join(example.title.split())})" if example.title else ""
        yield Block("prose", f"{head}: {example.note}" if example.note else f"{head}:", *lines)
        yield Block("code", _fenced(example), *lines)


def _fenced(example: Example) -> str:
    kinds = " ".join(example.types).lower()
    if not is_text(example.value):
        return fence(dump_json(example.value), "json")
    language = next((language for language in _LANGUAGES if language in kinds), "")
    if language == "json" and not _is_json(example.value):
        return fence(dump_json(example.value), "json")
    return fence(example.value, language)


def _is_json(text: str) -> bool:
    """Whether a text is JSON that somebody has put into quotes."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def code_samples(operation: Node, lines: tuple[int, int]) -> Iterator[Block]:
    """Calls in programming languages: the one extension that many documentation tools share."""
    for key in ("x-codeSamples", "x-code-samples"):
        for sample in sequence(operation, key):
            if string(sample, "source"):
                language = string(sample, "lang")
                title = string(sample, "label") or language
                yield Block("prose", f"Code sample ({title}):" if title else "Code sample:", *lines)
                yield Block("code", fence(string(sample, "source"), language.lower().replace(" ", "")), *lines)
