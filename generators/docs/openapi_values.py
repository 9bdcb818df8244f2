"""Values of an API description -> text: literals in a line, JSON for a code block."""

import json
from collections.abc import Iterable

from generators.docs.marks import code
from generators.docs.openapi_tree import Node, Numeral

INLINE_WIDTH = 80
MAX_LITERAL = 500


def dump_json(value: Node, indent: int | None = 2, margin: int = 0) -> str:
    """Write a value as JSON with its numbers as the author wrote them.

    Args:
        value: Any value of the tree.
        indent: Spaces a level; None for one line. Lists of plain values that fit a line stay on it.
        margin: Spaces before the lines after the first.
    """
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}: {dump_json(item, indent, margin + (indent or 0))}"
            for key, item in value.items()
        ]
        return _bracket("{", parts, "}", indent, margin)
    if isinstance(value, list):
        parts = [dump_json(item, indent, margin + (indent or 0)) for item in value]
        line = f"[{', '.join(parts)}]"
        if len(line) <= INLINE_WIDTH and not any(isinstance(item, (dict, list)) for item in value):
            return line
        return _bracket("[", parts, "]", indent, margin)
    return str(value) if isinstance(value, Numeral) else json.dumps(value, ensure_ascii=False)


def _bracket(opening: str, parts: list[str], closing: str, indent: int | None, margin: int) -> str:
    if not parts or indent is None:
        return f"{opening}{', '.join(parts)}{closing}"
    pad = " " * (margin + indent)
    inner = ",\n".join(pad + part for part in parts)
    return f"{opening}\n{inner}\n{' ' * margin}{closing}"


def literal(value: Node) -> str:
    """One value inside a sentence: numbers bare, everything else as code."""
    if isinstance(value, Numeral):
        return str(value)
    text = value if isinstance(value, str) and value.strip() and "\n" not in value else dump_json(value, indent=None)
    return code(text if len(text) <= MAX_LITERAL else f"{text[:MAX_LITERAL]}…")


def literals(values: Iterable[Node], most: int) -> str:
    """Values in a row; beyond ``most``, how many more there are."""
    shown = list(values)
    row = ", ".join(literal(value) for value in shown[:most])
    return row if len(shown) <= most else f"{row} and {len(shown) - most} more"
