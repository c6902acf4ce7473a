"""Stability: abort cycles, bursts and other scenarios over HTTP, and their scoring."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, chain, pairwise, zip_longest
from pathlib import Path

import numpy as np
import pytest

from benchmarks.simulated import simulated
from readiness.chat import Chat
from readiness.check import Check
from readiness.checks.stability import checks, scenarios, scoring
from readiness.checks.stability.abort_cycles import (
    ABORTS,
    AbortCycles,
    AbortCyclesResult,
    IdleReading,
    run_abort_cycles,
)
from readiness.checks.stability.long_replies import LongRequest
from readiness.checks.stability.scenarios import BadInput, RestartResult
from readiness.context import Context
from readiness.exchange import NS, Exchange, Fault
from readiness.load.latency import require_not_limited
from readiness.load.meters.meter import CACHE, HOST, QUEUED, RUNNING
from readiness.mutants.catalog import find
from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.flaw import Flaw
from readiness.mutants.stability import flaws_cut_streams
from readiness.score import PASSED, EndpointError, Measure, Outcome, Score
from tests.load_driver import at, tried
from tests.miniature import completion
from tests.scripted_server import free_port

ABORT_CHECKS = (
    checks.recovers_after_aborts,
    checks.abort_isolation,
    checks.abort_stops_generation,
    checks.no_leak_after_aborts,
)
OTHER_CHECKS = (
    checks.burst_not_dropped,
    checks.long_reply_not_truncated,
    checks.key_stays_valid,
    checks.bad_input_isolation,
)


CUT_STREAMS = [each.name for each in flaws_cut_streams.FLAWS if each.check]
WHOLE_STREAMS = [each.name for each in flaws_cut_streams.FLAWS if each.harmless]


def failures(mutant: str | Flaw, *checks_: Check, small: bool = False) -> dict[str, Outcome]:
    """The checks that do not pass, and the outcome of each."""

    async def work(chat: Chat) -> dict[str, Outcome]:
        found = {
            each.id.removeprefix("stability."): [
                (await each.attempt(chat, probe)).outcome
                for probe in each.probes(0, 1 if small else each.trials)
            ]
            for each in checks_
        }
        wrong = {name: [o for o in all_ if o is not Outcome.PASS] for name, all_ in found.items()}
        return {name: all_[0] for name, all_ in wrong.items() if all_}

    return tried(mutant, work, Context(defects_only=small))


def test_the_reference_passes() -> None:
    assert failures("reference", *ABORT_CHECKS, *OTHER_CHECKS, small=True) == {}


@pytest.mark.parametrize(
    ("mutant", "check"),
    [
        ("burst_502_page", checks.burst_not_dropped),
        ("gateway_cuts", checks.long_reply_not_truncated),
        ("gateway_shortens", checks.long_reply_not_truncated),
        ("gateway_empties", checks.long_reply_not_truncated),
        ("gateway_loses_frames", checks.long_reply_not_truncated),
        ("gateway_repeats_frames", checks.long_reply_not_truncated),
        ("gateway_swaps_frames", checks.long_reply_not_truncated),
        ("gateway_loses_bytes", checks.long_reply_not_truncated),
        ("session_expires", checks.key_stays_valid),
    ],
)
def test_a_flaw_fails_its_own_check_alone(mutant: str, check: Check) -> None:
    own = check.id.removeprefix("stability.")
    assert failures(mutant, check, checks.key_stays_valid) == {own: Outcome.FAIL}


@pytest.mark.parametrize(
    ("mutant", "failing"),
    [
        ("skips_in_lists", {}),
        ("long_reply_rots", {"long_reply_not_truncated": Outcome.UNDETERMINED}),
    ],
)
def test_what_a_model_does_in_both_forms_is_no_gap(
    mutant: str, failing: Mapping[str, Outcome]
) -> None:
    assert failures(mutant, checks.long_reply_not_truncated) == failing


@pytest.mark.parametrize(
    ("mutant", "failing"),
    [
        *((each, {"abort_isolation": Outcome.FAIL}) for each in CUT_STREAMS),
        *((each, {}) for each in WHOLE_STREAMS),
    ],
)
def test_a_stream_that_is_cut_ends_as_cut(mutant: str, failing: Mapping[str, Outcome]) -> None:
    async def one_cycle(chat: Chat) -> dict[str, Outcome]:
        cycles = AbortCycles(chat)
        await cycles.begin()
        await cycles.cycle()
        if not any(cycles.result.concurrent_stream_errors):
            return {}  # What else a score says of it depends on how busy this machine is.
        return {"abort_isolation": scoring.score_concurrent_streams(cycles.result).outcome}

    assert tried(mutant, one_cycle) == failing


def test_a_crash_on_malformed_input_is_detected() -> None:
    assert failures("odd_role_crashes", checks.bad_input_isolation, small=True) == {
        "bad_input_isolation": Outcome.FAIL
    }


def test_a_model_may_cut_a_long_list_short() -> None:
    assert failures("tires_of_lists", checks.long_reply_not_truncated) == {}


@pytest.mark.parametrize(
    ("mutant", "failing"),
    [("burst_429", {}), ("burst_429_bare", {"burst_not_dropped": Outcome.UNDETERMINED})],
)
def test_a_limiter_of_bursts_has_to_say_when_to_come_back(
    mutant: str, failing: Mapping[str, Outcome]
) -> None:
    assert failures(mutant, checks.burst_not_dropped) == failing


def test_a_limiter_in_front_fails_no_check_of_stability() -> None:
    async def outcome(chat: Chat, check: Check) -> Outcome:
        try:
            return (await check.attempt(chat, check.probes(0, 1)[0])).outcome
        except EndpointError as error:
            return error.score.outcome

    async def work(chat: Chat) -> set[Outcome]:
        return {await outcome(chat, each) for each in (*ABORT_CHECKS, *OTHER_CHECKS[:3])}

    assert simulated("limiter_503_page", "h200", work) == {Outcome.PASS, Outcome.SKIPPED}


def test_bad_input_that_a_limiter_refuses_shows_nothing() -> None:
    refused = replace(exchange(503), headers={"content-type": "text/html", "server": "nginx"})
    score = scoring.score_bad_input([BadInput("no messages", refused)], [])
    assert (score.outcome, score.reason) == (
        Outcome.UNDETERMINED,
        "1 of 1 requests were rate limited by 'nginx': HTTP 503",
    )


def test_abort_cycles_detect_an_engine_that_dies() -> None:
    result = simulated("abort_kills", "cpu", run_abort_cycles)
    scores = [scoring.score_recovery(result), scoring.score_idle_metrics(result)]
    assert [each.outcome for each in scores] == [Outcome.FAIL, Outcome.FAIL]


def at_pace(mutant: str, pace: str, *, metrics: bool = True) -> list[Outcome]:
    """The outcomes of the checks of aborts at a pace, in simulated time."""
    result = simulated(mutant, pace, run_abort_cycles, metrics=metrics)
    assert result.aborted >= 96
    return [
        scoring.score_recovery(result).outcome,
        scoring.score_concurrent_streams(result).outcome,
        scoring.score_wait_until_idle(result).outcome,
    ]


PASS, FAIL = Outcome.PASS, Outcome.FAIL


@pytest.mark.parametrize(
    ("mutant", "pace", "metrics", "outcomes"),
    [
        ("reference", "cpu", True, [PASS, PASS, PASS]),
        ("reference", "cpu", False, [PASS, PASS, PASS]),
        ("abort_runs_on", "cpu", True, [PASS, PASS, FAIL]),
        ("abort_runs_a_little", "4090", False, [PASS, PASS, PASS]),
        ("abort_runs_on_unseen", "4090", True, [PASS, PASS, FAIL]),
        ("abort_costs_others", "4090", True, [FAIL, PASS, FAIL]),
        ("abort_stalls_others", "4090", True, [PASS, FAIL, PASS]),
        *(
            pytest.param(*each, marks=pytest.mark.nightly)
            for each in (
                ("reference", "h200", True, [PASS, PASS, PASS]),
                ("reference", "h200", False, [PASS, PASS, PASS]),
                ("reference", "4090", True, [PASS, PASS, PASS]),
                ("reference", "4090", False, [PASS, PASS, PASS]),
                ("abort_runs_on", "h200", True, [PASS, PASS, FAIL]),
                ("abort_runs_on", "h200", False, [PASS, PASS, FAIL]),
                ("abort_runs_on", "4090", True, [PASS, PASS, FAIL]),
                ("abort_runs_on", "4090", False, [PASS, PASS, FAIL]),
                ("abort_runs_a_little", "h200", False, [PASS, PASS, PASS]),
                ("abort_runs_on_unseen", "h200", True, [PASS, PASS, FAIL]),
                ("abort_costs_others", "h200", True, [FAIL, PASS, FAIL]),
                ("abort_stalls_others", "h200", True, [PASS, FAIL, PASS]),
                ("abort_runs_on_in_decode", "h200", True, [PASS, PASS, FAIL]),
                ("abort_runs_on_in_decode", "4090", False, [PASS, PASS, FAIL]),
            )
        ),
    ],
)
def test_what_an_abort_leaves_is_found_at_every_pace(
    mutant: str, pace: str, metrics: bool, outcomes: list[Outcome]
) -> None:
    assert at_pace(mutant, pace, metrics=metrics) == outcomes


def brief(request: Request, said: ModelOutput, turn: int) -> ModelOutput:
    """The output of a model that ends early."""
    return replace(said, content=(said.content or "")[:300])


def test_a_model_that_ends_early_shows_nothing_of_long_replies() -> None:
    ends = Flaw("ends", "a model ends early", change_output=brief)
    undetermined = {"long_reply_not_truncated": Outcome.UNDETERMINED}
    assert failures(ends, checks.long_reply_not_truncated) == undetermined


def test_a_model_that_ends_early_leaves_open_whether_aborts_stop() -> None:
    flaw = replace(find("abort_runs_on"), change_output=brief)
    result = simulated(flaw, "h200", run_abort_cycles)
    score = scoring.score_wait_until_idle(result)
    assert score.outcome is Outcome.UNDETERMINED


def test_each_abort_may_cost_others_nothing_that_a_day_adds_up() -> None:
    made = storm()
    steady = [0.100 + 0.001 * (at % 3) for at in range(12)]
    costly = [0.100 + 0.012 * at for at in range(12)]  # 1.5 ms for each of eight aborts
    uneven = [0.100 + 0.4 * (at * 7 % 5) for at in range(12)]
    found = []
    for series in (steady, costly, uneven):
        read = zip(made.readings, series, strict=True)
        made.readings = [replace(each, seconds=seconds) for each, seconds in read]
        found.append(scoring.score_recovery(made))
    assert [each.outcome for each in found] == [PASS, FAIL, Outcome.UNDETERMINED]
    assert found[1].reason == "a short request takes 1.5 ms more with each abort"


@pytest.mark.parametrize(("stall", "outcome"), [(1.0, PASS), (20.0, FAIL)])
def test_a_stream_may_not_stand_still_while_others_abort(stall: float, outcome: Outcome) -> None:
    made = storm()
    made.stalls = [0.1] * 11 + [stall]
    assert scoring.score_concurrent_streams(made).outcome is outcome


@pytest.mark.parametrize(
    ("stalls", "late", "outcome"),
    [
        # The greatest lag, not that which is usual; and of the stream that stands still.
        ([0.1, 20.0], [0.0, 1.6], Outcome.UNDETERMINED),
        ([0.1, 20.0], [1.6, 0.1], FAIL),
        ([9.0, 20.0], [0.1, 1.6], FAIL),
    ],
)
def test_a_stall_that_this_machine_may_explain_is_left_open(
    stalls: list[float], late: list[float], outcome: Outcome
) -> None:
    made = replace(storm(), stalls=stalls, late_in_stalls=late)
    assert scoring.score_concurrent_streams(made).outcome is outcome


def test_what_is_slow_after_aborts_may_be_this_machine() -> None:
    slow = replace(storm(0.7), late_after=[0.0, 0.0, 0.1, 0.1, 0.1])
    assert scoring.score_recovery(slow).outcome is Outcome.UNDETERMINED
    assert scoring.score_recovery(replace(slow, late_after=[0.1] + [0.0] * 4)).outcome is FAIL


@pytest.mark.parametrize(("late", "outcome"), [(0.1, FAIL), (2.5, Outcome.UNDETERMINED)])
def test_an_endpoint_that_does_not_rest_may_be_starved_by_this_machine(
    late: float, outcome: Outcome
) -> None:
    made = storm(last={RUNNING: 1.0})
    made.readings[-1] = replace(made.readings[-1], waited=20.0, late=late)
    scores = scoring.score_wait_until_idle(made), scoring.score_idle_metrics(made)
    assert [each.outcome for each in scores] == [outcome] * 2


def test_what_runs_at_rest_runs_however_busy_this_machine_is() -> None:
    made = storm(last={RUNNING: 1.0})
    made.readings[-1] = replace(made.readings[-1], late=2.5)
    assert scoring.score_idle_metrics(made).outcome is FAIL


@pytest.mark.parametrize(("lag", "outcome"), [(0.0, FAIL), (0.5, Outcome.UNDETERMINED)])
def test_metrics_are_read_late_by_a_saturated_client(lag: float, outcome: Outcome) -> None:
    made = replace(storm(), long=LongRequest("long", {}, 512, 8.0, 0.1, 512), attempted=96)
    made.readings = [replace(each, running_for=4.0) for each in made.readings]
    made.client_saturation.lags.add(np.full(100, lag))
    assert scoring.score_wait_until_idle(made).outcome is outcome


def test_a_reply_that_ended_before_its_abort_is_no_abort() -> None:
    measured = list[bool]()

    def ends_at_once(request: Request, said: ModelOutput, turn: int) -> ModelOutput:
        return replace(said, content="") if measured else said

    async def work(chat: Chat) -> AbortCyclesResult:
        cycles = AbortCycles(chat)
        await cycles.begin()
        measured.append(True)
        for number in range(ABORTS):
            await cycles.abort_request(number)
        return cycles.result

    result = simulated(Flaw("ends", "", change_output=ends_at_once), "h200", work)
    # Two are aborted before their first token.
    assert (result.attempted, result.aborted) == (8, 2)


def test_aborts_that_came_too_late_show_nothing() -> None:
    made = storm()
    made.attempted, made.aborted = 96, 30
    score = scoring.score_concurrent_streams(made)
    assert score.outcome is Outcome.UNDETERMINED
    assert score.reason == "replies ended before they could be aborted: 30 of 96"


def test_abort_cycles_abort_three_requests_and_read_once_a_cycle() -> None:
    storm = tried("reference", run_abort_cycles, Context(defects_only=True))
    assert (
        storm.aborted,
        len(storm.readings),
        storm.concurrent_stream_errors,
        storm.control_errors,
    ) == (
        3,
        1,
        [""],
        [],
    )
    gauges = storm.readings[0].gauges
    assert (gauges[RUNNING], gauges[QUEUED], gauges[CACHE]) == (0, 0, 0)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("mutant", "check"),
    [
        ("abort_degrades", "recovers_after_aborts"),
        ("abort_lingers", "recovers_after_aborts"),
        ("abort_mixes", "recovers_after_aborts"),
        ("abort_muddles", "recovers_after_aborts"),
        ("abort_leaks", "no_leak_after_aborts"),
        ("abort_swells", "no_leak_after_aborts"),
        ("abort_sticks", "no_leak_after_aborts"),
        ("abort_cuts_others", "abort_isolation"),
    ],
)
def test_all_abort_cycles_detect_what_grows(mutant: str, check: str) -> None:
    assert failures(mutant, *ABORT_CHECKS)[check] is Outcome.FAIL


@pytest.mark.nightly
def test_a_gateway_timeout_is_detected_and_named() -> None:
    async def work(chat: Chat) -> Score:
        return scoring.score_long_reply(await scenarios.long_reply(chat, stream=False))

    score = tried("gateway_502", work)
    assert score.reason.endswith("HTTP 502, an HTML page: a gateway's read timeout of 30 s")


# Scoring


def storm(
    after: float = 0.1,
    memory: Sequence[float] = (4e9,) * 12,
    last: Mapping[str, float] | None = None,
) -> AbortCyclesResult:
    """The result of abort cycles with these readings."""
    read = [
        IdleReading(0.1, {RUNNING: 0.0, QUEUED: 0.0, CACHE: 0.0, HOST: each}) for each in memory
    ]
    read[-1] = replace(read[-1], gauges={**read[-1].gauges, **(last or {})})
    idle = {RUNNING: 0.0, CACHE: 0.0, HOST: memory[0]}
    return AbortCyclesResult([0.1] * 5, idle, read, ["OK."] * 30, [], [after] * 5, [""] * 12, 96)


def test_a_short_request_may_take_a_little_longer_after_aborts() -> None:
    assert scoring.score_recovery(storm(0.29)).passed
    assert not scoring.score_recovery(storm(0.31)).passed
    overlapping, few = storm(0.31), storm(0.55)
    overlapping.seconds_before[0] = 0.31
    few.seconds_after = few.seconds_after[:2]
    assert [scoring.score_recovery(each).passed for each in (overlapping, few)] == [True, True]
    slower = scoring.score_recovery(storm(0.7))
    assert (slower.outcome, slower.reason) == (
        Outcome.FAIL,
        "after 96 aborted requests a short request takes 0.70 s, 0.10 s before",
    )
    assert slower.measures[0] == Measure("aborted", 96)


@pytest.mark.parametrize(
    ("replies", "passed"),
    [
        (["OK."] * 5 + ["ok"] * 25, True),
        (["OK."] * 5 + ["OK: 1, 2", *["OK"] * 24], False),
        (["OK."] * 5 + ["�", "�", *["OK"] * 23], True),
        (["OK."] * 5 + ["�", "�", "", *["OK"] * 22], False),
        (["Sure.", *["OK."] * 4, *["1, 2"] * 25], True),
    ],
)
def test_after_aborts_short_requests_are_answered_as_before(
    replies: list[str], passed: bool
) -> None:
    made = storm()
    made.control_replies = replies
    assert scoring.score_recovery(made).passed is passed


def test_the_text_of_an_aborted_reply_is_quoted() -> None:
    made = storm()
    made.control_replies[-1] = "17, 18, 19"
    assert scoring.score_recovery(made).reason == (
        "after 96 aborted requests a short request gets another request's reply: '17, 18, 19'"
    )


def test_slowness_of_a_saturated_client_is_undetermined() -> None:
    late = storm(0.7)
    late.client_saturation.lags.add(np.full(100, 0.5))
    assert scoring.score_recovery(late).outcome is Outcome.UNDETERMINED


@pytest.mark.parametrize(
    ("last", "outcome"),
    [
        ({}, Outcome.PASS),
        ({RUNNING: 1.0}, Outcome.FAIL),
        ({QUEUED: 2.0}, Outcome.FAIL),
        ({CACHE: 0.009}, Outcome.PASS),
        ({CACHE: 0.02}, Outcome.FAIL),
    ],
)
def test_an_idle_server_shows_no_requests_and_an_empty_cache(
    last: Mapping[str, float], outcome: Outcome
) -> None:
    assert scoring.score_idle_metrics(storm(last=last)).outcome is outcome


def test_memory_may_warm_up_and_fluctuate() -> None:
    warming = [1e9, 2e9, 3e9, 4e9, *[4e9] * 8]
    fluctuating = [4e9 + 1e6 * (n % 3) for n in range(12)]
    creeping = [4e9 + 4096.0 * n for n in range(12)]
    found = [scoring.score_idle_metrics(storm(memory=m)) for m in (warming, fluctuating, creeping)]
    assert [each.passed for each in found] == [True, True, True]
    assert found[2].measures[-1] == Measure("main memory, growth of a cycle at rest", 4096.0, "B")


GROWN = "idle main memory grows by 5e+06 a cycle"
AS_MUCH = f"{GROWN}, and as much with requests that complete: a leak, or a cache that fills"


@pytest.mark.parametrize(
    ("complete", "aborted", "outcome", "reason"),
    [
        ([0] * 9, [20] * 8, Outcome.FAIL, GROWN),
        # A cache that has room for all, or is full before long; a leak beside one.
        ([20] * 9, [20] * 8, Outcome.UNDETERMINED, AS_MUCH),
        ([20] * 3 + [0] * 6, [20] * 3 + [0] * 5, Outcome.UNDETERMINED, AS_MUCH),
        ([20] * 9, [40] * 8, Outcome.FAIL, GROWN),
        # One that fills more and more slowly, and one that aborted requests alone fill.
        (
            [30 * 0.81**n for n in range(9)],
            [27 * 0.81**n for n in range(8)],
            Outcome.UNDETERMINED,
            AS_MUCH,
        ),
        ([0] * 9, [20] * 5 + [0] * 3, Outcome.UNDETERMINED, AS_MUCH),
        # More than a share of half a GiB in 72 hours; and less.
        ([0] * 9, [3] * 8, Outcome.FAIL, GROWN),
        ([0] * 9, [2] * 8, Outcome.UNDETERMINED, AS_MUCH),
        # Not tried, or one that was to complete did not.
        ([], [], Outcome.UNDETERMINED, AS_MUCH),
    ],
)
def test_memory_may_not_grow_by_what_is_aborted_more_than_by_what_completes(
    complete: Sequence[float], aborted: Sequence[float], outcome: Outcome, reason: str
) -> None:
    made = storm(memory=[4e9 + 5e6 * n for n in range(12)])
    grown = [0.0, *chain.from_iterable(zip_longest(complete, aborted, fillvalue=0))]
    turns = [{HOST: 5e9 + 1e6 * each} for each in accumulate(grown)]
    made.by_turns = [*turns[: len(complete) + len(aborted) + 1]] if complete else []
    score = scoring.score_idle_metrics(made)
    assert (score.outcome, score.reason) == (outcome, f"{reason}, after 96 aborted requests")


class Leaving(Engine):
    """Each aborted request leaves a megabyte."""

    @property
    def gauges(self) -> Mapping[str, float]:
        return {**super().gauges, "process_resident_memory_bytes": 1e6 * self.aborted}


def test_requests_complete_and_are_aborted_by_turns_and_none_is_shown_where_one_does_not() -> None:
    async def turns(chat: Chat) -> AbortCyclesResult:
        cycles = AbortCycles(chat)
        await cycles.begin()
        await cycles.take_turns()
        return cycles.result

    whole = simulated(Flaw("leaves", "", engine=Leaving), "h200", turns)
    grown = [after[HOST] - before[HOST] for before, after in pairwise(whole.by_turns)]
    assert grown == [0, *[1e6 * 32, 0] * 8]
    assert whole.attempted == 0
    assert simulated("abort_kills", "h200", turns).by_turns == []


def test_requests_of_other_clients_leave_the_metrics_undetermined() -> None:
    made = storm(last={RUNNING: 3.0})
    made.gauges_before = {**made.gauges_before, RUNNING: 2.0}
    assert scoring.score_idle_metrics(made).outcome is Outcome.UNDETERMINED


def test_without_metrics_of_requests_the_check_is_unsupported() -> None:
    made = storm()
    made.readings = [replace(each, gauges={HOST: 4e9}) for each in made.readings]
    assert scoring.score_idle_metrics(made).outcome is Outcome.UNSUPPORTED


def exchange(
    status: int | None,
    body: bytes = completion("OK"),
    seconds: float = 1.0,
    fault: Fault | None = None,
) -> Exchange:
    headers = {"content-type": "application/json"}
    return Exchange({}, status, headers, body, (), fault, "", 0.0, round(seconds * 1e9))


@pytest.mark.parametrize(
    ("seconds", "named"),
    [(30.4, 30), (59.2, 60), (60.02, 60), (300.5, 300)],
)
def test_a_gateway_is_recognised_by_its_default_timeout(seconds: float, named: int) -> None:
    cut = scoring.score_long_reply(exchange(504, b"<html>", seconds))
    assert cut.reason.endswith(f"a gateway's read timeout of {named} s")
    assert scoring.score_long_reply(exchange(500, b"{}", 45.0)).reason.endswith("HTTP 500")


@pytest.mark.parametrize(("status", "seconds"), [(504, 3.02), (408, 2.9), (524, 3.1)])
def test_a_gateway_that_says_so_is_recognised_at_any_time(status: int, seconds: float) -> None:
    cut = scoring.score_long_reply(exchange(status, b"<html>", seconds))
    assert (cut.outcome, cut.reason) == (
        Outcome.FAIL,
        f"a long reply ends after {seconds:.1f} s with HTTP {status}, an HTML page: "
        "a gateway's read timeout of 3 s",
    )


COUNTED = [*range(1, 61)]


@pytest.mark.parametrize(
    ("numbers", "gap"),
    [
        (COUNTED, ""),
        ([*COUNTED[:-1], 6], ""),
        ([*COUNTED[:30], *COUNTED[31:]], "30, 32"),
        ([*COUNTED[:30], *COUNTED[29:]], "30, 30"),
        (COUNTED[:40], None),
    ],
)
def test_the_numbers_of_a_list_follow_one_another(numbers: list[int], gap: str | None) -> None:
    text = ", ".join(map(str, numbers))
    document = {"choices": [{"index": 0, "message": {"content": text}, "finish_reason": "stop"}]}
    replied = replace(exchange(200, b"", 1.0), body=json.dumps(document).encode())
    assert scenarios.first_gap(replied) == gap


def test_a_reply_still_arriving_at_the_timeout_is_undetermined() -> None:
    late = scoring.score_long_reply(exchange(200, b"data: {}", 600.0, Fault.TOTAL))
    assert late.outcome is Outcome.UNDETERMINED


@pytest.mark.parametrize(
    ("status", "headers", "limiter"),
    [
        (429, {}, "the endpoint"),
        (429, {"retry-after": "1", "content-type": "application/json"}, "the endpoint"),
        (503, {"content-type": "text/html; charset=utf-8", "server": "nginx"}, "nginx"),
        (503, {"content-type": "text/plain", "server": "envoy"}, "envoy"),
        (503, {"content-type": "application/json", "retry-after": "2"}, "the endpoint"),
        (503, {"content-type": "application/json"}, ""),
        (502, {"content-type": "text/html", "server": "nginx"}, ""),
        (200, {"retry-after": "1", "server": "nginx"}, ""),
    ],
)
def test_who_refused_a_request_as_one_too_many(
    status: int, headers: dict[str, str], limiter: str
) -> None:
    came = replace(exchange(status), headers=headers)
    assert came.limiter == limiter
    if limiter:
        with pytest.raises(EndpointError, match=f"rate limited by '{limiter}'") as error:
            require_not_limited(came)
        assert error.value.score.outcome is Outcome.SKIPPED
    else:
        assert require_not_limited(came) is came


def test_a_first_request_that_is_refused_is_no_expiry() -> None:
    fine, refused = exchange(200), exchange(401)
    assert scoring.score_key_validity([fine] * 4) == PASSED
    assert scoring.score_key_validity([fine, refused]).reason == (
        "HTTP 401 at request 2 of a session: the key was valid"
    )
    assert scoring.score_key_validity([refused]).reason == "request 1 of a session fails: HTTP 401"


def test_a_rejected_upload_may_be_reset_and_a_small_request_may_not() -> None:
    reset = exchange(None, fault=Fault.RESET)
    assert (
        scoring.score_bad_input([BadInput("a", reset, oversized=True)], [exchange(200)]) == PASSED
    )
    lost = scoring.score_bad_input([BadInput("50 MB of text", reset)], [exchange(200)])
    assert lost.reason == "50 MB of text: connection lost: "
    for late, outcome in ((0.0, FAIL), (1.0, Outcome.UNDETERMINED)):
        slow = replace(exchange(400, seconds=65.0), late=round(late * NS))
        found = scoring.score_bad_input([BadInput("a", slow)], [exchange(200)])
        assert found.outcome is outcome
    harmed = scoring.score_bad_input([BadInput("broken JSON", exchange(400))], [exchange(500)])
    assert harmed.reason == "a stream concurrent with bad input fails: HTTP 500"


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (RestartResult(0, [exchange(None, fault=Fault.RESET)], 12.0, [""] * 20), Outcome.PASS),
        (RestartResult(0, [], 12.0, ["HTTP 503", *[""] * 19]), Outcome.FAIL),
        (RestartResult(0, [exchange(None, fault=Fault.SILENCE)], 12.0, [""] * 20), Outcome.FAIL),
        (RestartResult(0), Outcome.FAIL),
        (RestartResult(127), Outcome.SKIPPED),
    ],
)
def test_an_endpoint_must_answer_all_requests_after_a_restart(
    found: RestartResult, outcome: Outcome
) -> None:
    assert scoring.score_restart(found).outcome is outcome


RESTART = """
import os, signal, subprocess, sys
pid, *command = sys.argv[1:]
with open(pid) as file:
    os.kill(int(file.read()), signal.SIGKILL)
quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
again = subprocess.Popen(command, start_new_session=True, **quiet)
with open(pid, "w") as file:
    file.write(str(again.pid))
"""


def restarted(folder: Path, again: Callable[[str], Sequence[str]]) -> RestartResult:
    """Kill the reference, start the command for its port, and return the result."""
    script, pid, port = folder / "restart.py", folder / "pid", str(free_port())
    script.write_text(RESTART)
    with subprocess.Popen(served(port), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        pid.write_text(str(server.pid))
        restart = shlex.join([sys.executable, str(script), str(pid), *again(port)])
        try:
            return at(url, scenarios.restart_endpoint, Context(restart_command=restart))
        finally:
            os.kill(int(pid.read_text()), signal.SIGKILL)


def served(port: str) -> Sequence[str]:
    return [sys.executable, "-m", "readiness.mutants", "--port", port]


def half_ready(port: str) -> Sequence[str]:
    return [sys.executable, str(Path(__file__).with_name("half_ready.py")), port]


@pytest.mark.slow
def test_a_server_that_is_killed_and_restarted_passes(tmp_path: Path) -> None:
    found = restarted(tmp_path, served)
    assert scoring.score_restart(found).passed
    # Streams in flight were cut or had completed; none hangs.
    assert (found.status, len(found.interrupted), len(found.errors_after)) == (
        0,
        scenarios.CONCURRENT_STREAMS,
        20,
    )
    assert found.seconds is not None


@pytest.mark.slow
def test_a_server_that_answers_only_some_requests_after_a_restart_fails(tmp_path: Path) -> None:
    score = scoring.score_restart(restarted(tmp_path, half_ready))
    assert score.outcome is Outcome.FAIL
    assert " of 20 fail after a restart: HTTP 503" in score.reason
