"""The thresholds by which a student ships or is held: what ``[gate]`` in factory.toml holds, and ``verdict`` reads.

Apart from the verdict, so that whatever reads settings need not load what scores.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GateConfig:
    """The thresholds, ``[gate]`` in factory.toml.

    Attributes:
        gap_closed: Least lower end of the interval of the gap closed on seen questions.
        min_questions: Fewer seen questions cannot show anything.
        general_fall: The student may be worse than its base on the general set by this share, beyond the interval.
        refusals: Least share of unanswerable questions that are declined; below 0 it only must not fall below the
            base. It counts where the student was taught refusals.
        by: Whose grades count: ``rules`` or ``judge``.
    """

    gap_closed: float = 0.6
    min_questions: int = 20
    general_fall: float = 0.0
    refusals: float = 0.5
    by: str = "rules"
