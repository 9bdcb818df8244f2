"""What an edited section keeps: the pairs whose quotes still stand; and what is new in it.

    pairs of sections that are gone + Lineage ─▶ Carried(moved pairs, losses);   Carried.fresh ─▶ passages to ask about

A pair is kept as it is, id and wording and split, when every passage that its quotes came from stands in the new
section, whole; when it names nothing that only the old heading said; and when the filters that judge a pair by its
section let it pass again. Its quotes are then spelled as the new section spells them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from factory.lineage import Lineage
from filters import NEED_SECTION
from filters.apply import Candidate, Filter, FilterConfig, first_drop, make_filters
from generators.aligned import with_passages
from generators.quotes import stands, support
from generators.records import Chunk, Pair
from generators.statements import passages

_WORD = re.compile(r"\w+")
_DETAIL = 160


@dataclass(frozen=True, slots=True)
class Loss:
    """Why a pair had to go."""

    reason: str
    detail: str = ""


@dataclass(slots=True)
class Carrier:
    """Moves pairs from sections that are gone to those that were made of them.

    Attributes:
        old: Sections that are gone, by id.
        new: Sections that are new, by id.
        lineage: Which became which.
        filters: As the funnel is set.
        lost: Pair id → why it could not be kept.
        unsettled: Ids of pairs whose quotes still stand, though the sentence around one of them was edited.
    """

    old: Mapping[str, Chunk]
    new: Mapping[str, Chunk]
    lineage: Lineage
    filters: FilterConfig
    lost: dict[str, Loss] = field(default_factory=dict)
    unsettled: set[str] = field(default_factory=set)
    _judges: list[Filter] = field(init=False)
    _again: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._judges = [each for each in make_filters(self.filters) if each.name in NEED_SECTION]

    def moved(self, pair: Pair) -> Pair | None:
        """The pair in its new section; None, with the reason in ``lost``, if none carries it."""
        home = self.old[pair.chunk]
        held = [passage for quote in pair.quotes for passage in support(quote, _source(home))]
        heirs = [self.new[heir] for heir in self.lineage.heirs.get(pair.chunk, ())]
        losses = []
        for heir in heirs:
            loss = self._loss(pair, held, home, heir)
            if loss is None:
                if not self._is_settled(held, home, heir):
                    self.unsettled.add(pair.id)
                return with_passages(replace(pair, chunk=heir.id), heir)
            losses.append(loss)
        self.lost[pair.id] = losses[0] if losses else Loss("section_removed", _title(home))
        for heir in heirs:
            self._again.setdefault(heir.id, []).extend(held)
        return None

    def _loss(self, pair: Pair, held: Sequence[str], old: Chunk, new: Chunk) -> Loss | None:
        source = _source(new)
        gone = next((passage for passage in held if not stands(passage, source)), None if held else "")
        if gone is not None:
            return Loss("support_vanished", f"no longer in the section: '{gone[:_DETAIL]}'")
        unsaid = _words(" ".join(old.heading)) - _words(source)
        named = sorted(unsaid & _words(f"{pair.question} {pair.answer}"))
        if named:
            return Loss("heading_changed", f"it names what the heading no longer says: '{named[0]}'")
        drop = first_drop(Candidate(replace(pair, chunk=new.id), new), self._judges)
        return None if drop is None else Loss(drop.reason, drop.detail)

    def _is_settled(self, held: Sequence[str], old: Chunk, new: Chunk) -> bool:
        """Whether no sentence that carries the pair was edited."""
        before = set(passages(old.text))
        touched = [each for each in passages(new.text) if each not in before and _holds(each, held)]
        same = [each for each in passages(new.text) if each in before]
        return not touched or all(any(_holds(each, [one]) for each in same) for one in held)

    def fresh(self, chunk: Chunk, known: Sequence[str]) -> list[str]:
        """The passages of a new section that none of the ``known`` old ones had, or whose pairs were lost."""
        before = {passage for old in known for passage in passages(self.old[old].text)}
        again = self._again.get(chunk.id, ())
        return [each for each in passages(chunk.text) if each not in before or _holds(each, again)]


def _holds(passage: str, supports: Sequence[str]) -> bool:
    """Whether a passage carries, or is a part of, one of these."""
    [folded] = support(passage, passage) or ("",)
    return any(stands(each, passage) or (folded and folded in each) for each in supports)


def _source(chunk: Chunk) -> str:
    """Where quotes may stand, as the funnel has it."""
    return " > ".join(chunk.heading) + "\n" + chunk.text


def _title(chunk: Chunk) -> str:
    return f"{chunk.document}: {' > '.join(chunk.heading)}"


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.lower()) if len(word) > 1}
