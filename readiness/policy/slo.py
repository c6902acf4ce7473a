"""Service level objectives for the latency of replies under load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: The latencies that may have an objective, in seconds: mean and 95th percentile, of whole replies
#: and of first tokens.
TIMES = ("mean", "p95", "first", "first_p95")


@dataclass(frozen=True)
class LatencyObjective:
    """The maximum latencies of replies at one load.

    Args:
        scenario: The load scenario.
        clients: The number of concurrent clients.
        max_seconds: The maximum of each latency in seconds, by its name.
    """

    scenario: str
    clients: int
    max_seconds: Mapping[str, float]

    @classmethod
    def read(cls, section: Mapping[str, Any]) -> LatencyObjective:
        """Read an objective from a policy."""
        limits = {name: float(section[name]) for name in TIMES if name in section}
        return cls(section["scenario"], section["clients"], limits)


Slo = Sequence[LatencyObjective]
