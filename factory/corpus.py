"""The documents of a run, read, cut and cleaned: what there is to ask about, and what changed since a version.

docs folders ─▶ Corpus(documents, chunks by id, skipped files, what was redacted or withheld)
Corpus + manifest of the last version ─▶ Changes(added, changed, removed)
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from generators.chunks import chunk_document
from generators.docs.folder import FolderConfig, read_documents
from generators.errors import UsageError
from generators.privacy import PrivacyConfig, Spot, clean, redact, stop_error
from generators.records import Chunk, Document, Reject, Skipped


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """A document as the manifest keeps it: its place, its bytes' hash and the ids of its chunks."""

    path: str
    format: str
    sha256: str
    chunks: tuple[str, ...]


@dataclass(slots=True)
class Corpus:
    """All documents of a run. A chunk that stands in several places is one chunk, named by the first.

    Attributes:
        chunks: By id, as a teacher may see them, without those that are withheld.
        redactions: Where something was replaced, in all documents.
        withheld: Why a chunk is not asked about, by its id.
    """

    documents: list[DocumentEntry] = field(default_factory=list)
    chunks: dict[str, Chunk] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    redactions: list[Spot] = field(default_factory=list)
    withheld: dict[str, Reject] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changes:
    """Documents by what happened to them since the last version.

    A moved or renamed file is neither added nor removed; ``moved`` has its path now → its path then.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    moved: Mapping[str, str] = field(default_factory=dict)


def read_corpus(
    docs: Sequence[str],
    include: Sequence[str],
    exclude: Sequence[str],
    privacy: PrivacyConfig,
    on_document: Callable[[Document | Skipped], None],
    *,
    workspace: str = "",
    may_be_empty: bool = False,
) -> Corpus:
    """Read, cut and clean everything below ``docs``, but for the ``workspace``, if one is named.

    Raises:
        UsageError: There is nothing to read, or nothing may be; with ``may_be_empty`` a folder without any file is
            an empty corpus.
    """
    corpus, stopped = Corpus(), list[Spot]()
    own = (Path(workspace).expanduser(),) if workspace else ()
    config = FolderConfig(include=tuple(include), exclude=tuple(exclude), workspaces=own)
    for item in read_documents([Path(root).expanduser() for root in docs], config):
        if isinstance(item, Skipped):
            # What a parser complains of may quote the file.
            told = replace(item, detail=redact(item.detail, privacy))
            corpus.skipped.append(told)
            on_document(told)
            continue
        on_document(item)
        found = list(chunk_document(item))
        stopped += take_in(corpus, found, privacy)
        ids = tuple(dict.fromkeys(chunk.id for chunk in found))
        corpus.documents.append(DocumentEntry(item.path, item.format, item.sha256, ids))
    if stopped:
        raise stop_error(stopped)
    if not corpus.chunks and not (may_be_empty and not (corpus.documents or corpus.withheld)):
        raise UsageError(_nothing(docs, corpus))
    return corpus


def take_in(corpus: Corpus, chunks: Iterable[Chunk], privacy: PrivacyConfig) -> list[Spot]:
    """Take in one document's chunks, cleaned; return the places that are to end the run."""
    stopped, titles = list[Spot](), set[Spot]()
    for chunk in chunks:
        cleaned = clean(chunk, privacy)
        stopped += cleaned.stopped
        if cleaned.withheld:
            corpus.withheld.setdefault(chunk.id, cleaned.withheld)
            continue
        corpus.chunks.setdefault(chunk.id, cleaned.chunk)
        for spot in cleaned.redacted:
            # A title heads many chunks, and is one place.
            title = replace(spot, line=0)
            if not spot.heading or title not in titles:
                corpus.redactions.append(spot)
            titles.add(title)
    return stopped


def changes_since(corpus: Corpus, before: Iterable[Mapping[str, Any]]) -> Changes:
    """Compare with the documents of a manifest, by path and by content."""
    was = [(entry["path"], entry["chunks"], entry["sha256"]) for entry in before]
    now = [(entry.path, entry.chunks, entry.sha256) for entry in corpus.documents]
    there = {path for path, *_ in was} & {path for path, *_ in now}

    def state(path: str, chunks: Iterable[str], sha256: str) -> frozenset[str]:
        """What tells a document: its chunks; if it has none and is not where it was, its bytes."""
        return frozenset(chunks) or (frozenset() if path in there else frozenset([sha256]))

    return compare({each[0]: state(*each) for each in was}, {each[0]: state(*each) for each in now})


def compare(old: Mapping[str, frozenset[str]], new: Mapping[str, frozenset[str]]) -> Changes:
    """Compare two states of the documents, given as path → ids of chunks."""
    gone = {path: chunks for path, chunks in old.items() if path not in new}
    fresh = {path: chunks for path, chunks in new.items() if path not in old}
    moved = _moved(gone, fresh)
    origins = set(moved.values())
    return Changes(
        added=tuple(path for path in fresh if path not in moved),
        changed=tuple(path for path in new if path in old and old[path] != new[path]),
        removed=tuple(path for path in gone if path not in origins),
        moved=moved,
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
    if corpus.withheld:
        first_reject = next(iter(corpus.withheld.values()))
        return f"all {len(corpus.withheld)} sections of {where} are withheld ({first_reject.detail}); see [privacy]"
    if corpus.documents:
        return f"the {len(corpus.documents)} documents in {where} hold no text to ask about"
    if corpus.skipped:
        first = corpus.skipped[0]
        return (
            f"none of the {len(corpus.skipped)} files in {where} can be read, for example {first.path}: "
            f"{first.reason} ({first.detail}); see 'factory generate --help' for the formats"
        )
    return f"there are no documents in {where} (or all are ignored): give another --docs"
