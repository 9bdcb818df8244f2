"""The text of an API description, YAML or JSON -> its tree, and the lines that its parts stand on."""

import json
import re

from generators.docs.openapi_tree import SPAN_DEPTH, Node, Numeral, Path, Source
from generators.docs.openapi_yaml import parse_yaml
from generators.errors import UnreadableDocumentError

_JSON_SPACE = re.compile(r"[ \t\n\r]*")


def parse_source(text: str, name: str) -> Source:
    """Parse JSON or YAML, whichever it is.

    Raises:
        UnreadableDocumentError: ``malformed`` with the line, ``too_complex`` for bombs.
    """
    if text.lstrip().startswith("{"):
        try:
            return _parse_json(text)
        except json.JSONDecodeError as error:
            if name.lower().removesuffix(".gz").endswith(".json"):
                detail = f"{name}: line {error.lineno}: not valid JSON: {error.msg}"
                raise UnreadableDocumentError("malformed", detail) from error
        except RecursionError as error:
            raise UnreadableDocumentError("too_complex", f"{name}: nested too deeply") from error
    return parse_yaml(text, name)


def _parse_json(text: str) -> Source:
    reader = _JsonReader(text)
    root, end = reader.read_value(reader.skip_space(0), ())
    if reader.skip_space(end) < len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return Source(root, reader.spans, text.count("\n") + 1)


class _JsonReader:
    """Walks the outer objects itself, to know their lines; the standard decoder reads everything inside."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.spans: dict[Path, tuple[int, int]] = {}
        self._decoder = json.JSONDecoder(parse_float=Numeral, parse_int=Numeral, parse_constant=str)
        self._line, self._counted = 1, 0

    def skip_space(self, position: int) -> int:
        match = _JSON_SPACE.match(self.text, position)
        return match.end() if match else position

    def read_value(self, position: int, path: Path) -> tuple[Node, int]:
        if len(path) < SPAN_DEPTH and self.text.startswith("{", position):
            return self._read_object(position, path)
        return self._decoder.raw_decode(self.text, position)

    def _read_object(self, position: int, path: Path) -> tuple[Node, int]:
        members: dict[str, Node] = {}
        position = self.skip_space(position + 1)
        if self.text.startswith("}", position):
            return members, position + 1
        while True:
            first_line = self._line_at(position)
            key, position = self._read_key(position)
            members[key], position = self.read_value(position, (*path, key))
            self.spans[*path, key] = (first_line, self._line_at(position))
            position = self.skip_space(position)
            if self.text.startswith("}", position):
                return members, position + 1
            position = self.skip_space(self._expect(",", position))

    def _read_key(self, position: int) -> tuple[str, int]:
        if not self.text.startswith('"', position):
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self.text, position)
        key, position = self._decoder.raw_decode(self.text, position)
        return key, self.skip_space(self._expect(":", self.skip_space(position)))

    def _expect(self, mark: str, position: int) -> int:
        if not self.text.startswith(mark, position):
            raise json.JSONDecodeError(f"Expecting '{mark}' delimiter", self.text, position)
        return position + 1

    def _line_at(self, position: int) -> int:
        """Line of a position; asked for in rising order, so that the text is counted once."""
        self._line += self.text.count("\n", self._counted, position)
        self._counted = position
        return self._line
