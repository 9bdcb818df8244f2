"""``factory filter``, for people: a JSONL file pruned into a folder, or the workspace's pairs judged again.

flags ─▶ Said(text for stdout, exit code); notes on stderr
"""

import json
import signal
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from factory.config import Settings, resolve
from factory.funnel_counts import count_stages, funnel_table
from factory.prune import Pruned, prune
from factory.visible import visible
from filters import FILTERS, NEED_SECTION
from filters.apply import FilterConfig, active, known_filters, make_filters
from generators.errors import ExitCode, StoppedError, UsageError
from generators.records import Reject


@dataclass(frozen=True, slots=True)
class Said:
    """What a command prints on stdout, its notes on stderr, and its exit code."""

    text: str
    notes: Sequence[str] = ()
    code: int = ExitCode.DONE


def run_filter(file: str | None, to: str | None, flags: Mapping[str, Any], *, as_json: bool) -> Said:
    """``factory filter [FILE --to DIR | --out DIR]``."""
    settings = resolve(flags, Path.cwd())
    if file is None and to is not None:
        raise UsageError("--to goes with a file: factory filter FILE --to DIR")
    if file is not None and flags.get("out") is not None:
        raise UsageError("give either a file with --to, or a workspace with --out")
    config = chosen(settings, flags["only"], flags["skip"])
    if file is None:
        return reprune_workspace(settings, config, as_json=as_json)
    return prune_file(file, to, config, as_json=as_json)


def chosen(settings: Settings, only: Iterable[str], skip: Iterable[str]) -> FilterConfig:
    """The thresholds, and the filters to leave out: all but ``only``; those of ``skip`` and of the settings."""
    wanted, unwanted = _names(only), _names(skip)
    known_filters((*wanted, *unwanted))
    # A filter that is asked for by name runs, though the settings leave it out.
    left_out = [name for name in FILTERS if name not in wanted] if wanted else settings.filters.skip
    skipped = tuple(dict.fromkeys((*left_out, *unwanted)))
    if set(FILTERS) - {"semantic_duplicate" if not wanted else ""} <= set(skipped):
        raise UsageError("no filter is left: give other names to --only or --skip")
    semantic = settings.filters.semantic or "semantic_duplicate" in wanted
    return replace(settings.filters, skip=skipped, semantic=semantic)


def _names(given: Iterable[str]) -> list[str]:
    return [name.strip() for part in given for name in part.split(",") if name.strip()]


def prune_file(source: str, to: str | None, config: FilterConfig, *, as_json: bool) -> Said:
    """``factory filter FILE --to DIR``."""
    signal.signal(signal.SIGTERM, _stopped)
    if to is None:
        raise UsageError("say which folder to write to: factory filter FILE --to DIR")
    absent = [name for name in FILTERS if name in NEED_SECTION and name not in config.skip]
    if set(FILTERS) <= {*config.skip, *absent}:
        raise UsageError(f"{absent[0]} needs the section that a pair was made from, which a file of rows does not hold")
    filters = make_filters(replace(config, skip=(*config.skip, *absent)))
    pruned = prune(Path(source).expanduser(), Path(to).expanduser(), filters)
    notes = [visible(line) for line in _notes(pruned, absent)]
    if as_json:
        found = {"rows": pruned.rows, "kept": pruned.kept, "dropped": _ordered(pruned.dropped)}
        return Said(json.dumps({**found, "path": str(pruned.path)}), notes)
    names = ["bad_row", *(each.name for each in filters)]
    table = funnel_table(count_stages(names, pruned.rows, pruned.dropped), pruned.examples)
    return Said(f"{table}\n\nkept {pruned.kept} of {pruned.rows} rows: {visible(str(pruned.path))}", notes)


def reprune_workspace(settings: Settings, config: FilterConfig, *, as_json: bool) -> Said:
    """``factory filter --out DIR``."""
    # A file of rows needs neither.
    from factory.reprune import reprune
    from factory.store import Workspace

    root = Path(settings.out).expanduser()
    if not root.is_dir():
        raise UsageError(f"there is no workspace {root}: give another --out, or a file and --to")
    workspace = Workspace(root)
    with workspace.locked():
        found = reprune(workspace, settings, config)
    dropped = Counter(reject.reason for reject in found.rejects)
    if as_json:
        counts = {"rows": found.judged, "kept": found.kept, "dropped": _ordered(dropped)}
        return Said(json.dumps({**counts, "path": str(found.path)}), found.notes)
    examples = {reject.reason: _example(reject) for reject in reversed(found.rejects)}
    # What leaks the test is no filter's: it is named where there is some.
    names = [*active(config), *sorted({reject.reason for reject in found.rejects} - FILTERS.keys())]
    table = funnel_table(count_stages(names, found.judged, dropped), examples)
    what = "published" if found.published else "unchanged"
    return Said(
        f"{table}\n\nkept {found.kept} of {found.judged} pairs\n{what}: {visible(str(found.path))}", found.notes
    )


def _example(reject: Reject) -> str:
    return f"{reject.pair.question} – {reject.detail}" if reject.pair else reject.detail


def _stopped(number: int, frame: object) -> NoReturn:  # noqa: ARG001 - a signal handler's arguments
    raise StoppedError("stopped; nothing was written")


def _notes(pruned: Pruned, absent: Sequence[str]) -> list[str]:
    """What a person should know beside the counts."""
    lines = [f"not a row: {detail}" for detail in pruned.bad]
    more = pruned.dropped["bad_row"] - len(pruned.bad)
    if more:
        lines.append(f"not a row: {more} more lines, see {pruned.path.parent / 'rejected.jsonl'}")
    if absent:
        lines.append(f"left out, for they judge a pair by the section it was made from: {', '.join(absent)}")
    if not pruned.rows:
        lines.append("the file holds no rows")
    return lines


def _ordered(dropped: dict[str, int]) -> dict[str, int]:
    return dict(sorted(dropped.items()))
