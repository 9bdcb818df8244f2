"""The documents of a run, read and cut: what there is to ask about, and what changed since a version.

docs folders ─▶ Corpus(documents, chunks by id, skipped files)
Corpus + manifest of the last version ─▶ Changes(added, changed, removed)
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generators.chunks import chunk_document
from generators.docs.folder import FolderConfig, read_documents
from generators.errors import UsageError
from generators.records import Chunk, Document, Skipped


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """A document as the manifest keeps it: its place, its bytes' hash and the ids of its chunks."""

    path: str
    format: str
    sha256: str
    chunks: tuple[str, ...]


@dataclass(slots=True)
class Corpus:
    """All documents of a run. A chunk that stands in several places is one chunk, named by the first."""

    documents: list[DocumentEntry] = field(default_factory=list)
    chunks: dict[str, Chunk] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Changes:
    """Documents by what happened to them since the last version; a moved or renamed file is none of these."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def read_corpus(
    docs: Sequence[str],
    include: Sequence[str],
    exclude: Sequence[str],
    on_document: Callable[[Document | Skipped], None],
) -> Corpus:
    """Read and cut everything below ``docs``; ``UsageError`` if there is nothing to read."""
    corpus = Corpus()
    config = FolderConfig(include=tuple(include), exclude=tuple(exclude))
    for item in read_documents([Path(root).expanduser() for root in docs], config):
        on_document(item)
        if isinstance(item, Skipped):
            corpus.skipped.append(item)
            continue
        found = list(chunk_document(item))
        for chunk in found:
            corpus.chunks.setdefault(chunk.id, chunk)
        ids = tuple(dict.fromkeys(chunk.id for chunk in found))
        corpus.documents.append(DocumentEntry(item.path, item.format, item.sha256, ids))
    if not corpus.chunks:
        raise UsageError(_nothing(docs, corpus))
    return corpus


def changes_since(corpus: Corpus, before: Iterable[Mapping[str, Any]]) -> Changes:
    """Compare with the documents of a manifest, by path and by content."""
    old = {entry["path"]: frozenset(entry["chunks"]) for entry in before}
    new = {entry.path: frozenset(entry.chunks) for entry in corpus.documents}
    gone = {path: chunks for path, chunks in old.items() if path not in new}
    fresh = {path: chunks for path, chunks in new.items() if path not in old}
    moved = _moved(gone, fresh)
    origins = set(moved.values())
    return Changes(
        added=tuple(path for path in fresh if path not in moved),
        changed=tuple(path for path in new if path in old and old[path] != new[path]),
        removed=tuple(path for path in gone if path not in origins),
    )


def _moved(gone: Mapping[str, frozenset[str]], fresh: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """New path → old path of the documents that have the same chunks, or most of them, under another path."""
    holders: dict[str, list[str]] = defaultdict(list)
    for path, chunks in gone.items():
        for chunk in chunks:
            holders[chunk].append(path)
    moved: dict[str, str] = {}
    taken = set[str]()
    for path, chunks in fresh.items():
        shared = Counter(other for chunk in chunks for other in holders.get(chunk, ()) if other not in taken)
        origin = max(shared, key=lambda other: (shared[other], other), default=None)
        if origin is not None and shared[origin] * 2 > max(len(chunks), len(gone[origin])):
            moved[path] = origin
            taken.add(origin)
    return moved


def _nothing(docs: Sequence[str], corpus: Corpus) -> str:
    """Why there is nothing to ask about."""
    where = ", ".join(docs)
    if corpus.documents:
        return f"the {len(corpus.documents)} documents in {where} hold no text to ask about"
    if corpus.skipped:
        first = corpus.skipped[0]
        return (
            f"none of the {len(corpus.skipped)} files in {where} can be read, for example {first.path}: "
            f"{first.reason} ({first.detail}); see 'factory generate --help' for the formats"
        )
    return f"there are no documents in {where} (or all are ignored): give another --docs"
