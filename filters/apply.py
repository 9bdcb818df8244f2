"""The funnel: run every pair through the filters, in order, and keep what each dropped and why.

    [Candidate(pair, chunk)] ─▶ Funnelled(kept pairs, rejects, counts by reason)

A filter answers for one candidate at a time: ``None`` to keep it, or a ``Drop`` with its evidence. Filters that compare
pairs remember those that passed the whole funnel, and see them best first (grounded, closer to the question, longer
quotes), so that of two twins the better one is kept, whatever the order in which replies came. The quotes of a kept
pair are the words of its section; a reject has those that the teacher wrote.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import takewhile
from typing import Any, Protocol, TypeVar, runtime_checkable

from filters import FILTERS
from generators.aligned import Aligned, aligned, with_passages
from generators.errors import UsageError
from generators.quotes import find_quote
from generators.records import Chunk, Pair, Reject
from generators.words import overlap

_Rank = tuple[float, float, int, str, str]
_Said = TypeVar("_Said")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pair and the chunk that it is about."""

    pair: Pair
    chunk: Chunk

    @property
    def quoted(self) -> tuple[Aligned, ...]:
        """Where each quote stands in the chunk."""
        return tuple(aligned(quote, self.chunk.heading, self.chunk.text) for quote in self.pair.quotes)

    @property
    def passages(self) -> tuple[str, ...]:
        """The chunk's own words for the quotes: what an answer is judged by."""
        return tuple(passage for each in self.quoted for passage in each.passages)


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a candidate does not pass: the evidence, and the twin where it repeats another pair."""

    detail: str
    twin: str = ""
    similarity: float | None = None


class Filter(Protocol):
    """One filter of the funnel; its name is the reason code of its rejects."""

    @property
    def name(self) -> str:
        """What it drops."""

    def judge(self, candidate: Candidate) -> Drop | None:
        """Keep (``None``) or drop."""


@runtime_checkable
class Remembering(Protocol):
    """A filter that compares a pair with those that passed."""

    def remember(self, candidate: Candidate) -> None:
        """Hear of a candidate that passed the whole funnel, or that is published already."""


@runtime_checkable
class Foreseeing(Protocol):
    """A filter that is faster if it sees many candidates before it judges them; its verdicts are the same."""

    def digest(self, candidate: Candidate) -> Any:  # noqa: ANN401 - each filter's own
        """What can be said of a candidate alone, perhaps in another process."""

    def foresee(self, candidates: Sequence[Candidate], digests: Sequence[Any]) -> None:
        """Hear of the candidates that are judged or remembered next, and their digests."""


class Apply(Protocol):
    """Applies a pure function, whose results can be pickled, to all candidates."""

    def __call__(self, function: Callable[[Candidate], _Said], candidates: Sequence[Candidate], /) -> list[_Said]:
        """[function(each) for each in candidates]."""


@dataclass(frozen=True, slots=True)
class FilterConfig:
    """Thresholds of the funnel (``[filters]`` in factory.toml).

    Attributes:
        min_answer_chars, max_answer_chars, max_question_chars: Lengths.
        quote_similarity: A quote must stand in its chunk at least so well, 0 to 1.
        answer_support: So many of an answer's content words must stand in its quotes, heading or question, 0 to 1.
        near_duplicate: Jaccard similarity of word 3-grams of question + answer from which two pairs are twins.
        semantic: Whether pairs, and questions across splits, are compared by meaning, too (extra ``semantic``).
        semantic_duplicate: Cosine of the embeddings of question + answer from which two pairs say the same, and of
            those of the questions alone from which a row leaks the test.
        wordings_a_fact: So many wordings of one fact that resemble each other so much are kept.
        answer_overlap: Share of a question's content words that its answer, quotes or heading must hold; 0 turns
            it off. Teachers whose quotes are bound by schema write questions only and are held to it.
        known_names: Names that a question or an answer may use though its section does not, such as the product's.
        skip: Filters left out.
    """

    min_answer_chars: int = 2
    max_answer_chars: int = 2500
    max_question_chars: int = 400
    quote_similarity: float = 0.9
    answer_support: float = 0.5
    near_duplicate: float = 0.7
    semantic: bool = False
    semantic_duplicate: float = 0.85
    wordings_a_fact: int = 6
    answer_overlap: float = 0.0
    known_names: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()


@dataclass(slots=True)
class Funnelled:
    """What came of the candidates, in the order they were given."""

    kept: list[Pair] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def dropped(self) -> dict[str, int]:
        """Rejects by reason."""
        return dict(Counter(reject.reason for reject in self.rejects))


@dataclass(slots=True)
class _Look:
    """What was said of a candidate: why it goes, if it does; else its rank, and its digests for the filters to come."""

    reject: Reject | None
    rank: _Rank | tuple[()]
    digests: list[Any]


def make_filters(config: FilterConfig) -> list[Filter]:
    """Build the filters of the table, in its order, without those to skip."""
    known_filters(config.skip)
    return [import_module(FILTERS[name]).make(config) for name in active(config)]


def active(config: FilterConfig) -> list[str]:
    """The filters that run, in the order of the table."""
    off = set(config.skip) | (set() if config.semantic else {"semantic_duplicate"})
    return [name for name in FILTERS if name not in off]


def known_filters(names: Iterable[str]) -> None:
    """``UsageError`` names the first that is none."""
    for name in names:
        if name not in FILTERS:
            raise UsageError(f"no filter '{name}': the filters are {', '.join(FILTERS)}")


def one_by_one(function: Callable[[Candidate], _Said], candidates: Sequence[Candidate]) -> list[_Said]:
    """Apply a function to all candidates, here and now."""
    return [function(candidate) for candidate in candidates]


def funnel(
    candidates: Iterable[Candidate],
    filters: Sequence[Filter],
    published: Iterable[Candidate] = (),
    apply: Apply = one_by_one,
) -> Funnelled:
    """Run the candidates through the filters, best first.

    Args:
        candidates: What is to be judged.
        filters: As ``make_filters`` builds them, fresh for each funnel.
        published: Pairs that are in already and stay; the others are compared with them too.
        apply: Applies what judges a candidate by itself to all of them, perhaps on several cores.
    """
    given, known = list(candidates), list(published)
    if not given:
        return Funnelled()
    alone = list(takewhile(lambda each: not isinstance(each, Remembering), filters))
    comparing = filters[len(alone) :]
    foreseeing = [each for each in comparing if isinstance(each, Foreseeing)]
    remembering = [each for each in comparing if isinstance(each, Remembering)]
    # In the order given, in which the wordings of a fact and the facts of a section stand together.
    said = apply(lambda candidate: _look(candidate, alone, foreseeing), given)
    passed = [(candidate, look) for candidate, look in zip(given, said, strict=True) if look.reject is None]
    digests = [_digests(candidate, foreseeing) for candidate in known] + [look.digests for _, look in passed]
    candidates = [*known, *(candidate for candidate, _ in passed)]
    for place, each in enumerate(foreseeing):
        each.foresee(candidates, [own[place] for own in digests])
    for candidate in known:
        _remember(candidate, remembering)
    for candidate, look in sorted(passed, key=lambda each: each[1].rank):
        look.reject = first_drop(candidate, comparing)
        if look.reject is None:
            _remember(candidate, remembering)
    # Taken over after the verdicts, which need to see what the teacher made of the section's words.
    kept = [with_passages(each.pair, each.chunk) for each, look in zip(given, said, strict=True) if look.reject is None]
    return Funnelled(kept, [look.reject for look in said if look.reject is not None])


def _look(candidate: Candidate, alone: Sequence[Filter], foreseeing: Sequence[Foreseeing]) -> _Look:
    """All that can be said of a candidate without the others."""
    reject = first_drop(candidate, alone)
    return _Look(reject, (), []) if reject else _Look(None, _rank(candidate), _digests(candidate, foreseeing))


def _digests(candidate: Candidate, foreseeing: Sequence[Foreseeing]) -> list[Any]:
    return [each.digest(candidate) for each in foreseeing]


def _rank(candidate: Candidate) -> _Rank:
    """Better pairs sort first: grounded, then closer to the question, then with more quoted text.

    Ties are settled by content, fact by fact: of two equal facts one keeps its wordings, not each some.
    """
    # As a later run sees the pair, once it is published.
    quotes = with_passages(candidate.pair, candidate.chunk).quotes
    grounded = min((find_quote(quote, candidate.chunk.text) for quote in quotes), default=0.0)
    fit = overlap(candidate.pair.question, candidate.pair.answer)
    return (-round(grounded, 2), -round(fit, 1), -sum(map(len, quotes)), candidate.pair.fact, candidate.pair.id)


def _remember(candidate: Candidate, filters: Iterable[Remembering]) -> None:
    for each in filters:
        each.remember(candidate)


def first_drop(candidate: Candidate, filters: Sequence[Filter]) -> Reject | None:
    """The verdict of the first filter that drops a candidate."""
    for each in filters:
        drop = each.judge(candidate)
        if drop is not None:
            return Reject(
                stage="filter",
                reason=each.name,
                detail=drop.detail,
                chunk=candidate.chunk.id,
                pair=candidate.pair,
                twin=drop.twin,
                similarity=drop.similarity,
            )
    return None
