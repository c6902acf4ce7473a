"""Load: steps over HTTP, and their scoring."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.chat import Chat
from readiness.checks.load import checks, probes, scoring
from readiness.checks.load.scoring import measures
from readiness.context import Context
from readiness.exchange import Arrival, Call, Exchange
from readiness.load.latency import Latency
from readiness.load.levels import at_level
from readiness.load.saturation import ClientSaturation
from readiness.load.step import RequestMeasurement, Shape, StepResult
from readiness.load.users import run_step
from readiness.policy.slo import LatencyObjective
from readiness.protocol.dialect import Dialect
from readiness.score import PASSED, EndpointError, Measure, Outcome, Score, failed
from tests.load_driver import tried

CODE = Shape("code", 8, 40, 30.0)


def steps(mutant: str, *shapes: Shape) -> list[StepResult]:
    """Run steps of these shapes in sequence."""

    async def work(chat: Chat) -> list[StepResult]:
        return [await run_step(chat, each) for each in shapes]

    return tried(mutant, work)


def test_the_reference_answers_all_concurrent_requests_correctly() -> None:
    code, copy = steps("reference", CODE, Shape("copy", 2, 6, 30.0))
    scores = [
        scoring.score_completeness(code),
        scoring.score_cross_talk(code),
        scoring.score_latency_drift(code),
        scoring.score_completeness(copy),
    ]
    assert [each.outcome for each in scores] == [Outcome.PASS] * 4
    assert (len(code.samples), code.wrong, code.cross_talk) == (40, [], [])
    assert len([each for each in code.samples if each.code]) == 4
    assert len(code.measured) == 40 - 8 - len([s for s in code.samples if s.code and not s.warm])
    # Three turns of each of six, but for one with a known answer.
    assert len(copy.samples) == 5 * 3 + 1


def test_open_loop_requests_are_timed_from_when_they_were_due() -> None:
    (step,) = steps("reference", Shape("code", 0, 20, 30.0, rate=100.0))
    assert len(step.samples) == 20
    assert min(each.sent - each.due for each in step.samples) >= 0
    assert [each for each in step.samples if each.took < each.end - each.sent] == []
    assert scoring.score_completeness(step).passed


@pytest.mark.parametrize(
    ("mutant", "why"),
    [
        ("load_every_37th", "1 of 40 requests failed: code at 8 clients; 1 × HTTP 502"),
        ("load_unended", "× a stream without an end"),
        ("load_swapped", "replies have words of other requests"),
        ("load_muddled", "known answers"),
    ],
)
def test_a_flaw_that_shows_under_load_is_detected(mutant: str, why: str) -> None:
    (step,) = steps(mutant, CODE)
    scores = [scoring.score_completeness(step), scoring.score_cross_talk(step)]
    (lost,) = [each for each in scores if not each.passed]
    assert lost.outcome is Outcome.FAIL
    assert why in lost.reason


def test_a_server_that_slows_down_fails_and_one_that_queues_passes() -> None:
    (slowing,) = steps("load_slowing", CODE)
    (queueing,) = steps("load_one_at_a_time", CODE)
    assert [scoring.score_latency_drift(each).outcome for each in (slowing, queueing)] == [
        Outcome.FAIL,
        Outcome.PASS,
    ]


def test_a_server_that_thrashes_fails_and_one_that_queues_passes() -> None:
    few, many = Shape("code", 4, 80, 30.0), Shape("code", 32, 72, 30.0)
    assert (
        scoring.score_throughput_scaling(*steps("load_thrashing", few, many)).outcome
        is Outcome.FAIL
    )
    assert scoring.score_throughput_scaling(*steps("load_one_at_a_time", few, many)) == PASSED


def test_a_smoke_run_shares_one_small_step_among_all_checks() -> None:
    context = Context(defects_only=True)

    async def work(chat: Chat) -> list[Score]:
        both = [checks.no_errors_under_load, checks.no_cross_talk]
        return [await each.attempt(chat, each.probes(0, 1)[0]) for each in both]

    scores = tried("reference", work, context)
    assert [each.outcome for each in scores] == [Outcome.PASS, Outcome.PASS]
    assert [key for key in context.shared_fetches if key] == [
        ("step", Shape("code", 2, 12, 15.0, seed="0/0", small=True))
    ]


def test_probes_go_through_all_steps_and_then_again_with_another_seed() -> None:
    found = [(p.expect["scenario"], p.expect["clients"], p.expect["seed"]) for p in PROBES]
    assert found[:3] == [("code", 8, "5/0"), ("code", 32, "5/0"), ("ticket", 4, "5/0")]
    assert found[7] == ("code", 8, "5/1")
    assert len({each.id for each in PROBES}) == 21


PROBES = probes.by_level(5, 21)


def test_a_step_that_would_take_too_long_is_not_sent() -> None:
    sent: list[Call] = []

    async def slow(call: Call) -> Exchange:
        sent.append(call)
        body = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n'
        arrivals = (Arrival(1, len(body)),)
        return Exchange(
            call.body, 200, {"content-type": "text/event-stream"}, body, arrivals, None, "", 0, 2
        )

    async def work() -> str:
        chat = Chat(slow, Dialect("m"), Context())
        few = StepResult(Shape("code", 8, 100, 45.0, seed="5/0"), [RequestMeasurement(0, 0, 40.0)])
        done: asyncio.Future[StepResult] = asyncio.get_running_loop().create_future()
        done.set_result(few)
        chat.context.shared_fetches["step", few.shape] = chat, done
        with pytest.raises(EndpointError) as error:
            await at_level(chat, PROBES[1])
        assert error.value.score.outcome is Outcome.UNDETERMINED
        return str(error.value)

    message = asyncio.run(work())
    assert message == (
        "code at 8 clients, a reply takes 40.0 s: at 32 it would take 160 s, and was not tried"
    )
    assert sent == []


def test_a_window_too_small_for_a_ticket_fails_without_a_request() -> None:
    async def work(chat: Chat) -> Score:
        with pytest.raises(EndpointError) as error:
            await at_level(chat, PROBES[2])
        return error.value.score

    score = tried("reference", work, Context(context_window=4_096))
    assert score == failed("the endpoint declares a window of 4,096 tokens: 8,200 are due")


# Scoring


def step(
    took: Sequence[float], errors: int = 0, clients: int = 8, scenario: str = "code", lag: float = 0
) -> StepResult:
    """A step in which requests are sent a tenth of a second apart, and some fail."""
    samples = [
        RequestMeasurement(at / 10, at / 10, at / 10 + each, latency=Latency(each / 2, each, 11))
        for at, each in enumerate(took)
    ]
    errors_ = [RequestMeasurement(0, 0, 1, error="HTTP 500: 'no'") for _ in range(errors)]
    made = StepResult(Shape(scenario, clients, len(took), 60.0), [*samples, *errors_])
    made.full_load_end = len(took) / 10
    made.client_saturation.lags.add(np.full(100, lag))
    return made


def test_one_failed_request_fails_where_none_is_allowed() -> None:
    score = scoring.score_completeness(step([1.0] * 99, errors=1))
    assert replace(score, measures=()) == failed(
        "1 of 100 requests failed: code at 8 clients; 1 × HTTP 500: 'no'"
    )


@pytest.mark.parametrize(
    ("fine", "errors", "outcome"),
    [
        (1000, 3, Outcome.PASS),
        (99, 1, Outcome.UNDETERMINED),
        (1000, 5, Outcome.UNDETERMINED),
        (1000, 10, Outcome.FAIL),
        (60, 4, Outcome.FAIL),
    ],
)
def test_an_allowed_error_rate_fails_only_if_significantly_exceeded(
    fine: int, errors: int, outcome: Outcome
) -> None:
    made = step([1.0] * fine, errors, 32, "ticket")
    assert scoring.score_completeness(made).outcome is outcome


@pytest.mark.parametrize(
    ("few", "many", "limited", "outcome"),
    [
        (20, 20, 0, Outcome.PASS),
        (20, 0, 0, Outcome.FAIL),
        (20, 0, 32, Outcome.UNDETERMINED),
        (0, 20, 0, Outcome.UNDETERMINED),
        (0, 0, 0, Outcome.UNDETERMINED),
    ],
)
def test_an_endpoint_that_answers_nothing_retains_no_throughput(
    few: int, many: int, limited: int, outcome: Outcome
) -> None:
    loaded = step([0.5] * many, errors=32 * (many == 0), clients=32)
    loaded.samples += [
        RequestMeasurement(0, 0, 1, error="HTTP 429: 'later'", limited=True)
    ] * limited
    assert (
        scoring.score_throughput_scaling(step([0.5] * few, errors=8 * (few == 0)), loaded).outcome
        is outcome
    )


def test_replies_faster_with_more_clients_are_reported_and_not_judged() -> None:
    few, quick, slow = step([1.0] * 50), step([0.5] * 50, clients=32), step([0.9] * 50, clients=32)
    score = scoring.score_throughput_scaling(few, quick)
    assert score.passed
    assert [(each.name, each.value, each.of) for each in score.measures] == [
        ("implausible: replies take less than with 8 clients, the share", 0.5, 50)
    ]
    assert scoring.score_throughput_scaling(few, slow) == PASSED


def test_a_stated_rate_limit_is_undetermined() -> None:
    made = step([1.0] * 20)
    made.samples.append(RequestMeasurement(0, 0, 0.1, error="HTTP 429: 'slow down'", limited=True))
    assert scoring.score_completeness(made).outcome is Outcome.UNDETERMINED
    assert made.errors == []


@pytest.mark.parametrize(
    ("replies", "right_alone", "outcome"),
    [
        (["bakudo", "lamine"], 0, Outcome.PASS),
        (["Bakudo!", "no idea"], 0, Outcome.PASS),  # The model is wrong alone too.
        (["no idea", "bakudo"], 2, Outcome.FAIL),
        (["bakudo", "no idea"], 1, Outcome.UNDETERMINED),
        (["no idea", "no idea"], 0, Outcome.UNDETERMINED),
    ],
)
def test_wrong_answers_count_only_if_right_when_asked_alone(
    replies: Sequence[str], right_alone: int, outcome: Outcome
) -> None:
    codes = ["bakudo", "lamine"]
    made = step([])
    made.samples = [
        RequestMeasurement(0, 0, 1, code=c, reply_excerpt=s)
        for c, s in zip(codes, replies, strict=True)
    ]
    made.right_alone = right_alone
    assert scoring.score_cross_talk(made).outcome is outcome


@given(st.lists(st.floats(0.1, 10), min_size=9, max_size=60), st.randoms())
def test_latency_that_does_not_grow_passes(took: list[float], random: Random) -> None:
    assert scoring.score_latency_drift(step(sorted(took, reverse=True))).passed


def test_latency_drift_fails_unless_the_client_may_have_caused_it() -> None:
    growing = [1 + n / 20 for n in range(60)]
    assert scoring.score_latency_drift(step(growing)).outcome is Outcome.FAIL
    assert scoring.score_latency_drift(step(growing, lag=0.06)).outcome is Outcome.FAIL
    assert scoring.score_latency_drift(step(growing, lag=0.9)).outcome is Outcome.UNDETERMINED


def test_requests_at_half_load_must_not_take_longer_than_at_full_load() -> None:
    full, quick, slow = step([1.0] * 50), step([0.9] * 50), step([1.5] * 50)
    for each in (quick, slow):
        each.shape = replace(CODE, clients=0, rate=4.0)
    assert [scoring.score_open_loop(each, full).outcome for each in (quick, slow)] == [
        Outcome.PASS,
        Outcome.FAIL,
    ]
    slow.shape = replace(slow.shape, rate=9.0)
    assert scoring.score_open_loop(slow, full).passed


OBJECTIVE = LatencyObjective("code", 8, {"mean": 0.31, "first": 0.182})


def test_a_step_is_scored_by_its_objective() -> None:
    assert scoring.score_objectives([(step([0.30] * 60), OBJECTIVE)]).passed
    late = scoring.score_objectives([(step([0.50] * 60), OBJECTIVE)])
    assert late.reason == ("mean 0.50 s, not 0.31 s; first 0.25 s, not 0.182 s: code at 8 clients")
    at: dict[str, float | str] = {"scenario": "code", "clients": 8}
    assert late.measures == (Measure("goodput", 0.0, "1/s", at, 60),)
    tail = LatencyObjective("code", 8, {"p95": 0.4, "first_p95": 0.2})
    assert scoring.score_objectives([(step([0.30] * 50 + [0.9] * 10), tail)]).reason == (
        "p95 0.90 s, not 0.4 s; first_p95 0.45 s, not 0.2 s: code at 8 clients"
    )


def test_the_worst_objective_decides() -> None:
    good, lost, unknown = step([0.30] * 60), step([0.50] * 60), step([])
    kept, open_ = (good, OBJECTIVE), (unknown, OBJECTIVE)
    assert scoring.score_objectives([kept, open_]).outcome is Outcome.UNDETERMINED
    worst = scoring.score_objectives([kept, open_, (lost, OBJECTIVE)])
    assert (worst.outcome, len(worst.measures)) == (Outcome.FAIL, 2)
    assert scoring.score_objectives([]).outcome is Outcome.UNSUPPORTED


def test_goodput_counts_requests_within_the_limits() -> None:
    half = scoring.score_objectives([(step([0.30, 0.40] * 150), OBJECTIVE)])
    (goodput,) = half.measures
    assert goodput.value == pytest.approx(5, rel=0.05)


def test_measures_contain_the_error_bound_and_audit_of_a_step() -> None:
    made = step([0.8] * 300)
    found = {each.name: each for each in measures(made)}
    assert found["error rate at most"].value == pytest.approx(1 - 0.05 ** (1 / 300))
    assert found["throughput"].value == pytest.approx(10, rel=0.05)
    assert found["end to end p99"].of == 300
    assert found["end to end p99"].low == pytest.approx(0.8)
    assert found["time per token p50"].value == pytest.approx(0.04)
    assert found["Little's law is off by"].value < 0.05
    crowded = {each.name for each in measures(step([0.8] * 300, clients=32))}
    assert "implausible: Little's law is off by" in crowded


def test_ten_thousand_requests_take_little_memory() -> None:
    sizes = count()
    made = step([next(sizes) / 1e4 + 0.1 for _ in range(10_000)])
    assert sum(each.name == "requests" for each in measures(made)) == 1
    assert made.gaps.counts.nbytes < 20_000
    assert ClientSaturation().shown == ""
