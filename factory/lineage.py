"""Which sections of an earlier version a new section was made of: edited, retitled, split or merged.

    sections that are gone + sections that are new ─▶ Lineage(ancestors, heirs)

A section's id changes with every word, so an edited one is one that is gone and one that is new. Of two that could be
meant, those that share most text win, then those of the same document and heading. API documentation repeats itself:
what two sections share with many others tells little, so each section has one ancestor, unless two became one, and one
heir, unless one became two.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from generators.records import Chunk
from generators.statements import passages

# What stands in more sections than this leads to none of them.
_COMMON = 20
_SAME_DOCUMENT, _SAME_TITLE, _SAME_HEADING = 0.3, 0.3, 0.2
# A section without a counterpart belongs to one that holds at least this share of it, or that it holds.
_PART = 0.5


@dataclass(frozen=True, slots=True)
class Lineage:
    """New section → the old ones it was made of, the likeliest first; and the other way round."""

    ancestors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    heirs: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Section:
    chunk: Chunk
    order: int
    passages: frozenset[str]
    size: int

    def shared(self, other: "_Section") -> int:
        """Characters of the passages that stand in both."""
        return sum(map(len, self.passages & other.passages))


def trace(gone: Iterable[Chunk], new: Iterable[Chunk]) -> Lineage:
    """Match what is gone with what is new."""
    old, fresh = _sections(gone), _sections(new)
    related = (pair for pair in _candidates(old, fresh) if _related(*pair))
    ranked = sorted(related, key=lambda pair: (-_likeness(*pair), pair[1].order, pair[0].order))
    main = _one_to_one(ranked)
    matched_old, matched_new = {one.chunk.id for one, _ in main}, {other.chunk.id for _, other in main}
    ancestors, heirs = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    # A part of a section that was split has no ancestor of its own, a part of one that was merged no heir.
    parts = (pair for pair in ranked if pair[0].chunk.id not in matched_old or pair[1].chunk.id not in matched_new)
    for one, other in [*main, *_parts(parts, matched_old, matched_new)]:
        ancestors[other.chunk.id].append(one.chunk.id)
        heirs[one.chunk.id].append(other.chunk.id)
    return Lineage(dict(ancestors), dict(heirs))


def _sections(chunks: Iterable[Chunk]) -> list[_Section]:
    found = []
    for order, chunk in enumerate(chunks):
        said = frozenset(passages(chunk.text))
        found.append(_Section(chunk, order, said, sum(map(len, said))))
    return found


def _candidates(old: Sequence[_Section], new: Sequence[_Section]) -> list[tuple[_Section, _Section]]:
    """Pairs that share a telling passage, or their document and title."""
    holders = defaultdict[str, list[_Section]](list)
    neighbours = defaultdict[tuple[str, str], list[_Section]](list)
    for section in old:
        neighbours[_place(section.chunk)].append(section)
        for passage in section.passages:
            holders[passage].append(section)
    found: dict[tuple[str, str], tuple[_Section, _Section]] = {}
    for section in new:
        telling = (holders[passage] for passage in section.passages if len(holders.get(passage, ())) <= _COMMON)
        beside = neighbours.get(_place(section.chunk), ())
        for others in (*telling, beside if len(beside) <= _COMMON else ()):
            for other in others:
                found[other.chunk.id, section.chunk.id] = (other, section)
    return list(found.values())


def _place(chunk: Chunk) -> tuple[str, str]:
    return chunk.document, chunk.heading[-1] if chunk.heading else ""


def _likeness(old: _Section, new: _Section) -> float:
    """Text that both hold, of all that they hold, and whether they stand in the same place; at most 1.8."""
    shared = old.shared(new)
    one, other = old.chunk, new.chunk
    titled = one.heading[-1:] == other.heading[-1:]
    place = _SAME_DOCUMENT * (one.document == other.document) + _SAME_TITLE * titled
    return shared / max(1, old.size + new.size - shared) + place + _SAME_HEADING * (one.heading == other.heading)


def _related(old: _Section, new: _Section) -> bool:
    """Whether one can have become the other: what it says alone would make all boilerplate kin."""
    one, other = old.chunk, new.chunk
    if one.document == other.document and one.heading[-1:] == other.heading[-1:]:
        return True
    if one.document != other.document and one.heading != other.heading:
        return False
    return old.shared(new) >= _PART * max(1, min(old.size, new.size))


def _one_to_one(ranked: Iterable[tuple[_Section, _Section]]) -> list[tuple[_Section, _Section]]:
    chosen, old, new = list[tuple[_Section, _Section]](), set[str](), set[str]()
    for pair in ranked:
        if pair[0].chunk.id not in old and pair[1].chunk.id not in new:
            chosen.append(pair)
            old.add(pair[0].chunk.id)
            new.add(pair[1].chunk.id)
    return chosen


def _parts(
    ranked: Iterable[tuple[_Section, _Section]], old: set[str], new: set[str]
) -> list[tuple[_Section, _Section]]:
    """What was split off, or merged in: the larger holds most of it."""
    return [
        (one, other)
        for one, other in ranked
        if (other.chunk.id not in new and one.shared(other) >= _PART * max(1, other.size))
        or (one.chunk.id not in old and one.shared(other) >= _PART * max(1, one.size))
    ]
