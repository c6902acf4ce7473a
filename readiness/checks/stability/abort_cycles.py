"""Cycles of streams that the client aborts, and what they show."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from statistics import median
from typing import Any

from readiness.chat import Chat
from readiness.checks.stability.probes import PROMPTS, notes
from readiness.exchange import Call, ClientAbort, Exchange
from readiness.load.latency import incomplete_reply_reason, require_not_rate_limited
from readiness.load.meters.meter import QUEUED, RUNNING, read_gauges
from readiness.load.saturation import ClientSaturation, measure_client_saturation
from readiness.load.traffic import nonce
from readiness.load.users import run_concurrently
from readiness.protocol.completion import read
from readiness.score import EndpointError

#: How long to wait for rest, in seconds.
REST = 20.0
#: What nobody notices: at rest, and when all is over, in seconds more than before.
STIRRED, UNNOTICED = 1.0, 0.2


@dataclass(frozen=True)
class RestReading:
    """What was read at rest, after a cycle.

    Args:
        waited: How long it took until there was rest; REST where there was none.
        gauges: What its meters show; empty where they show nothing.
    """

    waited: float
    gauges: Mapping[str, float] = field(default_factory=dict)


@dataclass
class AbortCyclesResult:
    """What came of a storm.

    Args:
        before: What short requests took before it, in seconds.
        gauges_before: What its meters showed then.
        readings: One for each cycle.
        control_replies: What short requests were answered, those before it first; "" where
            one was lost.
        control_errors: How short requests failed during it, in words.
        after: What they took when it was over, in seconds.
        neighbour_errors: How streams beside it ended that nobody aborted: "" where all was well.
        aborted: How many requests were left.
        client_saturation: How busy this side was.
    """

    before: list[float] = field(default_factory=list)
    gauges_before: Mapping[str, float] = field(default_factory=dict)
    readings: list[RestReading] = field(default_factory=list)
    control_replies: list[str] = field(default_factory=list)
    control_errors: list[str] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    neighbour_errors: list[str] = field(default_factory=list)
    aborted: int = 0
    client_saturation: ClientSaturation = field(default_factory=ClientSaturation)

    @property
    def others(self) -> float:
        """How many requests of others were under way before it."""
        return requests_in_flight(self.gauges_before)


def requests_in_flight(gauges: Mapping[str, float]) -> float:
    """How many requests an engine says that it serves, or has waiting."""
    return gauges.get(RUNNING, 0.0) + gauges.get(QUEUED, 0.0)


#: How often users leave: so many at once, in so many cycles. The first third of them warms up:
#: allocators and graphs grow at first, and with those kept the trend test alarms nearly always.
CYCLES, ABORTS = 12, 8
SMALL_CYCLES, SMALL_ABORTS = 1, 3
CONTROLS, SMALL_CONTROLS = 5, 2
#: Between how many frames a client leaves, and tokens that one has who stays.
LEAVE, SMALL_LEAVE = (5, 41), (3, 10)
STAY, SMALL_STAY = 200, 24
#: Tokens that an aborted reply was to have, and seconds after which one is left that has not begun.
LONG, SMALL_LONG, PREFILL = 1024, 64, 0.2
#: How often to look for rest, and how long to be idle before a reading, in seconds.
LOOK, IDLE = 0.5, 0.05
#: How many cycles in all may end without rest, and how long to wait for the last of them: some
#: servers finish what nobody waits for any more.
RESTLESS, LAST_REST = 2, 60.0


async def run_abort_cycles(chat: Chat) -> AbortCyclesResult:
    """The storm, which is made once for all checks that are about it."""
    return await chat.fetch_once("storm", _run_abort_cycles)


async def _run_abort_cycles(chat: Chat) -> AbortCyclesResult:
    async with measure_client_saturation() as strain:
        weather = AbortCycles(chat)
        await weather.begin()
        for _ in range(SMALL_CYCLES if chat.context.defects_only else CYCLES):
            await weather.cycle()
            if weather.result.control_errors or weather.cycles_without_rest >= RESTLESS:
                break  # It is down, or does not come to rest: more aborts would tell no more.
        await weather.end()
    weather.result.client_saturation = strain
    return weather.result


class AbortCycles:
    """What goes on in a storm, and what is read when it is calm."""

    def __init__(self, chat: Chat) -> None:
        self.result = AbortCyclesResult()
        self._chat = chat
        self._random = Random("storm")
        self._small = chat.context.defects_only
        self._controls = SMALL_CONTROLS if self._small else CONTROLS
        self._now = asyncio.get_running_loop().time

    async def begin(self) -> None:
        """See how short requests fare while all is quiet."""
        self.result.before += await self.controls()
        self.result.gauges_before = await self._gauges()

    async def cycle(self) -> None:
        """Leave some requests in the middle, beside one that stays, and read what is left."""
        leaving = SMALL_ABORTS if self._small else ABORTS
        await run_concurrently(
            [self._neighbour(), *(self.abort_request(each) for each in range(leaving))]
        )
        await self.rest()

    async def rest(self) -> None:
        """Wait until there is rest, and read what is left."""
        waited = await self._until(self._quiet, REST)
        await asyncio.sleep(IDLE)
        self.result.readings.append(RestReading(waited, await self._gauges()))

    async def end(self) -> None:
        """See how short requests fare when all is quiet again."""
        await self._until(partial(self._quick, UNNOTICED), LAST_REST)
        self.result.after += await self.controls()

    async def controls(self) -> list[float]:
        """What short requests take now, in seconds."""
        return [(await self._control()).seconds for _ in range(self._controls)]

    @property
    def cycles_without_rest(self) -> int:
        """How many cycles have ended without rest."""
        return sum(each.waited >= REST for each in self.result.readings)

    async def abort_request(self, number: int) -> None:
        """Ask for a long reply, and leave: in mid-stream, before it begins, or without a stream."""
        frames = self._random.randrange(*(SMALL_LEAVE if self._small else LEAVE))
        leave = ClientAbort(frames, 60.0, reset=number % 2 == 0)
        text, parameters = PROMPTS["long"], {"stream": True}
        if number >= ABORTS - 3:
            leave = ClientAbort(0, PREFILL)
            text = PROMPTS["page"] if number < ABORTS - 1 else text
            parameters = {"stream": number < ABORTS - 1}
        budget = SMALL_LONG if self._small else LONG
        await self._send(text, budget, parameters, leave)
        self.result.aborted += 1

    async def _neighbour(self) -> None:
        budget = SMALL_STAY if self._small else STAY
        came = await self._send(PROMPTS["neighbour"], budget, {"stream": True})
        self.result.neighbour_errors.append(incomplete_reply_reason(require_not_rate_limited(came)))

    async def _control(self) -> Exchange:
        came = await self._send(PROMPTS["control"], 8, {})
        if why := incomplete_reply_reason(require_not_rate_limited(came)):
            self.result.control_errors.append(why)
        self.result.control_replies.append("" if why else _text(came))
        return came

    async def _quick(self, noticed: float = STIRRED) -> bool:
        """Whether a short request takes no longer than before; one that is lost ends the storm."""
        seconds, usual = (await self._control()).seconds, median(self.result.before)
        return bool(self.result.control_errors) or seconds < max(2 * usual, usual + noticed)

    async def _quiet(self) -> bool:
        """Whether that is so, and the engine itself says that nothing is under way."""
        busy = requests_in_flight(await self._gauges()) > self.result.others
        return await self._quick() and (not busy or bool(self.result.control_errors))

    async def _until(self, good: Callable[[], Awaitable[bool]], most: float) -> float:
        """Wait until something is so; how long that took, in seconds, and no longer than `most`."""
        begun = self._now()
        while self._now() - begun < most:
            if await good():
                return self._now() - begun
            await asyncio.sleep(LOOK)
        return most

    async def _gauges(self) -> Mapping[str, float]:
        return await read_gauges(self._chat.context.meters)

    async def _send(
        self, text: str, budget: int, parameters: dict[str, Any], leave: ClientAbort | None = None
    ) -> Exchange:
        said = text.format(nonce=nonce(self._random), notes=notes(self._random, self._small))
        messages = [{"role": "user", "content": said}]
        body = self._chat.dialect.request(messages, budget, parameters)
        return await self._chat.call(Call(body, crowd=True, hang_up=leave))


def _text(exchange: Exchange) -> str:
    """The text of a reply; "" where it cannot be read, which is for others to judge."""
    try:
        return read(exchange).text
    except EndpointError:
        return ""
