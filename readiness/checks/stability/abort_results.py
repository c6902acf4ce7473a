"""What came of a storm of aborts: what was read before it, at rest in between, and afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from readiness.load.meters.meter import QUEUED, RUNNING
from readiness.load.saturation import Strain

#: How long to wait for rest, in seconds.
REST = 20.0
#: What nobody notices: at rest, and when all is over, in seconds more than before.
STIRRED, UNNOTICED = 1.0, 0.2


@dataclass(frozen=True)
class Reading:
    """What was read at rest, after a cycle.

    Args:
        waited: How long it took until there was rest; REST where there was none.
        gauges: What its meters show; empty where they show nothing.
    """

    waited: float
    gauges: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Storm:
    """What came of a storm.

    Args:
        before: What short requests took before it, in seconds.
        idle: What its meters showed then.
        readings: One for each cycle.
        told: What short requests were answered, those before it first; "" where one was lost.
        lost: How short requests failed during it, in words.
        after: What they took when it was over, in seconds.
        neighbours: How streams beside it ended that nobody aborted: "" where all was well.
        aborted: How many requests were left.
        strain: How busy this side was.
    """

    before: list[float] = field(default_factory=list)
    idle: Mapping[str, float] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    neighbours: list[str] = field(default_factory=list)
    aborted: int = 0
    strain: Strain = field(default_factory=Strain)

    @property
    def others(self) -> float:
        """How many requests of others were under way before it."""
        return under_way(self.idle)


def under_way(gauges: Mapping[str, float]) -> float:
    """How many requests an engine says that it serves, or has waiting."""
    return gauges.get(RUNNING, 0.0) + gauges.get(QUEUED, 0.0)
