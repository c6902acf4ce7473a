"""The load worker pool: processes, local or on a Ray cluster, that run load test steps."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from typing import Any

from readiness.chat import Chat
from readiness.evidence.redaction import Secrets
from readiness.exchange import Call
from readiness.load.step import Shape, StepResult
from readiness.load.worker import LoadWorker, WorkerTask
from readiness.resources import DISTRIBUTION
from readiness.score import EndpointError, Outcome, Score
from readiness.transport.address import API_KEY_VARIABLE, BASELINE_API_KEY_VARIABLE, Address
from readiness.transport.budget import RemainingBudget, UsageBudget
from readiness.transport.client import RequestLimits

#: How far ahead a start is scheduled, and the interval of collecting exchanges, in seconds.
START_DELAY, COLLECT_INTERVAL = 0.5, 0.5
#: The timeouts for starting workers, and for calls that return immediately, in seconds.
START_TIMEOUT, CALL_TIMEOUT = 60.0, 30.0
#: The number of readings of a clock, and the maximum skew of start times, in seconds.
READINGS, MAX_SKEW = 7, 0.25


@dataclass(frozen=True)
class LoadWorkerSettings:
    """The number of load workers, and where they run.

    Args:
        workers: The number of workers.
        address: The address of a Ray cluster; "" for this machine.
    """

    workers: int
    address: str = ""


@dataclass(frozen=True)
class _ClockOffset:
    """The offset of a worker's clock to ours, and its maximum error, in seconds."""

    ahead: float
    off: float


@dataclass(frozen=True)
class _Done:
    """The results of the parts of a step, and the number of requests without evidence."""

    parts: Sequence[StepResult | Score]
    unrecorded: int


class LoadWorkerPool:
    """The load workers of a run, each a Ray actor."""

    def __init__(
        self, workers: int, where: Address, limits: RequestLimits, secrets: Secrets
    ) -> None:
        self._workers = workers
        self._endpoint = where, limits, secrets
        self.actors: list[Any] = []
        self._turn = asyncio.Lock()
        self._names = map(str, count(1))

    async def run_step(self, budget: UsageBudget, chat: Chat, shape: Shape) -> StepResult:
        """Run a step on all workers.

        Raises:
            EndpointError: A worker was lost or cannot reach the endpoint, so that the step is
                undetermined, because requests are missing; or the budget is spent.
        """
        import ray

        parts = shape.parts(self._workers)
        try:
            actors = (await self._started_actors(chat))[: len(parts)]
            skew, tasks = await self._tasks(actors, chat, parts, budget.remaining(len(parts)))
            done = await _run_parts(chat, actors, tasks)
        except (ray.exceptions.RayError, TimeoutError) as error:
            self.terminate()
            why = str(error).strip().partition("\n")[0] or f"silent for {CALL_TIMEOUT:g} s"
            raise _unknown(f"a load worker was lost: {type(error).__name__}: {why:.200}") from error
        except BaseException:
            self.terminate()  # No worker may run on after its step.
            raise
        budget.sent += done.unrecorded
        for each in done.parts:
            if isinstance(each, Score):
                raise EndpointError(each.reason, each.outcome)
        return StepResult.merged(
            shape, [each for each in done.parts if isinstance(each, StepResult)], skew
        )

    def terminate(self) -> None:
        """Kill all workers."""
        import ray

        for each in self.actors:
            ray.kill(each)
        self.actors = []

    async def _tasks(
        self, actors: Sequence[Any], chat: Chat, parts: Sequence[Shape], left: RemainingBudget
    ) -> tuple[float, list[WorkerTask]]:
        """Schedule a common start; return the maximum skew in seconds, and the tasks."""
        clocks = await asyncio.gather(*map(_compare_clocks, actors))
        skew = 2 * max(each.off for each in clocks)
        if skew > MAX_SKEW:
            raise _unknown(f"load workers cannot begin together: {skew:.2f} s apart")
        name, start = next(self._names), asyncio.get_running_loop().time() + START_DELAY
        return skew, [
            WorkerTask(name, part, chat.dialect, start + clock.ahead, left)
            for part, clock in zip(parts, clocks, strict=True)
        ]

    async def _started_actors(self, chat: Chat) -> list[Any]:
        """The workers, which are started and connected at the first call."""
        import ray

        async with self._turn:
            if not self.actors:
                begin = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(LoadWorker)
                self.actors = [begin.remote() for _ in range(self._workers)]
                sent_count = (self._connect(chat, each) for each in self.actors)
                try:
                    await asyncio.wait_for(asyncio.gather(*sent_count), START_TIMEOUT)
                except TimeoutError:
                    cores = ray.cluster_resources()["CPU"]  # type: ignore[no-untyped-call]
                    why = f"Ray has no room for {self._workers} load workers: {cores:g} CPUs in all"
                    raise _unknown(why) from None
            return self.actors

    async def _connect(self, chat: Chat, actor: Any) -> None:
        """Check that a worker has this version of the program, and reaches the endpoint."""
        host, theirs = await _result(actor.about.remote())
        if theirs != (ours := version(DISTRIBUTION)):
            raise _unknown(f"the load worker on {host} has {DISTRIBUTION} {theirs}, and not {ours}")
        recorded = await _result(actor.reach.remote(*self._endpoint))
        response = await chat.call(Call(None, crowd=True, made=recorded))
        if response.fault:
            raise _unknown(f"the load worker on {host}: {response.fault}: {response.detail}")


