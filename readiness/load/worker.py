"""A load worker: makes its part of a step in a process of its own, perhaps on another machine."""

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

Kept = dict[str, Any]


@dataclass(frozen=True)
class WorkerTask:
    """What a load worker is to do.

    Args:
        name: What what it has sent is asked for by.
        shape: Its part of the step.
        dialect: How the endpoint wants to be asked.
        start: When to begin, on its own clock, in seconds.
        left: What it may send: requests, tokens, minutes.
    """

    name: str
    shape: Shape
    dialect: Dialect
    start: float
    left: RemainingBudget


class LoadWorker:
    """One process with an event loop, connections and stamps of its own; Ray runs it as an actor.

    What it has sent is asked for while it goes on, so that nothing is lost with it but the latest.
    """

    def __init__(self) -> None:
        self._made: defaultdict[str, list[Kept]] = defaultdict(list)

    async def reach(self, where: Address, limits: RequestLimits, secrets: Secrets) -> Kept:
        """Reach the endpoint with one request; what is kept of it.

        The key comes here and not with the constructor, whose arguments Ray may keep on a disk.
        """
        self._endpoint, self._secrets = EndpointClient(where, limits), secrets
        return summarise_exchange(await self._endpoint.send(LIST_MODELS), secrets)

    async def about(self) -> tuple[str, str]:
        """The machine it runs on, and the version of this program there."""
        return socket.gethostname(), version(DISTRIBUTION)

    async def clock(self) -> float:
        """The time on its own clock, in seconds."""
        return asyncio.get_running_loop().time()

    async def step(self, order: WorkerTask) -> tuple[StepResult | Score, int]:
        """Make a part of a step, or tell why not; and how many requests were begun for it."""
        ledger = UsageBudget(*order.left)
        chat = Chat(partial(self._send, order.name, ledger), order.dialect)
        try:
            return await run_step_locally(chat, order.shape, order.start), ledger.sent
        except EndpointError as error:
            return error.score, ledger.sent

    async def sent(self, name: str) -> Sequence[Mapping[str, Any]]:
        """What is kept of the requests that have ended since this was asked last."""
        return self._made.pop(name, [])

    async def _send(self, name: str, ledger: UsageBudget, call: Call) -> Exchange:
        ledger.require_remaining()
        came = await self._endpoint.send(call)
        ledger.record_exchange(came, 1)
        self._made[name].append(summarise_exchange(came, self._secrets))
        return came
