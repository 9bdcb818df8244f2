"""YAML text -> its tree, from parser events; safe with hostile files.

PyYAML's own constructor would recurse, read dates and ``yes`` as something else than text, and unfold an alias bomb.
Here aliases are shared, counted as if copied, and refused when they are too many.
"""

import re
import sys
from dataclasses import dataclass, field
from typing import Protocol

import yaml

from generators.docs.openapi_tree import SPAN_DEPTH, Node, Numeral, Path, Source
from generators.errors import UnreadableDocumentError

MAX_NODES = 3_000_000
MAX_DEPTH = 200

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_CONSTANTS: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_CONSTANTS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)


def parse_yaml(text: str, name: str) -> Source:
    """Parse YAML 1.2 into plain values.

    Raises:
        UnreadableDocumentError: ``malformed`` with the line, ``too_complex`` for alias bombs and deep nesting.
    """
    builder = _YamlBuilder(text, name)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        line = _line_of(error.problem_mark or error.context_mark)
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise UnreadableDocumentError("malformed", f"{name}: line {line}: not valid YAML: {problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.encode("utf-8", "replace").count(b"\n", 0, error.position) + 1
        raise UnreadableDocumentError("malformed", f"{name}: line {line}: {error.reason}") from error
    return Source(builder.root, builder.spans, text.count("\n") + 1)


class _Mark(Protocol):
    """A position: the C parser and the Python parser have a class of their own each."""

    line: int
    column: int


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that is being read."""

    value: Node
    path: Path | None
    anchor: str | None
    flow: bool
    size: int = 1
    key: str | None = None
    key_line: int = 0
    merges: bool = False


@dataclass(slots=True)
class _YamlBuilder:
    """Builds the tree from parser events, without recursion."""

    text: str
    name: str
    root: Node = None
    spans: dict[Path, tuple[int, int]] = field(default_factory=dict)
    _documents: int = 0
    _last_line: int = 1
    _stack: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[Node, int]] = field(default_factory=dict)
    _lines: list[str] | None = None

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._take_scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(event)
        elif isinstance(event, yaml.AliasEvent):
            self._take_alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._error(event, "a second YAML document begins; keep one description a file")

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        end = event.end_mark
        self._last_line = _line_of(end) if end is None or end.column else end.line
        if event.style in ("|", ">"):
            self._skip_blank_lines(_line_of(event.start_mark))
        plain = event.implicit[0] and not event.style
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            top.key, top.key_line = sys.intern(event.value), _line_of(event.start_mark)
            top.merges = plain and event.value == "<<"
            return
        value = _plain_value(event.value) if plain else event.value
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._add(value, 1)

    def _skip_blank_lines(self, first_line: int) -> None:
        """A block scalar ends where the next key begins: take the blank lines between off."""
        if self._lines is None:
            self._lines = self.text.split("\n")
        while self._last_line > first_line and not self._lines[self._last_line - 1].strip():
            self._last_line -= 1

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._stack) >= MAX_DEPTH:
            line = _line_of(event.start_mark)
            raise UnreadableDocumentError(
                "too_complex", f"{self.name}: line {line}: nested more than {MAX_DEPTH} levels deep"
            )
        top = self._stack[-1] if self._stack else None
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if top is not None and isinstance(top.value, dict) and top.key is None:
            raise self._error(event, "a key must be a text, not a list or mapping")
        path: Path | None = () if top is None else None
        if top is not None and top.path is not None and top.key is not None and len(top.path) < SPAN_DEPTH - 1:
            path = (*top.path, top.key)
        self._last_line = _line_of(event.start_mark)
        self._stack.append(
            _Open({} if is_mapping else [], path if is_mapping else None, event.anchor, bool(event.flow_style))
        )

    def _close(self, event: yaml.CollectionEndEvent) -> None:
        done = self._stack.pop()
        if done.flow:
            self._last_line = _line_of(event.end_mark)
        if done.anchor:
            self._anchors[done.anchor] = (done.value, done.size)
        self._add(done.value, done.size)

    def _take_alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self._anchors:
            raise self._error(event, f"the alias *{event.anchor} has no finished anchor before it")
        self._last_line = _line_of(event.end_mark)
        value, size = self._anchors[event.anchor]
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            if not isinstance(value, str):
                raise self._error(event, "a key must be a text, not a list or mapping")
            top.key, top.key_line, top.merges = value, _line_of(event.start_mark), False
            return
        self._add(value, size)

    def _add(self, value: Node, size: int) -> None:
        """Put a finished value where it belongs; ``size`` counts its nodes with all aliases unfolded."""
        if not self._stack:
            self.root = value
            return
        top = self._stack[-1]
        top.size += size
        if top.size > MAX_NODES:
            raise UnreadableDocumentError(
                "too_complex", f"{self.name}: more than {MAX_NODES:,} values once its aliases are unfolded"
            )
        if isinstance(top.value, list):
            top.value.append(value)
            return
        key = top.key or ""
        top.key = None
        if top.merges:
            _merge_into(top.value, value)
            return
        top.value[key] = value
        if top.path is not None:
            self.spans[*top.path, key] = (top.key_line, max(top.key_line, self._last_line))

    def _error(self, event: yaml.Event, problem: str) -> UnreadableDocumentError:
        return UnreadableDocumentError("malformed", f"{self.name}: line {_line_of(event.start_mark)}: {problem}")


def _plain_value(text: str) -> Node:
    """An unquoted scalar by the rules of YAML 1.2, which API descriptions follow: ``yes`` is a text."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return Numeral(text) if _JSON_NUMBER.fullmatch(text) else text


def _merge_into(target: dict[str, Node], merged: Node) -> None:
    """Carry out a ``<<`` key: the mapping's own keys win, then the earlier of several."""
    for mapping in merged if isinstance(merged, list) else [merged]:
        if isinstance(mapping, dict):
            for key, value in mapping.items():
                target.setdefault(key, value)


def _line_of(mark: _Mark | None) -> int:
    return mark.line + 1 if mark else 1
