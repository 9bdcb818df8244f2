"""A schema of an API description with its reference followed and its parts merged, as far as its reader is shown.

How far references are unfolded is the heart of it: an operation shows the properties of the schemas that it names
itself and calls deeper ones by name; a schema calls all others by name. So an edit of a shared schema changes that
schema's chunk and those of the operations that show it, and no other.
"""

from dataclasses import dataclass, field, replace

from generators.docs.openapi_facts import is_nullable
from generators.docs.openapi_refs import Resolver, Target, overlay
from generators.docs.openapi_tree import Node, mapping, sequence


@dataclass(frozen=True, slots=True)
class View:
    """What a reader of one part is shown.

    Attributes:
        refs: How many references, one inside the other, are still unfolded.
        says_optional: Whether a property that may be left out is called optional; in what a server sends it is not.
        depth: How deep inside the part this is.
        opened: Addresses of the schemas around this one, against cycles.
    """

    refs: int = 0
    says_optional: bool = False
    depth: int = 0
    opened: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Unfolded:
    """A schema with its reference followed and its ``allOf`` merged, as far as the view allows.

    Attributes:
        schema: Its keywords; of a schema that is only named, those beside the reference.
        view: For what lies inside.
        name: Of the schema that was referenced, if it was.
        named: The reference is not followed: the name stands for it.
        parents: Schemas that it includes and that are only named.
        choices: Its ``oneOf`` and ``anyOf`` groups, without null.
        nullable: Whether null is allowed.
        problem: Why its reference leads nowhere, in words.
        pointer: Address of the referenced schema, if that is all there is to it: what is inside is the same each time.
    """

    schema: dict[str, Node]
    view: View
    name: str = ""
    named: Target | None = None
    parents: tuple[str, ...] = ()
    choices: tuple[tuple[Node, ...], ...] = ()
    nullable: bool = False
    problem: str = ""
    pointer: str = ""


@dataclass(slots=True)
class _Merge:
    keywords: dict[str, Node] = field(default_factory=dict)
    properties: dict[str, Node] = field(default_factory=dict)
    required: list[Node] = field(default_factory=list)
    choices: list[tuple[Node, ...]] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


class Unfolder:
    """Unfolds schemas of one API description."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def unfold(self, node: Node, view: View) -> Unfolded:
        """Follow the reference of a schema, if the view allows, and merge its ``allOf``."""
        node = _without_wrapper(node)
        target = self._resolver.follow(node)
        name, pointer = "", ""
        merges_parents = view.refs > 0
        if target is not None:
            beside = overlay({}, node)
            if target.problem:
                return Unfolded(beside, view, target.name, problem=target.problem)
            if view.refs == 0 or target.pointer in view.opened:
                return Unfolded(beside, view, target.name, named=target, nullable=is_nullable(beside))
            pointer = "" if beside else target.pointer
            node, name = overlay(target.node, node), target.name
            view = replace(view, refs=view.refs - 1, opened=view.opened | {target.pointer})
        elif view.refs > 0 and sequence(node, "allOf"):
            view = replace(view, refs=view.refs - 1)
        merge = _Merge()
        self._merge(node, merge, follows=merges_parents)
        unfolded = self._finish(merge, replace(view, depth=view.depth + 1), name)
        return replace(unfolded, pointer=pointer) if pointer and not unfolded.named else unfolded

    def _finish(self, merge: _Merge, view: View, name: str) -> Unfolded:
        schema = merge.keywords
        self._resolver.meter.spend(1 + len(merge.properties) + len(merge.required))
        if merge.properties:
            schema["properties"] = merge.properties
        if merge.required:
            schema["required"] = merge.required
        nullable = is_nullable(schema) or any(_is_null(choice) for group in merge.choices for choice in group)
        groups = [tuple(choice for choice in group if not _is_null(choice)) for group in merge.choices]
        only = groups[0][0] if len(groups) == 1 and len(groups[0]) == 1 and not merge.properties else None
        if only is not None:  # "a Key or null" is a nullable Key
            inner = self.unfold(only, view)
            return replace(inner, schema={**inner.schema, **schema}, nullable=nullable or inner.nullable)
        return Unfolded(schema, view, name, None, tuple(merge.parents), tuple(groups), nullable)

    def _merge(self, node: Node, merge: _Merge, *, follows: bool) -> None:
        """Add a schema and its ``allOf`` parts to a merge; the first to say something is heard."""
        if not isinstance(node, dict):
            return
        for key, value in node.items():
            if key not in ("allOf", "oneOf", "anyOf", "properties", "required", "$ref"):
                merge.keywords.setdefault(key, value)
        for part in sequence(node, "allOf"):
            self._merge_part(part, merge, follows=follows)
        merge.properties.update(mapping(node, "properties"))
        merge.required.extend(sequence(node, "required"))
        merge.choices.extend(tuple(sequence(node, key)) for key in ("oneOf", "anyOf") if sequence(node, key))

    def _merge_part(self, part: Node, merge: _Merge, *, follows: bool) -> None:
        target = self._resolver.follow(part)
        if target is None:
            self._merge(part, merge, follows=follows)
        elif target.problem or not follows:
            merge.parents.append(target.problem or target.name)
        elif target.pointer not in merge.seen:
            merge.seen.add(target.pointer)
            self._resolver.meter.spend(1 + len(mapping(target.node, "properties")))
            self._merge(target.node, merge, follows=follows)


def _without_wrapper(node: Node) -> Node:
    """``allOf`` around a single reference is how 3.0 puts a description beside a ``$ref``."""
    parts = sequence(node, "allOf")
    if len(parts) != 1 or not isinstance(parts[0], dict) or "$ref" not in parts[0] or "properties" in node:
        return node
    return {**{key: value for key, value in node.items() if key != "allOf"}, "$ref": parts[0]["$ref"]}


def _is_null(node: Node) -> bool:
    return isinstance(node, dict) and (node.get("type") == "null" or node.get("enum") == [None])
