"""Proportions: exact bounds and intervals, alone, over clusters and over repeated trials."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import groupby
from math import comb, sqrt
from typing import NamedTuple

Z = 1.959963984540054  # The normal's 97.5 % point: every interval shown is at 95 %.

#: The correlation of trials in one cluster where the trials say nothing reliable of it.
CORRELATION = 0.1
FEWEST_CLUSTERS = 5

MOST_TRIALS = 10**8  # Where the search for a number of trials ends.


class Interval(NamedTuple):
    """The rates that the trials are compatible with."""

    low: float
    high: float


class Agreement(NamedTuple):
    """How far two readers agree beyond chance, from -1 to 1, and how far they may, at 95 %."""

    kappa: float
    low: float
    high: float


class Cluster(NamedTuple):
    """The trials that share a document or a conversation, and so their luck."""

    passed: int
    trials: int


def wilson(passed: float, trials: float) -> Interval:
    """Wilson's score interval for a rate, two-sided at 95 %: to be shown, not to decide by.

    Wilson 1927; Bowyer et al. 2025 (arXiv 2503.01747) on why not the normal's interval.
    """
    if not trials:
        return Interval(0.0, 1.0)
    rate, z2 = passed / trials, Z * Z
    centre = rate + z2 / (2 * trials)
    margin = Z * sqrt(rate * (1 - rate) / trials + z2 / (4 * trials * trials))
    low, high = (each / (1 + z2 / trials) for each in (centre - margin, centre + margin))
    # Rounding must not push a bound past the rate, nor past what a rate can be.
    return Interval(max(0.0, min(low, rate)), min(1.0, max(high, rate)))


def lower(passed: float, trials: float, alpha: float) -> float:
    """The exact one-sided lower bound of a rate (Clopper & Pearson 1934).

    The numbers need not be whole: those of clustered trials are effective ones.
    """
    if not passed:
        return 0.0
    if passed == trials:
        return float(alpha ** (1 / trials))
    # scipy.stats has the same bounds for 60 MB and a second more.
    from scipy.special import betaincinv

    return float(betaincinv(passed, trials - passed + 1, alpha))


def upper(passed: float, trials: float, alpha: float) -> float:
    """The exact one-sided upper bound of a rate (Clopper & Pearson 1934)."""
    return 1 - lower(trials - passed, trials, alpha)


def agreement(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    """Cohen's kappa (1960) of what two readers have called the same things.

    The interval is Wilson's of how often they agree, put through the same formula. Where one has
    called as many things by each name, chance agreement is the same whatever the other does, and
    the interval as good as Wilson's; the usual one (Fleiss et al. 1969) has no width at kappa 1.
    """
    count, agreed = len(pairs), sum(one == other for one, other in pairs)
    ones, others = (Counter(each) for each in zip(*pairs, strict=True))
    chance = sum(ones[name] * others[name] for name in ones) / count**2
    if chance == 1:
        return Agreement(0.0, -1.0, 1.0)  # One name for everything: that tells nothing.
    rates = (agreed / count, *wilson(agreed, count))
    return Agreement(*((each - chance) / (1 - chance) for each in rates))


def design_effect(clusters: Sequence[Cluster]) -> float:
    """How many clustered trials tell as much as one independent trial.

    1 + (m - 1) times the correlation within clusters, m being the size of the cluster that a trial
    is in on average (Miller 2024, arXiv 2411.00640, on clustered evaluations).
    """
    trials = sum(each.trials for each in clusters)
    if not trials:
        return 1.0
    size = sum(each.trials**2 for each in clusters) / trials
    # A sample can show more correlation than is usual, but is too small to show less: were one
    # lone failure, which looks uncorrelated, to lower it, 124 of 125 would show more than 125.
    return 1 + (size - 1) * max(CORRELATION, _correlation(clusters))


def effective(clusters: Sequence[Cluster]) -> float:
    """How many independent trials would tell as much as these clustered ones."""
    return sum(each.trials for each in clusters) / design_effect(clusters)


def _correlation(clusters: Sequence[Cluster]) -> float:
    """Correlation of trials within clusters, from a one-way analysis of variance."""
    trials, count = sum(each.trials for each in clusters), len(clusters)
    passed = sum(each.passed for each in clusters)
    if count < FEWEST_CLUSTERS or trials == count or passed in (0, trials):
        return CORRELATION
    rate = passed / trials
    between = sum(each.trials * (each.passed / each.trials - rate) ** 2 for each in clusters)
    within = sum(each.passed * (1 - each.passed / each.trials) for each in clusters)
    squares = sum(each.trials**2 for each in clusters)
    size = (trials - squares / trials) / (count - 1)
    between, within = between / (count - 1), within / (trials - count)
    return (between - within) / (between + (size - 1) * within)


def shows(passed: int, trials: int, required: float, margin: float, alpha: float) -> bool:
    """Whether independent trials show the rate required, or at most the margin less.

    A required rate of 1 is a rule: no number of trials proves it, and it is judged by count.
    """
    if required == 1 or not trials:
        return 0 < passed == trials
    return passed / trials >= required and lower(passed, trials, alpha) >= required - margin


def more_needed(
    passed: int, trials: int, required: float, margin: float, alpha: float
) -> int | None:
    """How many more trials, all passed, would show the claim; None where none would."""
    if required == 1 and passed < trials:
        return None
    more = range(MOST_TRIALS)
    needed = bisect_left(
        more, True, key=lambda n: shows(passed + n, trials + n, required, margin, alpha)
    )
    return needed if needed < MOST_TRIALS else None


def fewest(required: float, margin: float, alpha: float) -> int:
    """The fewest trials, all of them passed, that show the claim."""
    return more_needed(0, 0, required, margin, alpha) or MOST_TRIALS


def can_show(required: float, margin: float, alpha: float, trials: int) -> bool:
    """Whether that many trials show the claim if all of them pass."""
    return shows(trials, trials, required, margin, alpha)


#: What the record tells of: one try, a few, and a conversation's worth.
TRIES = (1, 3, 8)


def all_of(tries: int, successes: Sequence[int], trials: int) -> float:
    """The chance that so many tries of a task all succeed: pass^k (τ-bench, arXiv 2406.12045)."""
    _check(tries, successes, trials)
    return sum(comb(each, tries) for each in successes) / (comb(trials, tries) * len(successes))


def longest_streak(outcomes: Iterable[bool]) -> int:
    """The most successes that followed one another."""
    return max((sum(1 for _ in run) for passed, run in groupby(outcomes) if passed), default=0)


def _check(tries: int, successes: Sequence[int], trials: int) -> None:
    if not (successes and 1 <= tries <= trials and all(0 <= each <= trials for each in successes)):
        raise ValueError(f"no {tries} of {trials} tries with these successes: {successes!r:.60}")
