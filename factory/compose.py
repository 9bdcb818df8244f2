"""What a version is made of: taught pairs in several wordings, a person's own, questions without an answer; N in all.

    Plan + what was accepted ─▶ Composed(rows, rejects, missing)

A person's pairs always stay. About ``unanswerable_share`` of the whole are questions that the documents do not answer.
Of the taught ones, what was published stays first, then each chunk gives one in turn. What would leak the test makes
room for others.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from factory.gold import Gold
from factory.inputs import Inputs
from factory.manifest import places_so_far
from factory.plan import Plan, is_made, is_own
from factory.store import Row, Source, Version
from filters.alike_meanings import by_meaning
from filters.holdout import Place, SplitConfig, assign, hold_out_fruitful
from filters.leakage import LEAK, Leak, Settled, settle
from filters.standing_twins import StandingTwins
from generators.joined import halves_of, joined
from generators.records import Pair, Reject
from generators.rewordings import rewordings
from generators.unanswerable import UnanswerableConfig, unanswerable

_PINNED = Place("test", "unseen")
_TRAIN = Place("train")


@dataclass(slots=True)
class Composed:
    """Rows and what had to give way; ``missing`` pairs to the target; ``held`` documents are only examined."""

    rows: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    missing: int = 0
    held: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Composer:
    """Puts versions together; made once a run.

    Attributes:
        inputs: Settings and documents.
        held: Paths of the documents held out whole.
        before: Pair id → place that was ever published.
        gold: A person's pairs.
        published: The last version's pairs, by id.
        twins, named: What was found out about pairs, from one settling to the next: which ask alike, their names.
    """

    inputs: Inputs
    held: Collection[str]
    before: Mapping[str, Place]
    gold: Sequence[Gold] = ()
    published: Mapping[str, Pair] = field(default_factory=dict)
    twins: StandingTwins = field(default_factory=lambda: StandingTwins(LEAK))
    named: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def compose(self, plan: Plan, accepted: Sequence[Pair]) -> Composed:
        """Choose, place and settle until nothing leaks; with a target, until it is met or nothing is left.

        A first version holds out further documents where those that were chosen gave too few pairs to examine with.
        """
        if self.before:
            return self._composed(plan, accepted)
        documents = {entry.path: entry.chunks for entry in self.inputs.corpus.documents}
        fruitful = {pair.chunk for pair in accepted}
        held = hold_out_fruitful(documents, self.held, fruitful, split_config(self.inputs))
        return replace(self, held=held)._composed(plan, accepted)

    def _composed(self, plan: Plan, accepted: Sequence[Pair]) -> Composed:
        target = self.inputs.settings.pairs
        pool = _pool(plan, accepted, target)
        leaks: dict[str, Leak] = {}
        while True:
            clean = [pair for pair in pool if pair.id not in leaks]
            chosen = self._chosen(plan, clean)
            settled = self._settled(chosen)
            fresh = {leak.pair.id: leak for leak in settled.leaks if leak.pair.id not in leaks}
            leaks |= fresh
            # Without one of the pool's, what is chosen stays the same, and so does all that follows.
            if fresh.keys().isdisjoint(pair.id for pair in clean):
                break
        taken = {pair.id for pair in chosen}
        composed = Composed([self._row(pair, settled.places[pair.id]) for pair in chosen if pair.id in settled.places])
        composed.rejects = [leak_reject(leak) for leak in leaks.values() if not is_made(leak.pair)]
        composed.rejects += [
            Reject("target", "over_target", f"more than {target} pairs", pair.chunk, pair)
            for pair in clean
            if pair.id not in taken
        ]
        composed.missing, composed.held = max(0, target - len(composed.rows)), self.held
        return composed

    def _chosen(self, plan: Plan, taught: Sequence[Pair]) -> list[Pair]:
        """Gold, then as many taught pairs, with what stands beside them, as there is room for.

        What an edit brought and what is published come first, whatever stands beside what: a run that has nothing new
        to say says the same.
        """
        gold = [each.pair for each in self.gold]
        target = self.inputs.settings.pairs
        if not target:
            return [*gold, *taught, *_of(taught, self._extras(taught))]
        room = max(0, target - len(gold))
        first = {*self.published, *(pair.id for pair in taught if pair.chunk in plan.edited)}
        line = sorted(_in_line(taught, self._extras(taught)), key=lambda pair: pair.id not in first)
        return [*gold, *line[:room]]

    def _extras(self, taught: Sequence[Pair]) -> dict[str, list[Pair]]:
        """What stands beside the pairs of a fact: their other wordings, questions without an answer."""
        settings = self.inputs.settings
        # A fact that is drawn gives rise to two, and the share is of the pairs: a fact has several.
        constants = self.inputs.template.constants
        wordings = 1 + settings.rewordings if constants.bound_quotes else constants.wordings
        drawn = min(1.0, settings.unanswerable_share * wordings / 2)
        config = UnanswerableConfig(drawn, settings.product, settings.seed)
        extras = reworded(taught, settings.rewordings if self.inputs.template.constants.bound_quotes else 0)
        for fact, pairs in unanswerable(taught, self.inputs.corpus.chunks, config).items():
            extras.setdefault(fact, []).extend(pairs)
        everything = [*taught, *(pair for each in extras.values() for pair in each)]
        places = self._places(everything)
        trained = [pair for pair in everything if places[pair.id].split == "train" and pair.quotes]
        homes = {chunk.id: chunk.document for chunk in self.inputs.corpus.chunks.values()}
        share = min(1.0, settings.multi_section_share * wordings)
        for fact, pairs in joined(trained, homes, share, settings.seed, self.published.values(), self.named).items():
            extras.setdefault(fact, []).extend(pairs)
        return extras

    def _places(self, pairs: Sequence[Pair]) -> dict[str, Place]:
        """Where pairs would stand if none leaked; what was published stays so."""
        held = {chunk for entry in self.inputs.corpus.documents if entry.path in self.held for chunk in entry.chunks}
        # What stands in a row that joins two, of now or published, is trained on: it is no question of a test.
        halves = (pair.id for pair in halves_of(pairs, [*self.published.values(), *pairs]))
        return assign(pairs, held, {**dict.fromkeys(halves, _TRAIN), **self._fixed()}, split_config(self.inputs))

    def _settled(self, pairs: Sequence[Pair]) -> Settled:
        pinned = {each.pair.id for each in self.gold if each.pinned}
        places = {**self._places(pairs), **{pair.id: _PINNED for pair in pairs if pair.id in pinned}}
        return settle(pairs, places, {*self._fixed(), *pinned}, by_meaning(self.inputs.filters), self.twins)

    def _fixed(self) -> dict[str, Place]:
        """Pair id → place that stays."""
        # A person who takes a pin back wants the pair placed like any other: theirs is the one place drawn anew.
        freed = {each.pair.id for each in self.gold if not each.pinned and self.before.get(each.pair.id) == _PINNED}
        return {pair: place for pair, place in self.before.items() if pair not in freed}

    def _row(self, pair: Pair, place: Place) -> Row:
        there = self.inputs.corpus.chunks
        sources = tuple(Source(there[each].document, each, there[each].lines) for each in pair.chunks)
        home = there.get(pair.chunk)
        if home is None:
            home = next(each.chunk for each in self.gold if each.pair.id == pair.id)
        return Row(pair, place, home.document, home.lines, sources)


def reworded(taught: Sequence[Pair], count: int) -> dict[str, list[Pair]]:
    """Each fact's questions in other words, by rule; none that is asked already."""
    known = {(pair.question, pair.answer) for pair in taught}
    extras: dict[str, list[Pair]] = {}
    for pair in taught if count else ():
        fresh = [each for each in rewordings(pair, count) if (each.question, each.answer) not in known]
        known.update((each.question, each.answer) for each in fresh)
        extras.setdefault(pair.fact, []).extend(fresh)
    return extras


