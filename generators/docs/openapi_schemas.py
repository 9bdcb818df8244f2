"""A schema of an API description -> Markdown bullets, one per property, that say everything about it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from generators.docs.marks import code, codes, indented
from generators.docs.openapi_descriptions import plain_markdown
from generators.docs.openapi_facts import constraints, remarks, type_names
from generators.docs.openapi_refs import Resolver
from generators.docs.openapi_tree import Node, flag, mapping, sequence, string
from generators.docs.openapi_unfold import Unfolded, Unfolder, View

MAX_INLINE_DEPTH = 8
_BULLET = re.compile(r"\s*(?:[-*+]|\d+[.)])\s|\s*\|")


@dataclass(slots=True)
class Phrase:
    """What a value is, in words, and the schemas that one must look up to know more."""

    text: str
    see: list[str] = field(default_factory=list)


class SchemaWriter:
    """Writes schemas of one API description."""

    def __init__(self, resolver: Resolver) -> None:
        self.unfold = Unfolder(resolver).unfold
        self._insides: dict[tuple[str, View, str], list[str]] = {}

    def phrase(self, unfolded: Unfolded) -> Phrase:
        """Say what a value is: ``string``, ``array of `Key` ``, ``object `Key` ``, ``Card or Bank``."""
        if unfolded.problem:
            return Phrase(unfolded.problem.removeprefix("(").removesuffix(")"))
        if unfolded.named is not None:
            return Phrase(code(unfolded.name), [unfolded.name if unfolded.named.is_schema else unfolded.named.pointer])
        types = type_names(unfolded.schema)
        if unfolded.choices and _is_only_a_choice(unfolded.schema):
            return self._choice_phrase(unfolded)
        if types == ["array"]:
            return self._array_phrase(unfolded)
        if types == ["object"]:
            return self._object_phrase(unfolded)
        return Phrase(" or ".join(types) or "any value")

    def _choice_phrase(self, unfolded: Unfolded) -> Phrase:
        texts: list[str] = []
        see: list[str] = []
        for choice in (choice for group in unfolded.choices for choice in group):
            phrase = self.phrase(self.unfold(choice, replace(unfolded.view, refs=0)))
            texts += [phrase.text] if phrase.text not in texts else []
            see += [name for name in phrase.see if name not in see]
        title = f"{code(unfolded.name)}: " if unfolded.name else ""
        is_shown_below = unfolded.view.refs > 0
        return Phrase(title + " or ".join(texts), [] if is_shown_below else see)

    def _array_phrase(self, unfolded: Unfolded) -> Phrase:
        if "items" not in unfolded.schema or unfolded.view.depth > MAX_INLINE_DEPTH:
            return Phrase("array")
        item = self.unfold(unfolded.schema["items"], unfolded.view)
        inner = self.phrase(item)
        text = inner.text.removeprefix("object ") if item.name else inner.text
        return Phrase(f"array of {f'({text})' if ' or ' in text else text}", inner.see)

    def _object_phrase(self, unfolded: Unfolded) -> Phrase:
        title = f"object {code(unfolded.name)}" if unfolded.name else "object"
        values = mapping(unfolded.schema, "additionalProperties")
        if not values or "properties" in unfolded.schema or unfolded.view.depth > MAX_INLINE_DEPTH:
            return Phrase(title)
        inner = self.phrase(self.unfold(values, unfolded.view))
        return Phrase(f"{title} with any keys, each value {inner.text}", inner.see)

    def member(
        self,
        name: str,
        node: Node,
        view: View,
        *,
        required: bool,
        place: str = "",
        margin: str = "",
    ) -> str:
        """Write one parameter, header or property, and below it what it holds.

        Args:
            name: As it goes over the wire.
            node: Its schema; a ``description`` beside a ``$ref`` is the closer one.
            view: How far to unfold.
            required: Whether it must be there.
            place: Where a parameter goes: ``query``, ``path``, …
            margin: Spaces before the bullet.
        """
        unfolded = self.unfold(node, view)
        phrase = self.phrase(unfolded)
        need = _need(unfolded.schema, view, required=required)
        facts = [fact for fact in (place, phrase.text, need, *self.facts(unfolded)) if fact]
        head = f"{margin}- {code(name)} ({', '.join(facts)})"
        text = self.text(unfolded, phrase, name)
        line = f"{head}: {indented(text, margin + '  ')}" if text else head
        return "\n".join([line, *self.inside(unfolded, f"{margin}  ")])

    def facts(self, unfolded: Unfolded) -> list[str]:
        """What limits the value, for the brackets behind its name."""
        return ["nullable"] * unfolded.nullable + constraints(unfolded.schema)

    def text(self, unfolded: Unfolded, phrase: Phrase, name: str = "") -> str:
        """The description, then remarks and the names of the schemas to look up."""
        schema = unfolded.schema
        description = plain_markdown(string(schema, "description")) or _telling_title(schema, name)
        tail = remarks(schema) + self._remarks_on_items(unfolded) + self.pointers(unfolded, phrase)
        return join_sentences(description, tail)

    def pointers(self, unfolded: Unfolded, phrase: Phrase) -> list[str]:
        """Sentences that name the schemas where more is said."""
        includes = [
            parent if parent.startswith("(") else f"Includes all properties of schema {code(parent)}."
            for parent in unfolded.parents
        ]
        noun = "schema" if len(phrase.see) == 1 else "schemas"
        return includes + ([f"See {noun} {codes(phrase.see)}."] if phrase.see else [])

    def _remarks_on_items(self, unfolded: Unfolded) -> list[str]:
        if type_names(unfolded.schema) != ["array"] or "items" not in unfolded.schema or unfolded.named:
            return []
        item = self.unfold(unfolded.schema["items"], unfolded.view)
        if item.named is not None:
            return []
        facts = ", ".join(self.facts(item))
        text = join_sentences(plain_markdown(string(item.schema, "description")), remarks(item.schema))
        if "\n" in text or not (facts or text):
            return [f"Each item: {facts}."] if facts else []
        return [f"Each item: {join_sentences(facts, [text] if text else [])}".rstrip(".") + "."]

    def inside(self, unfolded: Unfolded, margin: str) -> list[str]:
        """The bullets for what a value holds (properties, items, alternatives), each with all that hangs below it."""
        if unfolded.named is not None or unfolded.problem:
            return []
        if not unfolded.pointer:
            return self._inside(unfolded, margin)
        key = (unfolded.pointer, unfolded.view, margin)
        if key not in self._insides:  # many operations show the same schema
            self._insides[key] = self._inside(unfolded, margin)
        return self._insides[key]

    def _inside(self, unfolded: Unfolded, margin: str) -> list[str]:
        schema, view = unfolded.schema, unfolded.view
        if view.depth > MAX_INLINE_DEPTH:
            holds = any(key in schema for key in ("properties", "items", "additionalProperties")) or unfolded.choices
            return [f"{margin}- (nested deeper than is shown here)"] if holds else []
        bullets = list(self._properties(unfolded, margin))
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), dict) and not (key == "additionalProperties" and "properties" in schema):
                bullets += self.inside(self.unfold(schema[key], view), margin)
        return bullets + self._alternatives(unfolded, margin)

    def _properties(self, unfolded: Unfolded, margin: str) -> Iterator[str]:
        schema, view = unfolded.schema, unfolded.view
        required = [name for name in sequence(schema, "required") if isinstance(name, str)]
        properties = mapping(schema, "properties")
        is_required = frozenset(required)
        for name, node in properties.items():
            yield self.member(name, node, view, required=name in is_required, margin=margin)
        for pattern, node in mapping(schema, "patternProperties").items():
            yield self.member(pattern, node, view, required=False, place="every key of this pattern", margin=margin)
        if properties and mapping(schema, "additionalProperties"):
            yield self.member("…", schema["additionalProperties"], view, required=False, place="any other key")
        if schema.get("additionalProperties") is False and properties:
            yield f"{margin}- No other properties are allowed."
        elsewhere = [name for name in required if name not in properties]
        if elsewhere:
            yield f"{margin}- Required: {codes(elsewhere)}."

    def _alternatives(self, unfolded: Unfolded, margin: str) -> list[str]:
        """A bullet for every alternative; where the phrase names them, only for those with more to them."""
        says_all = not _is_only_a_choice(unfolded.schema)
        bullets = []
        for choice in (choice for group in unfolded.choices for choice in group):
            inner = self.unfold(choice, unfolded.view)
            holds = self.inside(inner, f"{margin}  ")
            phrase = self.phrase(inner)
            text = self.text(inner, phrase) if says_all or not inner.named else ""
            if holds or text or says_all:
                facts = ", ".join([phrase.text, *self.facts(inner)])
                line = (
                    f"{margin}- Alternative: {indented(join_sentences(facts, [text] if text else []), margin + '  ')}"
                )
                bullets.append("\n".join([line, *holds]))
        return bullets


def _is_only_a_choice(schema: Node) -> bool:
    """Whether the phrase for a schema with alternatives is the list of them."""
    return type_names(schema) in ([], ["object"]) and "properties" not in schema


def _need(schema: Node, view: View, *, required: bool) -> str:
    """Whether a value must be there; nobody sends what is read-only, or gets what is write-only."""
    if flag(schema, "readOnly" if view.says_optional else "writeOnly"):
        return ""
    return "required" if required else "optional" if view.says_optional else ""


def _telling_title(schema: Node, name: str) -> str:
    """The title, unless it only spells the name again as generators do."""
    title = string(schema, "title")
    spelled = "".join(char for char in title.lower() if char.isalnum())
    return "" if spelled == "".join(char for char in name.lower() if char.isalnum()) else title


def join_sentences(description: str, sentences: list[str]) -> str:
    """Add sentences to a description: behind it if it is one line, else on a line of their own."""
    tail = " ".join(sentences)
    if not description or not tail:
        return description or tail
    if "\n" in description:
        gap = "\n\n" if _BULLET.match(description.rsplit("\n", 1)[-1]) else "\n"
        return description + gap + tail
    return f"{description}{'' if description.endswith(('.', '!', '?', ':')) else '.'} {tail}"
