"""One operation of an API description -> its heading and blocks.

The same for OpenAPI 3 and Swagger 2, for paths and webhooks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from generators.docs.marks import code, codes
from generators.docs.openapi_bodies import (
    ERROR,
    REQUEST,
    RESPONSE,
    Body,
    BodyWriter,
    Content,
    listed_types,
    read_contents,
    read_swagger_body,
    value_schema,
)
from generators.docs.openapi_descriptions import markdown_blocks, plain_markdown
from generators.docs.openapi_examples import Example, code_samples, example_blocks, schema_examples
from generators.docs.openapi_refs import Resolver
from generators.docs.openapi_schemas import SchemaWriter
from generators.docs.openapi_security import security_sentence
from generators.docs.openapi_tree import Node, flag, mapping, sequence, string
from generators.docs.openapi_values import literal
from generators.records import Block

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
MAX_SUMMARY = 100


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as it stands in the description.

    Attributes:
        label: How people call it: ``GET /v1/keys``, ``Webhook newKey (POST)``.
        node: Its mapping.
        shared: The path item around it: parameters and description for all its operations.
        lines: First and last line.
    """

    label: str
    node: dict[str, Node]
    shared: dict[str, Node]
    lines: tuple[int, int]


class OperationWriter:
    """Writes operations of one API description."""

    def __init__(self, resolver: Resolver, schemas: SchemaWriter) -> None:
        self._resolver = resolver
        self._schemas = schemas
        self._bodies = BodyWriter(schemas)
        self._root = resolver.root

    def blocks(self, operation: Operation) -> Iterator[Block]:
        """The heading of an operation, then all that is said about it, examples last."""
        title = " ".join(f"{operation.label}{_title_suffix(operation)}".split())
        yield Block("heading", title, *operation.lines, level=2, section="operation")
        yield from self._introduction(operation)
        parameters = self._parameters(operation)
        yield from self._parameter_blocks(parameters, operation.lines)
        request = self._request_body(operation, parameters)
        if request.contents or request.description:
            need = "required" if request.required else "optional"
            yield from self._bodies.blocks(f"Request body ({need})", request, REQUEST, operation.lines)
        responses = self._responses(operation)
        yield from self._response_blocks(responses, operation.lines)
        yield from self._callback_blocks(operation)
        yield from example_blocks("the request", request.examples, operation.lines)
        for status, _, response in responses:
            yield from example_blocks(f"the response {code(status)}", response.examples, operation.lines)
        yield from code_samples(operation.node, operation.lines)

    def _introduction(self, operation: Operation) -> Iterator[Block]:
        node, lines = operation.node, operation.lines
        summary, description = string(node, "summary"), plain_markdown(string(node, "description"))
        lead, more = _lead(operation), list[Block]()
        said = summary if _is_title(summary) else ""
        texts = [summary, description, plain_markdown(string(operation.shared, "description"))]
        if "://" in summary:  # only points to other documentation
            texts.append(texts.pop(0))
        for text in texts:
            if text and text not in said:
                said += f"\n{text}"
                more += markdown_blocks(text, lines)
        if more and more[0].kind == "prose" and lead.endswith(")"):
            lead = f"{lead}: {more.pop(0).text}"
        yield Block("prose", lead, *lines)
        if flag(node, "deprecated"):
            yield Block("prose", "This operation is deprecated.", *lines)
        yield from more
        if string(mapping(node, "externalDocs"), "url"):
            yield Block("prose", f"More: {string(mapping(node, 'externalDocs'), 'url')}", *lines)
        security = node["security"] if "security" in node else self._root.get("security")
        if isinstance(security, list):
            yield Block("prose", security_sentence(security), *lines)

    def _parameters(self, operation: Operation) -> list[dict[str, Node]]:
        """Those of the path, then those of the operation; the latter replace namesakes."""
        found: dict[tuple[str, ...], dict[str, Node]] = {}
        for node in (*sequence(operation.shared, "parameters"), *sequence(operation.node, "parameters")):
            parameter = self._resolver.resolve(node)
            if isinstance(parameter, dict):
                named = "name" in parameter
                key = (string(parameter, "name"), string(parameter, "in")) if named else (str(len(found)),)
                found[key] = parameter
        return list(found.values())

    def _parameter_blocks(self, parameters: list[dict[str, Node]], lines: tuple[int, int]) -> Iterator[Block]:
        shown = [parameter for parameter in parameters if string(parameter, "in") not in ("body", "formData")]
        if shown:
            yield Block("prose", "Parameters:", *lines)
        for parameter in shown:
            yield Block("list_item", self._parameter(parameter), *lines)

    def _parameter(self, parameter: dict[str, Node]) -> str:
        if "name" not in parameter:  # a reference that leads nowhere
            return f"- {string(parameter, 'description') or literal(parameter)}"
        place = string(parameter, "in")
        required = flag(parameter, "required") or place == "path"
        schema = value_schema(parameter, self._resolver)
        return self._schemas.member(string(parameter, "name"), schema, REQUEST, required=required, place=place)

    def _request_body(self, operation: Operation, parameters: list[dict[str, Node]]) -> Body:
        body = self._resolver.resolve(operation.node.get("requestBody"))
        if isinstance(body, dict):
            contents = read_contents(mapping(body, "content"), self._resolver)
            return Body(plain_markdown(string(body, "description")), flag(body, "required"), contents)
        return read_swagger_body(parameters, self._types(operation, "consumes"), self._resolver)

    def _types(self, operation: Operation, key: str) -> list[str]:
        own = listed_types(operation.node, key)
        return own if own is not None else listed_types(self._root, key) or []

    def _responses(self, operation: Operation) -> list[tuple[str, dict[str, Node], Body]]:
        """Status, its mapping and its body, in the order of the source."""
        found = []
        for status, node in mapping(operation.node, "responses").items():
            response = self._resolver.resolve(node)
            if status.startswith("x-") or not isinstance(response, dict):
                continue
            contents = read_contents(mapping(response, "content"), self._resolver)
            if "schema" in response or "examples" in response:  # Swagger 2
                types = self._types(operation, "produces")
                schema = response.get("schema")
                examples = [Example(value, (kind,)) for kind, value in mapping(response, "examples").items()]
                examples = examples or schema_examples(self._resolver.resolve(schema), tuple(types))
                contents = [Content(types, schema, examples)]
            found.append((status, response, Body(plain_markdown(string(response, "description")), False, contents)))
        return found

    def _response_blocks(
        self, responses: list[tuple[str, dict[str, Node], Body]], lines: tuple[int, int]
    ) -> Iterator[Block]:
        if responses:
            yield Block("prose", "Responses:", *lines)
        for status, response, body in responses:
            head = f"- {code(status)}{' (any other status)' if status == 'default' else ''}"
            is_error = status[:1] in ("4", "5") or (status == "default" and len(responses) > 1)
            yield from self._bodies.blocks(head, body, ERROR if is_error else RESPONSE, lines, "  ")
            for name, node in mapping(response, "headers").items():
                yield Block("list_item", self._header(name, self._resolver.resolve(node)), *lines)
            for name, node in mapping(response, "links").items():
                yield Block("list_item", _link(name, self._resolver.resolve(node)), *lines)

    def _header(self, name: str, header: Node) -> str:
        header = header if isinstance(header, dict) else {}
        schema = value_schema(header, self._resolver)
        return self._schemas.member(
            name, schema, RESPONSE, required=flag(header, "required"), place="response header", margin="  "
        )

    def _callback_blocks(self, operation: Operation) -> Iterator[Block]:
        for name, node in mapping(operation.node, "callbacks").items():
            callback = self._resolver.resolve(node)
            for address, shared in callback.items() if isinstance(callback, dict) else ():
                for method in METHODS:
                    called = mapping(self._resolver.resolve(shared), method)
                    if called:
                        yield from self._callback(
                            f"- Callback {code(name)}: {method.upper()} {code(address)}", called, operation
                        )

    def _callback(self, head: str, called: dict[str, Node], operation: Operation) -> Iterator[Block]:
        body = self._request_body(Operation("", called, {}, operation.lines), [])
        said = plain_markdown(string(called, "description")) or string(called, "summary")
        body.description = "\n".join(text for text in (said, body.description) if text)
        yield from self._bodies.blocks(head, body, RESPONSE, operation.lines, "  ")


