"""Paired tests of two runs of the same probes: regression and non-inferiority."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import ceil, floor, log
from typing import Any, NamedTuple

STEPS = 100  # of the bisection for a bound, and of the grid over the nuisance parameter
Z = 1.6448536269514722  # The normal distribution's 95 % quantile: the bound is one-sided.
ROUNDING = 1e-9


class Pairs(NamedTuple):
    """Counts of discordant pairs: those that pass only before or only after, and all pairs."""

    lost: int
    gained: int
    pairs: int

    def over(self, effect: float) -> Pairs:
        """The counts divided by a design effect, rounded against the change."""
        return Pairs(
            ceil(self.lost / effect), floor(self.gained / effect), floor(self.pairs / effect)
        )


def sign_flips(differences: Iterable[int]) -> float:
    """The exact one-sided p-value of losses exceeding gains, if nothing has changed.

    Each difference is a cluster's losses minus its gains, whose sign is symmetric under the null
    hypothesis. Where each cluster is one trial, this is McNemar's exact test (1947).
    """
    differing = [each for each in differences if each]
    counts = [1]  # By sum: the number of subsets of clusters with that sum.
    for each in map(abs, differing):
        longer = [*counts, *[0] * each]
        counts = [one + other for one, other in zip(longer, [0] * each + counts, strict=True)]
    ahead = sum(each for each in differing if each > 0)
    return sum(counts[ahead:]) / float(2 ** len(differing))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values, adjusted to control the family-wise error rate (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = (
        min(1.0, (len(p_values) - rank) * p_values[index]) for rank, index in enumerate(order)
    )
    by_index = dict(zip(order, accumulate(adjusted, max), strict=True))
    return [by_index[index] for index in range(len(p_values))]


def family_wise_p_values(checks: Sequence[Sequence[int]], alpha: float) -> list[float]:
    """The p-value of each check's losses, adjusted for the number of checks that could alarm.

    Checks with too few differing clusters to reach `alpha` even alone are not counted, since the
    test is conditional on the number that differ (Tarone 1990); their p-value is 1.
    """
    testable = [index for index, each in enumerate(checks) if _smallest_p_value(each) <= alpha]
    adjusted = holm([sign_flips(checks[index]) for index in testable])
    found = dict(zip(testable, adjusted, strict=True))
    return [found.get(index, 1.0) for index in range(len(checks))]


def _smallest_p_value(differences: Sequence[int]) -> float:
    """The smallest p-value that this number of differing clusters can reach."""
    return 0.5 ** sum(1 for each in differences if each)


def least_difference(found: Pairs) -> float:
    """The lower bound of the change in the rate: Tango's score bound (1998), one-sided 95 %.

    For display, not for decisions: with few discordant pairs it is slightly too narrow.
    """
    if not found.pairs:
        return -1.0
    low, high = -1.0, (found.gained - found.lost) / found.pairs
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _score(*found, -middle) < Z else (middle, high)
    return low


def inferior(found: Pairs, margin: float) -> float:
    """The exact p-value of the hypothesis that the rate is lower by at least the margin.

    The maximum over the nuisance parameter, the rate of discordant pairs (Sidik 2003, exact
    unconditional tests for matched pairs); outcomes are ordered by Tango's score.
    """
    import numpy
    from scipy.special import bdtr, gammaln, xlog1py, xlogy

    if not found.pairs:
        return 1.0
    pairs, differing = found.pairs, numpy.arange(found.pairs + 1)
    lost, both = numpy.meshgrid(differing, differing, indexing="ij")
    scores = _score(lost, both - lost, pairs, margin)
    as_good = (scores >= _score(*found, margin) - ROUNDING) & (lost <= both)
    most = as_good.sum(axis=0) - 1  # By number of discordant pairs, the most losses as good.
    # Discordant pairs are rare: the grid is finer at small rates.
    gains = (1 - margin) / 2 * (numpy.arange(STEPS)[:, None] / STEPS) ** 2
    rate = 2 * gains + margin
    coefficients = gammaln(pairs + 1) - gammaln(differing + 1) - gammaln(pairs - differing + 1)
    weights = numpy.exp(coefficients + xlogy(differing, rate) + xlog1py(pairs - differing, -rate))
    below = bdtr(numpy.maximum(most, 0), differing, (gains + margin) / rate)
    return min(1.0, float((weights * numpy.where(most < 0, 0, below)).sum(axis=1).max()))


def fewest_pairs(margin: float, alpha: float) -> int:
    """The smallest number of pairs, none of them discordant, that shows non-inferiority."""
    return ceil(log(alpha) / log(1 - margin))


def _score(lost: Any, gained: Any, pairs: int, margin: float) -> Any:
    """Tango's score statistic of the difference, with a loss of the margin as null hypothesis.

    The rate of gains is its maximum likelihood estimate under the null hypothesis.
    """
    from numpy import maximum, sqrt

    linear = margin * (2 * pairs - lost + gained) - lost - gained
    inner = linear * linear + 8 * pairs * gained * margin * (1 - margin)
    gains = (sqrt(maximum(inner, 0)) - linear) / (4 * pairs)
    spread = pairs * (2 * gains + margin * (1 - margin))
    return (gained - lost + pairs * margin) / sqrt(maximum(spread, ROUNDING**2))
