"""Paired tests of two runs of the same probes: regression and non-inferiority."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from math import ceil, floor, log
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray

STEPS = 100  # of the bisection for a bound, and of the grid over the nuisance parameter
Z = 1.6448536269514722  # The normal distribution's 95 % quantile: the bound is one-sided.
ROUNDING = 1e-9
NEGLIGIBLE = 1e-40  # Probabilities below are left out of sums: no p-value hangs on them.


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


def sign_flips(differences: Sequence[int]) -> float:
    """The exact one-sided p-value of losses exceeding gains, if nothing has changed.

    Each difference is a cluster's losses minus its gains, whose sign is symmetric under the null
    hypothesis. Where each cluster is one trial, this is McNemar's exact test (1947). Clusters of
    one size are a binomial; sizes are convolved, so that time and memory stay near linear.
    """
    from numpy import convolve, ones, zeros

    lowest, chances = 0, ones(1)  # Of the sum of the differences that turn out positive.
    for size, clusters in Counter(abs(each) for each in differences if each).items():
        first, heads = _fair_coins(clusters)
        spaced = zeros((len(heads) - 1) * size + 1)
        spaced[::size] = heads
        lowest, chances = lowest + first * size, convolve(chances, spaced)
    ahead = sum(max(each, 0) for each in differences)
    return min(1.0, float(chances[max(0, ahead - lowest) :].sum()))


def _fair_coins(coins: int) -> tuple[int, NDArray[float64]]:
    """The fewest heads that are not negligible, and the probability of each number from there."""
    from numpy import arange, exp, flatnonzero
    from scipy.special import gammaln

    heads = arange(coins + 1)
    ways = gammaln(coins + 1) - gammaln(heads + 1) - gammaln(coins - heads + 1)
    chances = exp(ways - coins * log(2))
    kept = flatnonzero(chances > NEGLIGIBLE)
    return int(kept[0]), chances[kept[0] : kept[-1] + 1]


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
    testable = [index for index, each in enumerate(checks) if smallest_p_value(each) <= alpha]
    adjusted = holm([sign_flips(checks[index]) for index in testable])
    found = dict(zip(testable, adjusted, strict=True))
    return [found.get(index, 1.0) for index in range(len(checks))]


def smallest_p_value(differences: Sequence[int]) -> float:
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
    if not found.pairs:
        return 1.0
    most = _most_losses(found, margin)
    # Discordant pairs are rare: the grid is finer at small rates.
    gains = [(1 - margin) / 2 * (step / STEPS) ** 2 for step in range(STEPS + 1)]
    return min(1.0, max(_as_good(most, gained, margin) for gained in gains))


def _most_losses(found: Pairs, margin: float) -> NDArray[int64]:
    """By number of discordant pairs, the most losses that score as well as those found; or -1."""
    from numpy import arange, full_like, where

    both = arange(found.pairs + 1)
    least = _score(*found, margin) - ROUNDING
    low, high = full_like(both, -1), both.copy()
    for _ in range(found.pairs.bit_length() + 1):  # The score falls with each loss: bisection.
        middle = (low + high + 1) // 2
        enough = _score(middle, both - middle, found.pairs, margin) >= least
        low, high = where(enough, middle, low), where(enough, high, middle - 1)
    return low


def _as_good(most: NDArray[int64], gains: float, margin: float) -> float:
    """The probability of at most so many losses, where gains have this rate."""
    from numpy import arange, exp, where
    from scipy.special import bdtr, gammaln, xlog1py, xlogy

    pairs, rate = len(most) - 1, 2 * gains + margin
    both = arange(pairs + 1)
    ways = gammaln(pairs + 1) - gammaln(both + 1) - gammaln(pairs - both + 1)
    chances = exp(ways + xlogy(both, rate) + xlog1py(pairs - both, -rate))
    counts = chances > NEGLIGIBLE
    both, most, chances = both[counts], most[counts], chances[counts]
    few = bdtr(most, both, (gains + margin) / rate)
    return float((chances * where(most < 0, 0, few)).sum())


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
    return (gained - lost + pairs * margin) / sqrt(maximum(spread, ROUNDING))
