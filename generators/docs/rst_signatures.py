"""The signatures of described objects (functions, endpoints, options), as a reader of the built page sees them."""

import re
from collections.abc import Mapping

from generators.docs.rst_sphinx import SphinxNode

# Objects that are shown with a word or mark before their signature.
_PREFIXES: Mapping[str, str] = {
    "class": "class ",
    "exception": "exception ",
    "property": "property ",
    "classmethod": "classmethod ",
    "staticmethod": "staticmethod ",
    "decorator": "@",
    "decoratormethod": "@",
}
_LANGUAGES: Mapping[str, str] = {"": "python", "py": "python", "c": "c", "cpp": "cpp", "js": "javascript"}
# A heading stands before every chunk below it, so a long one is dear.
_LONGEST = 80


def signatures(node: SphinxNode) -> list[str]:
    """The signatures of a directive, one a line in the source."""
    lines = re.sub(r"\\\n\s*", " ", node.argument).replace("\\", "").splitlines()
    return [_shown(node, " ".join(line.split())) for line in lines if line.strip()]


def short_signature(signature: str) -> str:
    """The signature, or if it is long the part before its parameters."""
    if len(signature) <= _LONGEST:
        return signature
    before, parenthesis, _ = signature.partition("(")
    return f"{before}(…)" if parenthesis and before else f"{signature[:_LONGEST].rstrip()}…"


def signature_language(node: SphinxNode) -> str:
    """The language that a directive's signatures are in, empty if it is none."""
    return _LANGUAGES.get(node.name.rpartition(":")[0], "")


def _shown(node: SphinxNode, text: str) -> str:
    domain, _, kind = node.name.rpartition(":")
    if domain == "http":
        return f"{kind.upper()} {text}"
    return text if domain in ("c", "cpp") else _PREFIXES.get(kind, "") + text
