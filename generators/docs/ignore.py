"""``.gitignore`` and ``.factoryignore``: which paths below a folder are left out, with git's semantics.

A deeper file wins over a shallower one, a later line over an earlier one, ``.factoryignore`` over the ``.gitignore``
beside it. An excluded folder is never entered, so that nothing below it can be re-included. ``pathspec`` turns lines
into regular expressions; which of them decides is settled here, because its own combination of a file's lines lets a
pattern for a folder speak for the files below it, which git does not.
"""

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from generators.errors import UsageError

_MAX_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class _Pattern:
    regex: re.Pattern[str]
    excludes: bool

    def matches(self, path: str, *, folder: bool) -> bool:
        """Match the path itself. A match of one of its parents does not count: that one was not entered."""
        # ``pathspec`` names the slash behind a matched folder "ps_d"; without that group, the path itself matched.
        names_folders = "ps_d" in self.regex.groupindex
        found = self.regex.search(path)
        if found and not (names_folders and found["ps_d"]):
            return True
        if not (folder and names_folders):
            return False
        return any(found.start("ps_d") == len(path) for found in self.regex.finditer(f"{path}/"))


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The ignore files that hold for one folder, outermost first: each with its folder (absolute) and its patterns."""

    files: tuple[tuple[str, tuple[_Pattern, ...]], ...] = ()

    @classmethod
    def above(cls, folder: Path) -> "IgnoreRules":
        """The ``.gitignore`` files of the git repository that holds the folder, without the folder's own.

        Raises:
            UsageError: One cannot be read, so that nobody knows what to leave out.
        """
        repository = next((parent for parent in (folder, *folder.parents) if os.path.lexists(parent / ".git")), folder)
        rules = cls()
        for parent in reversed(folder.parents):
            if not parent.is_relative_to(repository):
                continue
            try:
                rules = rules._with(str(parent), str(parent), (".gitignore",))
            except OSError as error:
                told = f"{error.filename} cannot be read ({error.strerror}); make it readable or remove it"
                raise UsageError(told) from error
        return rules

    def entering(self, folder: str, location: str) -> "IgnoreRules":
        """Add the ignore files of a folder that is reached as ``folder`` and lies at ``location``.

        Raises:
            OSError: One cannot be read; nothing of the folder may be read then.
        """
        return self._with(folder, location, (".gitignore", ".factoryignore"))

    def ignores(self, path: str, *, folder: bool) -> bool:
        """Say whether an absolute path below the innermost folder is left out."""
        for base, patterns in reversed(self.files):
            relative = path[len(base) :].lstrip("/")
            for pattern in reversed(patterns):
                if pattern.matches(relative, folder=folder):
                    return pattern.excludes
        return False

    def _with(self, folder: str, location: str, names: Iterable[str]) -> "IgnoreRules":
        lines = [line for name in names for line in _lines(os.path.join(location, name))]  # noqa: PTH118 (hot)
        patterns = tuple(pattern for line in lines for pattern in _patterns(line))
        return IgnoreRules((*self.files, (folder, patterns))) if patterns else self


def _lines(path: str) -> list[str]:
    """Lines of an ignore file; none, as with git, if it is no regular file."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return []
        with open(path, "rb") as file:  # noqa: PTH123 (hot)
            content = file.read(_MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return content.decode("utf-8-sig", "surrogateescape").split("\n")


def _patterns(line: str) -> Iterable[_Pattern]:
    # With git, "a/**/" speaks of the folders inside "a"; pathspec takes it for "a" itself.
    line = re.sub(r"/\*\*/\s*$", "/**/*/", line.rstrip("\r"))
    try:
        spec = GitIgnoreSpec.from_lines([line])
    except ValueError:  # git leaves out a line that is no pattern, too
        return
    for pattern in spec.patterns:
        if pattern.regex is not None and pattern.include is not None:
            yield _Pattern(pattern.regex, pattern.include)


class Selection:
    """The ``include`` and ``exclude`` globs of a run, matched against paths relative to their root."""

    def __init__(self, include: Iterable[str], exclude: Iterable[str]) -> None:
        """Compile the globs (written as in ``.gitignore``).

        Raises:
            UsageError: One is no glob.
        """
        self._include = _spec("include", include)
        self._exclude = _spec("exclude", exclude)

    def takes(self, path: str) -> bool:
        """Say whether a file is wanted."""
        included = not self._include.patterns or self._include.match_file(path)
        return included and not self._exclude.match_file(path)

    def enters(self, folder: str) -> bool:
        """Say whether anything below a folder can be wanted."""
        negated = any(pattern.include is False for pattern in self._exclude.patterns)
        return negated or not self._exclude.match_file(f"{folder}/")


def _spec(setting: str, globs: Iterable[str]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(globs)
    except ValueError as error:
        raise UsageError(f"{setting}: not a glob as in .gitignore: {error}") from error
