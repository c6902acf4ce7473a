"""The pooled trials of several runs, and what they make of the verdict of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from readiness.score import PASSED, Score, failed
from readiness.verdict.claim import Claim, Tally, Verdict
from readiness.verdict.result import PooledRuns, Result
from tests.verdict.test_result import result

READY, NOT_ASSESSED, INCONCLUSIVE, NOT_READY = Verdict
CLAIM = Claim(0.8, 0.05, 0.05, 60)


def pooled(
    tally: Tally, claim: Claim = CLAIM, *, failures: int = 0, binding: bool = False
) -> PooledRuns:
    return PooledRuns(claim, tally, 3, failures, binding)


def independent(passed: int) -> Tally:
    return Tally(passed, 180 - passed)


def with_lost(passed: int) -> Tally:
    return Tally(passed, 170 - passed, 10)


def in_clusters(passed: int) -> Tally:
    """Trials in 36 clusters of five, which pass or fail together but for those of one."""
    whole, part = divmod(passed, 5)
    parts = [Tally(5)] * whole + [Tally(part, 5 - part)] + [Tally(0, 5)] * (35 - whole)
    return Tally.of(parts)


@pytest.mark.parametrize(
    ("tally", "trials", "ready", "not_ready"),
    [(independent, 180, 152, 125), (with_lost, 170, 152, 115), (in_clusters, 179, 167, 105)],
)
def test_pooled_trials_are_ready_or_not_from_these_counts(
    tally: Callable[[int], Tally], trials: int, ready: int, not_ready: int
) -> None:
    found = [pooled(tally(passed)).verdict for passed in range(trials + 1)]
    open_between = [INCONCLUSIVE] * (ready - not_ready - 1)
    assert found == [
        *[NOT_READY] * (not_ready + 1),
        *open_between,
        *[READY] * (trials - ready + 1),
    ]


def test_pooled_trials_below_the_required_rate_are_never_ready() -> None:
    wide = Claim(0.9, 0.3, 0.05, 60)
    found = [pooled(Tally(passed, 100 - passed), wide).verdict for passed in (89, 90)]
    assert found == [INCONCLUSIVE, READY]


@pytest.mark.parametrize(
    ("claim", "tally"),
    [
        (replace(CLAIM, required=1.0), Tally(0, 180)),  # judged by the count of one run
        (CLAIM, Tally()),
        (replace(CLAIM, defects_only=True), Tally(180)),
    ],
)
def test_what_pooled_trials_cannot_decide_is_inconclusive(claim: Claim, tally: Tally) -> None:
    assert pooled(tally, claim).verdict is INCONCLUSIVE


def test_pooled_runs_say_why_one_run_is_in_doubt() -> None:
    assert pooled(Tally(60), failures=2).doubt == "2 trials failed in earlier runs of this build"
    why = "an earlier run of this build was not ready, and cannot be pooled with this one"
    assert pooled(Tally(), binding=True).doubt == why
    assert [pooled(Tally(60), binding=True).doubt, pooled(Tally()).doubt] == ["", ""]
    assert str(pooled(Tally(150, 30))) == "150 of 180 trials in 3 runs"


def of(passed: int, trials: int, pooled: PooledRuns | None = None) -> Result:
    scores: list[Score] = [PASSED] * passed + [failed("no")] * (trials - passed)
    made = result(*scores)
    return replace(made, claim=replace(made.claim, required=0.8), pooled=pooled)


MANY, FEW, BETWEEN = independent(180), independent(100), independent(140)


@pytest.mark.parametrize(
    ("passed", "tally", "binding", "verdict"),
    [
        (50, MANY, False, READY),  # 50 of 60 leave it open
        (50, FEW, False, NOT_READY),
        (50, BETWEEN, False, INCONCLUSIVE),
        (60, FEW, False, READY),  # settled by this run alone
        (60, FEW, True, NOT_READY),  # but another run of the build was not ready
        (60, MANY, True, READY),
        (60, Tally(), True, INCONCLUSIVE),
        (30, MANY, True, NOT_READY),  # no other run makes a verdict better
    ],
)
def test_pooled_trials_decide_what_one_run_leaves_open_or_another_binds(
    passed: int, tally: Tally, binding: bool, verdict: Verdict
) -> None:
    assert of(passed, 60).verdict is {30: NOT_READY, 50: INCONCLUSIVE, 60: READY}[passed]
    assert of(passed, 60, pooled(tally, binding=binding)).verdict is verdict


def test_failures_in_earlier_runs_of_the_build_keep_a_rule_from_ready() -> None:
    found = replace(result(*[PASSED] * 60), pooled=pooled(Tally(60), failures=1))
    assert (found.verdict, found.doubts) == (
        INCONCLUSIVE,
        ["1 trial failed in earlier runs of this build"],
    )
