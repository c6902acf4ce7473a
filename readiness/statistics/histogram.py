"""A histogram of times with a fixed number of buckets, for millions of values."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Times = NDArray[np.float64]

#: From a microsecond to a thousand seconds, each bucket 1 % wider than the one before.
MIN_SECONDS, MAX_SECONDS, GROWTH = 1e-6, 1e3, 1.01
EDGES: Times = np.geomspace(
    MIN_SECONDS, MAX_SECONDS, 1 + int(np.ceil(np.log(MAX_SECONDS / MIN_SECONDS) / np.log(GROWTH)))
)


@dataclass
class Histogram:
    """Counts of times in seconds; the end buckets hold shorter and longer ones."""

    counts: Counts = field(default_factory=lambda: np.zeros(len(EDGES), np.int64))

    def add(self, seconds: Times) -> None:
        """Count some times, in seconds."""
        buckets = np.searchsorted(EDGES, seconds).clip(max=len(EDGES) - 1)
        self.counts += np.bincount(buckets, minlength=len(EDGES))

    def merge(self, other: Histogram) -> None:
        """Add the counts of another histogram."""
        self.counts += other.counts

    @property
    def total(self) -> int:
        """The number of times counted."""
        return int(self.counts.sum())

    def quantile(self, share: float) -> float:
        """The quantile at `share` (0 to 1), in seconds, overestimated by at most 1 %.

        Raises:
            ValueError: The histogram is empty.
        """
        if not self.total:
            raise ValueError("a quantile of an empty histogram")
        rank = max(1, int(np.ceil(share * self.total)))
        return float(EDGES[np.searchsorted(np.cumsum(self.counts), rank)])
