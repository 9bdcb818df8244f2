"""What must not retire pairs by mistake: documents that cannot be read today, a folder that is empty or half there.

Inputs + last version ─▶ the documents as they were last read, where they cannot be now;   refused ─▶ why not to go on
"""

from collections.abc import Iterable

from factory.corpus import DocumentEntry, take_in
from factory.inputs import Inputs, Watch
from factory.plan import Plan
from factory.store import Version
from generators.chunk_records import read_chunks
from generators.records import Skipped

# These say that a file is there, or was a moment ago, and not that its text is gone.
_PASSING = frozenset(
    (
        *("vanished", "unreadable", "broken_link", "malformed", "undecodable", "binary", "oversized"),
        *("missing_extra", "timeout", "too_much_memory", "parser_crashed"),
    )
)
# A folder that lost more than half of its documents, and so many at least, may be half copied.
_LEAST_GONE = 10


def keep_unreadable(inputs: Inputs, previous: Version, watch: Watch) -> None:
    """Take in the last known state of documents that are there and cannot be read."""
    corpus = inputs.corpus
    present = {entry.path for entry in corpus.documents}
    kept = [
        entry
        for entry in previous.manifest["documents"]
        if entry["path"] not in present and _is_unreadable(entry["path"], corpus.skipped)
    ]
    if not kept:
        return
    wanted = {chunk for entry in kept for chunk in entry["chunks"]} - corpus.chunks.keys()
    take_in(corpus, [chunk for chunk in read_chunks(previous.path) if chunk.id in wanted], inputs.settings.privacy)
    for entry in kept:
        corpus.documents.append(DocumentEntry(entry["path"], entry["format"], entry["sha256"], tuple(entry["chunks"])))
        watch.note(f"{entry['path']} cannot be read now: its pairs stay as {previous.name} has them")
    corpus.documents.sort(key=lambda entry: entry.path)


def _is_unreadable(path: str, skipped: Iterable[Skipped]) -> bool:
    """Whether a document, or a folder above it, was skipped for a reason that may pass."""
    return any(
        item.reason in _PASSING and (item.path == path or (item.path.endswith("/") and _is_below(path, item.path)))
        for item in skipped
    )


def _is_below(path: str, folder: str) -> bool:
    return folder == "./" or path.startswith(folder)


def refused(plan: Plan, previous: Version, inputs: Inputs) -> str:
    """Why a run must not go on without ``--yes-retire-all``; empty if it may."""
    removed, before = len(plan.changes.removed), len(previous.manifest["documents"])
    where, pairs = ", ".join(inputs.settings.docs), len(previous.rows)
    go_on = f"if that is meant, run again with --yes-retire-all; {previous.name} stays as it is"
    if inputs.retire_all or not previous.rows:
        return ""
    if not inputs.corpus.chunks:
        return f"there is nothing to read in {where} any more, all {pairs} pairs would go: {go_on}"
    if removed >= _LEAST_GONE and removed * 2 > before:
        return f"{removed} of {before} documents are gone from {where}, as if it were half copied: {go_on}"
    return ""
