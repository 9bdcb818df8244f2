"""Request and response bodies of an API description -> what they hold, by content type."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from generators.docs.marks import code, codes, indented
from generators.docs.openapi_descriptions import plain_markdown
from generators.docs.openapi_examples import Example, media_examples, schema_examples
from generators.docs.openapi_facts import discriminator
from generators.docs.openapi_refs import Resolver
from generators.docs.openapi_schemas import SchemaWriter, join_sentences
from generators.docs.openapi_tree import Node, flag, mapping, sequence, string
from generators.docs.openapi_unfold import View
from generators.records import Block, BlockKind

REQUEST = View(refs=1, says_optional=True)
RESPONSE = View(refs=1)
# Errors share a few schemas: unfolded under every operation they would drown what is particular to it.
ERROR = View()

_FORM = "application/x-www-form-urlencoded"
_BESIDE_SCHEMA = ("description", "deprecated", "example", "style", "explode", "allowEmptyValue")
_NOT_SCHEMA = ("name", "in", "required", "schema", "content", "examples")


@dataclass(slots=True)
class Content:
    """A body: content types that share one schema."""

    types: list[str]
    schema: Node
    examples: list[Example] = field(default_factory=list)
    encoding: dict[str, Node] = field(default_factory=dict)


@dataclass(slots=True)
class Body:
    """A body that is sent or received, in one or more shapes."""

    description: str = ""
    required: bool = False
    contents: list[Content] = field(default_factory=list)

    @property
    def examples(self) -> list[Example]:
        """All its examples."""
        return [example for content in self.contents for example in content.examples]


def read_contents(content: dict[str, Node], resolver: Resolver) -> list[Content]:
    """OpenAPI 3: content type -> media object. Content types with the same schema share one ``Content``."""
    found: list[Content] = []
    for kind, node in content.items():
        media = resolver.resolve(node)
        schema = media.get("schema", media.get("itemSchema")) if isinstance(media, dict) else None
        examples = media_examples(media, (kind,), resolver)
        same = next((other for other in found if other.schema == schema), None)
        if same is None:
            found.append(Content([kind], schema, examples, mapping(media, "encoding")))
        else:
            same.types.append(kind)
            same.examples += examples
    return found


def read_swagger_body(parameters: list[dict[str, Node]], types: list[str], resolver: Resolver) -> Body:
    """Swagger 2 has the body among the parameters: one ``in: body``, or the fields of a form."""
    for parameter in parameters:
        if string(parameter, "in") == "body":
            examples = schema_examples(resolver.resolve(parameter.get("schema")), tuple(types))
            content = Content(types, parameter.get("schema"), examples)
            return Body(string(parameter, "description"), flag(parameter, "required"), [content])
    fields = [parameter for parameter in parameters if string(parameter, "in") == "formData"]
    if not fields:
        return Body()
    required = [string(parameter, "name") for parameter in fields if flag(parameter, "required")]
    properties = {string(parameter, "name"): value_schema(parameter, resolver) for parameter in fields}
    schema = {"type": "object", "properties": properties, "required": required}
    return Body("", bool(required), [Content(types or [_FORM], schema)])


def value_schema(parameter: dict[str, Node], resolver: Resolver) -> dict[str, Node]:
    """The schema of a parameter or header, with what is said beside it laid over it.

    Swagger 2 has no schema there: the keywords of the value stand in the parameter itself.
    """
    media = next((media for media in mapping(parameter, "content").values() if isinstance(media, dict)), {})
    schema = parameter.get("schema", media.get("schema"))
    beside = {
        key: value
        for key, value in parameter.items()
        if (key in _BESIDE_SCHEMA if isinstance(schema, dict) else key not in _NOT_SCHEMA)
    }
    values: list[Node] = []
    for example in (resolver.resolve(node) for node in mapping(parameter, "examples").values()):
        if isinstance(example, dict) and "value" in example and example["value"] not in values:
            values.append(example["value"])
    if values:
        beside["examples"] = values
    return {**schema, **beside} if isinstance(schema, dict) else beside


class BodyWriter:
    """Writes bodies of one API description."""

    def __init__(self, schemas: SchemaWriter) -> None:
        self._schemas = schemas

    def blocks(self, head: str, body: Body, view: View, lines: tuple[int, int], margin: str = "") -> Iterator[Block]:
        """A line for the body, then a bullet for each of its properties.

        Args:
            head: What the line begins with: ``Request body (required)``, ``- `200` ``.
            body: The body.
            view: How far schemas are unfolded.
            lines: First and last line that every block is given.
            margin: Spaces before the bullets below the head.
        """
        kind: BlockKind = "list_item" if head.startswith("- ") else "prose"
        only = body.contents[0] if len(body.contents) == 1 else None
        text = self._text(only, body.description, view) if only else body.description
        yield Block(kind, f"{head}: {indented(text, margin)}" if text else head, *lines)
        if only:
            yield from self._inside(only, view, lines, margin)
            return
        for content in body.contents:
            line = f"{margin}- {indented(self._text(content, '', view), margin + '  ')}"
            yield Block("list_item", line, *lines)
            yield from self._inside(content, view, lines, f"{margin}  ")

    def _text(self, content: Content, description: str, view: View) -> str:
        """What one shape of the body is."""
        unfolded = self._schemas.unfold(content.schema, view)
        phrase = self._schemas.phrase(unfolded)
        what = ", ".join([phrase.text, *self._schemas.facts(unfolded)])
        sentences = [f"Content {codes(content.types)}: {what}." if content.types else f"Content: {what}."]
        sentences += discriminator(unfolded.schema) + self._schemas.pointers(unfolded, phrase)
        return join_sentences(description or plain_markdown(string(unfolded.schema, "description")), sentences)

    def _inside(self, content: Content, view: View, lines: tuple[int, int], margin: str) -> Iterator[Block]:
        for bullet in self._schemas.inside(self._schemas.unfold(content.schema, view), margin):
            yield Block("list_item", bullet, *lines)
        for name, node in content.encoding.items():
            if string(node, "contentType"):
                text = f"{margin}- The part {code(name)} is sent as {code(string(node, 'contentType'))}."
                yield Block("list_item", text, *lines)


def listed_types(node: Node, key: str) -> list[str] | None:
    """``consumes`` or ``produces`` of Swagger 2; None where it does not say."""
    return [str(kind) for kind in sequence(node, key)] if isinstance(node, dict) and key in node else None
