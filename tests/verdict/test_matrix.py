"""The score of a row: the lowest of its checks, or a mean limited by its verdict."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness import PASSED, Chat, Check, Probe, Score, check, failed
from readiness.score import Outcome
from readiness.verdict.claim import Claim, Gate, Unsupported, Verdict
from readiness.verdict.matrix import DimensionRow, matrix
from readiness.verdict.result import Result, Trial

LACKING = Score(Outcome.UNSUPPORTED, "no tools")


def check_of(name: str) -> Check:
    async def attempt(chat: Chat, probe: Probe) -> Score:
        """The endpoint MUST answer."""
        return PASSED

    attempt.__name__ = name
    return check([Probe("a", [])])(attempt)


def result(
    scores: Sequence[Score], gate: Gate = Gate.REQUIRED, required: float = 1.0, name: str = "some"
) -> Result:
    claim = Claim(required, 0.05, 0.05, len(scores), gate=gate, unsupported=Unsupported.ACCEPTED)
    trials = [Trial("a", number, score) for number, score in enumerate(scores)]
    return Result(check_of(name), claim, trials)


def of(passed: int, trials: int, gate: Gate = Gate.REQUIRED) -> Result:
    return result(scored(passed, trials), gate)


def scored(passed: int, trials: int) -> list[Score]:
    return [PASSED] * passed + [failed("no")] * (trials - passed)


def row(*results: Result, advice: float | None = 0.2, missing: Sequence[str] = ()) -> DimensionRow:
    return DimensionRow("api", Gate.REQUIRED, results, missing, advice)


MUST, SHOULD = Gate.REQUIRED, Gate.ADVISORY


def test_a_result_scores_what_it_meets_of_the_rate_that_is_required() -> None:
    well, badly = (result(scored(passed, 100), required=0.92) for passed in (93, 23))
    assert [(each.met, each.score) for each in (well, badly)] == [(1.0, 100), (0.25, 25)]
    assert Result(check_of("none"), well.claim, []).met == 0.0


def test_without_a_share_for_advice_a_row_has_its_lowest_score() -> None:
    results = [of(1, 1), of(1, 4), of(0, 1, SHOULD)]
    assert row(*results, advice=None).score == 25
    assert row(of(1, 1), advice=None, missing=["api.other"]).score == 89


@pytest.mark.parametrize(
    ("results", "verdict", "score"),
    [
        ([of(1, 1), of(1, 1, SHOULD)], Verdict.READY, 100),
        ([of(1, 1), of(1, 1, SHOULD), of(0, 1, SHOULD)], Verdict.READY, 90),
        ([of(1, 1)] * 40 + [of(0, 1)], Verdict.NOT_READY, 59),
        ([of(1, 1), of(0, 1), of(0, 1), of(0, 1, SHOULD)], Verdict.NOT_READY, 27),
        ([of(1, 1), of(0, 1), of(0, 1), of(1, 1, SHOULD)], Verdict.NOT_READY, 47),
        ([of(0, 1)], Verdict.NOT_READY, 0),
        ([of(1, 1), result([LACKING])], Verdict.READY, 100),
        ([result([LACKING])], Verdict.NOT_ASSESSED, None),
        ([], Verdict.NOT_ASSESSED, None),
    ],
)
def test_with_a_share_for_advice_it_has_the_mean_within_what_the_verdict_allows(
    results: list[Result], verdict: Verdict, score: int | None
) -> None:
    assert (row(*results).verdict, row(*results).score) == (verdict, score)


def test_a_missing_check_contributes_no_score() -> None:
    lost = row(of(1, 1), of(1, 1, SHOULD), missing=["api.other"])
    assert (lost.verdict, lost.score) == (Verdict.INCONCLUSIVE, 60)


counts = st.integers(1, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
results = st.lists(
    st.builds(lambda pair, gate: of(pair[0], pair[1], gate), counts, st.sampled_from(Gate))
)


@given(results, st.none() | st.floats(0, 0.49))
def test_no_row_that_is_not_ready_shows_sixty_and_none_but_a_ready_one_ninety(
    found: list[Result], advice: float | None
) -> None:
    shown = row(*found, advice=advice)
    assert (shown.score is None) is (shown.verdict is Verdict.NOT_ASSESSED)
    assert ((shown.score or 0) >= 90) is (shown.verdict is Verdict.READY)
    assert (shown.score or 0) < 60 or shown.verdict is not Verdict.NOT_READY


def test_what_was_not_assessed_is_outside_the_score_and_keeps_the_run_from_ready() -> None:
    ours = result([PASSED])
    gates, expected = {ours.check.dimension: MUST, "license": MUST}, {"license": ["license.a"]}
    built = matrix([ours], gates, expected, {})
    assert [each.score for each in built.rows] == [100, None]
    assert (built.score, built.verdict) == (100, Verdict.INCONCLUSIVE)


def test_a_policys_share_reaches_its_row_and_no_other() -> None:
    ours, theirs = result([PASSED], name="a"), result([PASSED], name="b")
    dimension = ours.check.dimension
    built = matrix([ours, theirs], {dimension: MUST, "other": MUST}, {}, {dimension: 0.2})
    assert {each.id: each.advice for each in built.rows} == {dimension: 0.2, "other": None}
