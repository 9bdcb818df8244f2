"""Intervals for everything a score says. Questions about one chunk stand and fall together: the chunk is the unit.

    accuracy([True, …], chunks) ─▶ Interval          gap_closed(student, base, teacher, chunks) ─▶ Gap
    difference(one, other, chunks) ─▶ Interval       mcnemar(one, other) ─▶ p-value

Clusters and pairing after "Adding Error Bars to Evals" (arXiv 2411.00640). All intervals are at 95 %, in shares of 1.
``scipy`` does the mathematics; it is imported when a function is called.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generators.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 10_000
CONFIDENCE = 0.95
# A teacher that is not clearly better than the base leaves no gap to measure by.
SMALL_GAP = 0.1
# So many resamples are held in memory at once.
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval. ``value`` and the ends are ``None`` where there is nothing to measure."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0

    def ends(self) -> list[float] | None:
        """``[low, high]``, for JSON."""
        return None if self.low is None or self.high is None else [round(self.low, 4), round(self.high, 4)]


@dataclass(frozen=True, slots=True)
class Gap:
    """The share of the way from base to teacher that the student has gone; ``warning`` where it is hard to tell."""

    closed: Interval
    warning: str = ""


def accuracy(right: Sequence[bool], chunks: Sequence[str]) -> Interval:
    """Share of right answers, with Wilson's interval for the effective number of questions.

    Wilson's interval holds at 0 and 1 and for few questions, where a bootstrap has no width. The number of questions is
    divided by the design effect, the variance by clusters over that of independent questions, if that is above 1.
    """
    total = len(right)
    if not total:
        return Interval(None)
    low, high = wilson(sum(right), total, total / _design_effect(right, chunks))
    return Interval(sum(right) / total, low, high, total)


def wilson(hits: float, total: int, effective: float | None = None) -> tuple[float, float]:
    """Wilson's score interval of a share.

    Args:
        hits: How many of ``total``.
        total: At least 1.
        effective: How many independent observations they are worth; ``total`` if not given.
    """
    from statistics import NormalDist

    z, n, share = NormalDist().inv_cdf((1 + CONFIDENCE) / 2), effective or total, hits / total
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # The formula is exact at both ends but for rounding.
    return (0.0 if not hits else max(0.0, middle - half), 1.0 if hits == total else min(1.0, middle + half))


def difference(one: Sequence[bool], other: Sequence[bool], chunks: Sequence[str], seed: int = 0) -> Interval:
    """Accuracy of one system less that of another on the same questions; paired bootstrap over chunks (BCa)."""
    total = len(one)
    if not total:
        return Interval(None)
    sums = _by_chunk([[a - b for a, b in zip(one, other, strict=True)], [1] * total], chunks)
    low, high = _bootstrap(sums, lambda delta, count: delta.sum(-1) / count.sum(-1), seed, method="BCa")
    return Interval((sum(one) - sum(other)) / total, _finite(low), _finite(high), total)


def gap_closed(
    student: Sequence[bool], base: Sequence[bool], teacher: Sequence[bool], chunks: Sequence[str], seed: int = 0
) -> Gap:
    """(student − base) / (teacher − base), by the paired bootstrap over chunks (percentiles).

    A resample in which the teacher is no better than the base counts as the worst there is: such samples widen the
    interval downwards, and never make a student look better.
    """
    total = len(student)
    gap = (sum(teacher) - sum(base)) / total if total else 0.0
    if gap <= 0:
        return Gap(Interval(None, n=total), "the teacher is no better than the base: there is no gap to close")

    import numpy as np

    sums = _by_chunk([student, base, teacher], chunks)

    def ratio(student: "np.ndarray", base: "np.ndarray", teacher: "np.ndarray") -> "np.ndarray":
        won, there = student.sum(-1) - base.sum(-1), teacher.sum(-1) - base.sum(-1)
        return np.where(there > 0, won / np.maximum(there, 1), -np.inf)

    low, high = _bootstrap(sums, ratio, seed, method="percentile")
    closed = Interval((sum(student) - sum(base)) / total / gap, _finite(low), _finite(high), total)
    return Gap(closed, _small(difference(teacher, base, chunks, seed)))


def mcnemar(one: Sequence[bool], other: Sequence[bool]) -> float:
    """McNemar's exact test: the p-value of "both systems are right equally often", on the same questions.

    It takes questions as independent; where several are about one chunk, the interval of ``difference`` is the judge.
    """
    only_one = sum(a and not b for a, b in zip(one, other, strict=True))
    only_other = sum(b and not a for a, b in zip(one, other, strict=True))
    if not only_one + only_other:
        return 1.0
    return float(_scipy_stats().binomtest(only_one, only_one + only_other, 0.5).pvalue)


def _small(gap: Interval) -> str:
    """A warning where the gap between teacher and base is small, or may be."""
    value = gap.value or 0.0
    if value >= SMALL_GAP and gap.low is not None and gap.low > 0:
        return ""
    return f"teacher and base are only {100 * value:.0f} points apart: what the student closed of it is uncertain"


def _design_effect(right: Sequence[bool], chunks: Sequence[str]) -> float:
    """How much less the questions tell than as many independent ones: at least 1, at most all of a chunk as one."""
    total = len(right)
    share = sum(right) / total
    independent = share * (1 - share) / total
    sizes: dict[str, int] = {}
    for chunk in chunks:
        sizes[chunk] = sizes.get(chunk, 0) + 1
    # Where all are right (or wrong), the data cannot tell how much a chunk's questions share; sizes bound it.
    most = sum(size * size for size in sizes.values()) / total
    if not independent:
        return most
    residuals: dict[str, float] = {}
    for hit, chunk in zip(right, chunks, strict=True):
        residuals[chunk] = residuals.get(chunk, 0.0) + hit - share
    clustered = sum(residual**2 for residual in residuals.values()) / total**2
    return min(max(1.0, clustered / independent), max(1.0, most))


def _by_chunk(columns: Sequence[Sequence[float]], chunks: Sequence[str]) -> "list[np.ndarray]":
    """Sum every column by chunk, in the order of the chunks' names: the rows' order changes nothing."""
    import numpy as np

    places = {chunk: place for place, chunk in enumerate(sorted(set(chunks)))}
    where = [places[chunk] for chunk in chunks]
    sums = []
    for column in columns:
        total = np.zeros(len(places))
        np.add.at(total, where, np.asarray(column, dtype=float))
        sums.append(total)
    return sums


def _bootstrap(
    sums: "list[np.ndarray]", statistic: "Callable[..., np.ndarray]", seed: int, method: str
) -> tuple[float, float]:
    """Resample chunks and take the interval; where nothing varies it is the value itself."""
    import warnings

    import numpy as np

    stats = _scipy_stats()
    if len(sums[0]) < 2:
        # One chunk: there is nothing to resample, and so no telling.
        return (-math.inf, math.inf)

    def taken(*columns: "np.ndarray", axis: int) -> "np.ndarray":  # noqa: ARG001 - scipy's signature
        return statistic(*columns)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a degenerate distribution is dealt with below
        for each in dict.fromkeys((method, "percentile")):
            found = stats.bootstrap(
                sums, taken, n_resamples=RESAMPLES, batch=_BATCH, vectorized=True, paired=True,
                confidence_level=CONFIDENCE, method=each, rng=np.random.default_rng(seed),
            ).confidence_interval  # fmt: skip
            if not (math.isnan(found.low) or math.isnan(found.high)):
                return float(found.low), float(found.high)
    point = float(statistic(*sums))
    return point, point


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _scipy_stats() -> Any:  # noqa: ANN401 - a module without types
    try:
        from scipy import stats
    except ImportError as error:
        raise MissingExtraError("scoring", "train") from error
    return stats
