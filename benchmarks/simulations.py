"""How often verdicts, bounds and alarms are wrong, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from random import Random
from typing import Any

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

from readiness import checks
from readiness.check import BUILT_IN, Check
from readiness.policy.policy import Policy
from readiness.probe import Probe
from readiness.score import PASSED, failed
from readiness.statistics.paired import Pairs, family_wise_p_values, inferior, least_difference
from readiness.verdict.claim import Claim, Tally, Verdict, judge
from readiness.verdict.result import PooledRuns, Result, Trial
from readiness.verdict.sequential import Sprt, judge_anytime

ALPHA = 0.05
#: Of a conversation with several questions, and of a document.
SHARED = {"memory": 5, "long_context": 12}
Array = np.ndarray[Any, Any]


def chances(trials: int, rate: float) -> Array:
    """How likely each number of passed trials is, from none to all."""
    passed = np.arange(trials + 1)
    ways = gammaln(trials + 1) - gammaln(passed + 1) - gammaln(trials - passed + 1)
    return np.asarray(np.exp(ways + xlogy(passed, rate) + xlog1py(trials - passed, -rate)))


def wrongly(verdict: Verdict, claim: Claim, rate: float) -> float:
    """How often trials of that rate, all independent, end in that verdict."""
    found = [judge(Tally(k, claim.trials - k), claim) is verdict for k in range(claim.trials + 1)]
    return float(chances(claim.trials, rate) @ np.array(found))


def clustered(
    generator: np.random.Generator, shape: tuple[int, int], rate: float, shared: float
) -> Array:
    """How many trials of each cluster pass, where the clusters differ in their luck."""
    clusters, size = shape
    if not shared:
        return generator.binomial(size, rate, clusters)
    spread = 1 / shared - 1
    return generator.binomial(
        size, generator.beta(rate * spread, (1 - rate) * spread, clusters), clusters
    )


def clustered_ready(claim: Claim, size: int, shared: float, rate: float, runs: int) -> float:
    """How often clustered trials of that rate are ready."""
    generator = np.random.default_rng(1)
    shape = claim.trials // size, size
    found = (clustered(generator, shape, rate, shared) for _ in range(runs))
    tallies = (Tally.of(Tally(int(k), size - int(k)) for k in each) for each in found)
    return sum(judge(each, claim) is Verdict.READY for each in tallies) / runs


def coverage(bounds: Callable[[int], tuple[float, float]], trials: int) -> tuple[float, float]:
    """The lowest and the mean share of runs whose bounds hold the truth, over all truths."""
    truths = np.arange(1, 200) / 200
    low, high = np.array([bounds(k) for k in range(trials + 1)]).T
    held = [float(chances(trials, truth) @ ((low <= truth) & (truth <= high))) for truth in truths]
    return min(held), float(np.mean(held))


@cache
def _inferior(lost: int, gained: int, pairs: int, margin: float) -> float:
    return inferior(Pairs(lost, gained, pairs), margin)


@cache
def _bound(lost: int, gained: int, pairs: int) -> float:
    return least_difference(Pairs(lost, gained, pairs))


def pairs_drawn(
    pairs: int, margin: float, gains: float, runs: int
) -> Iterator[tuple[int, int, int]]:
    """What is lost and gained where the rate is truly lower by the margin, with how often."""
    generator = np.random.default_rng(2)
    drawn = generator.multinomial(pairs, [gains + margin, gains, 1 - 2 * gains - margin], runs)
    found, counts = np.unique(drawn[:, :2], axis=0, return_counts=True)
    yield from ((int(b), int(c), int(n)) for (b, c), n in zip(found, counts, strict=True))


def not_inferior(pairs: int, margin: float, truth: float, gains: float, runs: int) -> float:
    """How often pairs are shown not to be inferior by the margin, the truth being what it is."""
    drawn = pairs_drawn(pairs, truth, gains, runs)
    return sum(n for b, c, n in drawn if _inferior(b, c, pairs, margin) <= ALPHA) / runs


def above_the_truth(pairs: int, truth: float, gains: float, runs: int) -> float:
    """How often the bound that is shown of the difference lies above it."""
    drawn = pairs_drawn(pairs, truth, gains, runs)
    return sum(n for b, c, n in drawn if _bound(b, c, pairs) > -truth) / runs


def matrix_of(policy: Policy, profile: str) -> list[tuple[int, int]]:
    """The clusters of each check of a policy, and how many trials each has."""
    found = []
    for name, dimension in policy.dimensions.items():
        for rule in dimension.checks.values():
            size = SHARED.get(name, 1) if rule.required != 1 else 1
            if clusters := rule.trials.get(profile, 0) // size:
                found.append((clusters, size))
    return found


def false_alarms(checks: Sequence[tuple[int, int]], differing: float, runs: int) -> float:
    """How often a matrix alarms where nothing has changed, and so many trials differ anyway."""
    generator = np.random.default_rng(3)
    alarmed = 0
    for _ in range(runs):
        found = []
        for clusters, size in checks:
            # The luck of a conversation is shared: its questions are lost or gained together.
            changed = generator.random(clusters) < differing
            signs = generator.choice((-1, 1), clusters)
            lost = changed * signs * generator.integers(1, size + 1, clusters)
            found.append([int(each) for each in lost])
        alarmed += min(family_wise_p_values(found, ALPHA)) <= ALPHA
    return alarmed / runs


def ever_declared(rate: float, verdict: Verdict, runs: int, trials: int) -> float:
    """How often one who looks after every trial is ever told that verdict of 0.92."""
    generator = np.random.default_rng(4)
    passed = np.cumsum(generator.random((runs, trials)) < rate, axis=1)
    declared = np.zeros(runs, dtype=bool)
    for n in range(1, trials + 1):
        at = passed[:, n - 1]
        told = [k for k in np.unique(at) if _anytime(int(k), n) is verdict]
        declared |= np.isin(at, told)
    return float(declared.mean())


@cache
def _anytime(passed: int, trials: int) -> Verdict:
    return judge_anytime(passed, trials, 0.92, ALPHA)


def sprt(test: Sprt, rate: float, runs: int) -> tuple[float, float, float]:
    """How often Wald's test says ready and not ready, and after how many trials on average."""
    generator = np.random.default_rng(5)
    passed = np.cumsum(generator.random((runs, test.trials)) < rate, axis=1)
    ended = [_ended(test, [int(k) for k in each]) for each in passed]
    said = [verdict for verdict, _ in ended]
    mean = sum(n for _, n in ended) / runs
    return said.count(Verdict.READY) / runs, said.count(Verdict.NOT_READY) / runs, mean


