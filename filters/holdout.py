"""Which split a pair belongs to: assigned once, by content, and kept ever after.

    (pairs, what was assigned before) ─▶ {pair id: Place(split, set)}

``unseen`` test: whole documents held out. ``seen`` test and validation: one wording of a fact whose other wordings are
trained. Everything follows hashes of content and the seed, so order, paths and the number of other pairs do not matter.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from generators.records import Pair

# No further document is held out that has so many times the sections that are wanted in all.
_MOST_TIMES = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands. ``set`` is ``seen`` or ``unseen`` for test rows, else empty."""

    split: str
    set: str = ""


_TRAIN = Place("train")


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """Shares of the splits.

    Attributes:
        test_share, validation_share: Of the wordings of trained facts.
        unseen_share: Of the documents, held out whole, and at least of their sections; one where there are ten.
        seed: Another seed gives another assignment.
    """

    test_share: float = 0.1
    validation_share: float = 0.1
    unseen_share: float = 0.05
    seed: int = 0


def hold_out(documents: Mapping[str, Sequence[str]], before: Mapping[str, bool], config: SplitConfig) -> set[str]:
    """Choose the documents held out whole.

    Args:
        documents: Path → ids of its chunks.
        before: Chunk id → whether it was held out in the last version; empty for a first version.
        config: The shares and the seed.

    Returns:
        Paths. A document follows what most of its known chunks were; only new ones are drawn, by the hash of content.
    """
    held, drawn = set[str](), dict[str, float]()
    for path, chunks in documents.items():
        known = [before[chunk] for chunk in chunks if chunk in before]
        if known:
            if sum(known) * 2 > len(known):
                held.add(path)
        elif chunks:
            drawn[path] = _draw("document", sorted(chunks), config.seed)
    held |= {path for path, number in drawn.items() if number < config.unseen_share}
    if config.unseen_share > 0 and len(documents) >= 10:
        first = min(drawn, key=lambda path: (drawn[path], path), default=None)
        if not held and first is not None:
            held.add(first)
        if not before:
            held |= set(_more(documents, held, drawn, config.unseen_share))
    return held


def _more(
    documents: Mapping[str, Sequence[str]], held: set[str], drawn: Mapping[str, float], share: float
) -> Iterator[str]:
    """Further documents, while those held out are so short that they would examine nothing (a licence, an index).

    Until they hold their share of the sections; none that holds several times that by itself.
    """
    wanted = share * sum(map(len, documents.values()))
    holding = sum(len(documents[path]) for path in held)
    for path in sorted(drawn.keys() - held, key=lambda path: (drawn[path], path)):
        if holding >= wanted:
            return
        if len(documents[path]) <= _MOST_TIMES * wanted:
            holding += len(documents[path])
            yield path


def hold_out_fruitful(
    documents: Mapping[str, Sequence[str]], held: Collection[str], fruitful: Collection[str], config: SplitConfig
) -> set[str]:
    """Hold out further documents of a first version where those chosen by their sections gave too few pairs.

    Args:
        documents: Path → ids of its chunks.
        held: Paths held out so far; none, and none is added.
        fruitful: Ids of the chunks that pairs were accepted of.
        config: The shares and the seed.

    Returns:
        Paths, of which the documents hold their share of the sections that gave pairs.
    """
    if not held:
        return set()
    giving = {path: [chunk for chunk in chunks if chunk in fruitful] for path, chunks in documents.items()}
    drawn = {path: _draw("document", sorted(documents[path]), config.seed) for path, chunks in giving.items() if chunks}
    return {*held, *_more(giving, set(held), drawn, config.unseen_share)}


def assign(
    pairs: Iterable[Pair], held_chunks: set[str], before: Mapping[str, Place], config: SplitConfig
) -> dict[str, Place]:
    """Give every pair its place: the stored one where there is one, else by its fact.

    Args:
        pairs: All accepted pairs.
        held_chunks: Ids of the chunks of held-out documents.
        before: Pair id → place in the last version.
        config: The shares and the seed.
    """
    places: dict[str, Place] = {}
    by_fact: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.id in before:
            places[pair.id] = before[pair.id]
        elif pair.chunk in held_chunks:
            places[pair.id] = Place("test", "unseen")
        by_fact[pair.fact].append(pair)
    for fact, wordings in by_fact.items():
        fresh = [pair for pair in wordings if pair.id not in places]
        if fresh:
            places.update(_place_fact(fact, wordings, fresh, places, config))
    return places


def _place_fact(
    fact: str, wordings: Sequence[Pair], fresh: Sequence[Pair], places: Mapping[str, Place], config: SplitConfig
) -> dict[str, Place]:
    """Place a fact's new wordings: at most one to test and one to validation, and at least one is trained."""
    ordered = sorted(fresh, key=lambda pair: pair.id)
    placed = dict.fromkeys((pair.id for pair in ordered), _TRAIN)
    taken = {places[pair.id].split for pair in wordings if pair.id in places}
    spare = len(ordered) if "train" in taken else len(ordered) - 1
    # From the two ends of the same draw: few wordings give to one split or to neither, many to both.
    number = _draw("fact", fact, config.seed)
    wanted = [Place("test", "seen")] if number < config.test_share * len(wordings) else []
    if 1 - number <= config.validation_share * len(wordings):
        wanted.append(Place("validation"))
    for place in wanted:
        if place.split not in taken and spare >= 1:
            placed[ordered.pop().id] = place
            spare -= 1
    return placed


def _draw(*what: object) -> float:
    """A number in [0, 1) that depends on content alone."""
    digest = hashlib.sha256(repr(what).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
