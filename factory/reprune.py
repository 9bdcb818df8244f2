"""``factory filter`` on a workspace: judge the pairs of the latest version again, without a request.

    last version + documents + thresholds ─▶ Repruned(rows, rejects, new version or the same)

Judged are the published rows, and the pairs that a filter rejected, the published ones first: with the same thresholds
nothing changes. Pairs whose section is no longer in the documents, or cannot be looked up, keep what was decided by it.
"""

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from factory import __version__
from factory.card import dataset_card
from factory.compose import leak_reject, reworded
from factory.config import Settings
from factory.corpus import Corpus, read_corpus
from factory.inputs import funnel_config
from factory.manifest import count_pairs, former_places, funnel_of, places_so_far
from factory.plan import Plan, is_made, is_own
from factory.retired import retire, retired_record
from factory.store import Row, Source, Version, Workspace
from filters import NEED_SECTION
from filters.alike_meanings import by_meaning
from filters.apply import Candidate, Drop, Filter, FilterConfig, funnel, make_filters
from filters.holdout import Place, SplitConfig, assign
from filters.leakage import settle
from generators.asking import Spent
from generators.chunk_records import read_chunks
from generators.errors import UsageError
from generators.joined import without_halves
from generators.records import Chunk, Document, Pair, Reject, Skipped
from generators.rewordings import TEACHER as RULE
from generators.templates import load_template