def _in_line(taught: Iterable[Pair], extras: Mapping[str, Sequence[Pair]]) -> Iterator[Pair]:
    """Each taught pair, and after the first of a fact what stands beside it."""
    facts = set[str]()
    for pair in taught:
        yield pair
        if pair.fact not in facts:
            facts.add(pair.fact)
            yield from extras.get(pair.fact, ())


def _of(taught: Iterable[Pair], extras: Mapping[str, Sequence[Pair]]) -> list[Pair]:
    """What stands beside these pairs."""
    return [extra for fact in dict.fromkeys(pair.fact for pair in taught) for extra in extras.get(fact, ())]


def composer_for(inputs: Inputs, previous: Version | None, held: Collection[str]) -> Composer:
    """The composer of a run that goes on from the last version."""
    published = {row.pair.id: row.pair for row in previous.rows} if previous else {}
    return Composer(inputs, held, places_so_far(previous) if previous else {}, inputs.gold, published)


def split_config(inputs: Inputs) -> SplitConfig:
    """The shares of the splits as set."""
    settings = inputs.settings
    return SplitConfig(settings.test_share, settings.validation_share, settings.unseen_share, settings.seed)


def leak_reject(leak: Leak) -> Reject:
    """A row that had to go for the test's sake, as a reject."""
    return Reject("split", "test_leak", leak.detail, leak.pair.chunk, leak.pair, "", leak.twin, leak.similarity or None)


