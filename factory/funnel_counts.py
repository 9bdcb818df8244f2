"""The funnel in numbers: how many pairs came to each filter and how many passed it.

filters in order, how many entered, rejects by reason ─▶ [Stage(name, entered, passed)] ─▶ a table for people
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from factory.visible import visible

_EXAMPLE_WIDTH = 70


@dataclass(frozen=True, slots=True)
class Stage:
    """A filter, and how many came to it and passed it."""

    name: str
    entered: int
    passed: int

    def as_json(self) -> dict[str, str | int]:
        """As the manifest holds it."""
        return {"name": self.name, "in": self.entered, "out": self.passed}


def count_stages(names: Collection[str], entered: int, dropped: Mapping[str, int]) -> list[Stage]:
    """Count through the filters in their order; each drops what it is named by."""
    stages = []
    for name in names:
        passed = entered - dropped.get(name, 0)
        stages.append(Stage(name, entered, passed))
        entered = passed
    return stages


def funnel_table(stages: Collection[Stage], examples: Mapping[str, str]) -> str:
    """The funnel as people read it: filter, in, out, dropped, and an example of what it dropped."""
    width = max((len(stage.name) for stage in stages), default=0)
    lines = [f"  {'filter':<{width}}  {'in':>9}  {'out':>9}  {'dropped':>8}  for example"]
    for stage in stages:
        example = visible(" ".join(examples.get(stage.name, "").split()), _EXAMPLE_WIDTH)
        dropped = stage.entered - stage.passed
        line = f"  {stage.name:<{width}}  {stage.entered:>9,}  {stage.passed:>9,}  {dropped:>8,}  {example}"
        lines.append(line.rstrip())
    return "\n".join(lines)
