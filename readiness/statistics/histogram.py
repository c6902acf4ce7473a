"""A histogram of times: it takes in millions, and stays as small as it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Times = NDArray[np.float64]

#: From a microsecond to a thousand seconds, each bucket one per cent wider than the one before.
SHORTEST, LONGEST, WIDER = 1e-6, 1e3, 1.01
EDGES: Times = np.geomspace(
    SHORTEST, LONGEST, 1 + int(np.ceil(np.log(LONGEST / SHORTEST) / np.log(WIDER)))
)


@dataclass
class Histogram:
    """How often times were seen, in seconds; what is shorter or longer is in the end buckets."""

    counts: Counts = field(default_factory=lambda: np.zeros(len(EDGES), np.int64))

    def add(self, seconds: Times) -> None:
        """Take in some times."""
        places = np.searchsorted(EDGES, seconds).clip(max=len(EDGES) - 1)
        self.counts += np.bincount(places, minlength=len(EDGES))

    def merge(self, other: Histogram) -> None:
        """Take in all that another has seen."""
        self.counts += other.counts

    @property
    def total(self) -> int:
        """How many times were seen."""
        return int(self.counts.sum())

    def quantile(self, share: float) -> float:
        """A time that so large a share of all does not exceed, up to one per cent too long.

        Raises:
            ValueError: Nothing was seen.
        """
        if not self.total:
            raise ValueError("a quantile of nothing")
        rank = max(1, int(np.ceil(share * self.total)))
        return float(EDGES[np.searchsorted(np.cumsum(self.counts), rank)])
