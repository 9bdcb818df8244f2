"""Ship or hold: the figures of a score against the thresholds of ``[gate]`` in factory.toml.

    decide(Figures, GateConfig(), taught_refusals) ─▶ Verdict("ship" | "hold", reasons, warnings)

By default a student ships if the lower end of its gap closed on seen questions is at least 0.6, on enough questions to
tell; if it has not got worse on the general set beyond the interval; and if it declines what the documents do not
answer: at least half of it if it was taught to, else no less often than its base.
"""

from dataclasses import dataclass
from typing import Literal

from trainers.figures import Figures
from trainers.gate import GateConfig
from trainers.statistics import Interval


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition, whether it is met, and the figures that say so."""

    name: str
    passed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Ship or hold, with every condition's reason."""

    word: Literal["ship", "hold"]
    reasons: tuple[Reason, ...]

    @property
    def ships(self) -> bool:
        """Whether the gate is open."""
        return self.word == "ship"


def decide(figures: Figures, config: GateConfig, taught_refusals: int = 0) -> Verdict:
    """Judge a student; all conditions must be met."""
    reasons = (
        _questions(figures, config),
        _gap(figures, config),
        _general(figures, config),
        _refusals(figures, config, taught_refusals),
    )
    return Verdict("ship" if all(reason.passed for reason in reasons) else "hold", reasons)


def _questions(figures: Figures, config: GateConfig) -> Reason:
    count = figures.gap.closed.n
    return Reason("questions", count >= config.min_questions, f"{count} seen questions (least: {config.min_questions})")


def _gap(figures: Figures, config: GateConfig) -> Reason:
    closed = figures.gap.closed
    passed = closed.low is not None and closed.low >= config.gap_closed
    return Reason(
        "gap_closed", passed, f"gap closed on seen {shown(closed)}; its lower end must reach {config.gap_closed:g}"
    )


def _general(figures: Figures, config: GateConfig) -> Reason:
    change = figures.general_change
    passed = change.high is None or change.high >= -config.general_fall
    return Reason(
        "general", passed, f"general set {shown(change, signed=True)} against the base; its upper end must reach "
        f"{-config.general_fall or 0.0:g}",
    )  # fmt: skip


def _refusals(figures: Figures, config: GateConfig, taught: int) -> Reason:
    """A threshold where refusing was taught; else the student must not have lost what refusing its base does."""
    share, change = figures.unanswerable.get("student", Interval(None)), figures.unanswerable_change
    if share.value is None:
        return Reason("refusals", passed=True, text="no unanswerable questions could be made of these documents")
    if taught and config.refusals >= 0:
        passed = share.value >= config.refusals
        return Reason(
            "refusals", passed, f"unanswerable questions declined {shown(share)} (least: {config.refusals:g})"
        )
    passed = change.high is None or change.high >= 0
    text = f"unanswerable questions declined {shown(share)}, {shown(change, signed=True)} against the base"
    return Reason("refusals", passed, text + ("" if taught else "; the dataset teaches no refusals"))


def shown(interval: Interval, *, signed: bool = False) -> str:
    """A figure and its interval as people read them: ``0.81 (0.72 to 0.90)``."""
    if interval.value is None:
        return "cannot be told"
    sign = "+" if signed else ""
    if interval.low is None or interval.high is None:
        return f"{interval.value:{sign}.2f} (no interval: too few sections)"
    return f"{interval.value:{sign}.2f} ({interval.low:{sign}.2f} to {interval.high:{sign}.2f})"
