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

from benchmarks.simulated import simulated
from readiness.chat import Chat
from readiness.check import Check
from readiness.checks.load import checks, probes, scoring
from readiness.checks.load.checks import Measured
from readiness.checks.load.scoring import measures
from readiness.context import Context
from readiness.exchange import Arrival, Call, Exchange
from readiness.load.latency import Latency
from readiness.load.levels import at_level
from readiness.load.saturation import ClientSaturation
from readiness.load.step import RequestMeasurement, Shape, StepResult
from readiness.load.traffic import FORMS, WORDS
from readiness.load.users import run_step
from readiness.policy.slo import LatencyObjective
from readiness.protocol.dialect import Dialect
from readiness.score import PASSED, EndpointError, Measure, Outcome, Score, failed
from tests.load_driver import tried

CODE = Shape("code", 8, 40, 30.0)
CROWD = Shape("code", 32, 200, 30.0, known=FORMS)


def steps(mutant: str, *shapes: Shape) -> list[StepResult]:
    """Run steps of these shapes in sequence."""

    async def work(chat: Chat) -> list[StepResult]:
        return [await run_step(chat, each) for each in shapes]

    return tried(mutant, work)


def test_the_reference_answers_all_concurrent_requests_correctly() -> None:
    code, copy = steps("reference", CROWD, Shape("copy", 2, 12, 30.0))
    scores = [
        scoring.score_completeness(code),
        scoring.score_cross_talk(code),
        scoring.score_completeness(copy),
    ]
    assert [each.outcome for each in scores] == [Outcome.PASS] * 3
    assert (code.wrong, code.cross_talk, code.wrong_after) == ([], [], [])
    assert {each.form for each in code.known_answer_requests} == set(FORMS)
    # Each client warms up with one, and goes on until all that is measured has ended.
    assert len(code.samples) > 200 + 32
    assert len(code.window) == 200
    assert len(code.lengths) == 6


def test_open_loop_requests_are_timed_from_when_they_were_due() -> None:
    async def work(chat: Chat) -> StepResult:
        return await run_step(chat, Shape("code", 0, 20, 0.3, rate=100.0))

    step = simulated("reference", "h200", work)
    assert len(step.measured) >= 10
    assert min(each.sent - each.due for each in step.samples) >= 0
    assert [each for each in step.samples if each.took < each.end - each.sent] == []
    assert scoring.score_completeness(step).passed


def test_the_rate_of_an_open_loop_is_that_of_its_arrivals() -> None:
    async def work(chat: Chat) -> StepResult:
        return await run_step(chat, Shape("code", 0, 300, 5.0, rate=68.0))

    step = simulated("reference", "h200", work)
    start, end = step.full_load_interval
    arrived = sum(start <= each.due < end for each in step.samples)
    assert arrived > 200
    assert step.throughput.value == pytest.approx(arrived / (end - start), rel=0.05)


@pytest.mark.parametrize(
    ("mutant", "why"),
    [
        ("load_every_37th", "requests failed: code at 32 clients"),
        ("load_unended", "× a stream without an end"),
        ("load_swapped", "replies have words of other requests"),
        ("load_muddled", "known answers"),
        ("load_rots_long", "replies do not begin as they are to"),
        ("load_swaps_long", "replies have words of other requests"),
        ("load_loses_calls", "known answers"),
        ("load_loses_braces", "known answers"),
        ("load_mixes_wholes", "replies have words of other requests"),
        ("load_tires_after", "right before load and wrong right after it"),
    ],
)
def test_a_flaw_that_shows_under_load_is_detected(mutant: str, why: str) -> None:
    (step,) = steps(mutant, CROWD)
    scores = [scoring.score_completeness(step), scoring.score_cross_talk(step)]
    (lost,) = [each for each in scores if not each.passed]
    assert lost.outcome is Outcome.FAIL
    assert why in lost.reason


def test_a_model_that_begins_as_it_likes_alone_as_well_is_no_finding() -> None:
    (step,) = steps("load_unmarked", CROWD)
    assert scoring.score_cross_talk(step).passed
    assert 0.2 < step.marked.count(False) / len(step.marked) < 0.5


