"""The risks that verdicts promise, where the truth is known: docs/validation.md has all of them."""

from functools import partial

import pytest

from benchmarks import simulations
from readiness.policy.policy import load
from readiness.statistics.proportions import lower, wilson
from readiness.verdict.claim import Claim, Verdict
from readiness.verdict.sequential import Sprt

ALPHA = 0.05
NOISE = 0.01  # of a share of 2,000 runs, twice its standard error


def below(passed: int, trials: int) -> tuple[float, float]:
    return lower(passed, trials, ALPHA), 1.0


@pytest.mark.parametrize("trials", [50, 100, 200, 300])
@pytest.mark.parametrize(("required", "margin"), [(0.92, 0.05), (0.89, 0.05), (0.95, 0.03)])
def test_a_rate_below_the_margin_is_ready_at_most_once_in_twenty(
    required: float, margin: float, trials: int
) -> None:
    claim = Claim(required, margin, ALPHA, trials)
    rates = [claim.at_least - each / 100 for each in (0, 0.01, 1, 5, 20)]
    assert max(simulations.wrongly(Verdict.READY, claim, rate) for rate in rates) <= ALPHA
    assert simulations.wrongly(Verdict.NOT_READY, claim, required) <= ALPHA


def test_clusters_that_share_their_luck_are_not_ready_by_it() -> None:
    claim = Claim(0.92, 0.05, ALPHA, 100)
    assert simulations.clustered_ready(claim, 5, 0.1, claim.at_least, 2000) <= ALPHA


@pytest.mark.parametrize("trials", [30, 100])
def test_the_exact_bound_holds_and_wilson_s_interval_does_on_average(trials: int) -> None:
    assert simulations.coverage(partial(below, trials=trials), trials)[0] >= 1 - ALPHA - 1e-9
    assert simulations.coverage(partial(wilson, trials=trials), trials)[1] >= 0.945


@pytest.mark.parametrize("gains", [0.0, 0.02])
def test_a_candidate_worse_by_the_margin_is_let_through_at_most_once_in_twenty(
    gains: float,
) -> None:
    assert simulations.not_inferior(100, 0.05, 0.05, gains, 20_000) <= ALPHA + 0.003


@pytest.mark.parametrize("differing", [0.02, 0.2])
def test_a_run_against_itself_alarms_at_most_once_in_twenty(differing: float) -> None:
    checks = simulations.matrix_of(load(), "ci")
    assert len(checks) > 100
    assert simulations.false_alarms(checks, differing, 300) <= ALPHA


def test_a_test_as_large_as_its_risk_is_told_by_the_simulation() -> None:
    """One check that alarms alone, with as many differences as make its risk the largest."""
    assert 0.02 < simulations.false_alarms([(5, 1)], 1.0, 2000) <= ALPHA + NOISE


@pytest.mark.parametrize("verdict", [Verdict.READY, Verdict.NOT_READY])
def test_looking_after_every_trial_misleads_at_most_once_in_twenty(verdict: Verdict) -> None:
    assert 0 < simulations.ever_declared(0.92, verdict, 1000, 500) <= ALPHA


@pytest.mark.parametrize("alike", [False, True])
def test_runs_of_a_bad_build_are_ready_together_at_most_once_in_twenty(alike: bool) -> None:
    """Without clusters, topics that come again would make one in ten ready."""
    claim = Claim(0.95, 0.05, ALPHA, 60)
    assert simulations.ready_together(claim, claim.at_least, (600, 5), alike=alike) <= ALPHA


def test_runs_of_a_good_build_are_ready_together() -> None:
    claim = Claim(0.95, 0.05, ALPHA, 60)
    assert simulations.ready_together(claim, 0.97, (300, 5), alike=False) > 0.7


def test_wald_s_test_errs_as_it_was_made_to() -> None:
    test = Sprt(0.85, 0.95, 300)
    bad, good = simulations.sprt(test, 0.85, 2000), simulations.sprt(test, 0.95, 2000)
    assert bad[0] <= ALPHA + NOISE
    assert good[1] <= ALPHA + NOISE
    assert bad[2] == pytest.approx(43, abs=2)
    assert good[2] == pytest.approx(54, abs=3)