async def _run_parts(chat: Chat, actors: Sequence[Any], tasks: Sequence[WorkerTask]) -> _Done:
    """Run all parts of a step, and record their exchanges as evidence meanwhile."""
    calls = [
        asyncio.ensure_future(_result(actor.step.remote(task)))
        for actor, task in zip(actors, tasks, strict=True)
    ]
    pending, recorded = set(calls), 0
    try:
        while pending:
            ended, pending = await asyncio.wait(pending, timeout=COLLECT_INTERVAL)
            sent = (_call_with_timeout(each.sent.remote(tasks[0].name)) for each in actors)
            for entry in [entry for batch in await asyncio.gather(*sent) for entry in batch]:
                await chat.call(Call(None, crowd=True, made=entry))
                recorded += 1
            for each in ended:
                each.result()
    finally:
        for each in calls:
            each.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    parts = [each.result() for each in calls]
    return _Done([part for part, _ in parts], sum(sent_count for _, sent_count in parts) - recorded)


async def _compare_clocks(actor: Any) -> _ClockOffset:
    """Compare clocks as NTP does: the reading with the shortest round trip is the best."""
    now = asyncio.get_running_loop().time
    found = []
    for _ in range(READINGS):
        sent = now()
        theirs = await _call_with_timeout(actor.clock.remote())
        received = now()
        found.append(_ClockOffset(theirs - (sent + received) / 2, (received - sent) / 2))
    return min(found, key=lambda clock: clock.off)


async def _call_with_timeout(reference: Any) -> Any:
    """The result of a call that returns immediately, unless the worker is frozen.

    Raises:
        TimeoutError: There is no result in time, although Ray considers the worker alive.
    """
    return await asyncio.wait_for(_result(reference), CALL_TIMEOUT)


async def _result(reference: Any) -> Any:
    return await reference


def _unknown(why: str) -> EndpointError:
    return EndpointError(why, Outcome.UNDETERMINED)


#: The timeout for connecting to a cluster, in seconds.
CONNECT_TIMEOUT = 5.0
#: The size of Ray's object store in bytes: the minimum that Ray accepts.
OBJECT_STORE_SIZE = 80 * 2**20


@contextmanager
def ray_started(settings: LoadWorkerSettings, pools: int = 1) -> Generator[None]:
    """Connect to a Ray cluster, or start a local one with capacity for `pools` pools.

    Raises:
        LookupError: There is no cluster at the address, or Ray does not start.
    """
    import ray

    _check_address(settings.address)
    # Ray sends usage statistics unless this is set.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        local: dict[str, Any] = {
            "address": "local",
            "num_cpus": settings.workers * pools,
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_SIZE,
            "_temp_dir": folder,
        }
        arguments = {"address": settings.address} if settings.address else local
        try:
            with _keys_hidden():
                ray.init(**arguments, log_to_driver=False, logging_level=logging.ERROR)
        # A bare Exception where a node has not started within 30 s, as on a busy machine.
        except Exception as error:
            option = f"--ray-address {settings.address}" if settings.address else "--load-workers"
            raise LookupError(f"{option}: Ray does not start: {error!s:.200}") from error
        try:
            yield
        finally:
            ray.shutdown()


@contextmanager
def _keys_hidden() -> Generator[None]:
    """Keep keys out of the environment that processes inherit: workers are told theirs."""
    variables = (API_KEY_VARIABLE, BASELINE_API_KEY_VARIABLE)
    hidden = {name: os.environ.pop(name) for name in variables if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


@contextmanager
def load_worker_pool(
    settings: LoadWorkerSettings, where: Address, limits: RequestLimits, secrets: Secrets
) -> Generator[LoadWorkerPool]:
    """A load worker pool for one endpoint; Ray must have been started."""
    pool = LoadWorkerPool(settings.workers, where, limits, secrets)
    try:
        yield pool
    finally:
        pool.terminate()


def _check_address(address: str) -> None:
    """Check that the address of a cluster accepts connections: Ray would retry for minutes.

    Raises:
        LookupError: It does not.
    """
    if address in ("", "auto"):
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), CONNECT_TIMEOUT).close()
    except (OSError, ValueError, OverflowError) as error:
        why = "give HOST:PORT, on a machine of the cluster" if not port.isdecimal() else error
        raise LookupError(f"--ray-address {address}: no Ray cluster answers: {why}") from error
