"""Running text of a page -> one paragraph of Markdown, with the source lines it came from."""

import re

from bs4 import Tag

from generators.docs.marks import code

_CODE = ("code", "tt", "kbd", "samp")
_MARKS = {"strong": "**", "b": "**", "summary": "**", "em": "*", "i": "*", "del": "~~", "s": "~~", "strike": "~~"}
_MARKS |= dict.fromkeys(_CODE, "`")
_SPACE = re.compile(r"[ \t\n\r\f\v\u00a0]+")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u00ad\ufeff\u2060\x00"))
_BREAK = "\x00"


class InlineText:
    """Collects the text of a paragraph until it ends."""

    def __init__(self) -> None:
        self.line = 1
        self._parts: list[str] = []
        self._marks: list[tuple[Tag, int]] = []
        self._first = 0
        self._last = 0

    def add(self, text: str) -> None:
        """Add text as it stands in the page."""
        start, words = self.line, text.strip()
        self.line += text.count("\n")
        self._parts.append(text.translate(_INVISIBLE))
        if words:
            self._last = start + text.rstrip().count("\n")
            self._first = self._first or start + text[: len(text) - len(text.lstrip())].count("\n")

    def add_break(self) -> None:
        """Add a line break that shows."""
        self._parts.append(_BREAK)

    def open_mark(self, tag: Tag) -> None:
        """Begin code, emphasis or the like; within its own kind it has no effect."""
        mark = _MARKS.get(tag.name)
        if mark and not any(_MARKS.get(other.name) in (mark, "`") for other, _ in self._marks):
            self._marks.append((tag, len(self._parts)))
        elif tag.name == "q":
            self._parts.append("“")
        elif tag.name == "sup" and _is_exponent(tag) and self._ends_in_word():
            self._parts.append("^")

    def close_mark(self, tag: Tag) -> None:
        """End what the element began."""
        if tag.name == "q":
            self._parts.append("”")
        if not self._marks or not any(tag is other for other, _ in self._marks):
            return
        while self._marks:
            other, start = self._marks.pop()
            self._wrap(_MARKS[other.name], start)
            if other is tag:
                return

    def take(self) -> tuple[str, int, int]:
        """The paragraph so far, with its first and last line; begins a new one."""
        text = _SPACE.sub(" ", "".join(self._parts))
        text = "\n".join(line.strip() for line in text.split(_BREAK)).strip()
        first, last = self._first or self.line, self._last or self.line
        self._parts, self._first, self._last = [], 0, 0
        self._marks = [(tag, 0) for tag, _ in self._marks]
        return text, first, max(first, last)

    def _wrap(self, mark: str, start: int) -> None:
        inner = "".join(self._parts[start:])
        words = _SPACE.sub(" ", inner.replace(_BREAK, " ")).strip()
        if not words:
            return
        before = " " * (inner[:1].isspace())
        after = " " * (inner[-1:].isspace())
        self._parts[start:] = [before, code(words) if mark == "`" else f"{mark}{words}{mark}", after]

    def _ends_in_word(self) -> bool:
        return bool(self._parts) and self._parts[-1][-1:].isalnum()


def _is_exponent(tag: Tag) -> bool:
    return len(tag.contents) == 1 and tag.find("a") is None and len(tag.get_text().strip()) <= 3
