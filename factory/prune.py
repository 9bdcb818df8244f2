"""``factory filter FILE``: prune anyone's chat JSONL through the funnel, line by line.

    rows.jsonl ─▶ DIR/rows.jsonl (the lines that are kept, byte for byte), DIR/rejected.jsonl (the others, and why)

Read in blocks, so that memory is bounded by what the filters remember of the kept rows. Of two twins the earlier line
stays. Filters that judge a pair by the section it was made from have nothing to judge here and are left out.
"""

import gc
import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from factory.chat_rows import BadRowError, lines_of, open_rows, read_row
from factory.drafts import drafts
from factory.halves import in_halves
from filters.apply import Candidate, Filter, Foreseeing, Remembering, first_drop
from generators.errors import UsageError
from generators.records import Chunk, Pair, Reject

_BLOCK_ROWS = 1 << 16
_BLOCK_BYTES = 1 << 25
_RAW_SHOWN = 2000
# So many broken lines are named on the screen; all stand among the rejects.
_NAMED = 5
_NO_SCORES: dict[str, float] = {}
_NO_CHUNK = Chunk("", "", (), "", 0, 0, 0)


@dataclass(slots=True)
class Pruned:
    """What came of a file: counts, an example and the first line for each reason."""

    path: Path
    rows: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    bad: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Line:
    number: int
    raw: bytes
    candidate: Candidate | None
    reject: Reject | None


def prune(source: Path, folder: Path, filters: Sequence[Filter]) -> Pruned:
    """Write the kept and the rejected lines of a file; ``UsageError`` if none is a row, or over the input."""
    target = folder / source.name
    if source.name == "rejected.jsonl":
        raise UsageError(f"{source} has the name of the file of rejects: rename it first")
    pruned = Pruned(target)
    with _uncollected(), open_rows(source) as (file, zipped):
        if folder.is_dir() and any(_same(source, folder / name) for name in (source.name, "rejected.jsonl")):
            raise UsageError(f"{target} is the input itself: give another --to")
        with drafts(folder, ["rejected.jsonl", source.name]) as [rejected, plain], ExitStack() as stack:
            kept = stack.enter_context(_gzipped(plain)) if zipped else plain
            for block in _blocks(lines_of(file)):
                _sort_out(block, filters, kept, rejected, pruned)
            if pruned.rows and pruned.rows == pruned.dropped["bad_row"]:
                raise UsageError(f"{source} holds no chat rows: {pruned.bad[0]}; nothing is written")
    return pruned


@contextmanager
def _uncollected() -> Iterator[None]:
    """Not search for circles: there are many small records, none of them in one, and it would take a third longer."""
    were = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if were:
            gc.enable()


def _same(source: Path, target: Path) -> bool:
    return target.exists() and target.samefile(source)


def _gzipped(file: IO[bytes]) -> IO[bytes]:
    # Without name and time: the same rows give the same bytes.
    return cast("IO[bytes]", gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0))


def _blocks(lines: Iterable[tuple[int, bytes, int]]) -> Iterator[list[_Line]]:
    block, size = list[_Line](), 0
    for number, raw, length in lines:
        block.append(_read(number, raw, length))
        size += len(raw)
        if len(block) == _BLOCK_ROWS or size > _BLOCK_BYTES:
            yield block
            block, size = [], 0
    yield block


def _read(number: int, raw: bytes, length: int) -> _Line:
    """A line as a candidate without a section, or as a reject."""
    try:
        question, answer = read_row(raw, length)
    except BadRowError as error:
        text = raw[:_RAW_SHOWN].decode(errors="replace")
        return _Line(number, raw, None, Reject("read", "bad_row", f"line {number}: {error}", raw=text))
    name = f"line {number}"
    return _Line(
        number, raw, Candidate(Pair(name, name, question, answer, (), "", "", "", "", _NO_SCORES), _NO_CHUNK), None
    )


def _sort_out(
    block: list[_Line], filters: Sequence[Filter], kept: IO[bytes], rejected: IO[bytes], pruned: Pruned
) -> None:
    """Judge a block and write its lines: first what each row says by itself, then row after row against those kept."""
    alone = [each for each in filters if not isinstance(each, Remembering)]
    comparing = [each for each in filters if isinstance(each, Remembering)]
    _look_at_each(block, alone, [each for each in comparing if isinstance(each, Foreseeing)])
    for line in block:
        if line.candidate is not None and line.reject is None:
            line.reject = first_drop(line.candidate, comparing)
        if line.candidate is None or line.reject is not None:
            _reject(line, cast("Reject", line.reject), rejected, pruned)
            continue
        for each in comparing:
            each.remember(line.candidate)
        kept.write(line.raw if line.raw.endswith(b"\n") else line.raw + b"\n")
    pruned.rows += len(block)
    pruned.kept = pruned.rows - pruned.dropped.total()


def _look_at_each(block: list[_Line], alone: Sequence[Filter], foreseeing: Sequence[Foreseeing]) -> None:
    """Drop what is to be dropped for its own sake, and announce the others."""

    def said_of(line: _Line) -> tuple[Reject | None, list[Any]]:
        candidate = cast("Candidate", line.candidate)
        reject = first_drop(candidate, alone)
        return reject, [] if reject else [each.digest(candidate) for each in foreseeing]

    rows = [line for line in block if line.candidate is not None]
    said = in_halves(said_of, rows)
    for line, (reject, _) in zip(rows, said, strict=True):
        line.reject = reject
    passed = [cast("Candidate", line.candidate) for line in rows if line.reject is None]
    for place, each in enumerate(foreseeing):
        each.foresee(passed, [digests[place] for reject, digests in said if reject is None])


def _reject(line: _Line, reject: Reject, rejected: IO[bytes], pruned: Pruned) -> None:
    """Write a line that is not kept: as it stands, if it is JSON, with the reason before it."""
    pruned.dropped[reject.reason] += 1
    pruned.examples.setdefault(reject.reason, f"line {line.number}: {reject.detail}")
    if line.candidate is None and len(pruned.bad) < _NAMED:
        pruned.bad.append(reject.detail)
    entry = {
        "stage": reject.stage,
        "reason": reject.reason,
        "detail": reject.detail,
        "line": line.number,
        "twin": reject.twin,
        "similarity": reject.similarity,
    }
    if line.candidate is None:
        rejected.write(json.dumps({**entry, "raw": reject.raw}, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        return
    head = json.dumps(entry, ensure_ascii=False)[:-1].encode("utf-8", "replace")
    rejected.write(b'%s, "row": %s}\n' % (head, line.raw.strip()))