@pytest.mark.parametrize(
    ("lost", "alone", "few", "outcome"),
    [
        (0, 0, 0, Outcome.PASS),
        (4, 0, 0, Outcome.PASS),
        (20, 0, 0, Outcome.FAIL),
        (20, 3, 20, Outcome.PASS),
        (90, 0, None, Outcome.FAIL),
        (20, 0, None, Outcome.PASS),
    ],
)
def test_replies_that_lack_their_marks_under_load_alone_are_found(
    lost: int, alone: int, few: int | None, outcome: Outcome
) -> None:
    def step_of(lost: int, clients: int) -> StepResult:
        replies = [
            RequestMeasurement(0, 0, 1, reply_excerpt="x" if at < lost else "a1", mark="a1")
            for at in range(100)
        ]
        known = [RequestMeasurement(0, 0, 1, code="word", reply_excerpt="word")] * 9
        return StepResult(replace(CODE, clients=clients), [*replies, *known], full_load_end=1.0)

    step = step_of(lost, 32)
    step.marked_alone = [at >= alone for at in range(6)]
    fewest = None if few is None else step_of(few, 8)
    assert scoring.score_cross_talk(step, fewest).outcome is outcome


@pytest.mark.parametrize(("at_once", "outcome"), [(7, Outcome.UNDETERMINED), (8, Outcome.PASS)])
def test_a_quarter_of_the_clients_requests_are_to_overlap(at_once: int, outcome: Outcome) -> None:
    """Those of an endpoint that answers at once are 15 of 32."""
    known = [RequestMeasurement(0, 0, 1, code="word", reply_excerpt="word")] * at_once
    step = StepResult(replace(CODE, clients=32), known, full_load_end=1.0)
    assert (step.in_flight, scoring.score_cross_talk(step).outcome) == (at_once, outcome)


def at_pace(mutant: str, pace: str, *checked: Check) -> dict[str, set[Outcome]]:
    """The outcomes of checks of an endpoint at a pace, in simulated time."""

    async def work(chat: Chat) -> dict[str, set[Outcome]]:
        return {
            each.id.removeprefix("load."): {
                (await each.attempt(chat, probe)).outcome for probe in each.probes(0, 1)
            }
            for each in checked
        }

    return simulated(mutant, pace, work)


@pytest.mark.parametrize(
    ("mutant", "pace", "failing"),
    [
        ("load_slowing", "h200", {"no_latency_drift"}),
        ("load_thrashing", "h200", {"throughput_retained"}),
        ("load_one_at_a_time", "h200", set()),
        ("reference", "4090", set()),
    ],
)
def test_a_server_that_slows_down_or_thrashes_fails_and_one_that_queues_passes(
    mutant: str, pace: str, failing: set[str]
) -> None:
    own = [each for each in (checks.no_latency_drift, checks.throughput_retained)
           if not failing or each.id.removeprefix("load.") in failing]  # fmt: skip
    outcomes = at_pace(mutant, pace, *own)
    assert set().union(*outcomes.values()) == {Outcome.FAIL if failing else Outcome.PASS}


@pytest.mark.parametrize("mutant", ["load_thrashing_at_first", "load_thrashing_by_turns"])
def test_what_fails_once_alone_or_nearly_is_left_open(mutant: str) -> None:
    outcomes = at_pace(mutant, "h200", checks.throughput_retained)
    assert outcomes == {"throughput_retained": {Outcome.UNDETERMINED}}


GOOD, BAD, LOST = Measured(PASSED, False), Measured(failed("f"), False), failed("lost")
OPEN = Measured(Score(Outcome.UNDETERMINED, "too few"), False)
NEARLY = Measured(Score(Outcome.UNDETERMINED, "0.2 to 1"), True)


@pytest.mark.parametrize(
    ("found", "made", "outcome"),
    [
        ([GOOD], 1, Outcome.PASS),
        ([BAD, BAD], 2, Outcome.FAIL),
        ([BAD, GOOD], 2, Outcome.UNDETERMINED),
        ([BAD, OPEN], 2, Outcome.UNDETERMINED),
        # What shows nothing does not count: the next measurement is the first.
        ([OPEN, GOOD], 2, Outcome.PASS),
        ([OPEN, OPEN], 2, Outcome.UNDETERMINED),
        ([OPEN, NEARLY], 2, Outcome.UNDETERMINED),
        ([OPEN, BAD, BAD], 3, Outcome.FAIL),
        ([OPEN, BAD, GOOD], 3, Outcome.UNDETERMINED),
        ([OPEN, BAD, OPEN], 3, Outcome.UNDETERMINED),
        # An estimate on the failing side is one for a failure.
        ([NEARLY, GOOD], 2, Outcome.UNDETERMINED),
        ([NEARLY, NEARLY], 2, Outcome.UNDETERMINED),
        ([NEARLY, BAD], 2, Outcome.FAIL),
        # Lost requests need no second time.
        ([Measured(LOST, False, True)], 1, Outcome.FAIL),
        ([OPEN, Measured(LOST, False, True)], 2, Outcome.FAIL),
    ],
)
def test_of_two_measurements_that_show_something_both_must_pass_or_fail(
    found: Sequence[Measured], made: int, outcome: Outcome
) -> None:
    seeds = list[str]()

    async def measure(seed: str) -> Measured:
        seeds.append(seed)
        return found[len(seeds) - 1]

    score = asyncio.run(checks.measured_again_unless_passed(measure))
    assert (score.outcome, len(set(seeds))) == (outcome, made)


