"""Times in buckets, each 1 % wider than the one before."""

from __future__ import annotations

import numpy as np
import pytest

from readiness.statistics.histogram import EDGES, Histogram


def of(*seconds: float) -> Histogram:
    histogram = Histogram()
    histogram.add(np.array(seconds))
    return histogram


def test_buckets_reach_from_a_microsecond_to_a_thousand_seconds() -> None:
    assert (EDGES[0], EDGES[-1], len(EDGES)) == (1e-6, 1e3, 2084)
    assert 1.009 < max(EDGES[1:] / EDGES[:-1]) <= 1.01


def test_a_quantile_is_the_upper_edge_of_its_bucket() -> None:
    found = of(0.01, 0.02, 0.03, 0.04)
    shown = [found.quantile(share) for share in (0, 0.25, 0.26, 0.5, 0.75, 0.76, 1)]
    exact = [0.01, 0.01, 0.02, 0.02, 0.03, 0.04, 0.04]
    ahead = [one / other for one, other in zip(shown, exact, strict=True)]
    assert (min(ahead) >= 1, max(ahead) <= 1.01) == (True, True)


def test_a_time_on_an_edge_is_in_the_bucket_that_ends_there() -> None:
    assert of(float(EDGES[7])).quantile(0.5) == EDGES[7]
    assert of(float(EDGES[7]) * 1.001).quantile(0.5) == EDGES[8]


def test_times_beyond_the_ends_are_in_the_end_buckets() -> None:
    assert [of(each).quantile(0.5) for each in (0.0, 1e-7, 1e3, 1e9)] == [1e-6, 1e-6, 1e3, 1e3]


def test_counts_add_up() -> None:
    found = of(0.1, 0.1, 0.2)
    found.merge(of(0.3))
    found.add(np.array([0.1]))
    assert found.total == 5
    assert [int(each) for each in found.counts[found.counts > 0]] == [3, 1, 1]


def test_a_quantile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a quantile of an empty histogram"):
        Histogram().quantile(0.5)
