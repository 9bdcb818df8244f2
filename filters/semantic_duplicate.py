"""``semantic_duplicate``: two pairs of different facts that say the same in other words, by embeddings; off by default.

The cosine of question + answer tells how alike two pairs are in meaning. As with ``near_duplicate``, pairs whose
questions differ in an identifier or a number are never twins; nor are those of whose answers each holds a value that
the other does not (``WSGI`` here, ``ASGI`` there). ``[filters] semantic = true`` turns it on; it needs the extra
``semantic``.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from filters.apply import Candidate, Drop, Filter, FilterConfig
from filters.asked_names import names_asked, plain_names, tell_apart
from filters.embeddings import Vectors, check_installed, embedder
from generators.names import values
from generators.records import Pair

_ROWS_AT_ONCE = 1024


class SemanticDuplicate:
    """Compares a pair with those that passed."""

    name = "semantic_duplicate"

    def __init__(self, config: FilterConfig, embed: Callable[[Sequence[str]], Vectors]) -> None:
        self._least = config.semantic_duplicate
        self._embed = embed
        self._seen: list[Candidate] = []
        self._vectors: list[Vectors] = []
        self._numbers: dict[str, int] = {}
        self._alike: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        self._kept = set[int]()

    def digest(self, candidate: Candidate) -> Any:  # noqa: ANN401, ARG002 - as of the protocol
        """Nothing can be said of one candidate alone: vectors are made of many at once."""
        return None

    def foresee(self, candidates: Sequence[Candidate], digests: Sequence[Any]) -> None:  # noqa: ARG002
        """Embed a block, and note what is alike in it and before it."""
        if not candidates:
            return
        first = len(self._seen)
        self._seen += candidates
        self._numbers |= {each.pair.id: first + at for at, each in enumerate(candidates)}
        self._vectors.append(self._embed([f"{each.pair.question} {each.pair.answer}" for each in candidates]))
        everything, own = np.concatenate(self._vectors), self._vectors[-1]
        self._vectors = [everything]
        for start in range(0, len(own), _ROWS_AT_ONCE):
            alike = own[start : start + _ROWS_AT_ONCE] @ everything.T
            for row, other in np.argwhere(alike >= self._least).tolist():
                if first + start + row != other:
                    self._alike[first + start + row].append((float(alike[row, other]), other))
                    self._alike[other].append((float(alike[row, other]), first + start + row))

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop what a kept pair of another fact says already."""
        for similarity, other in sorted(self._alike[self._number(candidate)], reverse=True):
            twin = self._seen[other]
            if other in self._kept and twin.pair.fact != candidate.pair.fact and same_names(candidate.pair, twin.pair):
                return Drop(
                    f"says the same as '{twin.pair.question[:80]}'", twin.pair.id, round(min(similarity, 1.0), 4)
                )
        return None

    def remember(self, candidate: Candidate) -> None:
        """Keep a pair in mind."""
        self._kept.add(self._number(candidate))

    def _number(self, candidate: Candidate) -> int:
        if candidate.pair.id not in self._numbers:
            self.foresee([candidate], [None])
        return self._numbers[candidate.pair.id]


def same_names(one: Pair, other: Pair) -> bool:
    """Whether two pairs ask about the same by name, and not each answer holds a value that the other does not."""
    if names_asked(one.question) != names_asked(other.question):
        return False
    if tell_apart(one.question, other.question, plain_names(one.answer), plain_names(other.answer)):
        return False
    here, there = values(one.answer), values(other.answer)
    return here <= there or there <= here


def make(config: FilterConfig) -> Filter:
    """Build the filter; ``MissingExtraError`` now rather than when pairs are paid for."""
    check_installed()
    return SemanticDuplicate(config, embedder().embed)
