"""Paired tests of two runs of the same probes."""

from collections.abc import Sequence
from itertools import product
from math import comb, log, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, xlogy
from scipy.stats import binomtest, norm

from readiness.statistics.paired import (
    Pairs,
    family_wise_p_values,
    fewest_pairs,
    holm,
    inferior,
    least_difference,
    sign_flips,
)

ALPHA = 0.05
few = st.lists(st.integers(-4, 4), max_size=9)
chances = st.lists(st.floats(0, 1), min_size=1, max_size=12)
pairs = st.integers(1, 60).flatmap(
    lambda n: st.integers(0, n).flatmap(
        lambda lost: st.builds(Pairs, st.just(lost), st.integers(0, n - lost), st.just(n))
    )
)
margins = st.sampled_from([0.02, 0.05, 0.1])


@pytest.mark.parametrize(
    ("lost", "gained", "chance"),
    [
        (5, 0, 0.03125),
        (8, 1, 0.01953125),
        (4, 0, 0.0625),
        (0, 0, 1.0),
        (0, 7, 1.0),
        (1, 1, 0.75),
        (0, 1000, 1.0),
        (0, 1_024, 1.0),  # 2 to the 1,024th is no float.
    ],
)
def test_losses_ahead_of_gains_are_as_unlikely_as_so_many_heads(
    lost: int, gained: int, chance: float
) -> None:
    assert sign_flips([1] * lost + [-1] * gained) == pytest.approx(chance, rel=1e-12)


@given(st.integers(0, 40), st.integers(0, 40))
def test_trials_that_share_nothing_are_judged_by_the_binomial(lost: int, gained: int) -> None:
    theirs = binomtest(lost, lost + gained, 0.5, "greater").pvalue if lost + gained else 1.0
    assert sign_flips([1] * lost + [-1] * gained) == pytest.approx(theirs)


@given(few)
def test_a_cluster_s_losses_are_lost_or_gained_together(differences: list[int]) -> None:
    flipped = [
        sum(sign * each for sign, each in zip(signs, differences, strict=True))
        for signs in product((1, -1), repeat=len(differences))
    ]
    as_many = sum(total >= sum(differences) for total in flipped)
    assert sign_flips(differences) == pytest.approx(as_many / len(flipped))


def test_no_chance_is_above_one() -> None:
    assert max(sign_flips([-1] * gained) for gained in range(100)) == 1.0
    assert max(inferior(Pairs(lost, 0, lost), 0.05) for lost in (2, 7, 20, 60)) == 1.0


def test_three_documents_cannot_alarm_however_many_questions_each_has() -> None:
    assert sign_flips([12, 12, 12]) == pytest.approx(0.125, rel=1e-12)


def test_a_hundred_thousand_pairs_are_judged_as_the_binomial_judges_them() -> None:
    theirs = binomtest(50_300, 100_000, 0.5, "greater").pvalue
    assert sign_flips([1] * 50_300 + [-1] * 49_700) == pytest.approx(theirs, rel=1e-9)


def test_many_clusters_of_many_sizes_are_judged_as_the_normal_judges_them() -> None:
    differences = [12, -12, 5, 3, 1, -1] * 5_000 + [1] * 400
    spread = sqrt(sum(each * each for each in differences))
    assert sign_flips(differences) == pytest.approx(norm.sf(sum(differences) / spread), rel=0.02)


def test_holm_is_the_textbook_s() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(chances)
def test_holm_keeps_the_order_and_is_between_none_and_bonferroni(given: list[float]) -> None:
    raised = holm(given)
    assert [
        one <= other <= min(1, len(given) * one) for one, other in zip(given, raised, strict=True)
    ] == [True] * len(given)
    by_chance = [raised[place] for place in sorted(range(len(given)), key=given.__getitem__)]
    assert by_chance == sorted(by_chance)


@pytest.mark.parametrize(
    ("checks", "raised"),
    [
        ([[1] * 5], [0.03125]),
        ([[1] * 5, [1] * 4, [1, -1], []], [0.03125, 1.0, 1.0, 1.0]),  # the others cannot alarm
        ([[1] * 5, [1] * 5], [0.0625, 0.0625]),
        ([[1] * 10, [1, -1] * 10], [2 * 2**-10, sum(comb(20, k) for k in range(10, 21)) / 2**20]),
    ],
)
def test_an_alarm_is_raised_by_the_checks_that_could_alarm(
    checks: Sequence[Sequence[int]], raised: list[float]
) -> None:
    assert family_wise_p_values(checks, ALPHA) == pytest.approx(raised)


def test_a_check_that_can_just_reach_the_risk_could_alarm() -> None:
    assert family_wise_p_values([[1] * 5], 2**-5) == pytest.approx([2**-5])


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        (Pairs(0, 0, 10), -0.2129),  # 2.7055 / (10 + 2.7055): the width stays where none differ
        (Pairs(0, 0, 100), -0.0263),
        (Pairs(0, 0, 0), -1.0),
    ],
)
def test_the_difference_that_is_shown_is_tango_s(found: Pairs, difference: float) -> None:
    assert round(least_difference(found), 4) == difference


