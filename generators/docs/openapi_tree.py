"""The tree of an API description: its values as the author wrote them, and the lines they stand on.

Dates, ``yes`` and ``1.10`` stay text, a number keeps its digits. The look-ups take a tree as people write it, where
anything may have the wrong type.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

# dict[str, Node], list[Node], str, Numeral, bool or None: whatever people put into a YAML file.
Node: TypeAlias = Any
Path: TypeAlias = tuple[str, ...]

# paths/PATH/METHOD and components/schemas/NAME: nothing deeper is ever asked for.
SPAN_DEPTH = 3


class Numeral(str):
    """A number as the author wrote it (``1.10``, ``1e6``)."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed API description.

    Attributes:
        root: The tree.
        spans: Path of keys, at most three deep -> first and last line, 1-based and inclusive.
        lines: Number of lines of the text.
    """

    root: Node
    spans: dict[Path, tuple[int, int]]
    lines: int

    def span(self, path: Path) -> tuple[int, int]:
        """Lines of the part at the path, or of the nearest part around it that has lines of its own."""
        while path and path not in self.spans:
            path = path[:-1]
        return self.spans.get(path, (1, self.lines))


def mapping(node: Node, key: str) -> dict[str, Node]:
    """The mapping under a key; empty if there is none."""
    value = node.get(key) if isinstance(node, dict) else None
    return value if isinstance(value, dict) else {}


def sequence(node: Node, key: str) -> list[Node]:
    """The list under a key; empty if there is none."""
    value = node.get(key) if isinstance(node, dict) else None
    return value if isinstance(value, list) else []


def string(node: Node, key: str) -> str:
    """The text or number under a key; empty if there is none."""
    value = node.get(key) if isinstance(node, dict) else None
    return value if isinstance(value, str) else ""


def flag(node: Node, key: str) -> bool:
    """Whether a key says yes, in any spelling that YAML 1.1 knew."""
    value = node.get(key) if isinstance(node, dict) else None
    return value is True or (isinstance(value, str) and value.lower() in ("true", "yes", "on", "y"))


def is_text(node: Node) -> bool:
    """Whether a value is a text and not a number (which is kept as text too)."""
    return isinstance(node, str) and not isinstance(node, Numeral)
