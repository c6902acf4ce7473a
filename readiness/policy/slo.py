"""A service level objective: what users are promised, where a policy promises anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: What may be promised of a step, in seconds: the mean and 95th percentile of whole replies, and of
#: first tokens.
TIMES = ("mean", "p95", "first", "first_p95")


@dataclass(frozen=True)
class LatencyObjective:
    """How long replies may take at the most.

    Args:
        scenario: What users send.
        clients: How many of them there are at once.
        max_seconds: Most seconds of each time, by its name.
    """

    scenario: str
    clients: int
    max_seconds: Mapping[str, float]

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> LatencyObjective:
        """Read what a policy says."""
        most = {name: float(said[name]) for name in TIMES if name in said}
        return cls(said["scenario"], said["clients"], most)


Slo = Sequence[LatencyObjective]
