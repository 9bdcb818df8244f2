"""Questions that two sections answer together, made of two that one section answers each.

    trained pairs + their sections ─▶ {fact: [Pair(kind="multi-section")]}

"How do I open a client? And what is the default of `timeout`?", with both answers and the quotes of both: without a
call, and true where both are. The two have a name in common that few others have, so that somebody might ask both at
once, or stand in sections of one document; pairs without such a partner give none. Which facts do follows the hash of
their content.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from generators.names import names
from generators.records import Pair, content_id
from generators.unanswerable import RULES, draw

KIND = "multi-section"
TEACHER = f"{RULES}joined"
_ENDS = (".", "!", "?", ":", ";", ")", "`")
_LONGEST_QUESTION, _LONGEST_ANSWER = 240, 700
_MOST_WITH_A_NAME = 40  # a name that so many pairs speak of is the product's, or nobody's


def joined(pairs: Sequence[Pair], documents: Mapping[str, str], share: float, seed: int) -> dict[str, list[Pair]]:
    """Join about as many as the share asks for.

    Args:
        pairs: That are trained on: a question of the test must not stand in another row.
        documents: Chunk id → document.
        share: Of the facts that are drawn, 0 to 1.
        seed: Another seed gives others.

    Returns:
        Fact that was drawn → its joined pair; none where no partner is.
    """
    if not share:
        return {}
    speaking = _by_name(pairs)
    beside = _by_document(pairs, documents)
    first: dict[str, Pair] = {}
    for pair in sorted(pairs, key=lambda each: draw("joined wording", seed, each.id)):
        first.setdefault(pair.fact, pair)
    made: dict[str, list[Pair]] = {}
    for fact, pair in first.items():
        if draw("joined", seed, fact) < share:
            partner = _partner(pair, speaking, seed) or _neighbour(pair, beside[documents.get(pair.chunk, "")], seed)
            if partner is not None:
                made[fact] = [_joined(pair, partner)]
    return made


def _by_name(pairs: Iterable[Pair]) -> Mapping[str, list[Pair]]:
    found: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        for name in names(f"{pair.question}\n{pair.answer}"):
            found[name].append(pair)
    return {name: those for name, those in found.items() if len({each.fact for each in those}) <= _MOST_WITH_A_NAME}


def _partner(pair: Pair, speaking: Mapping[str, Sequence[Pair]], seed: int) -> Pair | None:
    """A pair of another section that shares a name; the one with the rarest such name, then by hash."""
    shared = [name for name in names(f"{pair.question}\n{pair.answer}") if name in speaking]
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


def _joined(one: Pair, other: Pair) -> Pair:
    second = other.question if other.question.startswith("I ") else other.question[:1].lower() + other.question[1:]
    question = f"{one.question} And {second}"
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
    )