def _evenly(rows: Sequence[Row]) -> list[Row]:
    """Rows so ordered that as many as come first hold every split in proportion, each at least once.

    Facts that validation and test ask for come first among the trained ones: without them a seen row would not be seen.
    """
    sizes = Counter(row.place for row in rows)
    examined = {row.pair.fact for row in rows if row.place.split != "train"}
    ranked = sorted(rows, key=lambda row: row.place.split == "train" and row.pair.fact not in examined)
    seen: Counter[Place] = Counter()
    turns: list[tuple[float, Row]] = []
    for row in ranked:
        turns.append((seen[row.place] / sizes[row.place], row))
        seen[row.place] += 1
    return [row for _, row in sorted(turns, key=lambda turn: turn[0])]


def _in_turns(pairs: Sequence[Pair]) -> list[Pair]:
    """One pair of each chunk, then a second of each, and so on."""
    seen: Counter[str] = Counter()
    turns: list[tuple[int, Pair]] = []
    for pair in pairs:
        turns.append((seen[pair.chunk], pair))
        seen[pair.chunk] += 1
    return [pair for _, pair in sorted(turns, key=lambda each: each[0])]


def _pool(plan: Plan, accepted: Sequence[Pair], target: int) -> list[Pair]:
    """All pairs in the order in which they come in; what an edit brought goes before what is known, if not all can."""
    if not target or not plan.edited:
        # If the target is lower now, every split gives some.
        kept = _evenly(plan.kept) if target and len(plan.kept) > target else plan.kept
        return [*(row.pair for row in kept), *_in_turns(accepted)]
    new = [pair for pair in accepted if pair.chunk in plan.edited]
    others = [pair for pair in accepted if pair.chunk not in plan.edited]
    spare = max(0, len(plan.kept) + len(new) - target) if new else 0
    return [*new, *_spare_last(plan.kept, spare), *_in_turns(others)]


def _spare_last(rows: Sequence[Row], count: int) -> list[Pair]:
    """The rows' pairs; the ``count`` that can best be spared, further wordings to train of a fact, at the end."""
    seen: Counter[str] = Counter()
    spare: list[tuple[int, Pair]] = []
    for row in rows:
        if row.place.split == "train":
            seen[row.pair.fact] += 1
            spare.append((seen[row.pair.fact], row.pair))
    last = [pair for _, pair in sorted(spare, key=lambda each: -each[0])[:count]]
    moved = {pair.id for pair in last}
    return [*(row.pair for row in rows if row.pair.id not in moved), *last]


def without_own(plan: Plan) -> Plan:
    """The plan without the rows that are made anew in each run."""
    return replace(plan, kept=[row for row in plan.kept if not is_own(row.pair)])
