"""Percentiles, rates and trends of measured series, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, exp, hypot, inf, log, sqrt
from typing import NamedTuple, TypeVar

import numpy as np

from readiness.statistics.histogram import Times

T = TypeVar("T")
ALPHA = 0.05
WARM_UP = 3  # The first 1/3 of the readings is excluded from a trend.
POWER = 2.326 + 0.842  # quantiles of the normal distribution, at 99 and 80 %
RESAMPLES = 1000
MIN_BLOCKS = 12  # of a block bootstrap
MIN_BATCH, MIN_BATCHES = 3, 3  # values of a batch, and batches, that tell how much means vary
BLOCK = 5.0  # seconds: longer than requests that are close in time are correlated


class Estimate(NamedTuple):
    """A figure with its two-sided 95 % interval."""

    value: float
    low: float
    high: float


class Trend(NamedTuple):
    """The trend of a series.

    Args:
        p: The one-sided p-value of growth (Mann-Kendall).
        slope: The growth from one reading to the next (Theil-Sen).
        low: The lower bound of the slope (95 %).
        high: Its upper bound.
    """

    p: float
    slope: float
    low: float
    high: float


def percentile(seconds: Sequence[float], share: float) -> Estimate:
    """A percentile (`share` 0 to 1) as an order statistic, with those that bound it at 95 %.

    The number of values below the true percentile is binomial, whatever the distribution is.
    With too few values to bound it, the interval ends at the extremes.
    """
    from scipy.special import bdtr

    values = sorted(seconds)
    n = len(values)
    below = np.asarray(bdtr(np.arange(n), n, share))
    low = max(int(np.searchsorted(below, ALPHA / 2)) - 1, 0)
    high = min(int(np.searchsorted(below, 1 - ALPHA / 2)), n - 1)
    index = max(ceil(share * n) - 1, 0)
    return Estimate(values[index], values[min(low, index)], values[max(high, index)])


def rate(ended: Sequence[float], start: float, end: float) -> Estimate:
    """Events per second between `start` and `end`, with an interval by block bootstrap.

    Replies come in batches, so that events close in time are not independent: blocks of time are
    resampled.
    """
    span = end - start
    blocks = max(MIN_BLOCKS, int(span / BLOCK))
    counts, _ = np.histogram(np.asarray(ended), bins=blocks, range=(start, end))
    resampled = np.random.default_rng(0).choice(counts, (RESAMPLES, blocks)).sum(axis=1) / span
    low, high = np.quantile(resampled, [ALPHA / 2, 1 - ALPHA / 2])
    value = float(counts.sum() / span)
    return Estimate(value, min(float(low), value), max(float(high), value))


def divided(values: Sequence[T], most: int) -> list[Sequence[T]]:
    """The values in batches of equal size, in their order, of MIN_BATCH values each or more."""
    count = max(min(most, len(values) // MIN_BATCH), 1)
    edges = [len(values) * at // count for at in range(count + 1)]
    return [values[start:end] for start, end in pairwise(edges) if end > start]


def batch_means(values: Sequence[float]) -> Estimate:
    """The mean of batches in time, with a t interval: batches of a steady state hardly correlate.

    With fewer than three batches, nothing is known of the mean but that it is positive.
    """
    if not values:
        return Estimate(0.0, 0.0, inf)
    mean = float(np.mean(values))
    if len(values) < MIN_BATCHES:
        return Estimate(mean, 0.0, inf)
    _, low, high = interval_of_mean(values)
    return Estimate(mean, max(low, 0.0), high)


def interval_of_mean(values: Sequence[float], alpha: float = ALPHA) -> Estimate:
    """The mean of independent values of either sign, with a two-sided t interval."""
    from scipy.special import stdtrit

    mean = float(np.mean(values))
    if len(values) < MIN_BATCHES:
        return Estimate(mean, -inf, inf)
    error = float(np.std(values, ddof=1)) / sqrt(len(values))
    half = float(stdtrit(len(values) - 1, 1 - alpha / 2)) * error
    return Estimate(mean, mean - half, mean + half)


def relative_error(values: Sequence[float]) -> float:
    """The standard error of the mean of positive values, as a share of it; infinite for too few."""
    if len(values) < MIN_BATCHES:
        return inf
    return float(np.std(values, ddof=1) / np.mean(values)) / sqrt(len(values))


def ratio(above: Estimate, below: Estimate) -> Estimate:
    """The ratio of two independent estimates, by the errors of their logarithms."""
    if not (above.value and below.value):
        return Estimate(0.0, 0.0, inf)
    value = above.value / below.value
    half = hypot(*(log(each.high / each.value) for each in (above, below)))
    return Estimate(value, value * exp(-half), value * exp(half))


def settled(readings: Sequence[T]) -> Sequence[T]:
    """The readings without their first third: growth during warm-up is not a trend."""
    return readings[len(readings) // WARM_UP :]


def detectable(readings: Sequence[float]) -> float:
    """The growth from one reading to the next that is detected with a power of 80 %.

    By the standard error of a regression slope, at a one-sided risk of 1 %; the Mann-Kendall test
    has nearly that power (relative efficiency 0.98 with normal noise: Stuart 1954).
    """
    n = len(readings)
    if n < 3:
        return inf
    indexes = np.arange(n)
    residuals = np.asarray(readings, float) - np.polyval(np.polyfit(indexes, readings, 1), indexes)
    noise = float(np.sqrt((residuals**2).sum() / (n - 2)))
    return POWER * noise * sqrt(12 / (n**3 - n))


def trend(readings: Sequence[float]) -> Trend:
    """The trend of readings, which must be independent, as readings of an idle server are.

    A constant series has no trend, and two readings show nothing.
    """
    from scipy.stats import kendalltau, theilslopes

    values: Times = np.asarray(readings, float)
    if len(values) < 3:
        return Trend(1.0, 0.0, -inf, inf)
    if np.ptp(values) == 0:
        return Trend(1.0, 0.0, 0.0, 0.0)
    indexes = np.arange(len(values))
    p = float(kendalltau(indexes, values, alternative="greater").pvalue)
    slope, _, low, high = theilslopes(values, indexes, 0.95)
    return Trend(p, float(slope), float(low), float(high))
