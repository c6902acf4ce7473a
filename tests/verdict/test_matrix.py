"""The score of a row: the lowest of its checks, or a mean limited by its verdict."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness import PASSED, Chat, Check, Probe, Score, check, failed
from readiness.score import Outcome
from readiness.verdict.claim import Claim, Gate, Unsupported, Verdict
from readiness.verdict.matrix import DimensionRow, Matrix, matrix
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


# Waivers, the order of rows, and which of them decide


def named(passed: int, name: str) -> Result:
    return result(scored(passed, 4), name=name)


def waiving(*results: Result, waived: Sequence[str], missing: Sequence[str] = ()) -> DimensionRow:
    ids = frozenset(f"test_matrix.{each}" for each in waived)
    return DimensionRow("api", MUST, results, missing, None, ids)


@pytest.mark.parametrize(
    ("found", "verdict", "after"),
    [
        (waiving(named(4, "a"), waived=[]), Verdict.READY, Verdict.READY),
        (waiving(named(3, "a"), waived=["b"]), Verdict.NOT_READY, Verdict.NOT_READY),
        (waiving(named(3, "a"), waived=["a"]), Verdict.NOT_READY, Verdict.READY),
        (
            waiving(named(3, "a"), waived=["a"], missing=["b"]),
            Verdict.NOT_READY,
            Verdict.INCONCLUSIVE,
        ),
        (waiving(named(4, "a"), waived=[], missing=["b"]), *[Verdict.INCONCLUSIVE] * 2),
        (waiving(waived=["a"]), *[Verdict.NOT_ASSESSED] * 2),
        (waiving(waived=[], missing=["a"]), *[Verdict.NOT_ASSESSED] * 2),
    ],
)
def test_a_waiver_takes_a_check_out_of_the_runs_verdict_and_no_missing_one(
    found: DimensionRow, verdict: Verdict, after: Verdict
) -> None:
    assert (found.verdict, found.verdict_after_waivers) == (verdict, after)


def of_rows(*rows: tuple[str, Gate, Sequence[Result]]) -> Matrix:
    return Matrix([DimensionRow(name, gate, results) for name, gate, results in rows])


GOOD, BAD, OPEN = (
    [result([PASSED])],
    [result([failed("no")])],
    [result([PASSED, Score(Outcome.SKIPPED)])],
)


@pytest.mark.parametrize(
    ("built", "deciding", "verdict"),
    [
        (of_rows(("a", MUST, GOOD), ("b", MUST, GOOD)), [], Verdict.READY),
        (of_rows(("a", MUST, OPEN), ("b", MUST, GOOD)), ["a"], Verdict.INCONCLUSIVE),
        (
            of_rows(("a", MUST, OPEN), ("b", MUST, BAD), ("c", MUST, [])),
            ["b"],
            Verdict.NOT_READY,
        ),
        (of_rows(("a", MUST, GOOD), ("b", SHOULD, BAD)), [], Verdict.READY),
        (of_rows(("a", MUST, []), ("b", MUST, GOOD)), ["a"], Verdict.INCONCLUSIVE),
        (of_rows(), [], Verdict.INCONCLUSIVE),
    ],
)
def test_the_required_dimensions_that_are_not_ready_decide_or_else_those_that_are_open(
    built: Matrix, deciding: Sequence[str], verdict: Verdict
) -> None:
    assert ([each.id for each in built.deciding], built.verdict) == (deciding, verdict)


def test_the_runs_score_is_the_lowest_of_what_is_required_and_was_assessed() -> None:
    rows = [("a", MUST, [of(1, 4)]), ("b", MUST, []), ("c", SHOULD, BAD), ("d", MUST, GOOD)]
    assert of_rows(*rows).score == 25
    assert of_rows(("c", SHOULD, GOOD)).score == 0


def test_rows_are_reported_worst_first_then_by_score_then_by_name() -> None:
    rows = [
        ("g", SHOULD, []),
        ("e", MUST, GOOD),
        ("d", MUST, []),
        ("c", MUST, OPEN),
        ("b", MUST, [of(1, 4)]),
        ("a", MUST, [of(1, 4)]),
        ("0", MUST, [of(1, 100)]),
        ("f", MUST, BAD),
    ]
    assert [each.id for each in of_rows(*rows).worst_first] == [*"f0abcdeg"]


def test_a_matrix_has_a_row_for_each_dimension_that_is_not_off() -> None:
    ours = named(4, "a")
    gates = {"off": Gate.OFF, "api": SHOULD}
    built = matrix([ours], gates, {"api": ["api.a"], "test_matrix": ["test_matrix.a"]}, {}, ["x.y"])
    rows = [(each.id, each.gate, each.missing, each.waived) for each in built.rows]
    assert rows == [
        ("api", SHOULD, ("api.a",), frozenset({"x.y"})),
        ("test_matrix", MUST, (), frozenset({"x.y"})),
    ]
