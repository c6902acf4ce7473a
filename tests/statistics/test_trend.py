"""Percentiles, rates, means and trends of measured series."""

from __future__ import annotations

from math import exp, hypot, inf, log, sqrt

import numpy as np
import pytest
from scipy.stats import linregress, t

from readiness.statistics.trend import (
    Estimate,
    batch_means,
    detectable,
    divided,
    interval_of_mean,
    percentile,
    rate,
    ratio,
    relative_error,
    settled,
    trend,
)

FIVE = [1.0, 2.0, 4.0, 5.0, 8.0]


@pytest.mark.parametrize(
    ("count", "share", "estimate"),
    [
        (100, 0.5, (50, 40, 61)),  # Conover, Practical Nonparametric Statistics
        (20, 0.5, (10, 6, 15)),
        (10, 0.5, (5, 2, 9)),
        (100, 0.9, (90, 84, 96)),
        (40, 0.05, (2, 1, 6)),
        (3, 0.5, (2, 1, 3)),  # too few to bound it from either side
        (3, 0.99, (3, 2, 3)),
        (3, 0.01, (1, 1, 2)),
        (1, 0.5, (1, 1, 1)),
        (7, 0.0, (1, 1, 1)),
        (7, 1.0, (7, 7, 7)),
    ],
)
def test_a_percentile_is_bounded_by_these_of_the_ordered_values(
    count: int, share: float, estimate: tuple[int, int, int]
) -> None:
    assert percentile([float(n) for n in range(count, 0, -1)], share) == estimate


def test_a_rate_is_of_what_ended_within_the_span() -> None:
    steady = rate([100.5 + n for n in range(60)], 100, 160)
    assert steady == (1, 1, 1)
    # Twelve blocks of five seconds, each of which has one more than the one before.
    rising = [5 * block + 1 for block in range(12) for _ in range(block)]
    uneven = rate([*rising, 61.0, 99.0], 0, 60)
    assert uneven.value == 66 / 60
    blocks = np.random.default_rng(0).choice(range(12), (1000, 12)).sum(axis=1) / 60
    assert uneven[1:] == tuple(np.quantile(blocks, [0.025, 0.975]))
    assert rate([], 0, 60) == (0, 0, 0)


def test_a_long_span_has_a_block_for_each_five_seconds() -> None:
    found = rate([n / 10 for n in range(500)], 0, 100)
    blocks = np.random.default_rng(0).choice([50] * 10 + [0] * 10, (1000, 20)).sum(axis=1) / 100
    assert found == (5.0, *np.quantile(blocks, [0.025, 0.975]))


@pytest.mark.parametrize(
    ("count", "most", "sizes"),
    [
        (12, 4, [3, 3, 3, 3]),
        (11, 4, [3, 4, 4]),
        (13, 4, [3, 3, 3, 4]),
        (30, 4, [7, 8, 7, 8]),
        (2, 4, [2]),
        (5, 4, [5]),
        (0, 4, []),
    ],
)
def test_batches_are_of_nearly_one_size_and_of_three_values_or_more(
    count: int, most: int, sizes: list[int]
) -> None:
    found = divided(range(count), most)
    assert [len(each) for each in found] == sizes
    assert [value for each in found for value in each] == [*range(count)]


def test_a_mean_has_students_interval() -> None:
    half = t.ppf(0.975, 4) * np.std(FIVE, ddof=1) / sqrt(5)
    found = interval_of_mean(FIVE)
    assert found == pytest.approx((4, 4 - half, 4 + half))
    assert batch_means(FIVE) == found
    three = interval_of_mean([1.0, 2.0, 3.0])
    assert three == pytest.approx((2, 2 - 4.302653 / sqrt(3), 2 + 4.302653 / sqrt(3)))


def test_a_mean_of_positive_values_is_not_below_zero() -> None:
    spread = [1.0, 1.0, 10.0]
    assert interval_of_mean(spread).low < -8
    assert batch_means(spread) == interval_of_mean(spread)._replace(low=0.0)


def test_of_two_values_only_the_mean_is_known() -> None:
    assert interval_of_mean([1.0, 2.0]) == (1.5, -inf, inf)
    assert batch_means([1.0, 2.0]) == (1.5, 0, inf)
    assert batch_means([]) == (0, 0, inf)


def test_the_relative_error_of_a_mean() -> None:
    assert relative_error([1.0, 2.0, 3.0]) == pytest.approx(1 / 2 / sqrt(3))
    assert relative_error([1.0, 2.0]) == inf


def test_a_ratio_has_the_errors_of_both_logarithms() -> None:
    above, below = Estimate(6, 4, 9), Estimate(2, 1, 3)
    half = hypot(log(9 / 6), log(3 / 2))
    assert ratio(above, below) == pytest.approx((3, 3 * exp(-half), 3 * exp(half)))
    assert ratio(above, below._replace(high=inf)) == (3, 0, inf)


@pytest.mark.parametrize(
    ("above", "below"),
    [(Estimate(0, 0, 1), Estimate(1, 1, 1)), (Estimate(1, 1, 1), Estimate(0, 0, 1))],
)
def test_a_ratio_to_or_of_nothing_is_unknown(above: Estimate, below: Estimate) -> None:
    assert ratio(above, below) == (0, 0, inf)


def test_the_first_third_of_readings_is_warm_up() -> None:
    assert [len(settled(range(count))) for count in (0, 2, 3, 9, 11)] == [0, 2, 2, 6, 8]
    assert settled(range(9)) == range(3, 9)


@pytest.mark.parametrize("readings", [FIVE, [3.0, 1.0, 2.0], [0.0, 0.0, 0.0, 1.0]])
def test_the_detectable_growth_is_that_of_a_regressions_slope(readings: list[float]) -> None:
    error = linregress(range(len(readings)), readings).stderr
    # The normal distribution's quantiles at 99 and 80 %.
    assert detectable(readings) == pytest.approx((2.326 + 0.842) * error)


def test_two_readings_detect_no_growth() -> None:
    assert [detectable(each) for each in ([], [1.0], [1.0, 2.0], [0.0, 0.0])] == [inf] * 4


def test_a_trend_is_that_of_kendall_and_of_theil_and_sen() -> None:
    found = trend([1.0, 3.0, 2.0, 5.0])
    # Five of six pairs rise: 4 of 24 orders have as many or more.
    assert found.p == pytest.approx(4 / 24)
    assert found.slope == pytest.approx((1 + 4 / 3) / 2)
    assert found.low <= found.slope <= found.high
    assert trend([3.0, 2.0, 1.0]).p == 1
    assert trend([1.0, 2.0, 3.0]) == pytest.approx((1 / 6, 1, 1, 1))


def test_a_constant_series_has_no_trend_and_two_readings_show_nothing() -> None:
    assert trend([5.0] * 3) == (1, 0, 0, 0)
    assert trend([1.0, 2.0]) == (1, 0, -inf, inf)