def _is_title(summary: str) -> bool:
    """Whether a summary says what the operation does, shortly, as a title must."""
    return 0 < len(summary) <= MAX_SUMMARY and "://" not in summary


def _title_suffix(operation: Operation) -> str:
    summary = string(operation.node, "summary").strip().rstrip(".")
    title = summary if _is_title(summary) else string(operation.node, "operationId")
    return f": {title}" if title else ""


def _lead(operation: Operation) -> str:
    """The line that names the operation, so that a quote of it carries method and path."""
    node = operation.node
    tags = [tag for tag in sequence(node, "tags") if isinstance(tag, str)]
    facts = [f"operation id {code(string(node, 'operationId'))}"] if string(node, "operationId") else []
    facts += [f"tags {codes(tags)}"] if tags else []
    head = code(operation.label) + (f" ({', '.join(facts)})" if facts else "")
    summary = string(node, "summary").strip()
    return f"{head}: {summary}" if _is_title(summary) else head


def _link(name: str, link: Node) -> str:
    """How the values of a response lead to another operation."""
    where = string(link, "operationId") or string(link, "operationRef")
    values = [f"{code(key)} = {literal(value)}" for key, value in mapping(link, "parameters").items()]
    text = f"  - Link {code(name)}: leads to operation {code(where)}" + (f" with {', '.join(values)}" if values else "")
    description = plain_markdown(string(link, "description"))
    return f"{text}. {description}" if description else f"{text}."
