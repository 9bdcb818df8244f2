"""The documents of a run, read and cut: what there is to ask about, and what changed since a version.

docs folders ─▶ Corpus(documents, chunks by id, skipped files)
Corpus + manifest of the last version ─▶ Changes(added, changed, removed)
"""

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
    gone = [path for path in old if path not in new]
    fresh = [path for path in new if path not in old]
    for path in list(fresh):
        # The same content, or most of it, under another path: moved.
        origin = next((other for other in gone if _same_document(old[other], new[path])), None)
        if origin is not None:
            gone.remove(origin)
            fresh.remove(path)
    changed = [path for path in new if path in old and old[path] != new[path]]
    return Changes(tuple(fresh), tuple(changed), tuple(gone))


def _same_document(old: frozenset[str], new: frozenset[str]) -> bool:
    return old == new or len(old & new) * 2 > max(len(old), len(new))


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
