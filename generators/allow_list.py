r"""What may be sent though it looks private: a file with one value or ``/regex/`` a line.

    support@acme.io          # this very value
    /@acme\\.io$/            # every value that the pattern is found in

``#`` at a line's start, or after a space, opens a comment.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from generators.errors import UsageError

_COMMENT = re.compile(r"(?:^|\s)#.*$")


@dataclass(frozen=True, slots=True)
class AllowList:
    """Values and patterns that are left as they are."""

    values: frozenset[str] = frozenset()
    patterns: tuple[re.Pattern[str], ...] = ()

    def __contains__(self, value: str) -> bool:
        return value in self.values or any(pattern.search(value) for pattern in self.patterns)

    @property
    def entries(self) -> list[str]:
        """All of it, in an order of its own."""
        return sorted([*self.values, *(f"/{pattern.pattern}/" for pattern in self.patterns)])


def read_allow_list(name: str) -> AllowList:
    """Read the file; ``UsageError`` names it and the line that is no pattern."""
    path = Path(name).expanduser()
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the allow list {path}: {error}") from error
    values, patterns = set[str](), list[re.Pattern[str]]()
    for number, line in enumerate(lines, 1):
        entry = _COMMENT.sub("", line).strip()
        if len(entry) > 2 and entry[0] == entry[-1] == "/":
            patterns.append(_pattern(entry[1:-1], f"{path}, line {number}"))
        elif entry:
            values.add(entry)
    return AllowList(frozenset(values), tuple(patterns))


def _pattern(source: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(source)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(f"{where}: /{source}/ is no regular expression: {error}") from error
