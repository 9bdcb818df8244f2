"""``$ref`` -> what it points at, within one API description; never a file, never the network."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

from generators.docs.openapi_tree import Node, Source
from generators.errors import UnreadableDocumentError

MAX_HOPS = 32
MAX_STEPS = 1_500_000
# Where schemas with a chunk of their own live (OpenAPI 3, Swagger 2).
SCHEMA_HOMES = (("components", "schemas"), ("definitions",))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a reference leads.

    Attributes:
        node: What stands there; an empty mapping if it cannot be reached.
        name: How people call it: the last part of its address.
        pointer: Its address.
        is_schema: Whether it is a schema with a chunk of its own.
        problem: Why it cannot be reached, in words for the reader; empty if it can.
    """

    node: Node
    name: str
    pointer: str
    is_schema: bool = False
    problem: str = ""


class Meter:
    """Refuses endless work: a small file can ask for it by naming one large schema thousands of times."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spent = 0

    def spend(self, steps: int) -> None:
        """Count steps; raises ``UnreadableDocumentError`` (``too_complex``) when there are far too many."""
        self._spent += steps
        if self._spent > MAX_STEPS:
            raise UnreadableDocumentError("too_complex", f"{self._name}: its references unfold to far too much text")


class Resolver:
    """Follows the references of one API description, with one meter for all the work on it."""

    def __init__(self, source: Source, name: str) -> None:
        self.root = source.root
        self.meter = Meter(name)

    def follow(self, node: Node) -> Target | None:
        """Follow ``$ref`` to the end of its chain; None if the node is no reference."""
        target = self._step(node)
        seen: set[str] = set()
        while target is not None and not target.problem:
            if target.pointer in seen or len(seen) > MAX_HOPS:
                return Target({}, target.name, target.pointer, problem=f"(circular reference `{target.pointer}`)")
            seen.add(target.pointer)
            further = self._step(target.node)
            if further is None:
                return target
            target = further
        return target

    def resolve(self, node: Node) -> Node:
        """What a node stands for: itself, or the end of its reference with the node's own keys laid over it."""
        target = self.follow(node)
        if target is None:
            return node
        if target.problem:
            return {"description": target.problem}
        return overlay(target.node, node)

    def _step(self, node: Node) -> Target | None:
        reference = node.get("$ref", node.get("$dynamicRef")) if isinstance(node, dict) else None
        if not isinstance(reference, str):
            return None
        location, _, fragment = reference.partition("#")
        if location:
            tail = fragment.rsplit("/", 1)[-1] or PurePosixPath(location).stem
            return Target({}, tail, reference, problem=f"(reference to another file: `{reference}`)")
        keys = [unquote(part).replace("~1", "/").replace("~0", "~") for part in fragment.split("/")[1:]]
        name = keys[-1] if keys else reference
        found, is_there = _look_up(self.root, keys) if fragment.startswith("/") or not fragment else (None, False)
        if not is_there:
            return Target({}, name, reference, problem=f"(unresolved reference `{reference}`)")
        return Target(found, name, reference, is_schema=tuple(keys[:-1]) in SCHEMA_HOMES)


def overlay(base: Node, node: Node) -> Node:
    """A referenced mapping with the keys that stand beside the ``$ref``: a closer description wins."""
    extra = {key: value for key, value in node.items() if key not in ("$ref", "$dynamicRef")}
    return {**base, **extra} if extra and isinstance(base, dict) else base


def _look_up(root: Node, keys: list[str]) -> tuple[Node, bool]:
    for key in keys:
        if isinstance(root, dict) and key in root:
            root = root[key]
        elif isinstance(root, list) and key.isdecimal() and int(key) < len(root):
            root = root[int(key)]
        else:
            return None, False
    return root, True
