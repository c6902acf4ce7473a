"""Proportions: exact bounds and intervals, design effects of clusters, and repeated tries."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import groupby
from math import comb, sqrt
from typing import NamedTuple

Z = 1.959963984540054  # The normal distribution's 97.5 % quantile: intervals shown are 95 %.

#: The intraclass correlation where the trials give no reliable estimate of it.
DEFAULT_CORRELATION = 0.1
MIN_CLUSTERS = 5

MAX_TRIALS = 10**8  # The limit of the search for a number of trials.


class Interval(NamedTuple):
    """An interval of rates."""

    low: float
    high: float


class Agreement(NamedTuple):
    """Cohen's kappa, from -1 to 1, with its 95 % interval."""

    kappa: float
    low: float
    high: float


class Cluster(NamedTuple):
    """Trials that share a document or a conversation, and so are correlated."""

    passed: int
    trials: int


def wilson(passed: float, trials: float) -> Interval:
    """Wilson's score interval for a rate, two-sided 95 %: for display, not for decisions.

    Wilson 1927; Bowyer et al. 2025 (arXiv 2503.01747) on why not the normal approximation.
    """
    if not trials:
        return Interval(0.0, 1.0)
    rate, z2 = passed / trials, Z * Z
    centre = rate + z2 / (2 * trials)
    margin = Z * sqrt(rate * (1 - rate) / trials + z2 / (4 * trials * trials))
    low, high = (each / (1 + z2 / trials) for each in (centre - margin, centre + margin))
    # Rounding must not move a bound beyond the rate, nor outside 0 to 1.
    return Interval(max(0.0, min(low, rate)), min(1.0, max(high, rate)))


def lower(passed: float, trials: float, alpha: float) -> float:
    """The exact one-sided lower bound of a rate (Clopper & Pearson 1934).

    The counts need not be integers: clustered trials have an effective sample size.
    """
    if not passed:
        return 0.0
    if passed == trials:
        return float(alpha ** (1 / trials))
    # scipy.stats has the same bounds, but takes 60 MB and a second more to import.
    from scipy.special import betaincinv

    return float(betaincinv(passed, trials - passed + 1, alpha))


def upper(passed: float, trials: float, alpha: float) -> float:
    """The exact one-sided upper bound of a rate (Clopper & Pearson 1934)."""
    return 1 - lower(trials - passed, trials, alpha)


def agreement(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    """Cohen's kappa (1960) of two raters' labels of the same items.

    The interval is Wilson's of the observed agreement, transformed by the same formula. Where one
    rater uses each label equally often, chance agreement does not depend on the other, and the
    interval is as good as Wilson's; that of Fleiss et al. (1969) has no width at kappa 1.
    """
    count, agreed = len(pairs), sum(one == other for one, other in pairs)
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = sum(ones[name] * others[name] for name in ones) / count**2
    if chance == 1:
        return Agreement(0.0, -1.0, 1.0)  # Both raters use one label only: no information.
    rates = (agreed / count, *wilson(agreed, count))
    return Agreement(*((each - chance) / (1 - chance) for each in rates))


def design_effect(clusters: Sequence[Cluster]) -> float:
    """The design effect: how many clustered trials are worth one independent trial.

    1 + (m - 1) times the intraclass correlation, where m is the size of the cluster of an average
    trial (Miller 2024, arXiv 2411.00640, on clustered evaluations).
    """
    trials = sum(each.trials for each in clusters)
    if not trials:
        return 1.0
    size = sum(each.trials**2 for each in clusters) / trials
    # A sample can show more correlation than the default, but is too small to show less: if a
    # single failure, which looks uncorrelated, lowered it, 124 of 125 would show more than 125.
    return 1 + (size - 1) * max(DEFAULT_CORRELATION, _correlation(clusters))


def effective(clusters: Sequence[Cluster]) -> float:
    """The effective sample size of clustered trials: that of as many independent ones."""
    return sum(each.trials for each in clusters) / design_effect(clusters)


def _correlation(clusters: Sequence[Cluster]) -> float:
    """The intraclass correlation, by a one-way analysis of variance."""
    trials, count = sum(each.trials for each in clusters), len(clusters)
    passed = sum(each.passed for each in clusters)
    if count < MIN_CLUSTERS or trials == count or passed in (0, trials):
        return DEFAULT_CORRELATION
    rate = passed / trials
    between = sum(each.trials * (each.passed / each.trials - rate) ** 2 for each in clusters)
    within = sum(each.passed * (1 - each.passed / each.trials) for each in clusters)
    squares = sum(each.trials**2 for each in clusters)
    size = (trials - squares / trials) / (count - 1)
    between, within = between / (count - 1), within / (trials - count)
    return (between - within) / (between + (size - 1) * within)


def shows(passed: int, trials: int, required: float, margin: float, alpha: float) -> bool:
    """Whether independent trials show the required rate, up to the margin, at risk `alpha`.

    A required rate of 1 is a zero-defect rule: no number of trials proves it, so it is judged by
    count.
    """
    if required == 1 or not trials:
        return 0 < passed == trials
    return passed / trials >= required and lower(passed, trials, alpha) >= required - margin


def more_needed(
    passed: int, trials: int, required: float, margin: float, alpha: float
) -> int | None:
    """The number of further trials, all passed, that would show the claim; None if none would."""
    more = range(MAX_TRIALS)
    needed = bisect_left(
        more, True, key=lambda n: shows(passed + n, trials + n, required, margin, alpha)
    )
    return needed if needed < MAX_TRIALS else None


def fewest(required: float, margin: float, alpha: float) -> int:
    """The smallest number of trials, all passed, that shows the claim."""
    return more_needed(0, 0, required, margin, alpha) or MAX_TRIALS


def can_show(required: float, margin: float, alpha: float, trials: int) -> bool:
    """Whether this number of trials shows the claim if all of them pass."""
    return shows(trials, trials, required, margin, alpha)


#: The k for which the record reports pass^k.
TRIES = (1, 3, 8)


def all_of(tries: int, successes: Sequence[int], trials: int) -> float:
    """The probability that all of k tries of a task succeed: pass^k (τ-bench, arXiv 2406.12045)."""
    _check(tries, successes, trials)
    return sum(comb(each, tries) for each in successes) / (comb(trials, tries) * len(successes))


def longest_streak(outcomes: Iterable[bool]) -> int:
    """The longest run of consecutive successes."""
    return max((sum(1 for _ in run) for passed, run in groupby(outcomes) if passed), default=0)


def _check(tries: int, successes: Sequence[int], trials: int) -> None:
    if not (successes and 1 <= tries <= trials and all(0 <= each <= trials for each in successes)):
        raise ValueError(f"no {tries} of {trials} tries with these successes: {successes!r:.60}")