def test_what_is_uneven_on_a_busy_machine_says_so() -> None:
    uneven = step([*[1.0] * 40, *[1.0] * 10, *[30.0] * 10], clients=32)
    uneven.client_saturation.pressure = 0.93
    calm = step([1.0] * 60)
    scores = (
        scoring.score_latency_drift(uneven),
        scoring.score_throughput_scaling(calm, uneven),
    )
    busy = "this machine was too busy to tell (for 93% of the time"
    found = [(each.outcome, each.reason.startswith(busy)) for each in scores]
    assert found == [(Outcome.UNDETERMINED, True)] * 2


@pytest.mark.parametrize(
    ("few", "many", "lag", "lost"),
    [
        (1.0, 3.0, 0.0, False),  # Of four times as many clients: 1.33 times the throughput.
        (1.0, 9.0, 0.0, True),
        (1.0, 9.0, 0.2, False),  # This machine may explain it.
    ],
)
def test_throughput_seems_lost_by_its_estimate(
    few: float, many: float, lag: float, lost: bool
) -> None:
    steps = step(varied(few)), step(varied(many), clients=32, lag=lag)
    assert scoring.throughput_seems_lost(*steps) is lost


@pytest.mark.parametrize(
    ("late", "lag", "grown"), [(1.4, 0.0, False), (1.6, 0.0, True), (1.6, 0.2, False)]
)
def test_replies_seem_to_take_longer_by_their_estimate(
    late: float, lag: float, grown: bool
) -> None:
    made = step([*varied(1.0, 40), *varied(late, 20)], lag=lag)
    assert scoring.latency_seems_to_drift(made) is grown


@pytest.mark.parametrize(
    ("half", "few", "slower"), [(0.9, 0.9, False), (1.2, 0.9, True), (0.9, 1.6, True)]
)
def test_replies_at_half_load_seem_slower_by_their_medians(
    half: float, few: float, slower: bool
) -> None:
    full = step(varied(1.0), clients=32)
    own = replace(step(varied(half)), shape=replace(CODE, clients=0, rate=0.1))
    assert scoring.replies_seem_slower(own, full, step(varied(few))) is slower


@pytest.mark.parametrize(
    ("mutant", "outcome"),
    [
        ("load_waits", Outcome.FAIL),
        ("load_stalls_once", Outcome.FAIL),
        ("load_pauses", Outcome.PASS),
    ],
)
def test_requests_that_wait_far_longer_than_replies_take_are_found(
    mutant: str, outcome: Outcome
) -> None:
    async def work(chat: Chat) -> Score:
        return scoring.score_stalls([await run_step(chat, CROWD)], [])

    assert simulated(mutant, "h200", work).outcome is outcome


def test_replies_that_are_short_under_load_alone_are_found() -> None:
    async def work(chat: Chat) -> Score:
        return scoring.score_cross_talk(await run_step(chat, CROWD))

    score = simulated("load_cuts", "h200", work)
    assert score.outcome is Outcome.FAIL
    assert score.reason.startswith("replies have 240 letters under load, 456 to the same alone")


def test_what_is_measured_begins_and_ends_while_all_clients_are_busy() -> None:
    async def work(chat: Chat) -> StepResult:
        return await run_step(chat, Shape("ticket", 8, 1000, 10.0, each=4))

    step = simulated("reference", "h200", work)
    start, end = step.full_load_interval
    assert end - start >= 10.0
    assert len(step.window) >= 4 * 8
    assert step.in_flight == pytest.approx(8, rel=0.01)
    # Whatever was measured ended with as many in flight as before.
    last = max(each.end for each in step.window)
    assert sum(each.due <= last <= each.end for each in step.samples) >= 7
    # A closed loop's throughput is what Little's law says of its reply times, but for batches of
    # one reply more, which weigh no more than the others.
    mean = sum(each.held for each in step.window) / len(step.window)
    assert step.throughput.value == pytest.approx(8 / mean, rel=0.005)