def _ended(test: Sprt, passed: Sequence[int]) -> tuple[Verdict, int]:
    for n, k in enumerate(passed, 1):
        if (verdict := test.judge(k, n)) is not Verdict.INCONCLUSIVE:
            return verdict, n
    return Verdict.INCONCLUSIVE, test.trials


def ready_together(claim: Claim, rate: float, shape: tuple[int, int], *, alike: bool) -> float:
    """How often runs of a build are ever ready with those before them, where one leaves it open.

    Args:
        claim: What each of them has to show.
        rate: The true one.
        shape: How many builds, and how many runs of each.
        alike: Whether a topic passes in every run, or in none; or else each trial by itself.
    """
    builds, several = shape
    generator = np.random.default_rng(6)
    drawn = generator.random((builds, claim.trials, 1 if alike else several)) < rate
    passed = np.broadcast_to(drawn, (builds, claim.trials, several))
    return sum(_ever_together(claim, each) for each in passed) / builds


def _ever_together(claim: Claim, passed: Array) -> bool:
    alone = [int(each) for each in passed.sum(axis=0)]
    for runs in range(2, len(alone) + 1):
        k = alone[runs - 1]
        if judge(Tally(k, claim.trials - k), claim) is Verdict.INCONCLUSIVE:
            topics = (int(each) for each in passed[:, :runs].sum(axis=1))
            tally = Tally.of(Tally(each, runs - each) for each in topics)
            if PooledRuns(claim, tally, runs).verdict is Verdict.READY:
                return True
    return False


#: A check, its claim, and the probes that count.
RatedCheck = tuple[Check, Claim, Sequence[Probe]]


def rated_checks(policy: Policy, profile: str) -> list[RatedCheck]:
    """The checks of a profile that some trials may fail."""
    modules = (import_module(each.name) for each in walk_packages(checks.__path__, BUILT_IN))
    found = {id(each): each for of in modules for each in vars(of).values()}
    made = [each for each in found.values() if isinstance(each, Check)]
    claims = [
        (each, policy.claim(each, profile)) for each in made if _planned(policy, each, profile)
    ]
    return [
        (each, claim, [of for of in each.probes(0, claim.trials) if not of.control])
        for each, claim in claims
        if claim.required < 1
    ]


def _planned(policy: Policy, each: Check, profile: str) -> bool:
    dimension = policy.dimensions.get(each.dimension)
    rule = dimension and dimension.checks.get(each.id)
    return bool(rule and rule.trials.get(profile))


def gathered_by_chance(rated: Sequence[RatedCheck], shared: float, runs: int) -> float:
    """How often a run says of any check that failures gather, all rates being those required."""
    random = Random(7)
    return sum(any(_gathers(each, shared, random) for each in rated) for _ in range(runs)) / runs


def _gathers(rated: RatedCheck, shared: float, random: Random) -> bool:
    check, claim, probes = rated
    luck: dict[str, float] = {}
    passed = []
    for at, probe in enumerate(probes):
        of = probe.cluster or f"{at}"
        if of not in luck:
            luck[of] = _luck(claim.required, shared, random)
        passed.append(random.random() < luck[of])
    return _result(check, claim, probes, passed).gathers


def _luck(rate: float, shared: float, random: Random) -> float:
    spread = 1 / shared - 1 if shared else 0
    return random.betavariate(rate * spread, (1 - rate) * spread) if spread else rate


def _result(check: Check, claim: Claim, probes: Sequence[Probe], passed: Sequence[bool]) -> Result:
    scores = (PASSED if each else failed("lost") for each in passed)
    trials = [Trial.of(*each) for each in zip(probes, range(len(probes)), scores, strict=True)]
    return Result(check, claim, trials)


def not_ready_for(
    rated: RatedCheck, lost: Callable[[Probe], bool], missed: float, runs: int
) -> float:
    """How often a check is not ready that loses some of its probes, and misses some of the rest."""
    check, claim, _ = rated
    found = 0
    for seed in range(runs):
        random = Random(seed)
        probes = [of for of in check.probes(seed, claim.trials) if not of.control]
        passed = [not lost(of) and random.random() >= missed for of in probes]
        found += _result(check, claim, probes, passed).verdict is not Verdict.READY
    return found / runs
