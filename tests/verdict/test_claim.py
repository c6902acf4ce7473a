from collections.abc import Callable
from itertools import permutations

import pytest
from scipy.stats import binom

from readiness.verdict.claim import Claim, Tally, Verdict, judge, score, worst

ALPHA = 0.05
READY, NOT_ASSESSED, INCONCLUSIVE, NOT_READY = Verdict
CLAIM = Claim(required=0.9, margin=0.05, alpha=ALPHA, trials=1)
RULE = Claim(required=1.0, margin=0.05, alpha=ALPHA, trials=1)


def thresholds(
    claim: Claim, tally: Callable[[int], Tally] | None = None
) -> tuple[int | None, int | None]:
    """The fewest passed trials that are ready, and the most that are not."""
    made = tally or (lambda k: Tally(k, claim.trials - k))
    found = [judge(made(k), claim) for k in range(claim.trials + 1)]
    ready = [k for k, verdict in enumerate(found) if verdict is READY]
    not_ready = [k for k, verdict in enumerate(found) if verdict is NOT_READY]
    return min(ready, default=None), max(not_ready, default=None)


@pytest.mark.parametrize(
    ("required", "margin", "trials", "ready", "not_ready"),
    [
        (0.92, 0.05, 50, 48, 42),
        (0.92, 0.05, 100, 93, 86),
        (0.92, 0.05, 200, 184, 176),
        (0.89, 0.05, 100, 91, 83),
        (0.89, 0.05, 200, 178, 170),
        (0.92, 0.00, 100, 97, 86),
        (0.92, 0.03, 200, 186, 176),
        (0.90, 0.10, 30, 28, 23),
        (0.95, 0.10, 30, 29, 25),
        (0.90, 0.05, 18, None, 13),  # too few to show it
        (1.00, 0.05, 100, 100, 99),
        (0.10, 0.05, 1, 1, None),  # of one trial, the bounds are 0.05 and 0.95 themselves
        (0.95, 0.05, 1, None, None),
    ],
)
def test_a_rate_is_ready_or_not_from_these_counts(
    required: float, margin: float, trials: int, ready: int | None, not_ready: int
) -> None:
    assert thresholds(Claim(required, margin, ALPHA, trials)) == (ready, not_ready)


@pytest.mark.parametrize(
    ("margin", "number", "size", "ready", "not_ready"),
    [(0.05, 20, 5, 94, 85), (0.05, 4, 25, 99, 81), (0.03, 8, 25, 193, 169)],
)
def test_few_large_clusters_need_more_passed_trials(
    margin: float, number: int, size: int, ready: int, not_ready: int
) -> None:
    def spread(passed: int) -> Tally:
        each, rest = divmod(number * size - passed, number)
        failures = [each + (n < rest) for n in range(number)]
        return Tally.of(Tally(size - failed, failed) for failed in failures)

    claim = Claim(0.92, margin, ALPHA, number * size)
    assert thresholds(claim, spread) == (ready, not_ready)


def test_failures_in_one_cluster_show_less_than_failures_in_many() -> None:
    claim = Claim(0.92, 0.05, ALPHA, 100)
    together = Tally.of([Tally(5)] * 19 + [Tally(0, 5)])
    apart = Tally.of([Tally(5)] * 15 + [Tally(4, 1)] * 5)
    assert (together.passed, apart.passed) == (95, 95)
    assert judge(apart, claim) is READY
    assert judge(together, claim) is INCONCLUSIVE


@pytest.mark.parametrize(
    "parts",
    [
        [Tally(5)] * 4 + [Tally(0, 0, 5)],  # like one trial each if those lost failed
        [Tally(0, 0, 5)] * 4 + [Tally(0, 5)],  # and here if they passed
    ],
)
def test_lost_trials_go_the_way_in_which_clusters_show_least(parts: list[Tally]) -> None:
    assert Tally.of(parts).design_effect == pytest.approx(5)


@pytest.mark.parametrize(
    ("tally", "verdict"),
    [
        (Tally(), INCONCLUSIVE),
        (Tally(1), READY),
        (Tally(100), READY),
        (Tally(99, 1), NOT_READY),
        (Tally(99, 0, 1), INCONCLUSIVE),
        (Tally(98, 1, 1), NOT_READY),
        (Tally(0, 0, 100), INCONCLUSIVE),
    ],
)
def test_one_failure_breaks_a_rule_and_one_lost_trial_leaves_it_open(
    tally: Tally, verdict: Verdict
) -> None:
    assert judge(tally, RULE) is verdict


@pytest.mark.parametrize(
    ("tally", "verdict"),
    [
        (Tally(), INCONCLUSIVE),
        (Tally(36), READY),
        (Tally(32), READY),
        (Tally(18), INCONCLUSIVE),
        (Tally(93, 7), READY),
        (Tally(93, 0, 7), READY),
        (Tally(89, 0, 11), INCONCLUSIVE),  # all of those lost may have failed
        (Tally(83, 17), NOT_READY),
        (Tally(76, 17, 7), NOT_READY),
        (Tally(60, 13, 27), INCONCLUSIVE),  # and all may have passed
        (Tally(0, 0, 100), INCONCLUSIVE),
    ],
)
def test_a_lost_trial_counts_against_each_verdict(tally: Tally, verdict: Verdict) -> None:
    assert judge(tally, CLAIM) is verdict


