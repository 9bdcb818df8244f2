"""What a version covers: page by page and section by section, the kinds of pairs that came of it, and why none did.

    coverage(version) ─▶ [Page(path, [Section(accepted, rejected, why)])];  coverage_table(…) ─▶ Markdown

A section is covered when a pair of it was accepted; a question that the documents do not answer stands beside a
section, and covers none. ``why`` says of an uncovered one what became of its pairs: the rejects' reasons,
``not_asked``, or ``no_pair`` where the reply held nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from factory.store import Version
from generators.chunk_records import read_chunks
from generators.records import Chunk, Reject
from generators.unanswerable import KIND

Counts = Counter[str]
_MOST = 3
_UNREAD = "reply"  # the kind of what was rejected before it was a pair


@dataclass(frozen=True, slots=True)
class Section:
    """One section: accepted pairs by kind, rejects by kind and reason, and why it has no pair, if it has none."""

    chunk: str
    lines: str
    heading: tuple[str, ...]
    accepted: Counts
    rejected: Mapping[str, Counts]
    why: Counts

    @property
    def covered(self) -> bool:
        """Whether a pair of it was accepted."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Page:
    """One document with its sections."""

    path: str
    sections: tuple[Section, ...]

    @property
    def covered(self) -> int:
        """How many of its sections have a pair."""
        return sum(section.covered for section in self.sections)

    @property
    def accepted(self) -> Counts:
        """Accepted pairs by kind."""
        return _total(section.accepted for section in self.sections)

    @property
    def rejected(self) -> Counts:
        """Rejects by reason."""
        return _total(reasons for section in self.sections for reasons in section.rejected.values())

    @property
    def why(self) -> Counts:
        """Why its uncovered sections have no pair."""
        return _total(section.why for section in self.sections)


def coverage(version: Version) -> list[Page]:
    """Count for each document of a version, in its order."""
    accepted: dict[str, Counts] = defaultdict(Counter)
    for row in version.rows:
        accepted[row.pair.chunk][row.pair.kind] += 1
    rejects: dict[str, list[Reject]] = defaultdict(list)
    for reject in version.rejects:
        rejects[reject.chunk].append(reject)
    chunks = {chunk.id: chunk for chunk in read_chunks(version.path)}
    asked = version.manifest["asked"]

    def section(chunk: str) -> Section:
        known = chunks.get(chunk, Chunk(chunk, "", (), "", 0, 0, 0))
        kinds, failed = accepted.get(chunk, Counter()), rejects.get(chunk, [])
        why = Counter() if kinds.keys() - {KIND} else _why(failed, asked=bool(asked.get(chunk)))
        return Section(chunk, known.lines if known.text else "", known.heading, kinds, _by_kind(failed), why)

    return [Page(entry["path"], tuple(map(section, entry["chunks"]))) for entry in version.manifest["documents"]]


def _by_kind(rejects: Iterable[Reject]) -> dict[str, Counts]:
    found: dict[str, Counts] = defaultdict(Counter)
    for reject in rejects:
        found[reject.pair.kind if reject.pair else _UNREAD][reject.reason] += 1
    return dict(found)


def _why(rejects: Sequence[Reject], *, asked: bool) -> Counts:
    return Counter(reject.reason for reject in rejects) or Counter({"no_pair" if asked else "not_asked": 1})


def _total(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counter[str]())


def coverage_json(pages: Sequence[Page]) -> dict[str, Any]:
    """The whole map as plain values."""
    return {
        **_sums(pages),
        "pages": [
            {
                "path": page.path,
                "sections": len(page.sections),
                "covered": page.covered,
                "accepted": _ordered(page.accepted),
                "rejected": _ordered(page.rejected),
                "why": _ordered(page.why),
                "chunks": [_section_json(section) for section in page.sections],
            }
            for page in pages
        ],
    }


def _sums(pages: Sequence[Page]) -> dict[str, int]:
    return {
        "sections": sum(len(page.sections) for page in pages),
        "covered": sum(page.covered for page in pages),
        "pages_without_pairs": sum(bool(page.sections) and not page.covered for page in pages),
    }


def _section_json(section: Section) -> dict[str, Any]:
    return {
        "chunk": section.chunk,
        "lines": section.lines,
        "heading": list(section.heading),
        "accepted": _ordered(section.accepted),
        "rejected": {kind: _ordered(reasons) for kind, reasons in section.rejected.items()},
        "why": _ordered(section.why),
    }


def _ordered(counts: Counts) -> dict[str, int]:
    return dict(counts.most_common())


def coverage_table(pages: Sequence[Page], most: int | None = None) -> str:
    """A sentence and a Markdown table, the least covered pages first; of ``most`` pages, if given."""
    sums = _sums(pages)
    ranked = sorted(pages, key=lambda page: (page.covered / max(1, len(page.sections)), page.path))
    shown = ranked[:most]
    lines = [
        f"{sums['covered']} of {sums['sections']} sections in {len(pages)} pages have pairs; "
        f"pages without any: {sums['pages_without_pairs']}.",
        "",
        "| page | sections with pairs | pairs | kinds | rejected | why the other sections have none |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {_cell(page.path)} | {page.covered} of {len(page.sections)} | {page.accepted.total()} | "
        f"{_most(page.accepted)} | {_most(page.rejected)} | {_most(page.why)} |"
        for page in shown
    ]
    if len(shown) < len(ranked):
        lines += ["", f"{len(ranked) - len(shown)} more pages: factory report --coverage"]
    return "\n".join(lines)


def _most(counts: Counts) -> str:
    shown = ", ".join(f"{_cell(name)} {count}" for name, count in counts.most_common(_MOST))
    return f"{shown}, …" if len(counts) > _MOST else shown


def _cell(text: str) -> str:
    """Text that does not end a cell, nor act as HTML."""
    return "".join(c if c.isprintable() else "?" for c in text).replace("|", "\\|").replace("<", "&lt;")
