"""Security of an API description -> the phrase in an operation, and the section that explains each scheme."""

from collections.abc import Iterator

from generators.docs.marks import code, codes, indented
from generators.docs.openapi_descriptions import plain_markdown
from generators.docs.openapi_refs import Resolver
from generators.docs.openapi_tree import Node, Source, mapping, string
from generators.records import Block

_PLACES = {"header": "in the header", "query": "in the query parameter", "cookie": "in the cookie"}
_URLS = (
    ("authorizationUrl", "authorization URL"),
    ("deviceAuthorizationUrl", "device authorization URL"),
    ("tokenUrl", "token URL"),
    ("refreshUrl", "refresh URL"),
)


def security_sentence(security: list[Node], scope: str = "") -> str:
    """Say what is needed: ``Authentication required: `a` and `b`, or `c` (scope `read`).``.

    Args:
        security: The alternatives; each names the schemes that are needed together.
        scope: Words behind "required", such as "unless an operation says otherwise".
    """
    ways = [_way(needed) for needed in security if isinstance(needed, dict) and needed]
    if not ways:
        return "Authentication: none needed."
    need = "optional" if len(ways) < len(security) else "required"
    return f"Authentication {need}{scope and ' '}{scope}: {', or '.join(ways)}."


def _way(needed: dict[str, Node]) -> str:
    parts = []
    for name, scopes in needed.items():
        listed = [scope for scope in scopes if isinstance(scope, str)] if isinstance(scopes, list) else []
        noun = "scope" if len(listed) == 1 else "scopes"
        parts.append(f"{code(name)} ({noun} {codes(listed)})" if listed else code(name))
    return " and ".join(parts)


def authentication_blocks(source: Source, resolver: Resolver) -> Iterator[Block]:
    """The section ``Authentication``: what is needed by default, then each scheme."""
    home = ("securityDefinitions",) if "securityDefinitions" in source.root else ("components", "securitySchemes")
    schemes = mapping(source.root, home[0]) if len(home) == 1 else mapping(mapping(source.root, home[0]), home[1])
    security = source.root.get("security")
    if not schemes and not isinstance(security, list):
        return
    lines = source.span(home if schemes else ("security",))
    yield Block("heading", "Authentication", *lines, level=2)
    if isinstance(security, list):
        text = security_sentence(security, "unless an operation says otherwise")
        yield Block("prose", text, *source.span(("security",)))
    for name, node in schemes.items():
        yield Block("list_item", _scheme(name, resolver.resolve(node)), *source.span((*home, name)))


def _scheme(name: str, scheme: Node) -> str:
    description = plain_markdown(string(scheme, "description"))
    head = f"- {code(name)} ({_kind(scheme)})"
    bullets = [f"{head}: {indented(description, '  ')}" if description else head]
    flows = mapping(scheme, "flows") or ({string(scheme, "flow"): scheme} if string(scheme, "flow") else {})
    for flow, node in flows.items():
        if not isinstance(node, dict):
            continue
        urls = [f"{words} {code(string(node, key))}" for key, words in _URLS if string(node, key)]
        bullets.append(f"  - Flow {code(flow)}{': ' if urls else ''}{', '.join(urls)}")
        bullets += [
            f"    - Scope {code(scope)}{f': {meaning}' if meaning else ''}"
            for scope, meaning in mapping(node, "scopes").items()
            if not scope.startswith("x-")
        ]
    return "\n".join(bullets)


def _kind(scheme: Node) -> str:
    kind = string(scheme, "type")
    if kind == "apiKey":
        return f"API key {_PLACES.get(string(scheme, 'in'), 'in')} {code(string(scheme, 'name'))}"
    if kind == "http":
        form = string(scheme, "bearerFormat")
        return f"HTTP {string(scheme, 'scheme')}{f', token format {form}' if form else ''}"
    if kind == "openIdConnect":
        return f"OpenID Connect, discovery at {code(string(scheme, 'openIdConnectUrl'))}"
    return {"basic": "HTTP basic", "oauth2": "OAuth 2", "mutualTLS": "mutual TLS"}.get(kind, kind or "type not given")