@pytest.mark.parametrize(
    ("passed", "trials", "required"),
    [(n * 9, n * 10, 0.9) for n in (10, 20, 30, 100)]
    + [(180, 200, 0.9), (93, 100, 0.93), (287, 350, 0.82), (581, 700, 0.83)],
)
def test_a_rate_that_is_exactly_reached_is_satisfied(
    passed: int, trials: int, required: float
) -> None:
    claim = Claim(required, 0.3, ALPHA, trials)
    assert judge(Tally(passed, trials - passed), claim) is READY
    assert judge(Tally(passed - 1, trials - passed + 1), claim) is INCONCLUSIVE


def test_planned_trials_that_were_never_tried_count_as_lost() -> None:
    claim = Claim(1.0, 0.05, ALPHA, 100)
    assert judge(Tally(99), claim) is INCONCLUSIVE
    assert judge(Tally(100), claim) is READY


def test_too_few_trials_show_defects_but_never_readiness() -> None:
    smoke = Claim(1.0, 0.05, ALPHA, 10, defects_only=True)
    assert judge(Tally(10), smoke) is INCONCLUSIVE
    assert judge(Tally(9, 1), smoke) is NOT_READY
    assert judge(Tally(500), Claim(0.9, 0.05, ALPHA, 10, defects_only=True)) is INCONCLUSIVE


@pytest.mark.parametrize("trials", [30, 60, 100, 200])
@pytest.mark.parametrize(("required", "margin"), [(0.92, 0.05), (0.89, 0.05), (0.95, 0.1)])
def test_a_wrong_verdict_is_no_likelier_than_the_risk_that_is_run(
    required: float, margin: float, trials: int
) -> None:
    claim = Claim(required, margin, ALPHA, trials)
    found = [judge(Tally(k, trials - k), claim) for k in range(trials + 1)]

    def chance(verdict: Verdict, truth: float) -> float:
        ways = [k for k, each in enumerate(found) if each is verdict]
        return float(sum(binom.pmf(k, trials, truth) for k in ways))

    assert 0 < chance(READY, claim.at_least) <= ALPHA
    assert 0 < chance(NOT_READY, required) <= ALPHA


@pytest.mark.parametrize(
    ("required", "margin", "alpha", "trials", "problem"),
    [
        (0.0, 0.0, 0.05, 1, "requires 0.0: choose a rate above 0, up to 1"),
        (1.1, 0.0, 0.05, 1, "requires 1.1: choose a rate above 0, up to 1"),
        (0.2, 0.2, 0.05, 1, "has a margin of 0.2: choose one from 0, below 0.2"),
        (0.9, -0.1, 0.05, 1, "has a margin of -0.1: choose one from 0, below 0.9"),
        (0.9, 0.1, 0.0, 1, "has an alpha of 0.0: choose a risk above 0, below 0.5"),
        (0.9, 0.1, 0.5, 1, "has an alpha of 0.5: choose a risk above 0, below 0.5"),
        (0.9, 0.1, 0.05, 0, "has 0 trials: choose 1 or more"),
    ],
)
def test_a_claim_that_says_nothing_is_refused(
    required: float, margin: float, alpha: float, trials: int, problem: str
) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        Claim(required, margin, alpha, trials)


def test_a_tally_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer than no trials"):
        Tally(3, -1)
    with pytest.raises(ValueError, match="trials, but"):
        Tally(3, 1, clusters=(Tally(3),))


def test_verdicts_outrank_one_another_in_this_order() -> None:
    ranked = [NOT_READY, INCONCLUSIVE, NOT_ASSESSED, READY]
    assert sorted(Verdict, key=lambda each: -each.severity) == ranked
    assert {worst(each) for each in permutations(ranked)} == {NOT_READY}
    assert [worst(ranked[n:]) for n in range(4)] == ranked


def test_the_worst_of_none_is_not_ready_to_be_called_ready() -> None:
    assert worst([]) is NOT_ASSESSED


@pytest.mark.parametrize(
    ("verdict", "met", "shown"),
    [
        (READY, 1.0, 100),
        (READY, 0.8, 90),
        (INCONCLUSIVE, 1.0, 89),
        (INCONCLUSIVE, 0.5, 50),
        (NOT_READY, 0.99, 59),
        (NOT_READY, 0.29, 29),
        (NOT_READY, 0.0, 0),
        (NOT_ASSESSED, 1.0, 0),
    ],
)
def test_a_score_stays_within_what_the_verdict_allows(
    verdict: Verdict, met: float, shown: int
) -> None:
    assert score(verdict, met) == shown
