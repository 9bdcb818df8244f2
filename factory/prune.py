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
from typing import IO, Any, NamedTuple, cast

from factory.chat_rows import BadRowError, lines_of, open_rows, read_row
from factory.drafts import drafts
from factory.halves import in_halves
from filters.apply import Candidate, Filter, Foreseeing, Remembering, first_drop
from generators.errors import UsageError
from generators.records import Chunk, Pair, Reject

_BLOCK_ROWS = 1 << 16
_BLOCK_BYTES = 1 << 25
_BAD_ROW = "bad_row"
_RAW_SHOWN = 2000
# So many broken lines are named on the screen; all stand among the rejects.
_NAMED = 5
_AS_LINE = json.JSONEncoder(ensure_ascii=False).encode
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


class _Line(NamedTuple):
    """A line of the file: its number, its bytes, and how many there were."""

    number: int
    raw: bytes
    length: int


# What a line says by itself: why it goes, or None; its question, its answer, and the digests of the filters.
_Look = tuple[Reject | None, str, str, Sequence[Any]]


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
            if pruned.rows and pruned.rows == pruned.dropped[_BAD_ROW]:
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
    for line in map(_Line._make, lines):
        block.append(line)
        size += len(line.raw)
        if len(block) == _BLOCK_ROWS or size > _BLOCK_BYTES:
            yield block
            block, size = [], 0
    yield block


def _sort_out(
    block: list[_Line], filters: Sequence[Filter], kept: IO[bytes], rejected: IO[bytes], pruned: Pruned
) -> None:
    """Judge a block and write its lines: first what each row says by itself, then row after row against those kept."""
    comparing = [each for each in filters if isinstance(each, Remembering)]
    for line, reject, candidate in _looked_at(block, filters):
        reject = reject or first_drop(candidate, comparing)
        if reject is not None:
            _reject(line, reject, rejected, pruned)
            continue
        for each in comparing:
            each.remember(candidate)
        kept.write(line.raw if line.raw.endswith(b"\n") else line.raw + b"\n")
    pruned.rows += len(block)
    pruned.kept = pruned.rows - pruned.dropped.total()


def _looked_at(block: list[_Line], filters: Sequence[Filter]) -> Iterator[tuple[_Line, Reject | None, Candidate]]:
    """Read the lines, drop those that go for their own sake, and announce the others to the filters that compare."""
    alone = [each for each in filters if not isinstance(each, Remembering)]
    foreseeing = [each for each in filters if isinstance(each, Foreseeing)]
    # What this process read it need not make again.
    made = dict[int, Candidate]()
    looks = in_halves(lambda line: _look(line, alone, foreseeing, made), block)
    rejects = [look[0] for look in looks]
    candidates = [
        made.get(line.number) or _candidate(line.number, question, answer)
        for line, (_, question, answer, _) in zip(block, looks, strict=True)
    ]  # fmt: skip
    passed = [candidate for candidate, reject in zip(candidates, rejects, strict=True) if reject is None]
    for place, each in enumerate(foreseeing):
        each.foresee(passed, [digests[place] for reject, _, _, digests in looks if reject is None])
    return zip(block, rejects, candidates, strict=True)


def _look(
    line: _Line, alone: Sequence[Filter], foreseeing: Sequence[Foreseeing], made: dict[int, Candidate]
) -> _Look:  # fmt: skip
    """Read a line and judge it by itself; note the candidate."""
    try:
        question, answer = read_row(line.raw, line.length)
    except BadRowError as error:
        raw = line.raw[:_RAW_SHOWN].decode(errors="replace")
        return Reject("read", _BAD_ROW, f"line {line.number}: {error}", raw=raw), "", "", ()
    candidate = made[line.number] = _candidate(line.number, question, answer)
    reject = first_drop(candidate, alone)
    return reject, question, answer, () if reject else [each.digest(candidate) for each in foreseeing]


def _candidate(number: int, question: str, answer: str) -> Candidate:
    """A row as the filters take it: without a section."""
    name = f"line {number}"
    return Candidate(Pair(name, name, question, answer, (), "", "", "", "", _NO_SCORES), _NO_CHUNK)


def _reject(line: _Line, reject: Reject, rejected: IO[bytes], pruned: Pruned) -> None:
    """Write a line that is not kept: as it stands, if it is JSON, with the reason before it."""
    pruned.dropped[reject.reason] += 1
    pruned.examples.setdefault(reject.reason, f"line {line.number}: {reject.detail}")
    no_row = reject.reason == _BAD_ROW
    if no_row and len(pruned.bad) < _NAMED:
        pruned.bad.append(reject.detail)
    entry = {
        "stage": reject.stage,
        "reason": reject.reason,
        "detail": reject.detail,
        "line": line.number,
        "twin": reject.twin,
        "similarity": reject.similarity,
    }
    if no_row:
        rejected.write(_AS_LINE({**entry, "raw": reject.raw}).encode("utf-8", "replace") + b"\n")
        return
    head = _AS_LINE(entry)[:-1].encode("utf-8", "replace")
    rejected.write(b'%s, "row": %s}\n' % (head, line.raw.strip()))