@pytest.mark.parametrize(
    "found", [Pairs(5, 0, 100), Pairs(3, 7, 40), Pairs(12, 2, 50), Pairs(0, 9, 18)]
)
def test_the_difference_shown_is_where_the_score_meets_the_normal_s_point(found: Pairs) -> None:
    margin, both = -least_difference(found), found.lost + found.gained

    def unlikeliness(gains: float) -> float:
        told = found.lost * log(gains + margin) + found.gained * log(gains)
        return -told - (found.pairs - both) * log(1 - 2 * gains - margin)

    limits = max(0.0, -margin) + 1e-12, (1 - margin) / 2 - 1e-12
    gains = minimize_scalar(unlikeliness, bounds=limits, options={"xatol": 1e-10}).x
    spread = found.pairs * (2 * gains + margin * (1 - margin))
    score = (found.gained - found.lost + found.pairs * margin) / sqrt(spread)
    assert score == pytest.approx(1.6449, abs=1e-3)


@given(pairs)
def test_the_difference_shown_is_below_the_one_observed(found: Pairs) -> None:
    assert -1 <= least_difference(found) <= (found.gained - found.lost) / found.pairs + 1e-9


@pytest.mark.parametrize(
    ("found", "margin", "shown"),
    [
        (Pairs(0, 0, 10), 0.05, False),  # 10 of 10 against 10 of 10 shows next to nothing
        (Pairs(0, 0, 58), 0.05, False),
        (Pairs(0, 0, 59), 0.05, True),
        (Pairs(0, 0, 148), 0.02, False),
        (Pairs(0, 0, 149), 0.02, True),
        (Pairs(1, 1, 100), 0.05, True),
        (Pairs(3, 1, 100), 0.05, False),
        (Pairs(0, 0, 0), 0.05, False),
        (Pairs(1_050, 950, 100_000), 0.002, True),
        (Pairs(1_150, 950, 100_000), 0.002, False),
    ],
)
def test_being_no_worse_takes_trials_to_show(found: Pairs, margin: float, shown: bool) -> None:
    assert (inferior(found, margin) <= ALPHA) is shown


def likeliest(found: Pairs, margin: float) -> float:
    """The chance of a table that scores as well, by all tables, at the worst of 401 rates."""
    sides = range(found.pairs + 1)
    lost, gained = np.array([each for each in product(sides, sides) if sum(each) < len(sides)]).T
    as_good = score(lost, gained, found.pairs, margin) >= score(*found, margin) - 1e-9
    lost, gained = lost[as_good], gained[as_good]
    same = found.pairs - lost - gained
    parts = gammaln(lost + 1) + gammaln(gained + 1) + gammaln(same + 1)
    worst = 0.0
    for rate in np.linspace(0, (1 - margin) / 2, 401):
        told = xlogy(lost, rate + margin) + xlogy(gained, rate)
        told += xlogy(same, max(0.0, 1 - 2 * rate - margin))
        worst = max(worst, float(np.exp(gammaln(found.pairs + 1) - parts + told).sum()))
    return worst


def score(lost: Any, gained: Any, pairs: int, margin: float) -> Any:
    """Tango's score of tables, by the roots of his quadratic equation."""
    half = (lost + gained - margin * (2 * pairs - lost + gained)) / (4 * pairs)
    rate = half + np.sqrt(half**2 + gained * margin * (1 - margin) / (2 * pairs))
    spread = pairs * (2 * rate + margin * (1 - margin))
    return (gained - lost + pairs * margin) / np.sqrt(spread)


@pytest.mark.parametrize("count", [1, 7])
def test_the_chance_of_few_pairs_is_that_of_all_tables_which_score_as_well(count: int) -> None:
    sides = range(count + 1)
    tables = [Pairs(*each, count) for each in product(sides, sides) if sum(each) <= count]
    theirs = [likeliest(each, 0.1) for each in tables]
    assert [inferior(each, 0.1) for each in tables] == pytest.approx(theirs, rel=1e-3)


@pytest.mark.parametrize(
    ("found", "margin"),
    [
        (Pairs(3, 1, 100), 0.05),
        (Pairs(3, 3, 98), 0.05),  # 0.054, where all pairs differ, and 0.047 where fewer do
        (Pairs(0, 10, 60), 0.05),
        (Pairs(3, 2, 400), 0.01),
    ],
)
def test_the_chance_is_the_highest_at_any_rate_of_differing_pairs(
    found: Pairs, margin: float
) -> None:
    assert inferior(found, margin) == pytest.approx(likeliest(found, margin), rel=1e-3)


def test_no_pairs_show_nothing() -> None:
    assert inferior(Pairs(0, 0, 0), 0.05) == 1.0


@given(margins)
def test_pairs_that_all_agree_show_the_margin_from_some_number_on(margin: float) -> None:
    needed = fewest_pairs(margin, ALPHA)
    assert (
        inferior(Pairs(0, 0, needed), margin) <= ALPHA < inferior(Pairs(0, 0, needed - 1), margin)
    )


@given(pairs, margins)
def test_more_losses_never_show_more(found: Pairs, margin: float) -> None:
    if found.lost + found.gained < found.pairs:
        worse = found._replace(lost=found.lost + 1)
    else:
        worse = Pairs(found.lost + 1, max(0, found.gained - 1), found.pairs + (not found.gained))
    assert inferior(worse, margin) >= inferior(found, margin) - 1e-9


def test_losses_are_rounded_up_and_gains_and_pairs_down() -> None:
    assert Pairs(7, 7, 61).over(1.5) == Pairs(5, 4, 40)
    assert Pairs(6, 6, 60).over(1.5) == Pairs(4, 4, 40)


@given(pairs, st.floats(1, 12))
def test_effective_pairs_are_integers_rounded_against_the_change(
    found: Pairs, effect: float
) -> None:
    fewer = found.over(effect)
    assert 0 <= fewer.pairs <= found.pairs
    assert fewer.lost * effect >= found.lost
    assert fewer.gained * effect <= found.gained