@pytest.mark.parametrize(("max_error", "to_the_end"), [(1.0, False), (0.0, True)])
def test_a_step_ends_once_its_mean_is_known(max_error: float, to_the_end: bool) -> None:
    shape = Shape("code", 8, 80, 0.0, each=4, max_error=max_error)

    async def work(chat: Chat) -> StepResult:
        return await run_step(chat, shape)

    measured = len(simulated("reference", "h200", work).window)
    assert (measured >= 32, measured >= 80) == (True, to_the_end)


def test_a_smoke_run_shares_one_small_step_among_all_checks() -> None:
    context = Context(defects_only=True)

    async def work(chat: Chat) -> list[Score]:
        both = [checks.no_errors_under_load, checks.no_cross_talk]
        return [await each.attempt(chat, each.probes(0, 1)[0]) for each in both]

    scores = tried("reference", work, context)
    assert [each.outcome for each in scores] == [Outcome.PASS, Outcome.PASS]
    assert [key for key in context.shared_fetches if key] == [
        ("step", Shape("code", 2, 12, 3.0, seed="0/0", small=True))
    ]


def test_probes_go_through_all_steps_and_then_again_with_another_seed() -> None:
    found = [(p.expect["scenario"], p.expect["clients"], p.expect["seed"]) for p in PROBES]
    assert found[:3] == [("code", 8, "5/0"), ("code", 32, "5/0"), ("ticket", 4, "5/0")]
    assert found[7] == ("code", 8, "5/1")
    assert len({each.id for each in PROBES}) == 21


PROBES = probes.by_level(5, 21)


def sizes(seconds: float) -> dict[tuple[str, int], tuple[float, int, int]]:
    """The time of each step, and its requests: of each client at least, and of all at most."""
    found = dict[tuple[str, int], tuple[float, int, int]]()

    async def run(chat: Chat, shape: Shape) -> StepResult:
        found[shape.scenario, shape.clients] = shape.seconds, shape.each, shape.requests
        return StepResult(shape, [RequestMeasurement(0, 0, 1)])

    async def work(chat: Chat) -> None:
        for each in PROBES[:7]:
            await at_level(chat, each)

    context = Context(step_seconds=seconds, run_distributed_step=run)
    simulated("reference", "h200", work, context)
    return found


def test_a_step_lasts_for_its_time_and_has_ten_requests_of_each_client() -> None:
    short = {
        **{("code", clients): (12.0, 10, 1_000) for clients in (8, 32)},
        **{("copy", clients): (12.0, 10, 300) for clients in (1, 8)},
    }
    # Tickets are long: a short step goes on until their mean is known.
    tickets = {4: (0.0, 6, 40), 16: (0.0, 3, 64), 32: (0.0, 2, 128)}
    assert sizes(12.0) == short | {("ticket", clients): of for clients, of in tickets.items()}
    whole = sizes(45.0)
    assert {whole["ticket", clients] for clients in (4, 16)} == {(45.0, 10, 64), (45.0, 10, 160)}
    assert whole["ticket", 32] == (45.0, 10, 320)


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
        shape = Shape("code", 8, 1000, 12.0, seed="5/0", each=10, known=WORDS)
        few = StepResult(shape, [RequestMeasurement(0, 0, 40.0)])
        done: asyncio.Future[StepResult] = asyncio.get_running_loop().create_future()
        done.set_result(few)
        chat.context.shared_fetches["step", few.shape] = chat, done
        forms: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
        forms.set_result(WORDS)
        chat.context.shared_fetches["known answers"] = chat, forms
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
        RequestMeasurement(0, 0, 1, error="HTTP 429: 'later'", limiter="edge")
    ] * limited
    assert (
        scoring.score_throughput_scaling(step([0.5] * few, errors=8 * (few == 0)), loaded).outcome
        is outcome
    )


