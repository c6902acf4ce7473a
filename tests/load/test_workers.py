"""Load workers: how they divide a step, on two nodes of a real cluster on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.chat import Chat
from readiness.checks.load import scoring
from readiness.context import Context
from readiness.evidence.redaction import Secrets
from readiness.load import workers as fleets
from readiness.load.step import RequestMeasurement, Shape, StepResult
from readiness.load.users import run_step
from readiness.load.workers import (
    MAX_SKEW,
    LoadWorkerPool,
    LoadWorkerSettings,
    load_worker_pool,
    ray_started,
)
from readiness.mutants.endpoint.server import serving
from readiness.score import EndpointError, Outcome
from readiness.transport.address import Address
from readiness.transport.budget import UsageBudget
from readiness.transport.client import RequestLimits
from tests.load_driver import at
from tests.miniature import Request, mini
from tests.user_checks import prepare, record, run, word

T = TypeVar("T")
CODE = Shape("code", 8, 40, 30.0)


# How a step is shared out


@given(
    st.integers(0, 64),
    st.integers(1, 500),
    st.floats(0.1, 1000),
    st.integers(1, 70),
)
def test_nothing_of_a_step_is_lost_by_sharing_it(
    clients: int, requests: int, rate: float, workers: int
) -> None:
    shape = Shape("code", clients, requests, 45.0, 0.0 if clients else rate)
    parts = shape.parts(workers)
    assert sum(each.clients for each in parts) == clients
    assert sum(each.requests for each in parts) == requests
    assert sum(each.rate for each in parts) == pytest.approx(shape.rate)
    assert [each.part for each in parts] == [(at, len(parts)) for at in range(len(parts))]
    assert len(parts) == (min(workers, clients) if clients else workers)
    assert not clients or min(each.clients for each in parts) >= clients // len(parts)


def test_a_step_is_measured_while_the_clients_of_all_workers_are_busy() -> None:
    parts = [
        StepResult(
            CODE, [RequestMeasurement(0.0, 0.0, 9.0)], full_load_start=1.0, full_load_end=8.0
        ),
        StepResult(
            CODE, [RequestMeasurement(0.5, 0.5, 7.0)], full_load_start=2.0, full_load_end=6.0
        ),
    ]
    parts[0].client_saturation.busy, parts[1].client_saturation.busy = 0.2, 0.7
    step = StepResult.merged(CODE, parts, 0.002)
    assert (len(step.samples), step.full_load_interval, step.workers, step.start_skew) == (
        2,
        (2.0, 6.0),
        2,
        0.002,
    )
    assert step.client_saturation.busy == 0.7


def test_workers_inherit_no_key_by_their_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setattr("ray.init", lambda **_: started.append("OPENAI_API_KEY" in os.environ))
    started: list[bool] = []
    with ray_started(LoadWorkerSettings(1)):
        assert os.environ["OPENAI_API_KEY"] == "sk-canary"
    assert started == [False]


def test_a_budget_is_shared_out_and_never_exceeded() -> None:
    budget = UsageBudget(max_requests=100, max_tokens=1_000, sent=10, prompt_tokens=100)
    assert budget.remaining(4) == (22, 225, 0.0)
    with pytest.raises(EndpointError, match="the budget of 100 requests is spent"):
        replace(budget, sent=98).remaining(4)
    with pytest.raises(EndpointError, match="the budget of 1000 tokens is spent"):
        replace(budget, prompt_tokens=1_200).remaining(4)
    with pytest.raises(EndpointError, match="minutes is spent"):
        UsageBudget(max_minutes=1.0, started=budget.started - 60).remaining(1)


# Two nodes


def test_where_ray_does_not_start_the_option_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(**_: object) -> None:
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr("ray.init", late)
    with (
        pytest.raises(LookupError, match="--load-workers: Ray does not start: The current node"),
        ray_started(LoadWorkerSettings(2)),
    ):
        raise AssertionError("it has started")


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a Ray cluster of two nodes, each with room for one worker."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    node = {
        "num_cpus": 1,
        "object_store_memory": fleets.OBJECT_STORE_SIZE,
        "include_dashboard": False,
    }
    nodes = Cluster(initialize_head=True, head_node_args=node)
    try:
        nodes.add_node(num_cpus=1, object_store_memory=fleets.OBJECT_STORE_SIZE)
        yield nodes.address
    finally:
        nodes.shutdown()  # type: ignore[no-untyped-call]


def together(
    address: str,
    work: Callable[[Chat, LoadWorkerPool], Awaitable[T]],
    mutant: str = "reference",
    budget: UsageBudget | None = None,
    workers_go_to: str = "",
) -> T:
    """What comes of some work of a crew of two with a mutant."""
    spent = budget or UsageBudget()
    with serving(mutant) as url:
        where = Address.read(workers_go_to or url, "", {})
        fleet = LoadWorkerSettings(2, address)
        with (
            ray_started(fleet),
            load_worker_pool(fleet, where, RequestLimits(), Secrets([])) as crew,
        ):
            context = Context(run_distributed_step=partial(crew.run_step, spent))
            return at(url, lambda chat: work(chat, crew), context, spent)


async def code(chat: Chat, crew: LoadWorkerPool) -> StepResult:
    return await run_step(chat, CODE)


@pytest.mark.slow
def test_two_nodes_make_one_step(cluster: str) -> None:
    async def work(
        chat: Chat, crew: LoadWorkerPool
    ) -> tuple[StepResult, StepResult, set[str], int]:
        closed = await code(chat, crew)
        opened = await run_step(chat, Shape("code", 0, 20, 0.5, rate=100.0))
        nodes = {await node(each) for each in crew.actors}
        return closed, opened, nodes, len(set(chat.exchanges))

    spent = UsageBudget()
    closed, opened, nodes, exchanges = together(cluster, work, budget=spent)
    assert [scoring.score_completeness(each).outcome for each in (closed, opened)] == [
        Outcome.PASS
    ] * 2
    # How many requests overlap or are measured, if any, depends on how busy this machine is.
    assert not {scoring.score_cross_talk(each).outcome for each in (closed, opened)} - {
        Outcome.PASS,
        Outcome.UNDETERMINED,
    }
    assert (closed.workers, opened.workers) == (2, 2)
    assert min(len(closed.samples), len(opened.samples)) > 0
    assert len(closed.known_answer_requests) >= len(closed.samples) // 8
    assert len(closed.lengths) == 6
    assert closed.client_saturation.lags.total > 0
    assert 0 < closed.start_skew < MAX_SKEW
    assert len(nodes) == 2
    # Each worker has asked for the models once, and every request is evidence and counted.
    assert exchanges == spent.sent


@pytest.mark.slow
def test_cross_talk_between_workers_is_detected(cluster: str) -> None:
    async def work(chat: Chat, crew: LoadWorkerPool) -> StepResult:
        return await run_step(chat, replace(CODE, clients=32, requests=200))

    step = together(cluster, work, "load_swapped")
    assert "words of other requests" in scoring.score_cross_talk(step).reason


@pytest.mark.slow
def test_a_lost_worker_leaves_the_step_open_and_the_next_has_another(cluster: str) -> None:
    async def work(chat: Chat, crew: LoadWorkerPool) -> tuple[EndpointError, int, StepResult]:
        await code(chat, crew)
        before = len(chat.exchanges)
        going = asyncio.ensure_future(run_step(chat, replace(CODE, requests=100_000, seconds=60.0)))
        while len(chat.exchanges) == before:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        os.kill(await process(crew.actors[0]), signal.SIGKILL)
        with pytest.raises(EndpointError) as lost:
            await going
        return lost.value, len(chat.exchanges) - before, await code(chat, crew)

    lost, kept, again = together(cluster, work)
    assert lost.score.outcome is Outcome.UNDETERMINED
    assert lost.score.reason.startswith("a load worker was lost: ")
    assert kept > 0
    assert scoring.score_completeness(again).passed


@pytest.mark.nightly
def test_a_worker_that_freezes_is_lost_as_well(cluster: str) -> None:
    async def work(chat: Chat, crew: LoadWorkerPool) -> EndpointError:
        await code(chat, crew)
        os.kill(await process(crew.actors[0]), signal.SIGSTOP)
        with pytest.raises(EndpointError) as lost:
            await code(chat, crew)
        return lost.value

    error = together(cluster, work)
    assert (str(error), error.score.outcome) == (
        "a load worker was lost: TimeoutError: silent for 30 s",
        Outcome.UNDETERMINED,
    )


@pytest.mark.slow
def test_workers_send_no_more_than_the_budget(cluster: str) -> None:
    async def work(chat: Chat, crew: LoadWorkerPool) -> EndpointError:
        with pytest.raises(EndpointError) as spent:
            await code(chat, crew)
        return spent.value

    budget = UsageBudget(max_requests=23)
    error = together(cluster, work, budget=budget)
    # Two have asked for the models; what is left is shared out.
    assert (error.score.outcome, budget.sent) == (Outcome.SKIPPED, 22)


@pytest.mark.slow
def test_an_endpoint_that_workers_do_not_reach_is_not_blamed(cluster: str) -> None:
    async def work(chat: Chat, crew: LoadWorkerPool) -> EndpointError:
        with pytest.raises(EndpointError) as unreached:
            await code(chat, crew)
        return unreached.value

    error = together(cluster, work, workers_go_to="http://127.0.0.1:9/v1")
    assert error.score.outcome is Outcome.UNDETERMINED
    assert "the load worker on " in error.score.reason
    assert "unreachable" in error.score.reason


@pytest.mark.nightly
def test_a_cluster_without_room_for_the_workers_is_named(cluster: str) -> None:
    async def work(chat: Chat) -> EndpointError:
        with pytest.raises(EndpointError) as full:
            await run_step(chat, CODE)
        return full.value

    with serving() as url:
        where = Address.read(url, "", {})
        fleet = LoadWorkerSettings(3, cluster)
        with (
            ray_started(fleet),
            load_worker_pool(fleet, where, RequestLimits(), Secrets([])) as crew,
        ):
            error = at(
                url, work, Context(run_distributed_step=partial(crew.run_step, UsageBudget()))
            )
    assert error.score.outcome is Outcome.UNDETERMINED
    assert str(error) == "Ray has no room for 3 load workers: 2 CPUs in all"


async def node(actor: Any) -> str:
    return str(await actor.__ray_call__.remote(_node))


async def process(actor: Any) -> int:
    return int(await actor.__ray_call__.remote(lambda worker: os.getpid()))


def _node(worker: object) -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())


# The command line


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    return prepare(pytester)


def said(n: int, request: Request) -> str:
    return word(request)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--ray-address", "auto"], "--ray-address needs --load-workers: how many are to run"),
        (["--load-workers", "0"], "--load-workers 0: give a whole number, 1 or more"),
        (
            ["--load-workers", "2", "--ray-address", "127.0.0.1:9"],
            "--ray-address 127.0.0.1:9: no Ray cluster answers: ",
        ),
        (
            ["--load-workers", "2", "--ray-address", "ray://head:x"],
            "no Ray cluster answers: give HOST:PORT, on a machine of the cluster",
        ),
    ],
)
def test_invalid_options_are_usage_errors(
    own: pytest.Pytester, options: list[str], why: str
) -> None:
    result = run(own, mini(said), *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert why in str(result.stderr) + str(result.stdout)


@pytest.mark.slow
def test_the_record_has_the_number_of_load_workers(own: pytest.Pytester) -> None:
    assert run(own, mini(said), "--load-workers", "2").ret == pytest.ExitCode.OK
    client = record(own)["client"]
    assert (client["load_workers"], client["cluster"], client["cores"]) == (2, "", os.cpu_count())
