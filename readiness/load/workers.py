"""Load workers: the processes, here or on a Ray cluster, that make the steps of a load test."""

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
from readiness.transport.address import Address
from readiness.transport.budget import RemainingBudget, UsageBudget
from readiness.transport.client import RequestLimits

#: How far ahead a start is agreed, and how often is asked for what was sent meanwhile, in seconds.
AHEAD, EVERY = 0.5, 0.5
#: How long workers may take to be there, and to answer what takes no time, in seconds.
ROOM_WITHIN, ANSWERED = 60.0, 30.0
#: How often a clock is read to be compared, and how far apart workers may begin, in seconds.
READINGS, APART = 7, 0.25


@dataclass(frozen=True)
class LoadWorkerSettings:
    """How many load workers there are to be, and where.

    Args:
        workers: How many.
        address: That of a Ray cluster; "" for this machine.
    """

    workers: int
    address: str = ""


@dataclass(frozen=True)
class _Clock:
    """How far a worker's clock is ahead of ours, and how much that may be off, in seconds."""

    ahead: float
    off: float


@dataclass(frozen=True)
class _Done:
    """What came of the parts of a step, and how many requests ended without being kept."""

    parts: Sequence[StepResult | Score]
    unkept: int


class LoadWorkerPool:
    """The load workers of a run, which make its steps; a Ray actor each."""

    def __init__(
        self, workers: int, where: Address, limits: RequestLimits, secrets: Secrets
    ) -> None:
        self._workers = workers
        self._endpoint = where, limits, secrets
        self.actors: list[Any] = []
        self._turn = asyncio.Lock()
        self._names = map(str, count(1))

    async def run_step(self, ledger: UsageBudget, chat: Chat, shape: Shape) -> StepResult:
        """Make a step, all workers together.

        Raises:
            EndpointError: A worker was lost or cannot reach the endpoint: nothing is known of the
                step then, for what it sent is not among what is counted. Or a budget is spent.
        """
        import ray

        parts = shape.parts(self._workers)
        try:
            actors = (await self._gathered(chat))[: len(parts)]
            agreed, orders = await self._orders(actors, chat, parts, ledger.remaining(len(parts)))
            done = await _done(chat, actors, orders)
        except (ray.exceptions.RayError, TimeoutError) as error:
            self.terminate()
            why = str(error).strip().partition("\n")[0] or f"silent for {ANSWERED:g} s"
            raise _unknown(f"a load worker was lost: {type(error).__name__}: {why:.200}") from error
        except BaseException:
            self.terminate()  # None goes on while nobody waits for it.
            raise
        ledger.sent += done.unkept
        for each in done.parts:
            if isinstance(each, Score):
                raise EndpointError(each.reason, each.outcome)
        return StepResult.merged(
            shape, [each for each in done.parts if isinstance(each, StepResult)], agreed
        )

    def terminate(self) -> None:
        """End all workers, and whatever they do."""
        import ray

        for each in self.actors:
            ray.kill(each)
        self.actors = []

    async def _orders(
        self, actors: Sequence[Any], chat: Chat, parts: Sequence[Shape], left: RemainingBudget
    ) -> tuple[float, list[WorkerTask]]:
        """Agree on a start: how far apart they may be, in seconds, and what each is to do."""
        clocks = await asyncio.gather(*map(_compared, actors))
        agreed = 2 * max(each.off for each in clocks)
        if agreed > APART:
            raise _unknown(f"load workers cannot begin together: {agreed:.2f} s apart")
        name, start = next(self._names), asyncio.get_running_loop().time() + AHEAD
        return agreed, [
            WorkerTask(name, part, chat.dialect, start + clock.ahead, left)
            for part, clock in zip(parts, clocks, strict=True)
        ]

    async def _gathered(self, chat: Chat) -> list[Any]:
        """The workers; where there are none, they are started, and reach the endpoint."""
        import ray

        async with self._turn:
            if not self.actors:
                begin = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(LoadWorker)
                self.actors = [begin.remote() for _ in range(self._workers)]
                begun = (self._begin(chat, each) for each in self.actors)
                try:
                    await asyncio.wait_for(asyncio.gather(*begun), ROOM_WITHIN)
                except TimeoutError:
                    cores = ray.cluster_resources()["CPU"]  # type: ignore[no-untyped-call]
                    why = f"Ray has no room for {self._workers} load workers: {cores:g} CPUs in all"
                    raise _unknown(why) from None
            return self.actors

    async def _begin(self, chat: Chat, actor: Any) -> None:
        """See that a worker is as we are, and reaches the endpoint."""
        host, theirs = await _result(actor.about.remote())
        if theirs != (ours := version(DISTRIBUTION)):
            raise _unknown(f"the load worker on {host} has {DISTRIBUTION} {theirs}, and not {ours}")
        kept = await _result(actor.reach.remote(*self._endpoint))
        came = await chat.call(Call(None, crowd=True, made=kept))
        if came.fault:
            raise _unknown(f"the load worker on {host}: {came.fault}: {came.detail}")


