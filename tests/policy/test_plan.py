"""The plan: how many pairs of a request's form it tries, and what that costs."""

from __future__ import annotations

import pytest

from readiness.check import Check
from readiness.checks.json_only import checks as json_only
from readiness.checks.multilingual import checks as multilingual
from readiness.checks.spanish import checks as spanish
from readiness.checks.tool_calling import checks as tool_calling
from readiness.policy.plan import PlannedCheck, pairs_tried, plan
from readiness.policy.policy import load

DIMENSIONS = {
    "json_only": json_only,
    "tool_calling": tool_calling,
    "spanish": spanish,
    "multilingual": multilingual,
}


def planned(dimension: str, profile: str, seed: int = 0) -> list[PlannedCheck]:
    checks = [each for each in vars(DIMENSIONS[dimension]).values() if isinstance(each, Check)]
    return plan(checks, load(), profile, seed)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("dimension", "ci", "full"),
    [
        ("json_only", 0.87, 1.0),
        ("tool_calling", 0.86, 1.0),
        ("spanish", 0.80, 0.98),
        ("multilingual", 0.61, 0.96),
    ],
)
def test_a_dimension_tries_most_pairs_in_ci_and_by_night_nearly_all(
    dimension: str, ci: float, full: float, seed: int
) -> None:
    shares = [pairs_tried(planned(dimension, profile, seed)).share for profile in ("ci", "full")]
    assert (shares[0] >= ci, shares[1] >= full, shares[1] <= 1) == (True, True, True)


@pytest.mark.parametrize("dimension", ["json_only", "tool_calling"])
def test_where_none_of_a_hundred_may_fail_every_triple_is_tried_by_night(dimension: str) -> None:
    assert pairs_tried(planned(dimension, "full"), 3).share == 1.0


def test_a_check_in_one_form_alone_has_no_pairs_to_try() -> None:
    others = [each for each in planned("tool_calling", "ci") if not each.check.forms]
    assert ([each.forms for each in others], pairs_tried(others).possible) == ([[]] * 11, 0)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_forms_of_ci_add_no_more_tokens_than_were_granted(dimension: str) -> None:
    """What stands around requests; before there were forms, the prompts of these took 243,000."""
    granted = {"json_only": 37_000, "tool_calling": 37_000, "spanish": 8_000, "multilingual": 2_000}
    adds = sum(probe.adds for each in planned(dimension, "ci") for probe in each.sent)
    assert adds <= granted[dimension]


def test_requests_that_several_checks_share_are_counted_once() -> None:
    sent = [len(each.sent) for each in planned("multilingual", "ci")]
    assert sent == [10, 0, 0, 0]
