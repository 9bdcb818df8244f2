"""An OpenAPI 3.x or Swagger 2 description, in YAML or JSON -> one section per operation and one per schema.

Input: the bytes of a file. Output: ``Parsed`` with a heading of kind ``operation`` for every operation (its text has
method and path) and one of kind ``schema`` for every schema, each followed by compact Markdown. Server addresses
stand in a section of their own, so that moving the API to another host changes no other.
"""

from collections.abc import Iterator
from dataclasses import replace

from generators.docs.marks import code
from generators.docs.openapi_descriptions import markdown_blocks, plain_markdown
from generators.docs.openapi_examples import example_blocks, schema_examples
from generators.docs.openapi_operations import METHODS, Operation, OperationWriter
from generators.docs.openapi_overview import api_title, introduction_blocks, server_blocks, tag_blocks
from generators.docs.openapi_refs import SCHEMA_HOMES, Resolver
from generators.docs.openapi_schemas import SchemaWriter, join_sentences
from generators.docs.openapi_security import authentication_blocks
from generators.docs.openapi_source import parse_source
from generators.docs.openapi_tree import Node, Source, flag, mapping, string
from generators.docs.openapi_unfold import View
from generators.docs.parsed import Parsed, decode_text
from generators.errors import UnreadableDocumentError
from generators.records import Block

# Characters; a description unfolds to a few times its size, a hostile one without end.
MAX_OUTPUT = 40_000_000


def read(data: bytes, name: str) -> Parsed:
    """Read an API description.

    Raises:
        UnreadableDocumentError: ``not_openapi`` for other YAML or JSON, ``malformed`` with the line,
            ``too_complex`` for aliases, nesting or references without end.
    """
    source = parse_source(decode_text(data, name), name)
    _check_version(source.root, name)
    try:
        blocks = tuple(_within_bounds(_blocks(source, name), name))
    except RecursionError as error:
        raise UnreadableDocumentError("too_complex", f"{name}: nested too deeply") from error
    return Parsed(api_title(source), blocks)


def _check_version(root: Node, name: str) -> None:
    version = string(root, "openapi") or string(root, "swagger")
    if not version or not any(key in root for key in ("paths", "components", "webhooks", "definitions")):
        raise UnreadableDocumentError("not_openapi", f"{name}: no OpenAPI or Swagger description")
    if not version.startswith("3." if "openapi" in root else "2"):
        raise UnreadableDocumentError("not_openapi", f"{name}: version {version} is neither OpenAPI 3 nor Swagger 2")


def _within_bounds(blocks: Iterator[Block], name: str) -> Iterator[Block]:
    written = 0
    for block in blocks:
        written += len(block.text)
        if written > MAX_OUTPUT:
            raise UnreadableDocumentError("too_complex", f"{name}: its references unfold to far too much text")
        yield _storable(block)


def _storable(block: Block) -> Block:
    """Replace half characters, which JSON escapes can spell and no file can hold."""
    try:
        block.text.encode()
    except UnicodeEncodeError:
        return replace(block, text=block.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    return block


def _blocks(source: Source, name: str) -> Iterator[Block]:
    resolver = Resolver(source, name)
    schemas = SchemaWriter(resolver)
    operations = OperationWriter(resolver, schemas)
    yield from introduction_blocks(source)
    yield from server_blocks(source)
    yield from authentication_blocks(source, resolver)
    yield from tag_blocks(source)
    for operation in _operations(source, resolver):
        yield from operations.blocks(operation)
    for home in SCHEMA_HOMES:
        found = source.root
        for key in home:
            found = mapping(found, key)
        for schema_name, node in found.items():
            yield from _schema(schema_name, node, schemas, source.span((*home, schema_name)))


def _operations(source: Source, resolver: Resolver) -> Iterator[Operation]:
    """All operations of the paths, then those of the webhooks, in the order of the source."""
    for section in ("paths", "webhooks", "x-webhooks"):
        for name, node in mapping(source.root, section).items():
            shared = resolver.resolve(node)
            more = mapping(shared, "additionalOperations")
            for key, operation in (*shared.items(), *more.items()) if isinstance(shared, dict) else ():
                if isinstance(operation, dict) and (key.lower() in METHODS or key in more):
                    method = key.upper()
                    label = f"{method} {name}" if section == "paths" else f"Webhook {name} ({method})"
                    yield Operation(label, operation, shared, source.span((section, name, key)))


def _schema(name: str, node: Node, writer: SchemaWriter, lines: tuple[int, int]) -> Iterator[Block]:
    unfolded = writer.unfold(node, View())
    schema, phrase = dict(unfolded.schema), writer.phrase(unfolded)
    yield Block("heading", f"Schema {name}", *lines, level=2, section="schema")
    if flag(schema, "deprecated"):
        yield Block("prose", "This schema is deprecated.", *lines)
    yield from markdown_blocks(plain_markdown(string(schema, "description")), lines)
    examples = [example for example in schema_examples(schema) if isinstance(example.value, (dict, list))]
    for key in ("description", "deprecated", *(("example", "examples") if examples else ())):
        schema.pop(key, None)
    brief = replace(unfolded, schema=schema)
    what = ", ".join([phrase.text, *writer.facts(brief)])
    text = writer.text(brief, phrase, name)
    yield Block("prose", join_sentences(f"Schema {code(name)}: {what}", [text] if text else []), *lines)
    for bullet in writer.inside(unfolded, ""):
        yield Block("list_item", bullet, *lines)
    yield from example_blocks(code(name), examples, lines)
