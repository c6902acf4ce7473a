"""Sequential tests: verdicts from trials that are still arriving."""

from math import inf, log

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from readiness.verdict.claim import Verdict
from readiness.verdict.sequential import Sprt, evidence_above, evidence_below, judge_anytime

ALPHA = 0.05
READY, NOT_READY, INCONCLUSIVE = Verdict.READY, Verdict.NOT_READY, Verdict.INCONCLUSIVE
counts = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
rates = st.floats(0.05, 0.95)
TEST = Sprt(0.85, 0.95, 100)


@pytest.mark.parametrize(
    ("passed", "trials", "required", "verdict"),
    [
        (54, 54, 0.92, READY),
        (53, 53, 0.92, INCONCLUSIVE),
        (39, 39, 0.89, READY),
        (38, 38, 0.89, INCONCLUSIVE),
        (0, 2, 0.92, NOT_READY),
        (0, 1, 0.92, INCONCLUSIVE),
        (0, 0, 0.92, INCONCLUSIVE),
        (10**5, 10**5, 0.92, READY),  # where a likelihood is too small for a float
        (0, 10**5, 0.92, NOT_READY),
    ],
)
def test_evidence_can_be_looked_at_after_any_trial(
    passed: int, trials: int, required: float, verdict: Verdict
) -> None:
    assert judge_anytime(passed, trials, required, ALPHA) is verdict


@given(counts, rates)
def test_one_side_gains_what_the_other_loses(count: tuple[int, int], required: float) -> None:
    passed, trials = count
    mirrored = evidence_below(trials - passed, trials, 1 - required)
    assert evidence_above(passed, trials, required) == pytest.approx(mirrored, rel=1e-6, abs=1e-6)


@given(counts, rates)
def test_both_verdicts_are_never_shown_for_the_same_trials(
    count: tuple[int, int], required: float
) -> None:
    passed, trials = count
    sides = evidence_above(passed, trials, required), evidence_below(passed, trials, required)
    assert min(sides) < log(1 / ALPHA)


@given(counts, rates)
@example((0, 267), 0.9375)
def test_evidence_is_a_fair_bet(count: tuple[int, int], required: float) -> None:
    """At the required rate, the next trial is expected to change the odds not at all."""
    passed, trials = count
    now, won, lost = (
        evidence_above(passed + more, trials + tried, required)
        for more, tried in ((0, 0), (1, 1), (0, 1))
    )
    assume(lost > -inf)  # So little evidence that no floating-point number holds it.
    won, lost = won - now, lost - now
    expected = required * 2.718281828459045**won + (1 - required) * 2.718281828459045**lost
    assert expected == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("passed", "trials", "verdict"),
    [(26, 26, INCONCLUSIVE), (27, 27, READY), (0, 2, INCONCLUSIVE), (0, 3, NOT_READY)],
)
def test_wald_s_test_decides_as_soon_as_it_can(passed: int, trials: int, verdict: Verdict) -> None:
    assert TEST.judge(passed, trials) is verdict


def test_wald_s_test_decides_on_its_bounds() -> None:
    even = Sprt(0.25, 0.75, 9, alpha=0.25, beta=0.25)  # one trial is evidence of three to one
    assert [even.judge(passed, 1) for passed in (1, 0)] == [READY, NOT_READY]
    assert [even.judge(passed, 2 * passed) for passed in (0, 1)] == [INCONCLUSIVE] * 2


@pytest.mark.parametrize(
    ("bad", "good"), [(0.95, 0.85), (0.9, 0.9), (0.0, 0.9), (-0.5, 0.9), (0.85, 1.0), (0.85, 1.5)]
)
def test_wald_s_test_takes_a_bad_rate_and_a_better_one(bad: float, good: float) -> None:
    with pytest.raises(ValueError, match="takes two rates"):
        Sprt(bad, good, 100)
