"""A result: reasons, durations, and the place of its evidence."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.chat import Chat
from readiness.check import Check, check
from readiness.policy.plan import plan
from readiness.policy.policy import load
from readiness.probe import Probe
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.verdict.claim import Claim
from readiness.verdict.exit_status import explain
from readiness.verdict.result import Reason, Result, Trial, times


async def answers(chat: Chat, probe: Probe) -> Score:
    """The endpoint MUST answer."""
    return PASSED


def result(*scores: Score) -> Result:
    trials = [Trial(f"n.{number}", number, score) for number, score in enumerate(scores)]
    return Result(check([Probe("n.0", [])])(answers), Claim(1.0, 0.05, 0.05, len(trials)), trials)


STALE = [failed("stale", f"expected '7', got '{number}'") for number in range(3)]


# Doubts


def test_controls_that_fail_for_the_same_reason_are_one_doubt() -> None:
    trials = [
        Trial(f"easy.{n}", n, failed("wrong" if n else "cut"), control=True) for n in range(3)
    ]
    found = Result(check([Probe("n.0", [])])(answers), Claim(1.0, 0.05, 0.05, 1), trials)
    assert found.doubts == ["control item easy.0: cut", "control item easy.1, easy.2: wrong"]


# Reasons


def test_reasons_of_a_kind_are_counted_together() -> None:
    found = result(PASSED, failed("miss", "got ''"), *STALE, STALE[1]).reasons
    assert found == [
        Reason("stale", "stale: expected '7', got '1'", 4, 3),
        Reason("miss", "miss: got ''", 1, 1),
    ]


@pytest.mark.parametrize(
    ("scores", "kind"),
    [
        (
            [failed("expected a call", got="[]"), failed("expected a call", got="['x']")],
            "expected a call",
        ),
        (
            [scored(Outcome.ENDPOINT_ERROR, "HTTP 500", f"{number}") for number in range(2)],
            "endpoint error: HTTP 500",
        ),
        ([Score(Outcome.SKIPPED, "the budget is spent")], "skipped: the budget is spent"),
    ],
)
def test_a_kind_ends_where_it_says_what_came(scores: Sequence[Score], kind: str) -> None:
    assert [(each.kind, each.count) for each in result(*scores).reasons] == [(kind, len(scores))]


def test_the_gate_shows_one_of_each_kind_and_counts_the_others() -> None:
    kinds = [failed(f"kind {number}", "x") for number in range(7)]
    said = explain(result(*STALE, *kinds)).splitlines()
    assert said[4] == "        3 × stale (3 different), as in: stale: expected '7', got '0'"
    assert said[5] == "        1 × kind 0: x"
    assert said[-1] == "        3 × 3 other kinds of reasons"


@given(st.lists(st.sampled_from([PASSED, *STALE, failed("miss"), Score(Outcome.BLOCKED, "a: b")])))
def test_every_trial_that_did_not_pass_is_in_one_kind(scores: list[Score]) -> None:
    found = result(PASSED, *scores).reasons
    assert sum(each.count for each in found) == sum(not score.passed for score in scores)
    assert len({each.kind for each in found}) == len(found)
    assert [each.count for each in found] == sorted((each.count for each in found), reverse=True)


# Times


def took(*seconds: float, **at: float) -> list[Measure]:
    return [Measure("time", each, "s", at) for each in seconds]


def test_fewer_than_a_hundred_times_have_no_percentile() -> None:
    (found,) = result(PASSED.measured(*took(3, 1, 2), Measure("found", 1.0))).times
    assert (found.median, found.tail, found.high) == (2, "max of 3", 3)


def test_a_hundred_times_have_one() -> None:
    (found,) = times(took(*range(1, 101)))
    assert (found.tail, found.high) == ("P99", 99)


def test_times_under_other_conditions_are_others() -> None:
    found = times([*took(1, length=4096), *took(2, 3, length=8192)])
    assert [(each.at, each.seconds) for each in found] == [
        ({"length": 4096}, (1,)),
        ({"length": 8192}, (2, 3)),
    ]


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=300))
def test_at_most_one_in_a_hundred_is_above_the_tail(seconds: list[float]) -> None:
    (found,) = times(took(*seconds))
    assert sum(each > found.high for each in seconds) <= len(seconds) / 100
    assert found.high in seconds


# The plan


def planned(*checks: Check, profile: str = "ci") -> list[int]:
    return [each.prompt_tokens for each in plan(checks, load(), profile, 0)]


def sharing(name: str, *shared: str) -> Check:
    async def attempt(chat: Chat, probe: Probe) -> Score:
        """The endpoint MUST answer."""
        return PASSED

    attempt.__name__ = name
    probes = [
        Probe(f"n.{at}", [], tokens=1000, fewer=10, shared=each) for at, each in enumerate(shared)
    ]
    return check(probes)(attempt)


def test_a_plan_counts_what_is_shared_once() -> None:
    first, second = sharing("first", "a", "a", "b"), sharing("second", "b", "c", "")
    assert planned(first, second) == [2000, 2000]
    # What another check would have sent is counted where that is not tried.
    assert planned(second) == [3000]


def test_a_run_that_shows_defects_only_plans_its_smaller_documents() -> None:
    assert planned(sharing("first", "a", "b"), profile="smoke") == [20]
