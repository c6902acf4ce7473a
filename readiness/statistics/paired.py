"""Two runs of the same probes: whether the later is worse, and whether it is shown not to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import ceil, floor, log
from typing import Any, NamedTuple

STEPS = 100  # of the search for a bound, and of the rates that nobody knows
NORMAL = 1.6448536269514722  # The normal's 95 % point: the bound shown is one-sided.
ROUNDING = 1e-9


class Pairs(NamedTuple):
    """Probes tried twice: how many were lost by the change, how many gained, of how many."""

    lost: int
    gained: int
    pairs: int

    def over(self, effect: float) -> Pairs:
        """As many as would tell as much were they independent, never in the change's favour."""
        return Pairs(
            ceil(self.lost / effect), floor(self.gained / effect), floor(self.pairs / effect)
        )


def sign_flips(differences: Iterable[int]) -> float:
    """The chance of losses so far ahead of gains had nothing changed: exact, one-sided.

    Each number is what one cluster has lost, less what it has gained; had nothing changed, its sign
    would be a coin's. Where each cluster is one trial, this is McNemar's exact test (1947).
    """
    differing = [each for each in differences if each]
    ways = [1]  # By sum: in how many ways the losing clusters can be chosen.
    for each in map(abs, differing):
        longer = [*ways, *[0] * each]
        ways = [one + other for one, other in zip(longer, [0] * each + ways, strict=True)]
    ahead = sum(each for each in differing if each > 0)
    return sum(ways[ahead:]) / float(2 ** len(differing))


def holm(chances: Sequence[float]) -> list[float]:
    """The chances, raised so that all alarms together are false as seldom as one (Holm 1979)."""
    order = sorted(range(len(chances)), key=lambda place: chances[place])
    raised = (min(1.0, (len(chances) - rank) * chances[place]) for rank, place in enumerate(order))
    by_place = dict(zip(order, accumulate(raised, max), strict=True))
    return [by_place[place] for place in range(len(chances))]


def family_wise_p_values(checks: Sequence[Sequence[int]], alpha: float) -> list[float]:
    """The chance of each check's losses, raised for how many checks there are to alarm.

    Clusters that differ too seldom to alarm even alone are not counted: the chance is conditional
    on how many differ (Tarone 1990). Theirs is 1.
    """
    able = [place for place, each in enumerate(checks) if _least(each) <= alpha]
    raised = holm([sign_flips(checks[place]) for place in able])
    found = dict(zip(able, raised, strict=True))
    return [found.get(place, 1.0) for place in range(len(checks))]


def _least(differences: Sequence[int]) -> float:
    """The smallest chance that so many differing clusters can come to."""
    return 0.5 ** sum(1 for each in differences if each)


def least_difference(found: Pairs) -> float:
    """How far the rate has changed at the least: Tango's score bound (1998), one-sided 95 %.

    To be shown, not to decide by: with few pairs that differ it promises a little too much.
    """
    if not found.pairs:
        return -1.0
    low, high = -1.0, (found.gained - found.lost) / found.pairs
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _score(*found, -middle) < NORMAL else (middle, high)
    return low


def inferior(found: Pairs, margin: float) -> float:
    """The chance of pairs so good were the rate in truth lower by the margin (exact).

    The largest over all rates at which pairs may differ (Sidik 2003, exact unconditional tests for
    matched pairs), the outcomes being ranked by Tango's score.
    """
    import numpy
    from scipy.special import bdtr, gammaln, xlog1py, xlogy

    if not found.pairs:
        return 1.0
    pairs, differing = found.pairs, numpy.arange(found.pairs + 1)
    lost, both = numpy.meshgrid(differing, differing, indexing="ij")
    scores = _score(lost, both - lost, pairs, margin)
    as_good = (scores >= _score(*found, margin) - ROUNDING) & (lost <= both)
    most = as_good.sum(axis=0) - 1  # Of so many that differ, the most lost that is as good.
    # Pairs seldom differ: more of the rates tried are small ones.
    gains = (1 - margin) / 2 * (numpy.arange(STEPS)[:, None] / STEPS) ** 2
    rate = 2 * gains + margin
    ways = gammaln(pairs + 1) - gammaln(differing + 1) - gammaln(pairs - differing + 1)
    weights = numpy.exp(ways + xlogy(differing, rate) + xlog1py(pairs - differing, -rate))
    below = bdtr(numpy.maximum(most, 0), differing, (gains + margin) / rate)
    return min(1.0, float((weights * numpy.where(most < 0, 0, below)).sum(axis=1).max()))


def fewest_pairs(margin: float, alpha: float) -> int:
    """The fewest pairs that show a margin, if none of them differ."""
    return ceil(log(alpha) / log(1 - margin))


def _score(lost: Any, gained: Any, pairs: int, margin: float) -> Any:
    """Tango's statistic: how far the gains stand above a loss of the margin.

    The rate of gains is the likeliest one under which the rate of losses is the margin more.
    """
    from numpy import maximum, sqrt

    linear = margin * (2 * pairs - lost + gained) - lost - gained
    inner = linear * linear + 8 * pairs * gained * margin * (1 - margin)
    gains = (sqrt(maximum(inner, 0)) - linear) / (4 * pairs)
    spread = pairs * (2 * gains + margin * (1 - margin))
    return (gained - lost + pairs * margin) / sqrt(maximum(spread, ROUNDING**2))
