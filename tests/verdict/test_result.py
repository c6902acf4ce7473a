"""A result: reasons, durations, and the place of its evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.chat import Chat
from readiness.check import Check, check
from readiness.forms.apply import in_forms
from readiness.forms.factors import Factor, FormSpace, Limit, Reply, Sampling
from readiness.policy.plan import plan
from readiness.policy.policy import load
from readiness.probe import Probe
from readiness.score import PASSED, SETTLED, Measure, Outcome, Score, failed, scored
from readiness.verdict.claim import Claim, Tally, Unsupported, Verdict
from readiness.verdict.exit_status import explain
from readiness.verdict.result import Reason, Result, Trial, times


async def answers(chat: Chat, probe: Probe) -> Score:
    """The endpoint MUST answer."""
    return PASSED


def result(*scores: Score) -> Result:
    trials = [Trial(f"n.{number}", number, score) for number, score in enumerate(scores)]
    return Result(check([Probe("n.0", [])])(answers), Claim(1.0, 0.05, 0.05, len(trials)), trials)


LACKING = Score(Outcome.UNSUPPORTED, "stop is not supported")
UNSETTLED = Score(Outcome.UNDETERMINED, "the model does not write it")


@pytest.mark.parametrize(
    ("scores", "accepted", "otherwise"),
    [
        ([LACKING] * 6, Verdict.NOT_ASSESSED, Verdict.NOT_READY),
        # Trials that were given up, or show nothing, may be unsupported or not.
        ([LACKING] * 3 + [SETTLED] * 3, Verdict.INCONCLUSIVE, Verdict.NOT_READY),
        ([LACKING] * 5 + [UNSETTLED], Verdict.INCONCLUSIVE, Verdict.NOT_READY),
        # What is supported at times is supported.
        ([LACKING] * 5 + [PASSED], Verdict.NOT_READY, Verdict.NOT_READY),
        ([LACKING] * 5 + [failed("ignored")], Verdict.NOT_READY, Verdict.NOT_READY),
        ([UNSETTLED] * 6, Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE),
        ([PASSED] * 6, Verdict.READY, Verdict.READY),
    ],
)
def test_a_feature_is_not_assessed_where_every_trial_says_that_it_is_unsupported(
    scores: list[Score], accepted: Verdict, otherwise: Verdict
) -> None:
    found = result(*scores)
    lenient = replace(found, claim=replace(found.claim, unsupported=Unsupported.ACCEPTED))
    assert (lenient.verdict, found.verdict) == (accepted, otherwise)


def test_a_required_feature_that_every_trial_lacks_is_not_ready_however_few_they_are() -> None:
    rate = replace(result(LACKING), claim=Claim(0.8, 0.05, 0.05, 1))
    scores: list[list[Score]] = [[LACKING], [LACKING, SETTLED], [failed("ignored")]]
    found = [replace(rate, trials=result(*each).trials).verdict for each in scores]
    assert found == [Verdict.NOT_READY, Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE]


STALE = [failed("stale", f"expected '7', got '{number}'") for number in range(3)]


# Doubts


def test_controls_that_fail_for_the_same_reason_are_one_doubt() -> None:
    trials = [
        Trial(f"easy.{n}", n, failed("wrong" if n else "cut"), control=True) for n in range(3)
    ]
    found = Result(check([Probe("n.0", [])])(answers), Claim(1.0, 0.05, 0.05, 1), trials)
    assert found.doubts == ["control item easy.0: cut", "control item easy.1, easy.2: wrong"]


# Trials that were not tried

SPENT = Score(Outcome.SKIPPED, "the budget is spent")


def labelled(required: float, scores: Sequence[Score], planned: int) -> Result:
    """Trials in two families, in four clusters."""
    trials = [
        Trial(f"n.{at}", at, score, slices={"family": "ab"[at % 2]}, cluster=f"c{at % 4}")
        for at, score in enumerate(scores)
    ]
    checked = check([Probe("n.0", [])] * 100, required=required)(answers)
    return Result(checked, Claim(required, 0.05, 0.05, max(1, planned)), trials)


def shown(found: Result) -> tuple[object, ...]:
    return found.executed, found.interval, found.rate_lower_bound, found.slices, found.met


@given(
    st.sampled_from([0.9, 1.0]),
    st.lists(st.sampled_from([PASSED, failed("miss"), UNSETTLED]), max_size=40),
    st.lists(st.sampled_from([SPENT, SETTLED]), max_size=40),
)
def test_what_was_not_tried_changes_no_figure_and_makes_nothing_ready(
    required: float, made: list[Score], rest: list[Score]
) -> None:
    cut = labelled(required, [*made, *rest], len(made) + len(rest))
    assert shown(cut) == shown(labelled(required, made, len(made)))
    assert sum(each["trials"] for each in cut.slices.get("family", {}).values()) == len(made)
    assert cut.verdict is not Verdict.READY or not rest or required < 1


@given(st.sampled_from([0.8, 0.9, 1.0]), st.integers(0, 99), st.sampled_from([SPENT, SETTLED]))
def test_the_trials_that_are_said_to_be_needed_are_enough(
    required: float, made: int, other: Score
) -> None:
    cut = result(*[PASSED] * made, *[other] * (100 - made))
    cut = replace(cut, claim=replace(cut.claim, required=required))
    assert cut.more_needed == 100 - made
    assert replace(cut, trials=result(*[PASSED] * 100).trials).verdict is Verdict.READY


def test_trials_of_a_cluster_are_counted_together_and_all_others_alone() -> None:
    found = result(PASSED, failed("miss"), UNSETTLED, PASSED, PASSED)
    assert found.tally == Tally(3, 1, 1)
    shared = [replace(each, cluster="d" if at < 3 else "") for at, each in enumerate(found.trials)]
    parts = (Tally(1, 1, 1), Tally(1), Tally(1))
    assert replace(found, trials=shared).tally == Tally(3, 1, 1, parts)


def test_an_interval_and_a_bound_are_those_of_the_effective_trials() -> None:
    found = labelled(0.9, [PASSED] * 40, 40)  # four clusters of ten: 1 + 9 * 0.1
    assert found.rate_lower_bound == pytest.approx(0.05 ** (1.9 / 40))
    assert found.interval.high == 1.0
    assert found.interval.low == pytest.approx(40 / 1.9 / (40 / 1.9 + 1.959964**2))


def test_the_trials_that_are_needed_are_those_left_or_more() -> None:
    rate = Claim(0.9, 0.05, 0.05, 100)
    found = [
        replace(result(*[PASSED] * made, *[SPENT] * left), claim=rate).more_needed
        for made, left in ((10, 0), (10, 5), (10, 20), (19, 0))
    ]
    assert found == [9, 9, 20, 0]
    assert result(PASSED, failed("miss")).more_needed is None


# Reasons


def test_reasons_of_a_kind_are_counted_together() -> None:
    found = result(PASSED, failed("miss", "got ''"), *STALE, STALE[1]).reasons
    assert found == [
        Reason("stale", "stale: expected '7', got '1'", 4, 3),
        Reason("miss", "miss: got ''", 1, 1),
    ]


def test_what_failed_is_told_before_what_is_left_open_however_often() -> None:
    spent = Score(Outcome.SKIPPED, "the budget is spent")
    found = result(spent, spent, PASSED, failed("miss", "got ''")).reasons
    assert [(each.kind, each.count) for each in found] == [
        ("miss", 1),
        ("skipped: the budget is spent", 2),
    ]


def test_of_what_did_not_pass_the_example_of_each_reason_comes_first() -> None:
    spent, error = Score(Outcome.SKIPPED, "spent"), scored(Outcome.ENDPOINT_ERROR, "HTTP 500", "x")
    found = result(error, PASSED, STALE[0], failed("miss"), STALE[1], spent, STALE[1])
    assert [each.score for each in found.not_passed] == [
        STALE[1],
        error,
        failed("miss"),
        STALE[0],
        STALE[1],
    ]
    assert found.not_passed[0].score.reason == found.reasons[0].example


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


# Forms that fail

SPACE = FormSpace({Factor.REPLY: [*Reply], Factor.LIMIT: [*Limit], Factor.SAMPLING: [*Sampling]})
FAMILIES = "abcde"


def tried(required: float, broken: Callable[[Mapping[str, str]], bool]) -> Result:
    """A hundred trials in forms, of which those fail whose labels are of this kind."""
    made = [
        Probe(f"n.{at}", [{"role": "user", "content": f"x {at}"}], family=FAMILIES[at // 20])
        for at in range(100)
    ]
    formed = in_forms(made, SPACE, "key")
    trials = [
        Trial.of(each, at, failed("broken") if broken(each.slices) else PASSED)
        for at, each in enumerate(formed)
    ]
    checked = check(made, required=required, forms=SPACE)(answers)
    return Result(checked, Claim(required, 0.05, 0.05, 100), trials)


def test_a_pair_of_levels_that_always_fails_does_not_hide_in_the_rate() -> None:
    found = tried(0.85, lambda of: of["reply"] == Reply.STREAMED and of["limit"] == Limit.OLD_NAME)
    count = len(found.counted) - found.passed
    assert (9 <= count <= 13, found.verdict_of_all, found.verdict) == (
        True,
        Verdict.READY,
        Verdict.NOT_READY,
    )
    pair = "reply (streamed) and limit (max_tokens)"
    said = f"fails with {pair}: {count} of {count}; elsewhere 0 of {100 - count}"
    assert f"    pattern: {said}" in explain(found).splitlines()


def test_a_family_that_always_fails_does_not_hide_in_the_rate() -> None:
    found = tried(0.75, lambda of: of["family"] == "c")
    assert (found.verdict_of_all, found.verdict) == (Verdict.READY, Verdict.NOT_READY)
    assert str(found.failing_alone) == "fails with family (c): 20 of 20; elsewhere 0 of 80"


def test_a_family_of_which_few_pass_fails_by_itself() -> None:
    few = iter([False, False])
    found = tried(0.75, lambda of: of["family"] == "c" and next(few, True))
    assert (found.verdict_of_all, found.verdict) == (Verdict.READY, Verdict.NOT_READY)
    assert str(found.failing_alone) == "fails with family (c): 18 of 20; elsewhere 0 of 80"


def test_a_family_that_is_harder_is_named_and_counts_as_the_rate_has_it() -> None:
    random = Random(1)
    found = tried(0.85, lambda of: of["family"] == "c" and random.random() < 0.5)
    assert (found.passed, found.verdict, found.failing_alone) == (89, Verdict.READY, None)
    said = "fails with family (c): 11 of 20; elsewhere 0 of 80"
    assert str(found.worst_pair) == said
    assert f"    pattern: {said}" in explain(found).splitlines()


LOST = failed("lost")


def at_places(*failed: int) -> Result:
    """Two trials at each of fifty places, of which these fail."""
    made = [Probe(f"n.{at}", [], places={"turns back": at // 2}) for at in range(100)]
    trials = [Trial.of(each, at, LOST if at in failed else PASSED) for at, each in enumerate(made)]
    return Result(check(made, required=0.9)(answers), Claim(0.9, 0.05, 0.05, 100), trials)


def test_a_stretch_of_places_that_always_fails_does_not_hide_in_the_rate() -> None:
    found = at_places(*range(88, 94))
    assert (found.verdict_of_all, found.verdict) == (Verdict.READY, Verdict.NOT_READY)
    assert str(found.failing_alone) == "fails with turns back (44-46): 6 of 6; elsewhere 0 of 94"
    assert at_places(3, 17, 31, 56, 70, 95).verdict is Verdict.READY


def test_where_nothing_passed_and_little_was_tried_nothing_is_ready() -> None:
    found = at_places(88, 89, 90, 91)
    why = "fails with turns back (44-45): 4 of 4; elsewhere 0 of 96"
    assert (found.verdict, found.doubts) == (
        Verdict.INCONCLUSIVE,
        [f"{why}, too few to show that it fails there"],
    )


def test_a_form_that_fails_more_often_than_others_may_still_meet_the_rate() -> None:
    random = Random(2)
    found = tried(0.5, lambda of: of["reply"] == Reply.STREAMED and random.random() < 0.4)
    assert (found.verdict, found.failing_alone) == (Verdict.READY, None)
    assert found.worst_pair is not None


def test_failures_without_a_pattern_have_none() -> None:
    found = tried(0.85, lambda of: False)
    assert (found.worst_pair, found.failing_alone, found.verdict) == (None, None, Verdict.READY)
    assert len(found.forms) == 100


@pytest.mark.parametrize(
    ("found", "gathers"),
    [
        (at_places(*range(88, 94)), True),  # fails alone
        (at_places(88, 89, 90, 91), True),  # too little to fail alone, and nothing passed
        (at_places(3, 17, 31, 56, 70, 95), False),
        (at_places(), False),
    ],
)
def test_failures_gather_where_they_fail_alone_or_nothing_passes(
    found: Result, gathers: bool
) -> None:
    assert found.gathers is gathers


def test_a_rule_is_not_ready_by_any_failure_wherever_it_stands() -> None:
    found = replace(at_places(*range(88, 94)), claim=Claim(1.0, 0.05, 0.05, 100))
    assert (found.gathers, found.verdict) == (False, Verdict.NOT_READY)


def test_one_trial_never_fails_a_rate_of_95_percent_by_itself() -> None:
    made = [Probe(f"n.{at}", [], labels={"reply": Reply.WHOLE}) for at in range(299)]
    made.append(Probe("n.299", [], labels={"reply": Reply.STREAMED}))
    trials = [Trial.of(each, at, LOST if at == 299 else PASSED) for at, each in enumerate(made)]
    checked = check(made, required=0.95, forms=SPACE)(answers)
    found = Result(checked, Claim(0.95, 0.05, 0.05, 300), trials)
    # The upper bound of none of one is 0.95 itself, which is not below the rate.
    assert (found.failing_alone, found.verdict) == (None, Verdict.INCONCLUSIVE)
    why = "fails with reply (streamed): 1 of 1; elsewhere 0 of 299"
    assert found.doubts == [f"{why}, too few to show that it fails there"]


def test_trials_without_a_form_have_none() -> None:
    assert result(PASSED).forms == []


def test_slices_count_what_was_tried() -> None:
    found = labelled(0.9, [PASSED, failed("miss"), UNSETTLED, SPENT], 4)
    assert found.slices == {
        "family": {"a": {"trials": 2, "passed": 1}, "b": {"trials": 1, "passed": 0}}
    }


def test_unsettled_trials_are_not_looked_at_for_where_failures_gather() -> None:
    made = at_places()
    lost = [replace(each, score=UNSETTLED) for each in made.trials[88:94]]
    found = replace(made, trials=[*made.trials[:88], *lost, *made.trials[94:]])
    assert (found.worst_pair, found.gathers) == (None, False)
