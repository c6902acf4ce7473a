"""Concurrency: how many requests are in flight, and how many of them a trial's request meets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from readiness.chat import Chat
from readiness.exchange import Call, Exchange, Send
from readiness.forms.factors import Factor, Load
from readiness.probe import Probe
from readiness.runner.settings import Settings
from readiness.score import EndpointError

#: The most requests that a trial's form asks for.
MANY = int(Load.THIRTY_TWO)
EIGHT = int(Load.EIGHT)
#: Some more are gathered, for some end before the last is sent.
GATHERED = MANY + 4
#: A request that is to meet many others waits for them so long at most, in seconds.
PATIENCE = 2.0
#: Requests that are sent along in a run at most, where too few trials are there to meet.
MAX_ACCOMPANYING = 128
ACCOMPANYING = {"check": "concurrency"}
#: Takes a while and few tokens.
MESSAGES = [{"role": "user", "content": "List the numbers from 1 to 30, separated by commas."}]
BUDGET = 128


class AdaptiveConcurrency:
    """The concurrency limit: additive increase, multiplicative decrease (Chiu & Jain 1989)."""

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self._limit = float(maximum)
        self._since_decrease = 0

    @property
    def limit(self) -> int:
        """The number of trials that may be in flight now."""
        return max(1, int(self._limit))

    def note(self, *, overloaded: bool) -> None:
        """Adapt the limit to a response that does or does not report overload."""
        self._since_decrease += 1
        if not overloaded:
            self._limit = min(self.maximum, self._limit + 1 / self._limit)
        elif self._since_decrease >= self._limit:
            # At most one decrease for each round of requests: those in flight predate the last one.
            self._limit = max(1.0, self._limit / 2)
            self._since_decrease = 0


def at_most(limit: int, send: Send) -> Send:
    """Send no more than so many requests at once."""
    slots = asyncio.Semaphore(limit)

    async def sent(call: Call) -> Exchange:
        async with slots:
            return await send(call)

    return sent


@dataclass(eq=False)
class _Request:
    """A request in flight; `most` is how many were in flight with it at most, itself counted."""

    most: int = 1


class RequestsInFlight:
    """The requests of a run that are in flight now, and how long they take."""

    def __init__(self) -> None:
        self._open: list[_Request] = []
        self._waiting: list[asyncio.Event] = []
        self._ended, self._seconds = 0, 0.0
        self.most: dict[int, int] = {}  # By the exchange's number.

    @contextmanager
    def one(self) -> Iterator[_Request]:
        """Count a request as in flight."""
        request, began = _Request(), asyncio.get_running_loop().time()
        self._open.append(request)
        for each in self._open:
            each.most = max(each.most, len(self._open))
        self._release()
        try:
            yield request
        finally:
            self._open.remove(request)
            self._ended += 1
            self._seconds += asyncio.get_running_loop().time() - began

    @property
    def mean_seconds(self) -> float:
        """How long a request takes on average; 0 before any has ended."""
        return self._seconds / self._ended if self._ended else 0.0

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._open)

    @property
    def lacking(self) -> int:
        """How many more are needed for those that wait to meet many."""
        return GATHERED - len(self._open) - len(self._waiting) if self._waiting else 0

    async def gather(self) -> None:
        """Wait until many requests are in flight or wait here: these are then sent at once."""
        here = asyncio.Event()
        self._waiting.append(here)
        self._release()
        with suppress(TimeoutError):
            await asyncio.wait_for(here.wait(), PATIENCE)
        if here in self._waiting:
            self._waiting.remove(here)

    def _release(self) -> None:
        if len(self._open) + len(self._waiting) >= GATHERED:
            for each in self._waiting:
                each.set()
            self._waiting.clear()


class LoadKind(StrEnum):
    """Which requests a trial is to meet, in the order in which trials start."""

    USUAL = "as many as the limit allows"
    MANY = "many"
    ALONE = "none"


class LoadPlan:
    """When a trial may start, by the number of requests that its form has it meet."""

    def __init__(
        self, settings: Settings, slots: AdaptiveConcurrency, requests: RequestsInFlight
    ) -> None:
        self._burst, self._first_byte = settings.burst, settings.limits.first_byte
        self._slots, self._requests = slots, requests
        self._alone = 0
        self._accompanying: set[asyncio.Task[None]] = set()
        self._left = MAX_ACCOMPANYING
        self._coming = 0  # How many of these wait for nobody yet.

    @property
    def _most(self) -> int:
        """How many trials may be in flight at once."""
        slots = self._slots
        # A server that takes one after another would let the last wait longer than is allowed.
        wait = self._requests.mean_seconds * MANY / slots.maximum
        if slots.limit < slots.maximum or wait > self._first_byte / 2:
            return slots.limit
        return max(slots.limit, self._burst)

    def is_of(self, kind: LoadKind, probe: Probe) -> bool:
        """Whether a probe is to meet such a load; one that cannot be reached is none."""
        if probe.in_flight == 1:
            return kind is LoadKind.ALONE
        many = probe.in_flight >= MANY and self._most >= MANY
        return kind is (LoadKind.MANY if many else LoadKind.USUAL)

    def allows(self, kind: LoadKind, running: int) -> bool:
        """Whether a trial may start beside so many others."""
        if self._alone:
            return False
        if kind is LoadKind.ALONE:
            return running == 0 and self._requests.count == 0
        return running < (self._most if kind is LoadKind.MANY else self._slots.limit)

    def started(self, kind: LoadKind) -> None:
        """Count a trial that has started."""
        self._alone += kind is LoadKind.ALONE

    def ended(self, kind: LoadKind) -> None:
        """Count a trial that has ended."""
        self._alone -= kind is LoadKind.ALONE

    def sending(self, kind: LoadKind, send: Send) -> Send:
        """How a trial sends: where it is to meet many, its first request waits for them."""
        if kind is not LoadKind.MANY:
            return send
        gathered = False

        async def gather_and_send(call: Call) -> Exchange:
            nonlocal gathered
            if not gathered:
                gathered = True
                await self._requests.gather()
            return await send(call)

        return gather_and_send

    def accompany(self, chat: Callable[[Send], Chat], send: Send, then: Callable[[], None]) -> None:
        """Send cheap requests along, where too few are in flight for those that are to meet many.

        Args:
            chat: Makes the conversation of one of them from how it sends.
            send: How a trial sends.
            then: What to do when one has ended.
        """

        async def gather_and_send(call: Call) -> Exchange:
            self._coming -= 1
            await self._requests.gather()
            return await send(call)

        for _ in range(min(self._requests.lacking - self._coming, self._left)):
            task = asyncio.ensure_future(_count(chat(gather_and_send)))
            self._left, self._coming = self._left - 1, self._coming + 1
            self._accompanying.add(task)
            task.add_done_callback(self._accompanying.discard)
            task.add_done_callback(lambda _task: then())


async def _count(chat: Chat) -> None:
    with suppress(EndpointError):
        await chat.send(MESSAGES, budget=BUDGET)


def level(most: int) -> str:
    """The level of a request with which so many were in flight at most, itself counted."""
    if most >= MANY:
        return Load.THIRTY_TWO
    if most >= EIGHT:
        return Load.EIGHT
    return Load.ALONE if most == 1 else f"2-{EIGHT - 1}"


def as_made(probe: Probe, exchanges: Sequence[int], most: Mapping[int, int]) -> Probe:
    """A probe whose label of load says what its first request met, whatever was planned."""
    if Factor.LOAD.value not in probe.labels:
        return probe
    met = next((level(most[seq]) for seq in exchanges if seq in most), "unknown")
    return replace(probe, labels={**probe.labels, Factor.LOAD.value: met})