async def _done(chat: Chat, actors: Sequence[Any], orders: Sequence[WorkerTask]) -> _Done:
    """Have all parts of a step made; what is sent for them is evidence as it goes on."""
    working = [
        asyncio.ensure_future(_result(actor.step.remote(order)))
        for actor, order in zip(actors, orders, strict=True)
    ]
    going, kept = set(working), 0
    try:
        while going:
            ended, going = await asyncio.wait(going, timeout=EVERY)
            sent = (_told(each.sent.remote(orders[0].name)) for each in actors)
            for entry in [entry for batch in await asyncio.gather(*sent) for entry in batch]:
                await chat.call(Call(None, crowd=True, made=entry))
                kept += 1
            for each in ended:
                each.result()
    finally:
        for each in working:
            each.cancel()
        await asyncio.gather(*working, return_exceptions=True)
    parts = [each.result() for each in working]
    return _Done([part for part, _ in parts], sum(begun for _, begun in parts) - kept)


async def _compared(actor: Any) -> _Clock:
    """Compare clocks, as NTP does: of several readings, that which took the least is the best."""
    now = asyncio.get_running_loop().time
    found = []
    for _ in range(READINGS):
        asked = now()
        theirs = await _told(actor.clock.remote())
        told = now()
        found.append(_Clock(theirs - (asked + told) / 2, (told - asked) / 2))
    return min(found, key=lambda clock: clock.off)


async def _told(reference: Any) -> Any:
    """What a worker says at once; a frozen one does not, though Ray takes it for alive.

    Raises:
        TimeoutError: It says nothing.
    """
    return await asyncio.wait_for(_result(reference), ANSWERED)


async def _result(reference: Any) -> Any:
    return await reference


def _unknown(why: str) -> EndpointError:
    return EndpointError(why, Outcome.UNDETERMINED)


#: How long to wait for a cluster to take a connection, in seconds.
PATIENCE = 5.0
#: Room for what workers send at once, the least that Ray takes, in bytes.
ROOM = 80 * 2**20


@contextmanager
def ray_started(fleet: LoadWorkerSettings, crews: int = 1) -> Generator[None]:
    """Ray, for as long as the context lasts: a cluster's, or one of our own with room for all.

    Raises:
        LookupError: There is no cluster at that address.
    """
    import ray

    _see(fleet.address)
    # Ray tells its makers how it is used, unless it is told not to.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        here: dict[str, Any] = {
            "address": "local",
            "num_cpus": fleet.workers * crews,
            "include_dashboard": False,
            "object_store_memory": ROOM,
            "_temp_dir": folder,
        }
        given = {"address": fleet.address} if fleet.address else here
        try:
            ray.init(**given, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            option = f"--ray-address {fleet.address}" if fleet.address else "--load-workers"
            raise LookupError(f"{option}: Ray does not start: {error!s:.200}") from error
        try:
            yield
        finally:
            ray.shutdown()


@contextmanager
def load_worker_pool(
    fleet: LoadWorkerSettings, where: Address, limits: RequestLimits, secrets: Secrets
) -> Generator[LoadWorkerPool]:
    """A crew for one endpoint, for as long as the context lasts; Ray has been started."""
    crew = LoadWorkerPool(fleet.workers, where, limits, secrets)
    try:
        yield crew
    finally:
        crew.terminate()


def _see(address: str) -> None:
    """See that somebody answers at the address of a cluster: Ray itself would try for minutes.

    Raises:
        LookupError: Nobody does.
    """
    if address in ("", "auto"):
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), PATIENCE).close()
    except (OSError, ValueError, OverflowError) as error:
        why = "give HOST:PORT, on a machine of the cluster" if not port.isdecimal() else error
        raise LookupError(f"--ray-address {address}: no Ray cluster answers: {why}") from error
