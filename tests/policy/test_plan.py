"""The plan: how many pairs of a request's form it tries, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest

from readiness.chat import Chat
from readiness.check import Check, check
from readiness.checks.json_only import checks as json_only
from readiness.checks.load import checks as load_dimension
from readiness.checks.memory import checks as memory
from readiness.checks.multilingual import checks as multilingual
from readiness.checks.refusal import checks as refusal
from readiness.checks.spanish import checks as spanish
from readiness.checks.tool_calling import checks as tool_calling
from readiness.forms.factors import Factor, Limit
from readiness.policy.plan import PlannedCheck, duration, pairs_tried, plan
from readiness.policy.policy import load
from readiness.probe import Probe
from readiness.score import PASSED, Score
from readiness.verdict.claim import Claim

DIMENSIONS = {
    "json_only": json_only,
    "tool_calling": tool_calling,
    "spanish": spanish,
    "multilingual": multilingual,
    "refusal": refusal,
    "memory": memory,
}


@cache
def planned(dimension: str, profile: str, seed: int = 0) -> list[PlannedCheck]:
    checks = [each for each in vars(DIMENSIONS[dimension]).values() if isinstance(each, Check)]
    return plan(checks, load(), profile, seed)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("dimension", "ci", "full"),
    [
        ("json_only", 0.85, 0.98),
        ("tool_calling", 0.86, 0.96),
        ("spanish", 0.77, 0.98),
        ("multilingual", 0.56, 0.96),
        ("refusal", 0.85, 0.99),
        ("memory", 0.9, 0.99),
    ],
)
def test_a_dimension_tries_most_pairs_in_ci_and_by_night_nearly_all(
    dimension: str, ci: float, full: float, seed: int
) -> None:
    shares = [pairs_tried(planned(dimension, profile, seed)).share for profile in ("ci", "full")]
    assert (shares[0] >= ci, shares[1] >= full, shares[1] <= 1) == (True, True, True)


@pytest.mark.parametrize("dimension", ["json_only", "tool_calling"])
def test_where_none_of_a_hundred_may_fail_every_triple_is_tried_by_night(dimension: str) -> None:
    shares = [pairs_tried([each], 3).share for each in planned(dimension, "full")]
    assert max(shares) == 1.0


def test_a_check_in_one_form_alone_has_no_pairs_to_try() -> None:
    others = [each for each in planned("tool_calling", "ci") if not each.check.forms]
    assert ([each.forms for each in others], pairs_tried(others).possible) == ([[]], 0)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_forms_of_ci_add_no_more_tokens_than_were_granted(dimension: str) -> None:
    """What stands around requests; before there were forms, the prompts of these took 600,000."""
    granted = {"json_only": 140_000, "tool_calling": 135_000, "refusal": 120_000}
    granted |= {"memory": 95_000, "spanish": 8_000, "multilingual": 2_000}
    granted["memory"] += 105_000  # The text in four long histories.
    adds = sum(probe.adds for each in planned(dimension, "ci") for probe in each.sent)
    assert adds <= granted[dimension]


@pytest.mark.parametrize("profile", ["smoke", "ci"])
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_no_reply_is_without_a_limit_where_only_defects_are_shown(
    dimension: str, profile: str
) -> None:
    levels = [form.get(Factor.LIMIT) for each in planned(dimension, profile) for form in each.forms]
    assert (Limit.NONE in levels) is (profile == "ci")


def test_smaller_replies_do_where_only_defects_are_shown() -> None:
    def budgets(profile: str) -> list[int]:
        checks = planned("refusal", profile)
        return sorted({probe.budget for each in checks for probe in each.probes})

    assert (budgets("smoke"), budgets("ci")) == ([256, 512], [768])


def test_a_probe_in_its_plainer_form_has_the_small_budget_too() -> None:
    plainer = [probe.plain for each in planned("refusal", "smoke") for probe in each.probes]
    assert {each.budget for each in plainer if each} == {256, 512}


def test_what_costs_least_is_tried_first_where_one_failure_is_enough() -> None:
    prompted = planned("json_only", "smoke")[0].probes
    assert [each.budget for each in prompted] == [*[256] * 6, *[640] * 3, 4096, *[256] * 3]
    assert [each.control for each in prompted] == [*[False] * 10, *[True] * 3]


def test_a_smoke_run_counts_a_small_step_of_load_once() -> None:
    load_checks = [each for each in vars(load_dimension).values() if isinstance(each, Check)]
    small = plan(load_checks, load(), "smoke", 0)
    # 16 requests of some 150 tokens and 24 of reply, a quarter of which a reply usually uses.
    assert sum(each.prompt_tokens for each in small) == 16 * 150
    assert sum(each.completion_tokens for each in small) == 16 * 24 / 4


def test_requests_that_several_checks_share_are_counted_once() -> None:
    sent = [len(each.sent) for each in planned("multilingual", "ci")]
    assert sent == [10, 0, 0, 0]


def no_probes(seed: int, trials: int) -> Sequence[Probe]:
    return []


async def answers(chat: Chat, probe: Probe) -> Score:
    """It MUST answer."""
    return PASSED


# In lists: as names of the module they would be collected as checks of a run.
OVERLAPPING = [check(no_probes, trials=60)(answers)]
IN_ORDER = [check(no_probes, trials=60, in_order=True)(answers)]
ALONE = [check(no_probes, trials=60, alone=True)(answers)]


def taking(checks: Sequence[Check], trials: int = 40) -> PlannedCheck:
    """A check whose replies take ten seconds each in a stream of 40 tokens a second."""
    sent = [
        Probe(f"p.{n}", [{"role": "user", "content": f"{n}"}], budget=1600) for n in range(trials)
    ]
    return PlannedCheck(checks[0], Claim(1.0, 0.05, 0.05, trials), sent, sent)


@pytest.mark.parametrize(
    ("planned", "concurrency", "lasts", "bound"),
    [
        ([], 8, 0.0, ""),
        ([taking(OVERLAPPING)], 8, 50.0, ""),
        ([taking(IN_ORDER)], 8, 400.0, "test_plan.answers"),
        # Trials in order take no longer for what is tried beside them, and bound nothing then.
        ([taking(IN_ORDER, 4), taking(OVERLAPPING)], 8, 55.0, ""),
        ([taking(IN_ORDER), taking(IN_ORDER)], 8, 400.0, "test_plan.answers"),
        ([taking(ALONE), taking(OVERLAPPING)], 8, 450.0, "test_plan"),
        ([taking(ALONE), taking(ALONE, 10), taking(IN_ORDER)], 8, 900.0, "test_plan"),
        ([replace(taking(ALONE, 3), step_seconds=12.0)], 8, 36.0, "test_plan"),
    ],
)
def test_the_plan_tells_how_long_a_run_takes_and_what_bounds_it(
    planned: Sequence[PlannedCheck], concurrency: int, lasts: float, bound: str
) -> None:
    assert duration(planned, concurrency) == (lasts, bound)


def test_a_faster_endpoint_takes_less_time_but_for_steps_that_are_sized_by_it() -> None:
    planned = [replace(taking(ALONE, 3), step_seconds=12.0), taking(OVERLAPPING)]
    assert duration(planned, 8, tokens_per_second=80.0).seconds == 36.0 + 25.0
