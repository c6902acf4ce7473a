"""A load worker: runs its part of a step in its own process, possibly on another machine."""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

from readiness.chat import Chat
from readiness.evidence.log import summarise_exchange
from readiness.evidence.redaction import Secrets
from readiness.exchange import Call, Exchange
from readiness.load.step import Shape, StepResult
from readiness.load.users import run_step_locally
from readiness.protocol.capability import LIST_MODELS
from readiness.protocol.dialect import Dialect
from readiness.resources import DISTRIBUTION
from readiness.score import EndpointError, Score
from readiness.transport.address import Address
from readiness.transport.budget import RemainingBudget, UsageBudget
from readiness.transport.client import EndpointClient, RequestLimits

EvidenceEntry = dict[str, Any]


@dataclass(frozen=True)
class WorkerTask:
    """A task for a load worker.

    Args:
        name: The key under which its exchanges are collected.
        shape: Its part of the step.
        dialect: The endpoint's request dialect.
        start: When to start, on the worker's clock, in seconds.
        left: Its share of the remaining budget.
    """

    name: str
    shape: Shape
    dialect: Dialect
    start: float
    left: RemainingBudget


class LoadWorker:
    """A process with its own event loop, connections and timestamps; Ray runs it as an actor.

    Its exchanges are collected while it runs, so that only the latest are lost with it.
    """

    def __init__(self) -> None:
        self._entries: defaultdict[str, list[EvidenceEntry]] = defaultdict(list)

    async def reach(self, where: Address, limits: RequestLimits, secrets: Secrets) -> EvidenceEntry:
        """Connect to the endpoint with one request; return its evidence entry.

        The key is passed here and not to the constructor, whose arguments Ray may write to disk.
        """
        self._endpoint, self._secrets = EndpointClient(where, limits), secrets
        return summarise_exchange(await self._endpoint.send(LIST_MODELS), secrets)

    async def about(self) -> tuple[str, str]:
        """The machine it runs on, and the version of this program there."""
        return socket.gethostname(), version(DISTRIBUTION)

    async def clock(self) -> float:
        """The time on its own clock, in seconds."""
        return asyncio.get_running_loop().time()

    async def step(self, task: WorkerTask) -> tuple[StepResult | Score, int]:
        """Run a part of a step; return its result or score, and the number of requests sent."""
        budget = UsageBudget(*task.left)
        chat = Chat(partial(self._send, task.name, budget), task.dialect)
        try:
            step = await budget.in_time(run_step_locally(chat, task.shape, task.start))
            return step, budget.sent
        except EndpointError as error:
            return error.score, budget.sent

    async def sent(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The evidence entries of the requests that ended since the last call."""
        return self._entries.pop(name, [])

    async def _send(self, name: str, budget: UsageBudget, call: Call) -> Exchange:
        budget.require_remaining()
        exchange = await self._endpoint.send(call)
        budget.record_exchange(exchange, 1)
        self._entries[name].append(summarise_exchange(exchange, self._secrets))
        return exchange