def test_replies_faster_with_more_clients_are_reported_and_not_judged() -> None:
    few, quick, slow = step([1.0] * 50), step([0.5] * 50, clients=32), step([0.9] * 50, clients=32)
    score = scoring.score_throughput_scaling(few, quick)
    assert score.passed
    marks = [each for each in score.measures if each.implausible]
    assert [(each.name, each.value, each.of) for each in marks] == [
        ("replies take less than with 8 clients, the share", 0.5, 50)
    ]
    plain = scoring.score_throughput_scaling(few, slow)
    assert [each.name for each in plain.measures] == [
        "throughput, share",
        "throughput, share that would be too low",
    ]


def test_what_a_limiter_refuses_is_undetermined_and_names_it() -> None:
    made = step([1.0] * 20)
    made.samples.append(RequestMeasurement(0, 0, 0.1, error="HTTP 429: 'slow'", limiter="edge"))
    scores = [
        scoring.score_completeness(made),
        scoring.score_throughput_scaling(step([1.0] * 20), made),
        scoring.score_latency_drift(made),
        scoring.score_stalls([made], []),
        scoring.score_objectives([(made, OBJECTIVE)]),
    ]
    assert {(each.outcome, each.reason) for each in scores} == {
        (
            Outcome.UNDETERMINED,
            "1 of 21 requests were rate limited by 'edge': code at 8 clients",
        )
    }
    assert made.errors == []


def test_a_limiter_in_front_makes_nothing_not_ready_under_load() -> None:
    async def work(chat: Chat) -> set[Outcome]:
        few = await run_step(chat, Shape("code", 8, 100, 1.0))
        full = await run_step(chat, Shape("code", 32, 100, 1.0))
        scores = [
            scoring.score_completeness(full),
            scoring.score_cross_talk(full, few),
            scoring.score_throughput_scaling(few, full),
            scoring.score_latency_drift(full),
            scoring.score_stalls([few, full], []),
        ]
        return {each.outcome for each in scores}

    assert simulated("limiter_503_page", "h200", work) == {Outcome.UNDETERMINED}


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
    made = step([], clients=2)
    made.samples = [
        RequestMeasurement(0, 0, 1, code=c, reply_excerpt=s)
        for c, s in zip(codes, replies, strict=True)
    ]
    made.right_alone = right_alone
    assert scoring.score_cross_talk(made).outcome is outcome


@given(st.lists(st.floats(0.1, 10), min_size=9, max_size=60), st.randoms())
def test_latency_that_does_not_grow_never_fails(took: list[float], random: Random) -> None:
    score = scoring.score_latency_drift(step(sorted(took, reverse=True)))
    assert score.outcome is not Outcome.FAIL


def test_latency_drift_fails_unless_the_client_may_have_caused_it() -> None:
    growing = [1 + n / 20 for n in range(60)]
    assert scoring.score_latency_drift(step(growing)).outcome is Outcome.FAIL
    assert scoring.score_latency_drift(step(growing, lag=0.06)).outcome is Outcome.FAIL
    assert scoring.score_latency_drift(step(growing, lag=0.9)).outcome is Outcome.UNDETERMINED


def varied(mean: float, count: int = 60) -> list[float]:
    """Reply times of that mean, some a tenth longer and some shorter."""
    return [mean * (1 + (at % 5 - 2) / 20) for at in range(count)]


@pytest.mark.parametrize(
    ("few", "many", "outcome"),
    [
        (varied(1.0), varied(4.0), Outcome.PASS),  # It queues: as many a second as before.
        (varied(1.0), varied(17.4), Outcome.FAIL),  # 23 % of what eight get.
        (varied(1.0), varied(8.1), Outcome.UNDETERMINED),
        (varied(1.0, 6), varied(17.4, 6), Outcome.UNDETERMINED),
    ],
)
def test_throughput_fails_or_passes_only_where_the_interval_shows_it(
    few: list[float], many: list[float], outcome: Outcome
) -> None:
    score = scoring.score_throughput_scaling(step(few), step(many, clients=32))
    assert score.outcome is outcome


def test_growth_of_tickets_at_32_clients_is_seen_or_left_open() -> None:
    made = [
        step([mean * (1 + grown * at / count) for at, mean in enumerate(varied(6.0, count))],
             clients=32, scenario="ticket")
        for grown, count in ((0.0, 96), (1.5, 96), (1.5, 8))
    ]  # fmt: skip
    assert [scoring.score_latency_drift(each).outcome for each in made] == [
        Outcome.PASS,
        Outcome.FAIL,
        Outcome.UNDETERMINED,
    ]


