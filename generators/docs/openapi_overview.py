"""What an API description says about the API as a whole -> its first sections: title, servers, tags."""

from collections.abc import Iterator

from generators.docs.marks import code, codes, indented
from generators.docs.openapi_descriptions import markdown_blocks, plain_markdown
from generators.docs.openapi_tree import Node, Source, mapping, sequence, string
from generators.docs.openapi_values import literal
from generators.records import Block


def api_title(source: Source) -> str:
    """The name of the API, on one line."""
    return " ".join(string(mapping(source.root, "info"), "title").split())


def introduction_blocks(source: Source) -> Iterator[Block]:
    """The title as the one heading of level 1, then version, description and legal notes."""
    info, lines = mapping(source.root, "info"), source.span(("info",))
    if api_title(source):
        yield Block("heading", api_title(source), *lines, level=1)
    for text in (string(info, "summary"), f"API version: {string(info, 'version')}" if "version" in info else ""):
        if text:
            yield Block("prose", text, *lines)
    yield from markdown_blocks(plain_markdown(string(info, "description")), lines, heading_level=2)
    for text in _notes(info, source.root):
        yield Block("prose", text, *lines)


def _notes(info: Node, root: Node) -> list[str]:
    notes = []
    for key, words, fields in (
        ("contact", "Contact", ("name", "email", "url")),
        ("license", "License", ("name", "identifier", "url")),
    ):
        values = [string(mapping(info, key), name) for name in fields if string(mapping(info, key), name)]
        notes += [f"{words}: {', '.join(values)}"] if values else []
    if string(info, "termsOfService"):
        notes.append(f"Terms of service: {string(info, 'termsOfService')}")
    if string(mapping(root, "externalDocs"), "url"):
        notes.append(f"More: {string(mapping(root, 'externalDocs'), 'url')}")
    return notes


def server_blocks(source: Source) -> Iterator[Block]:
    """The section ``Servers``: the only one that knows where the API runs."""
    bullets = [(f"- {_server(server)}", source.span(("servers",))) for server in _servers(source.root)]
    bullets += [(f"- {code(address)}", source.span(("host",))) for address in _swagger_addresses(source.root)]
    bullets += _special_servers(source)
    if bullets:
        yield Block("heading", "Servers", *bullets[0][1], level=2)
    for text, lines in bullets:
        yield Block("list_item", text, *lines)


def _servers(node: Node) -> list[Node]:
    return [server for server in sequence(node, "servers") if string(server, "url")]


def _special_servers(source: Source) -> list[tuple[str, tuple[int, int]]]:
    """Servers of single paths and operations, where they differ from those of the whole API."""
    general = [string(server, "url") for server in _servers(source.root)]
    users: dict[str, list[str]] = {}
    lines = (1, source.lines)
    for path, item in mapping(source.root, "paths").items():
        operations = item.items() if isinstance(item, dict) else ()
        for label, node in ((path, item), *((f"{method.upper()} {path}", node) for method, node in operations)):
            for server in _servers(node):
                if string(server, "url") not in general:
                    users.setdefault(_server(server), []).append(label)
                    lines = source.span(("paths", path))
    return [(f"- For {codes(labels)}: {server}", lines) for server, labels in users.items()]


def _server(server: Node) -> str:
    description = plain_markdown(string(server, "description"))
    head = code(string(server, "url")) + (f": {indented(description, '  ')}" if description else "")
    return "\n".join([head, *(_variable(name, node) for name, node in mapping(server, "variables").items())])


def _variable(name: str, node: Node) -> str:
    values = [value for value in sequence(node, "enum") if isinstance(value, str)]
    facts = [f"default {literal(node['default'])}"] if isinstance(node, dict) and "default" in node else []
    facts += [f"one of {codes(values)}"] if values else []
    description = plain_markdown(string(node, "description"))
    head = f"  - {code(name)}" + (f" ({', '.join(facts)})" if facts else "")
    return f"{head}: {indented(description, '    ')}" if description else head


def _swagger_addresses(root: Node) -> list[str]:
    host, base = string(root, "host"), string(root, "basePath")
    if not host:
        return [base] if base else []
    schemes = [scheme for scheme in sequence(root, "schemes") if isinstance(scheme, str)]
    return [f"{scheme}://{host}{base}" for scheme in schemes] or [f"{host}{base}"]


def tag_blocks(source: Source) -> Iterator[Block]:
    """The section ``Tags``: what the groups of operations are about."""
    described = [tag for tag in sequence(source.root, "tags") if string(tag, "name") and string(tag, "description")]
    if described:
        yield Block("heading", "Tags", *source.span(("tags",)), level=2)
    for tag in described:
        text = indented(plain_markdown(string(tag, "description")), "  ")
        yield Block("list_item", f"- {code(string(tag, 'name'))}: {text}", *source.span(("tags",)))
