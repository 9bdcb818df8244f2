"""Questions that two sections answer together, made of two that one section answers each.

    trained pairs + their sections ─▶ {fact: [Pair(kind="multi-section")]}

"How do I open a client? And what is the default of `timeout`?", with both answers and the quotes of both: without a
call, and true where both are. The two have a name in common that few others have, so that somebody might ask both at
once, or stand in sections of one document; pairs without such a partner give none. Which facts do follows the hash of
their content; what was published stays as long as both its halves are trained on.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from generators.names import names
from generators.records import Pair, content_id
from generators.unanswerable import RULES, draw

KIND = "multi-section"
TEACHER = f"{RULES}joined"
_AND = " And "
_ENDS = (".", "!", "?", ":", ";", ")", "`")
_LONGEST_QUESTION, _LONGEST_ANSWER = 240, 700
_MOST_WITH_A_NAME = 40  # a name that so many pairs speak of is the product's, or nobody's


def joined(
    pairs: Sequence[Pair],
    documents: Mapping[str, str],
    share: float,
    seed: int,
    published: Iterable[Pair] = (),
    named: dict[str, tuple[str, ...]] | None = None,
) -> dict[str, list[Pair]]:
    """Join about as many as the share asks for.

    Args:
        pairs: That are trained on: a question of the test must not stand in another row.
        documents: Chunk id → document.
        share: Of the facts that are drawn, 0 to 1.
        seed: Another seed gives others.
        published: The pairs of the last version.
        named: Pair id → the names that it speaks of, as far as they are known; it learns.

    Returns:
        Fact that was drawn → its joined pair; none where no partner is.
    """
    if not share:
        return {}
    named = {} if named is None else named
    named |= {pair.id: _names(pair) for pair in pairs if pair.id not in named}
    speaking = _by_name(pairs, named)
    beside = _by_document(pairs, documents)
    standing = _standing(pairs, published)
    wordings: dict[str, list[Pair]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda each: draw("joined wording", seed, each.id)):
        wordings[pair.fact].append(pair)
    made: dict[str, list[Pair]] = {}
    for fact, (pair, *others) in wordings.items():
        if draw("joined", seed, fact) >= share:
            continue
        known = next((standing[each.id] for each in (pair, *others) if each.id in standing), None)
        partner = _partner(pair, named[pair.id], speaking, seed) or _neighbour(
            pair, beside[documents.get(pair.chunk, "")], seed
        )
        if known is not None:
            made[fact] = [known]
        elif partner is not None:
            made[fact] = [_joined(pair, partner)]
    return made


def halves_of(pairs: Iterable[Pair], published: Iterable[Pair]) -> Iterator[Pair]:
    """Yield the pairs whose question stands in a published joined row: what was trained on is no question of a test."""
    parted = [part for known in published if known.teacher == TEACHER for part in _parted(known)]
    if not parted:
        return
    firsts = {(known.chunk, first) for known, first, _ in parted}
    seconds = {second for _, _, second in parted}
    for pair in pairs:
        if (pair.chunk, pair.question) in firsts or _second(pair) in seconds:
            yield pair


def without_halves(rows: Iterable[Pair], gone: Iterable[Pair]) -> list[Pair]:
    """The rows but for joined ones that one of these pairs is a half of: what is wrong with it is wrong with them."""
    gone = list(gone)
    firsts, seconds = {(pair.chunk, pair.question) for pair in gone}, {_second(pair) for pair in gone}
    return [
        row
        for row in rows
        if row.teacher != TEACHER
        or not any((row.chunk, first) in firsts or second in seconds for _, first, second in _parted(row))
    ]


def with_chunks(pairs: Sequence[Pair]) -> dict[str, Pair]:
    """Id → pair of the joined ones among a version's pairs, with ``chunks``, which an earlier release did not note.

    Those of which a half is not among the pairs are left out.
    """
    return {pair.id: pair for pair in _standing(pairs, pairs).values()}


def _standing(pairs: Iterable[Pair], published: Iterable[Pair]) -> dict[str, Pair]:
    """First half's id → the published pair that is made of it and of another of these pairs."""
    joined_ones = [known for known in published if known.teacher == TEACHER]
    if not joined_ones:
        return {}
    firsts = {(pair.chunk, pair.question): pair for pair in pairs}
    seconds: dict[str, list[Pair]] = defaultdict(list)
    for pair in firsts.values():
        seconds[_second(pair)].append(pair)
    found: dict[str, Pair] = {}
    for known in joined_ones:
        for _, first, second in _parted(known):
            one = firsts.get((known.chunk, first))
            same = [pair for other in seconds.get(second, ()) if one and (pair := _joined(one, other)).id == known.id]
            if one is not None and same:
                # Made anew: the second half may stand in another section by now, or nobody may have noted in which.
                found.setdefault(one.id, max(same, key=lambda pair: (pair.chunks == known.chunks, pair.chunks)))
    return found


