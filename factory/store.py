"""The workspace on disk: the journal's folder and the published versions.

    Workspace(out).publish(rows, rejects, manifest) ─▶ versions/v0001, latest -> versions/v0001

A version is written beside its place, forced to the disk, renamed, and only then ``latest`` is swapped: a reader sees
an old or a new whole version, never half of one. Versions are immutable.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from factory.leaks import leaks
from factory.lock import locked
from filters.holdout import Place
from generators.chunk_records import CHUNKS_FILE, chunk_record
from generators.errors import StoppedError, UsageError
from generators.failpoints import failpoint
from generators.invisible import printable_json
from generators.records import Chunk, Pair, Reject

FORMAT = 1
SPLITS = ("train", "validation", "test")
RETIRED_FILE = "retired.jsonl"
_AS_LINE = json.JSONEncoder(ensure_ascii=False)
_AS_PAGE = json.JSONEncoder(ensure_ascii=False, indent=1, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Source:
    """A section that a quote stands in."""

    document: str
    chunk: str
    lines: str


@dataclass(frozen=True, slots=True)
class Row:
    """An accepted pair in its place, with where its chunk stands; ``sources`` likewise for each of ``pair.chunks``."""

    pair: Pair
    place: Place
    document: str
    lines: str
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A published version, read back."""

    name: str
    path: Path
    manifest: Mapping[str, Any]
    rows: tuple[Row, ...]
    rejects: tuple[Reject, ...]