def test_requests_at_half_load_must_not_take_longer_than_at_full_load() -> None:
    full, quick, slow = step([1.0] * 50), step([0.9] * 50), step([1.5] * 50)
    for each in (quick, slow):
        each.shape = replace(CODE, clients=0, rate=4.0)
    assert [scoring.score_open_loop(each, full, full).outcome for each in (quick, slow)] == [
        Outcome.PASS,
        Outcome.FAIL,
    ]
    slow.shape = replace(slow.shape, rate=9.0)
    assert scoring.score_open_loop(slow, full, full).passed


@pytest.mark.parametrize(
    ("few", "outcome"),
    [(1.0, Outcome.PASS), (1.4, Outcome.PASS), (1.51, Outcome.FAIL), (4.0, Outcome.FAIL)],
)
def test_few_clients_must_not_take_longer_than_many(few: float, outcome: Outcome) -> None:
    half, full = step([0.9] * 50), step([1.0] * 50, clients=32)
    half.shape = replace(CODE, clients=0, rate=4.0)
    assert scoring.score_open_loop(half, full, step([few] * 50)).outcome is outcome


@pytest.mark.parametrize(
    ("scenario", "wait", "others_go_on", "outcome"),
    [
        ("code", 20.0, True, Outcome.FAIL),  # A user takes it for a failure.
        ("code", 20.0, False, Outcome.UNDETERMINED),  # Everything stood still: our machine, too.
        ("code", 8.0, True, Outcome.UNDETERMINED),
        ("code", 4.0, True, Outcome.PASS),
        (
            "ticket",
            20.0,
            True,
            Outcome.UNDETERMINED,
        ),  # 0.3 % may fail: one of 500 does not show more.
    ],
)
def test_one_stream_that_stands_still_is_a_failed_request(
    scenario: str, wait: float, others_go_on: bool, outcome: Outcome
) -> None:
    made = step([1.0] * 500, clients=32, scenario=scenario)
    due = 10.0 if others_go_on else 60.0
    latency = Latency(0.1, wait + 0.5, 11)
    made.samples.append(RequestMeasurement(due, due, due + wait + 0.5, latency=latency, stall=wait))
    assert scoring.score_stalls([made], []).outcome is outcome


@pytest.mark.parametrize(
    ("late", "again", "outcome"),
    [
        (0.0, 0, Outcome.UNDETERMINED),  # Once, and not again.
        (0.5, None, Outcome.UNDETERMINED),
        (0.5, 0, Outcome.PASS),  # The first time has shown nothing.
        (0.5, 1, Outcome.UNDETERMINED),
    ],
)
def test_a_wait_that_this_machine_may_explain_is_no_stall_and_no_pass(
    late: float, again: int | None, outcome: Outcome
) -> None:
    wait = RequestMeasurement(10, 10, 19, latency=Latency(0.1, 8.9, 11), stall=8.0, late=late)
    made, repeated = step([1.0] * 500), step([1.0] * 500)
    made.samples.append(wait)
    repeated.samples += [wait] * (again or 0)
    score = scoring.score_stalls([made], [] if again is None else [repeated])
    assert score.outcome is outcome


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
    # Eight clients are answered once in 0.35 s, and half of them in time.
    assert goodput.value == pytest.approx(8 / 0.35 / 2, rel=0.001)


def test_measures_contain_the_error_bound_and_audit_of_a_step() -> None:
    made = step([0.8] * 300)
    found = {each.name: each for each in measures(made)}
    assert found["error rate at most"].value == pytest.approx(1 - 0.05 ** (1 / 300))
    assert found["throughput"].value == pytest.approx(10, rel=0.05)
    assert found["end to end p99"].of == 300
    assert found["end to end p99"].low == pytest.approx(0.8)
    assert found["time per token p50"].value == pytest.approx(0.04)
    assert found["Little's law is off by"].value < 0.05
    marks = {each.name: each.implausible for each in measures(step([0.8] * 300, clients=32))}
    assert marks["Little's law is off by"]


def test_ten_thousand_requests_take_little_memory() -> None:
    sizes = count()
    made = step([next(sizes) / 1e4 + 0.1 for _ in range(10_000)])
    assert sum(each.name == "requests" for each in measures(made)) == 1
    assert made.gaps.counts.nbytes < 20_000
    assert ClientSaturation().shown == ""
