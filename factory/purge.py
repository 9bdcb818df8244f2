"""``factory purge DOC``: a document out of the workspace for good, from the journal and from every version.

    flags, DOC ─▶ Said;   what is to go is noted first, so that a purge that was killed is finished by the next run

In this order: note (``purge.json``), journal, a new version without the document, the old versions, the note. Each step
can be repeated. What the documents said is then nowhere in ``journal/`` and ``versions/``; students and reports that
were made of it are named, and are the person's to delete.
"""

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from factory.card import dataset_card
from factory.config import resolve
from factory.filtering import Said
from factory.lock import locked
from factory.manifest import count_pairs
from factory.retention import delete_version, derived_from
from factory.retired import read_retired
from factory.store import Row, Source, Version, Workspace
from factory.visible import visible
from generators.asking import Spent
from generators.chunk_records import read_chunks
from generators.errors import StoppedError, UsageError
from generators.failpoints import failpoint
from generators.joined import TEACHER as JOINED
from generators.joined import with_chunks
from generators.journal_lines import Entry
from generators.journal_purge import rewrite
from generators.records import Chunk, Pair, Reject

NOTE = "purge.json"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to go.

    Attributes:
        document: As the versions name it.
        chunks: All that it ever had and no other document has now.
        others: All that is known of other documents: replies about these alone stay.
        versions: Those that hold any of its chunks.
    """

    document: str
    chunks: tuple[str, ...]
    others: tuple[str, ...]
    versions: tuple[str, ...]


@dataclass(slots=True)
class Purged:
    """What went, and what came."""

    document: str
    replies: int = 0
    versions: list[str] = field(default_factory=list)
    version: str | None = None
    derived: list[str] = field(default_factory=list)


def run_purge(document: str, flags: Mapping[str, Any], *, as_json: bool) -> Said:
    """``factory purge``."""
    settings = resolve(flags, Path.cwd())
    root = Path(settings.out).expanduser()
    if not root.is_dir():
        raise UsageError(f"there is no workspace {root}: give another --out")
    with locked(root):
        workspace = Workspace(root)
        docs = _docs(workspace)
        purged = purge(workspace, document)
    notes = _notes(purged, docs)
    return Said(json.dumps(asdict(purged)) if as_json else _text(purged), notes)


def purge(workspace: Workspace, document: str) -> Purged:
    """Remove a document from a workspace that is locked; ``UsageError`` if nothing holds it."""
    order = read_order(workspace)
    if order is not None and order.document != document:
        finish_purge(workspace, order)
        order = None
    if order is None:
        order = _order(workspace, document)
        _write_order(workspace, order)
    return finish_purge(workspace, order)


def finish_purge(workspace: Workspace, order: Order) -> Purged:
    """Do what is noted, from wherever it was left."""
    purged = Purged(order.document, versions=list(order.versions), derived=_derived(workspace, order))
    others = frozenset(order.others)
    purged.replies = rewrite(workspace.journal, lambda entry: _may_show(entry, others))
    failpoint("purge.publish")
    latest = workspace.latest()
    if latest is not None and latest.name in order.versions:
        _publish_without(workspace, latest, order)
    for name in order.versions:
        delete_version(workspace, name)
    workspace.clear_drafts()
    failpoint("purge.end")
    (workspace.root / NOTE).unlink(missing_ok=True)
    now = workspace.latest()
    purged.version = now.name if now else None
    return purged


def _may_show(entry: Entry, others: Collection[str]) -> bool:
    """Whether a reply may be about the document: it says nothing of what it is about, or not only of others."""
    return not entry.about or any(chunk not in others for chunk in entry.about)


def _order(workspace: Workspace, document: str) -> Order:
    """Find all that a document ever was, under this name and those it had before."""
    manifests = {name: workspace.manifest(workspace.versions / name) for name in workspace.names()}
    states = {name: _states(manifest) for name, manifest in manifests.items()}
    former = [
        (chunk, each["document"]) for m in manifests.values() for chunk, each in m.get("former_chunks", {}).items()
    ]
    path = _path(document, {path for state in states.values() for path in state} | {home for _, home in former})
    own = {chunk for state in states.values() for chunk in state.get(path, ())}
    own |= {chunk for chunk, home in former if home == path}
    grown = True
    while grown:  # through renames, and edits before and after them
        found = {
            chunk
            for state in states.values()
            for other, chunks in state.items()
            if path not in state and len(chunks & own) * 2 > len(chunks)
            for chunk in chunks
        }
        grown = not found <= own
        own |= found
    latest = workspace.latest()
    now = _states(latest.manifest) if latest else {}
    own -= {chunk for other, chunks in now.items() if other != path for chunk in chunks}
    known = {chunk for state in states.values() for chunks in state.values() for chunk in chunks}
    known |= {chunk for chunk, _ in former}
    versions = [name for name in states if own & _chunks_of(workspace.versions / name, states[name])]
    return Order(path, tuple(sorted(own)), tuple(sorted(known - own)), tuple(versions))


def _states(manifest: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    return {entry["path"]: frozenset(entry["chunks"]) for entry in manifest["documents"]}


def _chunks_of(version: Path, documents: Mapping[str, frozenset[str]]) -> set[str]:
    """The chunks that any file of a version tells of."""
    retired = {chunk for each in read_retired(version) for chunk in (each.chunk, *each.chunks)}
    return {chunk for chunks in documents.values() for chunk in chunks} | retired


def _path(document: str, known: Collection[str]) -> str:
    """The document as the versions name it; a path that ends in one of those is as good."""
    if document in known:
        return document
    alike = [path for path in known if document.endswith(f"/{path}")]
    if len(alike) == 1:
        return alike[0]
    example = f", such as {min(known)}" if known else ""
    raise UsageError(f"no version holds a document {document}: name it as provenance.jsonl does{example}")


def _publish_without(workspace: Workspace, latest: Version, order: Order) -> None:
    """A version that is the latest but for the document; if it held nothing else, the newest that stays is it."""
    gone = frozenset(order.chunks)
    rows = [row for row in _with_chunks(latest.rows) if not _is_of(row.pair, gone)]
    remaining = [name for name in workspace.names() if name not in order.versions]
    if not rows:
        if remaining:
            workspace.lead_to(remaining[-1])
        else:
            workspace.latest_link.unlink()
        return
    lost = {row.pair.id for row in latest.rows} - {row.pair.id for row in rows}
    rejects = [_without_twin(each, lost) for each in latest.rejects if not _tells_of(each, gone)]
    before = latest.manifest
    manifest = {
        **{key: value for key, value in before.items() if key not in ("format", "version", "files")},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "previous": remaining[-1] if remaining else None,
        "documents": [entry for entry in before["documents"] if entry["path"] != order.document],
        "asked": {chunk: rounds for chunk, rounds in before["asked"].items() if chunk not in gone},
        "former_chunks": {chunk: each for chunk, each in before.get("former_chunks", {}).items() if chunk not in gone},
        "redactions": _without_places(before["redactions"], order.document),
        "skipped": [each for each in before["skipped"] if each["path"] != order.document],
        **count_pairs(rows, rejects),
        "run": asdict(Spent()),
    }
    chunks = [_elsewhere(chunk, manifest["documents"]) for chunk in read_chunks(latest.path) if chunk.id not in gone]
    homes = {chunk.id: Source(chunk.document, chunk.id, chunk.lines) for chunk in chunks}
    rows = [_at_home(row, homes) for row in rows]
    card = dataset_card(before["name"], manifest)
    workspace.publish(rows, rejects, manifest, card, before["system_prompt"], chunks)


def _with_chunks(rows: Iterable[Row]) -> list[Row]:
    """The rows; those that several sections answer with all of these, as far as that can be found out."""
    rows = list(rows)
    known = with_chunks([row.pair for row in rows])
    return [replace(row, pair=known.get(row.pair.id, row.pair)) for row in rows]


def _is_of(pair: Pair, gone: frozenset[str]) -> bool:
    """Whether a pair says what a chunk says that is to go; where nobody can tell of which sections it is, it may."""
    return not gone.isdisjoint((pair.chunk, *pair.chunks)) or (pair.teacher == JOINED and not pair.chunks)


def _at_home(row: Row, homes: Mapping[str, Source]) -> Row:
    """A row with the documents that its sections stand in now."""
    first = homes.get(row.pair.chunk)
    sources = tuple(homes[chunk] for chunk in row.pair.chunks if chunk in homes)
    return replace(row, document=first.document if first else row.document, sources=sources)


def _elsewhere(chunk: Chunk, documents: Iterable[Mapping[str, Any]]) -> Chunk:
    """A chunk that stands in several documents, in one that stays."""
    homes = [entry["path"] for entry in documents if chunk.id in entry["chunks"]]
    return chunk if chunk.document in homes or not homes else replace(chunk, document=homes[0])


def _tells_of(reject: Reject, gone: frozenset[str]) -> bool:
    pair = reject.pair
    return reject.chunk in gone or (pair is not None and _is_of(pair, gone))


def _without_twin(reject: Reject, lost: Collection[str]) -> Reject:
    """The evidence against a pair may quote its twin."""
    return replace(reject, detail="its twin was purged") if reject.twin in lost else reject


def _without_places(redactions: Mapping[str, Any], document: str) -> dict[str, Any]:
    return {**redactions, "places": [each for each in redactions["places"] if each["document"] != document]}


def _derived(workspace: Workspace, order: Order) -> list[str]:
    return [name for name, version in derived_from(workspace) if version in order.versions]


def read_order(workspace: Workspace) -> Order | None:
    """The purge that was begun and not finished, if there is one."""
    file = workspace.root / NOTE
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        return Order(record["document"], *(tuple(record[name]) for name in ("chunks", "others", "versions")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(f"{file} cannot be read ({error!r}): delete it and purge again") from error


def _write_order(workspace: Workspace, order: Order) -> None:
    """Note what is to go, so that it is known when the versions that tell it are gone."""
    draft = workspace.root / f".{NOTE}.draft"
    try:
        with draft.open("w", encoding="utf-8") as file:
            failpoint("purge.note")
            json.dump(asdict(order), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(workspace.root / NOTE)
    except OSError as error:
        raise StoppedError(f"cannot write {draft}: {error.strerror}; nothing was purged") from error


def _docs(workspace: Workspace) -> tuple[str, ...]:
    latest = workspace.latest()
    return tuple(latest.manifest.get("docs", ())) if latest else ()


def _notes(purged: Purged, docs: Iterable[str]) -> list[str]:
    notes = []
    for root in docs:
        file = Path(root).expanduser() / purged.document
        if file.exists():
            notes.append(
                f"{file} is still there: the next 'factory generate' reads it again, unless you delete or --exclude it"
            )
    if purged.derived:
        names = ", ".join(purged.derived)
        notes.append(f"made of it, and not touched: {names}; delete them, and train again")
    return notes


def _text(purged: Purged) -> str:
    versions = ", ".join(purged.versions) or "none"
    return "\n".join(
        (
            f"  purged      {visible(purged.document)}",
            f"  replies     {purged.replies} removed from the journal",
            f"  versions    deleted: {versions}",
            f"  latest      {purged.version or 'none: nothing else was published'}",
        )
    )
