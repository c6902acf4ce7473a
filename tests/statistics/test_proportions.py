import subprocess
import sys
from statistics import NormalDist
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from readiness.statistics.proportions import (
    Cluster,
    Interval,
    Z,
    agreement,
    can_show,
    design_effect,
    effective,
    fewest,
    lower,
    more_needed,
    shows,
    upper,
    wilson,
)

ALPHA = 0.05
SIZES = (1, 2, 3, 7, 30, 100, 1000)
counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
rates = st.floats(0.05, 0.99)
margins = st.floats(0, 0.04)


def some_of(trials: int) -> list[int]:
    """Both ends and a dozen counts between, for scipy.stats takes a millisecond each."""
    return sorted({0, 1, *range(0, trials, trials // 12 + 1), trials - 1, trials})


@given(counts)
@example((0, 17))  # where rounding would lift the low bound above zero
@example((0, 21))  # and put it below
def test_the_interval_holds_the_rate_observed(count: tuple[int, int]) -> None:
    passed, trials = count
    low, high = wilson(passed, trials)
    assert 0 <= low <= passed / trials <= high <= 1


@pytest.mark.parametrize("trials", SIZES)
def test_the_interval_is_the_one_of_scipy(trials: int) -> None:
    theirs = [binomtest(k, trials).proportion_ci(0.95, "wilson") for k in some_of(trials)]
    ours = [wilson(k, trials) for k in some_of(trials)]
    assert [each.low for each in ours] == pytest.approx([each.low for each in theirs], abs=1e-12)
    assert [each.high for each in ours] == pytest.approx([each.high for each in theirs], abs=1e-12)


def test_no_trials_exclude_no_rate() -> None:
    assert wilson(0, 0) == Interval(0, 1)
    assert (lower(0, 0, ALPHA), upper(0, 0, ALPHA)) == (0, 1)


def test_the_interval_is_at_95_percent() -> None:
    assert pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-15) == Z


@pytest.mark.parametrize("trials", SIZES)
@pytest.mark.parametrize("alpha", [0.05, 0.025, 0.01])
def test_the_bounds_are_those_of_scipy(trials: int, alpha: float) -> None:
    def theirs(side: Literal["greater", "less"]) -> list[Interval]:
        tests = (binomtest(k, trials, alternative=side) for k in some_of(trials))
        return [Interval(*each.proportion_ci(1 - alpha, "exact")) for each in tests]

    lowest = [lower(k, trials, alpha) for k in some_of(trials)]
    highest = [upper(k, trials, alpha) for k in some_of(trials)]
    assert lowest == pytest.approx([each.low for each in theirs("greater")], abs=1e-9)
    assert highest == pytest.approx([each.high for each in theirs("less")], abs=1e-9)


@pytest.mark.parametrize(
    ("trials", "percent"),
    list(
        zip(
            (10, 20, 30, 50, 59, 100, 149, 299, 459, 1000),
            (74.11, 86.09, 90.50, 94.18, 95.05, 97.05, 98.01, 99.00, 99.35, 99.70),
            strict=True,
        )
    ),
)
def test_clean_trials_show_less_than_a_hundred_percent(trials: int, percent: float) -> None:
    assert round(100 * lower(trials, trials, ALPHA), 2) == percent


def test_a_clean_count_has_the_limit_of_the_neighbouring_counts() -> None:
    assert lower(100 - 1e-9, 100, ALPHA) == pytest.approx(lower(100, 100, ALPHA), abs=1e-8)


@pytest.mark.parametrize("trials", [5, 20, 30, 60, 100])
def test_each_bound_misses_the_truth_no_more_often_than_it_may(trials: int) -> None:
    truths = [n / 100 for n in range(1, 100)]
    bounds = [(lower(k, trials, ALPHA), upper(k, trials, ALPHA)) for k in range(trials + 1)]

    def missed(side: int, truth: float) -> float:
        low, high = (0, truth) if side else (truth, 1)
        outside = [k for k, each in enumerate(bounds) if not low <= each[1 - side] <= high]
        return float(sum(binom.pmf(k, trials, truth) for k in outside))

    above = max(missed(1, truth) for truth in truths)
    below = max(missed(0, truth) for truth in truths)
    assert 0.02 < above <= ALPHA
    assert 0.02 < below <= ALPHA


@given(counts, st.floats(0.01, 0.99))
def test_bounds_of_fewer_effective_trials_are_wider(count: tuple[int, int], share: float) -> None:
    passed, trials = count
    fewer = (passed / trials * trials * share, trials * share)
    assert lower(*fewer, ALPHA) <= lower(passed, trials, ALPHA) + 1e-9
    assert upper(*fewer, ALPHA) >= upper(passed, trials, ALPHA) - 1e-9


@pytest.mark.parametrize(
    ("clusters", "effect"),
    [
        ([Cluster(1, 1)] * 40 + [Cluster(0, 1)] * 10, 1.0),  # one trial each: nothing is shared
        ([Cluster(12, 12)] * 10, 2.1),  # all passed: says nothing of the correlation
        ([Cluster(0, 5)] * 20, 1.4),
        ([Cluster(5, 5)] * 3 + [Cluster(0, 5)], 1.4),  # too few clusters
        ([Cluster(5, 5)] * 3 + [Cluster(0, 5)] * 2, 5.0),  # a cluster is like one trial
        ([Cluster(4, 5)] * 20, 1.4),  # no correlation seen is not shown to be none
        ([Cluster(3, 4)] * 3 + [Cluster(1, 4)] * 3, 1.3),
        ([Cluster(4, 4)] * 3 + [Cluster(1, 4)] * 3, 1 + 3 * 0.55 / 1.05),
        ([], 1.0),
    ],
)
def test_trials_of_one_cluster_tell_less(clusters: list[Cluster], effect: float) -> None:
    assert design_effect(clusters) == pytest.approx(effect)


def test_clusters_of_unlike_sizes_count_by_the_size_that_a_trial_sees() -> None:
    assert design_effect([Cluster(30, 30), Cluster(10, 10)]) == pytest.approx(1 + 24 * 0.1)


def test_a_failure_never_makes_trials_show_more() -> None:
    clean = effective([Cluster(25, 25)] * 5)
    flawed = effective([Cluster(25, 25)] * 4 + [Cluster(24, 25)])
    assert flawed <= clean
    assert lower(124 / 125 * flawed, flawed, ALPHA) < lower(clean, clean, ALPHA)


@given(st.lists(counts.map(lambda count: Cluster(*count)), min_size=1, max_size=12))
def test_there_are_no_more_effective_trials_than_trials(clusters: list[Cluster]) -> None:
    trials = sum(each.trials for each in clusters)
    largest = max(each.trials for each in clusters)
    assert trials / largest - 1e-9 <= effective(clusters) <= trials


@pytest.mark.parametrize(
    ("required", "margin", "trials"),
    [
        (1.0, 0.05, 1),  # a rule is judged by count
        (0.90, 0.10, 14),
        (0.90, 0.05, 19),
        (0.90, 0.03, 22),
        (0.95, 0.10, 19),
        (0.95, 0.05, 29),
        (0.92, 0.05, 22),
        (0.95, 0.0, 59),
        (0.99, 0.0, 299),
        (0.05, 0.05, 1),
    ],
)
def test_a_claim_takes_its_number_of_trials(required: float, margin: float, trials: int) -> None:
    assert fewest(required, margin, ALPHA) == trials


def test_a_rate_is_shown_where_it_is_met_and_the_margin_kept() -> None:
    assert [shows(passed, 100, 0.9, 0.3, ALPHA) for passed in (89, 90)] == [False, True]
    # One of one has a bound of alpha itself.
    assert [shows(1, 1, rate, 0.0, 0.25) for rate in (0.25, 0.26)] == [True, False]


@given(rates, margins)
def test_the_fewest_trials_are_enough_and_not_one_fewer(required: float, margin: float) -> None:
    needed = fewest(required, margin, ALPHA)
    assert can_show(required, margin, ALPHA, needed)
    assert not can_show(required, margin, ALPHA, needed - 1)


@given(counts, rates, margins)
@example((36, 36), 0.9, 0.05)
def test_the_trials_that_are_missing_are_enough_and_not_one_fewer(
    count: tuple[int, int], required: float, margin: float
) -> None:
    passed, trials = count
    more = more_needed(passed, trials, required, margin, ALPHA)
    assert more is not None
    assert shows(passed + more, trials + more, required, margin, ALPHA)
    fewer = max(more - 1, 0)
    enough = shows(passed + fewer, trials + fewer, required, margin, ALPHA)
    assert enough is (more == 0)


def test_no_further_trials_mend_a_broken_rule() -> None:
    assert more_needed(99, 100, 1.0, 0.05, ALPHA) is None
    assert more_needed(100, 100, 1.0, 0.05, ALPHA) == 0
    assert more_needed(0, 0, 1.0, 0.05, ALPHA) == 1


def test_no_number_of_trials_shows_what_is_all_but_a_rule() -> None:
    assert more_needed(0, 10, 1 - 1e-12, 0.0, ALPHA) is None


# Agreement of raters


def pairs(*counts: tuple[int, str, str]) -> list[tuple[str, str]]:
    return [(one, other) for count, one, other in counts for _ in range(count)]


def test_agreement_is_kappa_and_its_interval_wilsons_transformed() -> None:
    found = agreement(pairs((20, "y", "y"), (5, "y", "n"), (10, "n", "y"), (15, "n", "n")))
    theirs = binomtest(35, 50).proportion_ci(0.95, "wilson")
    expected = (0.4, 2 * theirs.low - 1, 2 * theirs.high - 1)  # chance agrees on half
    assert found == pytest.approx(expected, abs=1e-12)


def test_chance_agrees_as_often_as_the_raters_use_each_label() -> None:
    found = agreement(pairs((45, "y", "y"), (15, "y", "n"), (25, "n", "y"), (15, "n", "n")))
    assert found.kappa == pytest.approx((0.60 - 0.54) / 0.46)


def test_raters_who_use_one_label_only_say_nothing_of_their_agreement() -> None:
    assert agreement(pairs((9, "y", "y"))) == (0, -1, 1)
    assert agreement(pairs((9, "y", "n"))).kappa == 0


@pytest.mark.parametrize("module", ["scipy", "numpy"])
def test_importing_is_cheap(module: str) -> None:
    program = f"import sys, readiness.statistics; print({module!r} in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout == "False\n"
