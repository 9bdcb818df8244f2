"""Which pages a version covers, with what kinds of questions, and why it does not cover the others.

    coverage(version) ─▶ [PageCoverage(path, chunks, covered, kinds, reasons)];  coverage_table(…) ─▶ text

A chunk is covered when a pair of it was accepted. The reasons are those of the rejects of its uncovered chunks; a chunk
without any was not asked about yet, or its reply held nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from factory.store import Version

_MOST = 3


@dataclass(frozen=True, slots=True)
class PageCoverage:
    """How well one document is covered.

    Attributes:
        path: Of the document.
        chunks: How many it has.
        covered: How many of them have an accepted pair.
        kinds: Accepted pairs by kind.
        rejected: All rejects of its chunks by reason.
        missing: Rejects of its uncovered chunks by reason; ``not_asked`` and ``no_pair`` where there are none.
    """

    path: str
    chunks: int
    covered: int
    kinds: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)


def coverage(version: Version) -> list[PageCoverage]:
    """Count for each document of a version, in its order."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for row in version.rows:
        kinds[row.pair.chunk][row.pair.kind] += 1
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for reject in version.rejects:
        reasons[reject.chunk][reject.reason] += 1
    asked = version.manifest["asked"]
    return [_page(entry, kinds, reasons, asked) for entry in version.manifest["documents"]]


def _page(
    entry: Any,  # noqa: ANN401 - a document of the manifest
    kinds: dict[str, Counter[str]],
    reasons: dict[str, Counter[str]],
    asked: dict[str, int],
) -> PageCoverage:
    chunks: Sequence[str] = entry["chunks"]
    without = [chunk for chunk in chunks if not kinds.get(chunk)]
    missing = _total(reasons.get(chunk) or _unexplained(chunk, asked) for chunk in without)
    return PageCoverage(
        entry["path"],
        len(chunks),
        len(chunks) - len(without),
        _total(kinds.get(chunk, Counter()) for chunk in chunks),
        _total(reasons.get(chunk, Counter()) for chunk in chunks),
        missing,
    )


def _unexplained(chunk: str, asked: dict[str, int]) -> Counter[str]:
    return Counter({"no_pair" if asked.get(chunk) else "not_asked": 1})


def _total(counts: Iterable[Counter[str]]) -> dict[str, int]:
    return dict(sum(counts, Counter[str]()).most_common())


def coverage_json(pages: Iterable[PageCoverage]) -> list[dict[str, Any]]:
    """The same as plain values."""
    return [asdict(page) for page in pages]


def coverage_table(pages: Sequence[PageCoverage]) -> str:
    """A Markdown table, the least covered pages first."""
    lines = ["| page | chunks with pairs | pairs | kinds | why others have none |", "|---|---|---|---|---|"]
    lines += [
        f"| {_cell(page.path)} | {page.covered} of {page.chunks} | {sum(page.kinds.values())} | "
        f"{_most(page.kinds)} | {_most(page.missing)} |"
        for page in sorted(pages, key=lambda page: (page.covered / max(1, page.chunks), page.path))
    ]
    return "\n".join(lines)


def _most(counts: dict[str, int]) -> str:
    shown = ", ".join(f"{_cell(name)} {count}" for name, count in list(counts.items())[:_MOST])
    return f"{shown}, …" if len(counts) > _MOST else shown


def _cell(text: str) -> str:
    """Text that does not end a cell, nor act as HTML."""
    return "".join(c if c.isprintable() else "?" for c in text).replace("|", "\\|").replace("<", "&lt;")
