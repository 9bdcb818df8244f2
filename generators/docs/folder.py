"""Read folders of documents: roots -> documents and skipped files, sorted by path, one at a time.

    roots ─▶ walk (ignore files, links) ─▶ bytes ─▶ reader behind the guard ─▶ Document | Skipped

Nothing is kept between files, so memory does not grow with the folder. No file ends the run: one that cannot be read
is named with a stable reason code and a detail for the person.

Reasons: ``unsupported`` ``empty`` ``oversized`` ``binary`` ``undecodable`` ``malformed`` ``not_openapi`` and what else
a reader says; ``vanished`` ``unreadable`` ``not_a_file`` ``link_outside`` ``broken_link`` from the walk;
``missing_extra`` ``timeout`` ``too_much_memory`` ``parser_crashed`` from the guard.
"""

import hashlib
import heapq
import os
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath

from generators.docs import find_format, refine_format
from generators.docs.guard import ParserProcess
from generators.docs.gunzip import gunzip
from generators.docs.ignore import Selection
from generators.docs.walk import Found, Walk
from generators.docs.workspaces import part_of
from generators.errors import UnreadableDocumentError, UsageError
from generators.records import Document, Skipped

_UNFOLDING = 4  # a compressed file may unfold to so many times the size that is allowed on disk
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class FolderConfig:
    """What is read of a docs folder, and within which limits.

    Attributes:
        include: Globs as in ``.gitignore``, relative to the root; if there are any, only files that match are read.
        exclude: Likewise; files that match are left out. A root that is a file is read whatever the globs say.
        max_bytes: Of a file as it lies on disk; what a ``.gz`` holds may be four times as large.
        workspaces: Folders that this program writes to; no document is read from them. Others are known by their
            content. A docs folder may lie in one, beside its own parts.
        parse_seconds: Wall-clock limit for one file.
        parse_memory: Bytes of address space of the process that parses.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_bytes: int = 20_000_000
    workspaces: tuple[Path, ...] = ()
    parse_seconds: float = 60.0
    parse_memory: int = 1 << 30


@dataclass(frozen=True, slots=True)
class _Place:
    """A file or a skipped path, and the root it was found in."""

    item: Found | Skipped
    root: Path


def read_documents(roots: Sequence[Path], config: FolderConfig | None = None) -> Iterator[Document | Skipped]:
    """Read everything below the roots; a root is a folder or one file.

    Paths are relative to their root. Where two roots hold the same path, both get the name of their root's folder in
    front. A root inside another root is read once, as its own root.

    Raises:
        UsageError: At once, not at the first document: a root does not exist, is no folder or file, cannot be opened
            or is a part of a workspace; a glob is none.
    """
    config = config or FolderConfig()
    workspaces = frozenset(map(os.path.realpath, config.workspaces))
    resolved = sorted({_checked(root, workspaces) for root in roots})
    selection = Selection(config.include, config.exclude)
    own_roots = frozenset(map(str, resolved))
    walks = {root: Walk(root, selection, own_roots, workspaces) for root in resolved if root.is_dir()}
    return _documents(resolved, walks, config)


def _checked(root: Path, workspaces: Collection[str]) -> Path:
    try:
        resolved = root.resolve(strict=True)
        mode = resolved.stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(resolved).close()
    except PermissionError as error:
        raise UsageError(f"{root} cannot be opened: permission denied; check its access rights") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise UsageError(f"{root} does not exist; name a folder with documents, or one document") from error
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise UsageError(f"{root} is neither a folder nor a file; name a folder with documents, or one document")
    workspace = part_of(resolved, workspaces)
    if workspace is not None:
        raise UsageError(f"{root} is a part of the workspace {workspace}; keep the documents elsewhere")
    return resolved


def _documents(roots: list[Path], walks: dict[Path, Walk], config: FolderConfig) -> Iterator[Document | Skipped]:
    with ParserProcess(config.parse_seconds, config.parse_memory) as parser:
        for place, path in _named(roots, walks):
            if isinstance(place.item, Skipped):
                yield Skipped(path, place.item.reason, place.item.detail)
            else:
                yield _document(place.item.location, path, parser, config)


def _named(roots: list[Path], walks: dict[Path, Walk]) -> Iterator[tuple[_Place, str]]:
    """Merge the walks of all roots, which are sorted, so that equal paths meet; name each file."""
    merged = heapq.merge(*(_places(root, walks.get(root)) for root in roots), key=lambda place: place.item.path)
    for path, group in groupby(merged, key=lambda place: place.item.path):
        places = list(group)
        for place in places:
            label = f"{_label(place.root, path, roots)}/" if len(places) > 1 else ""
            yield place, _printable(label + path)


def _places(root: Path, walk: Walk | None) -> Iterator[_Place]:
    if walk is None:
        yield _Place(Found(root.name, str(root)), root.parent)
    else:
        yield from (_Place(item, root) for item in walk)


def _label(root: Path, path: str, roots: list[Path]) -> str:
    """The root's name, with as many of its parents' as it takes to be unlike any other path."""
    others = [other if other.is_dir() else other.parent for other in roots if root not in (other, other.parent)]
    for length in range(1, len(root.parts)):
        tail = root.parts[-length:]
        if not any(other.parts[-length:] == tail or other.joinpath(*tail, path).exists() for other in others):
            return "/".join(tail)
    return "/".join(root.parts[1:])


def _printable(path: str) -> str:
    """A path that every terminal and every JSON file can hold, whatever bytes the name is made of."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return _CONTROL_CHARACTERS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def _document(location: str, path: str, parser: ParserProcess, config: FolderConfig) -> Document | Skipped:
    format_name = find_format(path)
    if format_name is None:
        suffix = PurePosixPath(path).suffix
        return Skipped(
            path, "unsupported", f"no reader for {suffix} files" if suffix else "no reader: it has no suffix"
        )
    try:
        data = _load(location, config.max_bytes)
        content = gunzip(data, config.max_bytes * _UNFOLDING, path) if path.lower().endswith(".gz") else data
        if not content.strip():
            raise UnreadableDocumentError("empty", "the file is empty")
        format_name = refine_format(format_name, content)
        parsed = parser.read(format_name, content, path)
        if not parsed.blocks:
            raise UnreadableDocumentError("empty", "the file holds no text")
    except UnreadableDocumentError as error:
        return Skipped(path, error.reason, error.detail.removeprefix(f"{path}: "))
    return Document(path, format_name, hashlib.sha256(data).hexdigest(), len(data), parsed.title, parsed.blocks)


def _load(location: str, limit: int) -> bytes:
    """Read a file whole. It may have changed since the walk met it: a pipe in its place must not block the run."""
    try:
        descriptor = os.open(location, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 (no path can say that links are not followed)
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableDocumentError("not_a_file", "a pipe, socket or device; it was not read")
            # Asked for all that is allowed, it makes room for that: many times what the file holds.
            data = file.read(status.st_size + 1) if status.st_size <= limit else b""
            if len(data) > status.st_size <= limit:
                data += file.read(limit + 1 - len(data))
    except FileNotFoundError as error:
        raise UnreadableDocumentError("vanished", "the file was gone when it was to be read") from error
    except OSError as error:
        raise UnreadableDocumentError("unreadable", f"the file cannot be opened: {error.strerror}") from error
    if status.st_size > limit or len(data) > limit:
        size = max(status.st_size, len(data))
        raise UnreadableDocumentError("oversized", f"{size:,} bytes; files above {limit:,} bytes are not read")
    return data