class Workspace:
    """The folder that ``--out`` names."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.journal = root / "journal"
        self.versions = root / "versions"
        self.latest_link = root / "latest"

    def locked(self) -> AbstractContextManager[None]:
        """Hold the workspace for one run; ``LockedError`` names the holder."""
        return locked(self.root)

    def latest(self) -> Version | None:
        """Read the version that ``latest`` points to; ``None`` before the first."""
        if not os.path.lexists(self.latest_link):
            return None
        # Not resolved: the path that people see is below the workspace as they named it.
        link = self.latest_link
        return self.read(self.root / link.readlink() if link.is_symlink() else link)

    def read(self, path: Path) -> Version:
        """Read a version back; ``UsageError`` names what is damaged or too new."""
        try:
            manifest = self.manifest(path)
            return Version(manifest["version"], path, manifest, tuple(_rows(path)), tuple(_rejects(path)))
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise UsageError(
                f"the version in {path} cannot be read ({error!r}): point 'latest' at another one"
            ) from error

    def manifest(self, path: Path) -> dict[str, Any]:
        """The manifest of a version; ``UsageError`` if it is damaged or of another format."""
        try:
            manifest: dict[str, Any] = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
            if manifest["format"] != FORMAT:
                raise UsageError(
                    f"{path} has format {manifest['format']}, this factory reads {FORMAT}: "
                    "use the factory that wrote it"
                )
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise UsageError(
                f"the version in {path} cannot be read ({error!r}): point 'latest' at another one"
            ) from error
        return manifest

    def names(self) -> list[str]:
        """The published versions, the oldest first."""
        found = (path.name for path in self.versions.glob("v[0-9]*/") if path.name[1:].isdigit())
        return sorted(found, key=lambda name: int(name[1:]))

    def find(self, name: str) -> Version | None:
        """Read a version by its name; None if there is none, or none any more."""
        path = self.versions / name
        return self.read(path) if (path / "manifest.json").is_file() else None

    def publish(
        self,
        rows: Iterable[Row],
        rejects: Iterable[Reject],
        manifest: Mapping[str, Any],
        card: str,
        system_prompt: str,
        chunks: Iterable[Chunk] = (),
        retired: Iterable[Mapping[str, Any]] = (),
    ) -> Path:
        """Write a new version and make it the latest; return its folder. ``StoppedError`` on a full or failing disk.

        ``chunks`` are all sections that rows may be about, as a teacher may see them; ``retired`` the lines of
        ``retired.jsonl``, which is not there if there are none.
        """
        name = f"v{self._next_number():04d}"
        draft = self.versions / f".{name}.draft"
        try:
            failpoint("store.folder")
            self.versions.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            files = dict(_files(sorted(rows, key=lambda row: row.pair.id), rejects, system_prompt))
            files[CHUNKS_FILE] = "".join(_line(chunk_record(chunk)) for chunk in chunks)
            if gone := "".join(map(_line, retired)):
                files[RETIRED_FILE] = gone
            files["README.md"] = card
            digests = {file: _write(draft / file, text) for file, text in files.items()}
            whole = {"format": FORMAT, "version": name, **manifest, "files": digests}
            digest = _write(draft / "manifest.json", printable_json(_AS_PAGE.encode(whole)) + "\n")
            _sync_folder(draft)
            _write(self.versions / f"{name}.sha256", _sealed(name, digest).decode())
            failpoint("store.rename")
            draft.rename(self.versions / name)
            _sync_folder(self.versions)
            self.lead_to(name)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise StoppedError(
                f"cannot publish in {self.versions}: {error.strerror}; nothing is lost, free some space and run again"
            ) from error
        return self.versions / name

    def clear_drafts(self) -> None:
        """Take away what killed runs left behind."""
        for left in (*self.versions.glob(".*.draft"), *self.versions.glob(".*.gone")):
            shutil.rmtree(left, ignore_errors=True)

    def verify(self) -> list[str]:
        """Check every published file against its manifest, and each manifest against its digest; list what is wrong."""
        problems: list[str] = []
        if self.latest_link.is_symlink() and not self.latest_link.exists():
            problems.append(f"{self.latest_link}: leads to {self.latest_link.readlink()}, which does not exist")
        for version in sorted(self.versions.glob("v[0-9]*/")):
            manifest = version / "manifest.json"
            recorded = _bytes(self.versions / f"{version.name}.sha256")
            digest = _digest(manifest) if manifest.is_file() else ""
            if recorded[:64] != digest.encode() or not digest:
                problems.append(f"{manifest}: does not match {version.name}.sha256")
                continue
            if recorded != _sealed(version.name, digest):
                problems.append(f"{self.versions / version.name}.sha256: changed")
            listed = json.loads(manifest.read_text(encoding="utf-8"))["files"]
            present = {path.name for path in version.iterdir()} - {"manifest.json"}
            wrong = [f"{version / extra}: not in the manifest" for extra in sorted(present - set(listed))]
            wrong += [
                f"{version / file}: {'changed' if file in present else 'missing'}"
                for file, digest in sorted(listed.items())
                if file not in present or _digest(version / file) != digest
            ]
            problems += wrong or self._leaks(version)
        return problems

    def _leaks(self, path: Path) -> list[str]:
        """Questions that stand, or nearly, or in other words, in two splits of a version."""
        try:
            version = self.read(path)
        except UsageError as error:
            return [str(error)]
        places = {row.pair.id: row.place for row in version.rows}
        found = leaks([row.pair for row in version.rows], places, version.manifest)
        return [f"{path}: {line}" for line in found]

    def _next_number(self) -> int:
        taken = [int(path.name[1:]) for path in self.versions.glob("v[0-9]*") if path.name[1:].isdigit()]
        return max(taken, default=0) + 1

    def lead_to(self, name: str) -> None:
        """Make a version the latest, in one step for readers."""
        fresh = self.root / ".latest.new"
        fresh.unlink(missing_ok=True)
        failpoint("store.link")
        fresh.symlink_to(Path("versions") / name)
        failpoint("store.swap")
        fresh.replace(self.latest_link)
        _sync_folder(self.root)


def _files(rows: list[Row], rejects: Iterable[Reject], system_prompt: str) -> Iterator[tuple[str, str]]:
    """The JSON lines of a version: the splits, where each row comes from, and what was rejected."""
    lines: dict[str, list[str]] = {split: [] for split in SPLITS}
    provenance = []
    for row in rows:
        own = lines[row.place.split]
        provenance.append(_line(_provenance(row, len(own))))
        own.append(_line({"messages": messages(row.pair, system_prompt)}))
    for split in SPLITS:
        yield f"{split}.jsonl", "".join(lines[split])
    yield "provenance.jsonl", "".join(provenance)
    yield "rejected.jsonl", "".join(_line(_reject(reject)) for reject in rejects)


def messages(pair: Pair, system_prompt: str) -> list[dict[str, str]]:
    """A pair as the chat that the student learns."""
    head = [{"role": "system", "content": system_prompt}] if system_prompt else []
    return [*head, {"role": "user", "content": pair.question}, {"role": "assistant", "content": pair.answer}]


def _provenance(row: Row, number: int) -> dict[str, Any]:
    pair = row.pair
    return {
        "id": pair.id,
        "split": row.place.split,
        "set": row.place.set,
        "row": number,
        "document": row.document,
        "chunk": pair.chunk,
        "lines": row.lines,
        "fact": pair.fact,
        "kind": pair.kind,
        "quotes": list(pair.quotes),
        # Of rows that several sections answer: where each of the quotes stands.
        **({"sources": [asdict(source) for source in row.sources]} if row.sources else {}),
        "template_sha256": pair.template,
        "teacher": pair.teacher,
        "scores": dict(pair.scores),
    }


def _rows(path: Path) -> Iterator[Row]:
    texts = {split: _json_lines(path / f"{split}.jsonl") for split in SPLITS}
    for entry in _json_lines(path / "provenance.jsonl"):
        chat = texts[entry["split"]][entry["row"]]["messages"]
        sources = tuple(Source(**source) for source in entry.get("sources", ()))
        pair = Pair(
            id=entry["id"],
            fact=entry["fact"],
            question=chat[-2]["content"],
            answer=chat[-1]["content"],
            quotes=tuple(entry["quotes"]),
            kind=entry["kind"],
            chunk=entry["chunk"],
            teacher=entry["teacher"],
            template=entry["template_sha256"],
            scores=entry["scores"],
            chunks=tuple(source.chunk for source in sources),
        )
        yield Row(pair, Place(entry["split"], entry["set"]), entry["document"], entry["lines"], sources)


def _reject(reject: Reject) -> dict[str, Any]:
    record = asdict(reject)
    if reject.pair is not None and not reject.pair.chunks:
        del record["pair"]["chunks"]
    return record


def _rejects(path: Path) -> Iterator[Reject]:
    for entry in _json_lines(path / "rejected.jsonl"):
        pair = entry.pop("pair")
        if pair is not None:
            pair |= {"quotes": tuple(pair["quotes"]), "chunks": tuple(pair.get("chunks", ()))}
        yield Reject(pair=None if pair is None else Pair(**pair), **entry)


def _json_lines(path: Path) -> list[Any]:
    # Not splitlines(): U+2028 and friends inside a JSON string end no row.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def _line(record: Mapping[str, Any]) -> str:
    """JSON that no terminal acts on when somebody looks at it."""
    return printable_json(_AS_LINE.encode(record)) + "\n"


def _write(path: Path, text: str) -> str:
    """Write a file, force it to the disk, return its sha256."""
    # A lone surrogate in a reply has no UTF-8: it is kept visible, not allowed to break the file.
    data = text.encode("utf-8", "backslashreplace")
    with path.open("wb") as file:
        failpoint("store.write")
        file.write(data)
        file.flush()
        failpoint("store.sync")
        os.fsync(file.fileno())
    return hashlib.sha256(data).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sealed(name: str, digest: str) -> bytes:
    """What ``v0001.sha256`` holds, as ``sha256sum -c`` reads it."""
    return f"{digest}  {name}/manifest.json\n".encode()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        failpoint("store.sync_folder")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
