"""Times that trials have measured, with no more said of them than so many can show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from statistics import median

from readiness.score import Measure

#: Below this many, the 99th percentile is the highest of them by another name.
ENOUGH = 100


@dataclass(frozen=True)
class Times:
    """What several trials took under the same conditions.

    Args:
        name: What was measured.
        at: The conditions.
        seconds: The times, the shortest first.
    """

    name: str
    at: Mapping[str, float | str]
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """What half of the trials stayed below."""
        return median(self.seconds)

    @property
    def tail(self) -> str:
        """What the high figure is: a percentile only where there are trials enough for it."""
        trials = len(self.seconds)
        return "P99" if trials >= ENOUGH else f"max of {trials}"

    @property
    def high(self) -> float:
        """The 99th percentile, by nearest rank, which is the highest of fewer than a hundred."""
        return self.seconds[ceil(0.99 * len(self.seconds)) - 1]


def times(measures: Iterable[Measure]) -> list[Times]:
    """Sum up what was measured in seconds, but for what sums up already."""
    found: dict[tuple[str, tuple[tuple[str, float | str], ...]], list[float]] = {}
    for each in measures:
        if each.unit == "s" and each.of == 1:
            found.setdefault((each.name, tuple(sorted(each.at.items()))), []).append(each.value)
    return [Times(name, dict(at), tuple(sorted(taken))) for (name, at), taken in found.items()]