def _parted(known: Pair) -> Iterator[tuple[Pair, str, str]]:
    """The two questions that a joined pair may be made of; several times if the questions hold what joins them."""
    parts = known.question.split(_AND)
    for at in range(1, len(parts)):
        yield known, _AND.join(parts[:at]), _AND.join(parts[at:])


def _names(pair: Pair) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names(pair.question), *_told(pair.answer))))


@lru_cache(maxsize=64)  # the wordings of a fact share its answer
def _told(answer: str) -> tuple[str, ...]:
    return tuple(names(answer))


def _by_name(pairs: Iterable[Pair], named: Mapping[str, Sequence[str]]) -> Mapping[str, list[Pair]]:
    found: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        for name in named[pair.id]:
            found[name].append(pair)
    return {name: those for name, those in found.items() if len({each.fact for each in those}) <= _MOST_WITH_A_NAME}


def _partner(pair: Pair, named: Iterable[str], speaking: Mapping[str, Sequence[Pair]], seed: int) -> Pair | None:
    """A pair of another section that shares a name; the one with the rarest such name, then by hash."""
    shared = [name for name in named if name in speaking]
    candidates = {
        other.id: (len(speaking[name]), draw("partner", seed, pair.fact, other.id), other)
        for name in sorted(shared, key=lambda name: (-len(speaking[name]), name))
        for other in speaking[name]
        if other.chunk != pair.chunk and _fits(pair, other)
    }
    return min(candidates.values(), key=lambda each: each[:2])[2] if candidates else None


def _by_document(pairs: Iterable[Pair], documents: Mapping[str, str]) -> Mapping[str, list[Pair]]:
    found: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        found[documents.get(pair.chunk, "")].append(pair)
    return found


def _neighbour(pair: Pair, others: Iterable[Pair], seed: int) -> Pair | None:
    """A pair of another section of the same document, by hash."""
    fitting = [other for other in others if other.chunk != pair.chunk and _fits(pair, other)]
    return min(fitting, key=lambda other: draw("partner", seed, pair.fact, other.id), default=None)


def _fits(one: Pair, other: Pair) -> bool:
    return (
        len(one.question) + len(other.question) <= _LONGEST_QUESTION
        and len(one.answer) + len(other.answer) <= _LONGEST_ANSWER
        and one.answer != other.answer
    )


def _second(pair: Pair) -> str:
    """A question as it stands after another."""
    asked = pair.question
    return asked if asked.startswith("I ") else asked[:1].lower() + asked[1:]


def _joined(one: Pair, other: Pair) -> Pair:
    question = f"{one.question}{_AND}{_second(other)}"
    first = one.answer.rstrip()
    answer = f"{first}{'' if first.endswith(_ENDS) else '.'} {other.answer.lstrip()}"
    return Pair(
        id=content_id("pair", one.chunk, question, answer),
        fact=content_id("joined", one.fact, other.fact),
        question=question,
        answer=answer,
        quotes=(*one.quotes, *other.quotes),
        kind=KIND,
        chunk=one.chunk,
        teacher=TEACHER,
        template="",
        chunks=(one.chunk,) * len(one.quotes) + (other.chunk,) * len(other.quotes),
    )
