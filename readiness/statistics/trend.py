"""Order statistics and trends: what a series of measured times shows, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf, sqrt
from typing import NamedTuple, TypeVar

import numpy as np

from readiness.statistics.histogram import Times

T = TypeVar("T")
ALPHA = 0.05
WARM_UP = 3  # One in so many readings, at the beginning, tells nothing of a trend.
POWER = 2.326 + 0.842  # quantiles of the normal distribution, at 99 and 80 %
DRAWS = 1000
BLOCKS = 12  # The fewest that a bootstrap by blocks says anything with.
BLOCK = 5.0  # seconds: longer than what ties neighbouring requests together


class Estimate(NamedTuple):
    """A figure, and the interval that it is known to be in (95 %, two-sided)."""

    value: float
    low: float
    high: float


class Trend(NamedTuple):
    """Whether a series grows.

    Args:
        p: The chance of so much growth where there is none (Mann & Kendall, one-sided).
        slope: The growth from one reading to the next (Theil & Sen).
        low: What the slope is at the least (95 %).
    """

    p: float
    slope: float
    low: float


def percentile(seconds: Sequence[float], share: float) -> Estimate:
    """A percentile as one of the values seen, with the order statistics that enclose it.

    The number of values below the true percentile is binomial, whatever the distribution is.
    Where too few were seen to enclose it, the interval ends with the extremes.
    """
    from scipy.special import bdtr

    values = sorted(seconds)
    n = len(values)
    below = np.asarray(bdtr(np.arange(n), n, share))
    low = max(int(np.searchsorted(below, ALPHA / 2)) - 1, 0)
    high = min(int(np.searchsorted(below, 1 - ALPHA / 2)), n - 1)
    place = min(max(ceil(share * n) - 1, 0), n - 1)
    return Estimate(values[place], values[min(low, place)], values[max(high, place)])


def rate(ended: Sequence[float], start: float, end: float) -> Estimate:
    """How many events a second there were, with a bootstrap by blocks of time.

    Replies come in batches: whole blocks are drawn, for their neighbours are not independent.
    """
    span = end - start
    blocks = max(BLOCKS, int(span / BLOCK))
    counts, _ = np.histogram(np.asarray(ended), bins=blocks, range=(start, end))
    drawn = np.random.default_rng(0).choice(counts, (DRAWS, blocks)).sum(axis=1) / span
    low, high = np.quantile(drawn, [ALPHA / 2, 1 - ALPHA / 2])
    value = float(counts.sum() / span)
    return Estimate(value, min(float(low), value), max(float(high), value))


def settled(readings: Sequence[T]) -> Sequence[T]:
    """All readings but the first third: what warms up grows, and is no trend."""
    return readings[len(readings) // WARM_UP :]


def detectable(readings: Sequence[float]) -> float:
    """The growth from one reading to the next that would be seen four times of five.

    By the standard error of a line's slope, at a risk of 1 % (one-sided); the test by ranks sees
    nearly as much (its efficiency is 0.98 where the noise is normal: Stuart 1954).
    """
    n = len(readings)
    if n < 3:
        return inf
    places = np.arange(n)
    rest = np.asarray(readings, float) - np.polyval(np.polyfit(places, readings, 1), places)
    noise = float(np.sqrt((rest**2).sum() / (n - 2)))
    return POWER * noise * sqrt(12 / (n**3 - n))


def trend(readings: Sequence[float]) -> Trend:
    """Whether readings grow; they are to be independent, as those taken at rest are.

    A series that does not move at all shows no trend.
    """
    from scipy.stats import kendalltau, theilslopes

    values: Times = np.asarray(readings, float)
    if len(values) < 3 or np.ptp(values) == 0:
        return Trend(1.0, 0.0, 0.0)
    places = np.arange(len(values))
    p = float(kendalltau(places, values, alternative="greater").pvalue)
    slope, _, low, _ = theilslopes(values, places, 0.95)
    return Trend(p, float(slope), float(low))
