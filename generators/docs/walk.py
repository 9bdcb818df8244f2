"""Walk a docs folder: root -> the files to read and what is skipped on the way, sorted by path, lazily.

Left out without a word: hidden files and folders, ``node_modules``, ``__pycache__``, workspaces of this program, and
what the ignore files or the include and exclude globs leave out. Links are followed inside the root only, and no file
is met twice: a link to something that the walk reaches by itself is passed over.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from generators.docs.ignore import IgnoreRules, Selection
from generators.docs.workspaces import OWN, is_workspace
from generators.records import Skipped

_NEVER_ENTERED = frozenset({"node_modules", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file: its path below the root (with ``/``), and where it really lies."""

    path: str
    location: str


@dataclass(frozen=True, slots=True)
class _Folder:
    path: str  # below the root; "" for the root itself
    location: str
    rules: IgnoreRules  # those of its parents
    linked: bool = False  # reached through a link


class Walk:
    """One pass over one root. Iterate over it once."""

    def __init__(
        self,
        root: Path,
        selection: Selection,
        elsewhere: frozenset[str] = frozenset(),
        workspaces: frozenset[str] = frozenset(),
    ) -> None:
        """Prepare to walk.

        Args:
            root: An existing folder.
            selection: The include and exclude globs.
            elsewhere: Real paths of files and folders that are read as roots of their own.
            workspaces: Real paths of workspaces, which cannot be told by what is in them while they are empty.
        """
        self._root = str(root.resolve())
        self._selection = selection
        self._elsewhere = elsewhere - {self._root}
        self._workspaces = workspaces
        self._rules = IgnoreRules.above(Path(self._root))
        self._linked: set[tuple[int, int]] = set()  # device and inode of what was reached through a link only

    def __iter__(self) -> Iterator[Found | Skipped]:
        # A stack, because folders can be nested deeper than Python can recurse.
        stack = [self._entries(_Folder("", self._root, self._rules))]
        while stack:
            item = next(stack[-1], None)
            if item is None:
                stack.pop()
            elif isinstance(item, _Folder):
                stack.append(self._entries(item))
            else:
                yield item

    def _entries(self, folder: _Folder) -> Iterator[Found | Skipped | _Folder]:
        try:
            with os.scandir(folder.location) as scan:
                entries = sorted((entry for entry in scan if _is_candidate(entry.name)), key=_sort_key)
            rules = folder.rules.entering(self._virtual(folder.path), folder.location)
        except OSError as error:
            what = Path(str(error.filename)).name
            yield Skipped(f"{folder.path or '.'}/", "unreadable", f"cannot read the folder: {what}: {error.strerror}")
            return
        if self._is_workspace(folder.location):
            # Where documents lie in the workspace itself, they are the root's other files.
            is_root = folder.location == self._root
            entries = [entry for entry in entries if entry.name not in OWN] if is_root else []
        for entry in entries:
            path = f"{folder.path}/{entry.name}".lstrip("/")
            yield from self._entry(entry, _Folder(path, entry.path, rules, linked=folder.linked))

    def _entry(self, entry: os.DirEntry[str], here: _Folder) -> Iterator[Found | Skipped | _Folder]:
        """Judge one entry; ``here`` is what it is if it turns out to be a folder."""
        path, rules = here.path, here.rules
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.path in self._elsewhere or not self._wants(path, rules, folder=is_folder):
            return
        if entry.is_symlink():
            yield from self._link(entry.path, path, rules)
        elif is_folder:
            yield here
        elif entry.is_file(follow_symlinks=False):
            if not (here.linked and self._is_known(entry.path)):
                yield Found(path, entry.path)
        else:
            yield _not_a_file(path)

    def _wants(self, path: str, rules: IgnoreRules, *, folder: bool) -> bool:
        selected = self._selection.enters(path) if folder else self._selection.takes(path)
        return selected and not rules.ignores(self._virtual(path), folder=folder)

    def _link(self, link: str, path: str, rules: IgnoreRules) -> Iterator[Found | Skipped | _Folder]:
        try:
            target = os.path.realpath(link, strict=True)
            status = Path(target).stat()
        except OSError as error:
            yield Skipped(path, "broken_link", f"the link leads nowhere: {error.strerror}")
            return
        if not self._is_inside(target):
            yield Skipped(path, "link_outside", f"the link leaves the docs folder, to {target}; it is not followed")
            return
        if self._is_made(target) or self._is_reached(target) or _lies_in(link, target) or self._is_known(target):
            return
        if stat.S_ISDIR(status.st_mode):
            yield _Folder(path, target, rules, linked=True)
        else:
            yield Found(path, target) if stat.S_ISREG(status.st_mode) else _not_a_file(path)

    def _is_known(self, location: str) -> bool:
        """Say whether a link has led here before, and remember that one has."""
        try:
            status = Path(location).stat()
        except OSError:  # gone meanwhile: reading it will tell
            return False
        identity = (status.st_dev, status.st_ino)
        known = identity in self._linked
        self._linked.add(identity)
        return known

    def _is_workspace(self, location: str) -> bool:
        return location in self._workspaces or is_workspace(location)

    def _is_made(self, location: str) -> bool:
        """Say whether something inside the root is a part of a workspace, which a link would lead past the walk."""
        names = PurePath(location).relative_to(self._root).parts
        folders = [self._virtual("/".join(names[:count])) for count in range(1, len(names) + 1)]
        return any(map(self._is_workspace, folders)) or (
            bool(names) and names[0] in OWN and self._is_workspace(self._root)
        )

    def _is_inside(self, location: str) -> bool:
        return _lies_in(location, self._root)

    def _is_reached(self, location: str) -> bool:
        """Say whether something inside the root is read anyway, without the link."""
        names = PurePath(location).relative_to(self._root).parts
        folders = len(names) if Path(location).is_dir() else len(names) - 1
        here, rules = "", self._rules
        for number, name in enumerate(names, 1):
            try:
                rules = rules.entering(self._virtual(here), self._virtual(here))
            except OSError:  # the walk does not enter that folder, either
                return False
            here = f"{here}/{name}".lstrip("/")
            if self._virtual(here) in self._elsewhere:
                return True
            if not _is_candidate(name) or not self._wants(here, rules, folder=number <= folders):
                return False
        return True

    def _virtual(self, path: str) -> str:
        """Where a path would lie if there were no links; ignore files speak of these."""
        return f"{self._root.rstrip('/')}/{path}".rstrip("/") or "/"


def _is_candidate(name: str) -> bool:
    return not name.startswith(".") and name not in _NEVER_ENTERED


def _lies_in(location: str, folder: str) -> bool:
    return f"{location}/".startswith(f"{folder.rstrip('/')}/")


def _sort_key(entry: os.DirEntry[str]) -> str:
    """Order the entries so that whole paths come sorted: what lies in ``a/`` after ``a-b`` and ``a.md``."""
    try:
        return f"{entry.name}/" if entry.is_dir() else entry.name
    except OSError:  # a link that leads nowhere
        return entry.name


def _not_a_file(path: str) -> Skipped:
    return Skipped(path, "not_a_file", "a pipe, socket or device; it was not opened")