@dataclass(slots=True)
class Repruned:
    """What came of it: pairs judged, rejects of the filters and of the split, and the version that holds the result."""

    path: Path
    published: bool
    judged: int
    kept: int
    rejects: list[Reject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def reprune(workspace: Workspace, settings: Settings, config: FilterConfig) -> Repruned:
    """Judge again and publish if a row came or went; the workspace must be locked."""
    previous = workspace.latest()
    if previous is None:
        raise UsageError(f"nothing is published in {workspace.root}: run 'factory generate --docs … --out' first")
    notes = list[str]()
    chunks = _chunks(settings, previous, notes)
    config = _settled(config, settings, previous)
    pairs, rejected, others = _candidates(previous, chunks)
    own = [pair for pair in pairs if is_own(pair) and pair.teacher != RULE]
    accepted, rejects = _judge([pair for pair in pairs if not is_own(pair)], rejected, chunks, config)
    staying = {pair.id for pair in accepted}
    # What was joined of a pair that goes is not judged: it goes with it.
    own = without_halves(made := own, (pair for pair in pairs if not is_own(pair) and pair.id not in staying))
    judged = len(pairs) + len(rejected) - (len(made) - len(own))
    wordings = reworded(accepted, settings.rewordings if any(pair.teacher == RULE for pair in pairs) else 0)
    accepted = [*own, *accepted, *(pair for each in wordings.values() for pair in each)]
    places, leaks = _places(settings, config, previous, accepted)
    accepted = [pair for pair in accepted if pair.id in places]
    absent = sum(pair.chunk not in chunks for pair in pairs)
    if absent:
        notes.append(f"{absent} pairs are of sections that cannot be looked up: judged without them")
    found = Repruned(previous.path, False, judged, len(accepted), [*rejects, *leaks], notes)
    if {pair.id for pair in accepted} == {row.pair.id for row in previous.rows}:
        return found
    if not accepted:
        raise UsageError("no pair would be left: nothing is published; give other filters or thresholds")
    found.path = _publish(workspace, config, previous, accepted, [*others, *rejects, *leaks], chunks, places)
    found.published = True
    return found


def _chunks(settings: Settings, previous: Version, notes: list[str]) -> dict[str, Chunk]:
    """The sections of the documents by id, read again; none if nobody knows where they are."""
    docs = settings.docs or tuple(previous.manifest.get("docs", ()))
    try:
        globs = (settings.include, settings.exclude)
        corpus = read_corpus(docs, *globs, settings.privacy, _unheard, workspace=settings.out) if docs else Corpus()
    except UsageError as error:
        notes.append(f"the documents cannot be read ({error})")
        return {}
    return corpus.chunks


def _unheard(item: Document | Skipped) -> None:
    """Say nothing of what is read: ``generate`` did."""


def _settled(config: FilterConfig, settings: Settings, previous: Version) -> FilterConfig:
    """The thresholds as ``generate`` would have them, with the product and the kind of prompt of the last version."""
    before = previous.manifest["filters"]
    product = settings.product or before["known_names"][-1]
    try:
        bound = load_template(previous.manifest["template"]["name"]).constants.bound_quotes
    except UsageError:
        bound = bool(before["answer_overlap"])
    return funnel_config(config, product, bound=bound)


def _candidates(previous: Version, chunks: Mapping[str, Chunk]) -> tuple[list[Pair], list[Pair], list[Reject]]:
    """Published pairs, pairs that a filter rejected, and the rejects that are not ours to judge."""
    published = [row.pair for row in previous.rows]
    known = {pair.id for pair in published}
    # The twin of a pair that stays out for another reason, such as the target, stays out with it.
    aside = {each.pair.id for each in previous.rejects if each.pair is not None and each.stage != "filter"}
    rejected, others = list[Pair](), list[Reject]()
    for reject in previous.rejects:
        pair = reject.pair
        lost = reject.reason in NEED_SECTION and reject.chunk not in chunks
        lost = lost or reject.twin in aside
        if reject.stage != "filter" or pair is None or pair.id in known or lost:
            others.append(reject)
        else:
            known.add(pair.id)
            rejected.append(pair)
    return published, rejected, others


def _judge(
    published: Sequence[Pair], rejected: Sequence[Pair], chunks: Mapping[str, Chunk], config: FilterConfig
) -> tuple[list[Pair], list[Reject]]:
    """Run both through the funnel, the rejected ones against what is left of the published."""
    first = funnel(_with_sections(published, chunks), _filters(config))
    kept = _with_sections(first.kept, chunks)
    second = funnel(_with_sections(rejected, chunks), _filters(config), kept)
    return [*first.kept, *second.kept], [*first.rejects, *second.rejects]


@dataclass(frozen=True, slots=True)
class _BySection:
    """A filter that judges a pair by its section, held back where there is none to look up."""

    inner: Filter

    @property
    def name(self) -> str:
        """What it drops."""
        return self.inner.name

    def judge(self, candidate: Candidate) -> Drop | None:
        """Judge as the filter does, or keep."""
        return self.inner.judge(candidate) if candidate.chunk.document else None


def _filters(config: FilterConfig) -> list[Filter]:
    return [_BySection(each) if each.name in NEED_SECTION else each for each in make_filters(config)]


def _with_sections(pairs: Iterable[Pair], chunks: Mapping[str, Chunk]) -> list[Candidate]:
    """Pairs with their sections; one that cannot be looked up is stood in for by what the pair itself says."""
    found = []
    for pair in pairs:
        text = "\n".join((*pair.quotes, pair.question, pair.answer))
        found.append(Candidate(pair, chunks.get(pair.chunk) or Chunk(pair.chunk, "", (), text, 0, 0, 0)))
    return found


def _publish(
    workspace: Workspace,
    config: FilterConfig,
    previous: Version,
    accepted: Sequence[Pair],
    rejects: Sequence[Reject],
    chunks: Mapping[str, Chunk],
    places: Mapping[str, Place],
) -> Path:
    """Publish a version that differs from the last in its rows and rejects alone."""
    before = previous.manifest
    rows = _rows(previous, accepted, chunks, places)
    manifest: dict[str, Any] = {
        **{key: value for key, value in before.items() if key not in ("format", "version", "files")},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "previous": previous.name,
        "filters": asdict(config),
        "filters_before": [],
        "former_places": former_places(previous, rows),
        **count_pairs(rows, rejects),
        "funnel": funnel_of(config, rows, rejects),
        "run": asdict(Spent()),
        "versions": {**before["versions"], "factory": __version__, "python": platform.python_version()},
    }
    card, sections = dataset_card(before["name"], manifest), read_chunks(previous.path)
    # Nothing was asked and no document changed: what went was dropped, or stood beside what was.
    retired = map(retired_record, retire(previous, rows, rejects, Plan()))
    return workspace.publish(rows, rejects, manifest, card, before["system_prompt"], sections, retired)


def _places(
    settings: Settings, config: FilterConfig, previous: Version, pairs: Sequence[Pair]
) -> tuple[Mapping[str, Place], Sequence[Reject]]:
    """Each pair in the split it had or is now given, and what would leak the test."""
    held = {chunk for entry in previous.manifest["documents"] if entry["held_out"] for chunk in entry["chunks"]}
    shares = SplitConfig(
        settings.test_share, settings.validation_share, settings.unseen_share, previous.manifest["seed"]
    )
    before = places_so_far(previous)
    settled = settle(pairs, assign(pairs, held, before, shares), before, by_meaning(config))
    return settled.places, [leak_reject(leak) for leak in settled.leaks if not is_made(leak.pair)]


def _rows(
    previous: Version, accepted: Sequence[Pair], chunks: Mapping[str, Chunk], places: Mapping[str, Place]
) -> list[Row]:
    homes = {chunk: entry["path"] for entry in reversed(previous.manifest["documents"]) for chunk in entry["chunks"]}
    known = {row.pair.id: row for row in previous.rows}
    rows = []
    for pair in accepted:
        lines = chunks[pair.chunk].lines if pair.chunk in chunks else ""
        sources = tuple(
            Source(homes.get(each, ""), each, chunks[each].lines if each in chunks else "") for each in pair.chunks
        )
        row = known.get(pair.id) or Row(pair, places[pair.id], homes.get(pair.chunk, ""), lines, sources)
        rows.append(replace(row, pair=pair, place=places[pair.id]))
    return rows
