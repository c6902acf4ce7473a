"""Abort cycles: requests that the client aborts, and the server's state when idle after each."""

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

#: How long to wait after each cycle until the endpoint is idle, in seconds.
REST_TIMEOUT = 20.0
#: Seconds that a short request may take longer than before: between cycles, and after the last.
MAX_SLOWDOWN_BETWEEN, MAX_SLOWDOWN_AFTER = 1.0, 0.2


@dataclass(frozen=True)
class IdleReading:
    """The server's state when idle, after one cycle.

    Args:
        waited: Seconds until the endpoint was idle; REST_TIMEOUT if it did not become idle.
        gauges: The meters' values; empty if they report none.
    """

    waited: float
    gauges: Mapping[str, float] = field(default_factory=dict)


@dataclass
class AbortCyclesResult:
    """What was measured before, during and after abort cycles.

    Args:
        seconds_before: What short requests took before the aborts.
        gauges_before: The meters' values then.
        readings: One idle reading for each cycle.
        control_replies: The texts of replies to short requests, in order; "" for one that failed.
        control_errors: Why short requests failed, as messages.
        seconds_after: What short requests took after the last cycle.
        concurrent_stream_errors: Why each concurrent stream that no client aborted failed;
            "" for one that completed.
        aborted: How many requests were aborted.
        client_saturation: How busy this process was.
    """

    seconds_before: list[float] = field(default_factory=list)
    gauges_before: Mapping[str, float] = field(default_factory=dict)
    readings: list[IdleReading] = field(default_factory=list)
    control_replies: list[str] = field(default_factory=list)
    control_errors: list[str] = field(default_factory=list)
    seconds_after: list[float] = field(default_factory=list)
    concurrent_stream_errors: list[str] = field(default_factory=list)
    aborted: int = 0
    client_saturation: ClientSaturation = field(default_factory=ClientSaturation)

    @property
    def requests_before(self) -> float:
        """How many requests were in flight before the aborts: those of other clients."""
        return requests_in_flight(self.gauges_before)


def requests_in_flight(gauges: Mapping[str, float]) -> float:
    """How many requests the server's metrics show running or queued."""
    return gauges.get(RUNNING, 0.0) + gauges.get(QUEUED, 0.0)


#: Number of cycles, and of concurrent aborts in each. The first third of the cycles is warm-up:
#: allocators and graphs grow at first, and with them the trend test alarms nearly always.
CYCLES, ABORTS = 12, 8
SMALL_CYCLES, SMALL_ABORTS = 1, 3
CONTROLS, SMALL_CONTROLS = 5, 2
#: The range of frames after which a client aborts, and the tokens of a stream that is not aborted.
ABORT_FRAMES, SMALL_ABORT_FRAMES = (5, 41), (3, 10)
CONCURRENT_TOKENS, SMALL_CONCURRENT_TOKENS = 200, 24
#: The token limit of an aborted request, and seconds after which one is aborted during prefill.
ABORTED_TOKENS, SMALL_ABORTED_TOKENS, PREFILL_SECONDS = 1024, 64, 0.2
#: How often to poll for an idle endpoint, and the pause before a reading, in seconds.
POLL_INTERVAL, SETTLE_SECONDS = 0.5, 0.05
#: After how many cycles that did not end idle to stop, and how long to wait after the last cycle:
#: some servers finish replies whose client has gone.
MAX_BUSY_CYCLES, FINAL_REST_TIMEOUT = 2, 60.0


async def run_abort_cycles(chat: Chat) -> AbortCyclesResult:
    """Run the abort cycles once, and share their result among all checks that score it."""
    return await chat.fetch_once("storm", _run_abort_cycles)


async def _run_abort_cycles(chat: Chat) -> AbortCyclesResult:
    async with measure_client_saturation() as saturation:
        cycles = AbortCycles(chat)
        await cycles.begin()
        for _ in range(SMALL_CYCLES if chat.context.defects_only else CYCLES):
            await cycles.cycle()
            if cycles.result.control_errors or cycles.busy_cycles >= MAX_BUSY_CYCLES:
                break  # It is down or stays busy: more aborts would show nothing new.
        await cycles.end()
    cycles.result.client_saturation = saturation
    return cycles.result


class AbortCycles:
    """Sends and aborts requests, and reads the server's state between cycles."""

    def __init__(self, chat: Chat) -> None:
        self.result = AbortCyclesResult()
        self._chat = chat
        self._random = Random("storm")
        self._small = chat.context.defects_only
        self._controls = SMALL_CONTROLS if self._small else CONTROLS
        self._now = asyncio.get_running_loop().time

    async def begin(self) -> None:
        """Measure short requests and read the meters before the first abort."""
        self.result.seconds_before += await self.controls()
        self.result.gauges_before = await self._gauges()

    async def cycle(self) -> None:
        """Abort requests concurrently with one stream that completes, then read the idle state."""
        aborts = SMALL_ABORTS if self._small else ABORTS
        await run_concurrently(
            [self._stream_to_the_end(), *(self.abort_request(each) for each in range(aborts))]
        )
        await self.read_when_idle()

    async def read_when_idle(self) -> None:
        """Wait until the endpoint is idle, and read its meters."""
        waited = await self._wait_until(self._is_idle, REST_TIMEOUT)
        await asyncio.sleep(SETTLE_SECONDS)
        self.result.readings.append(IdleReading(waited, await self._gauges()))

    async def end(self) -> None:
        """Measure short requests after the last cycle."""
        await self._wait_until(partial(self._is_fast, MAX_SLOWDOWN_AFTER), FINAL_REST_TIMEOUT)
        self.result.seconds_after += await self.controls()

    async def controls(self) -> list[float]:
        """Send short requests one after another, and return what each took, in seconds."""
        return [(await self._control()).seconds for _ in range(self._controls)]

    @property
    def busy_cycles(self) -> int:
        """How many cycles did not end idle within REST_TIMEOUT."""
        return sum(each.waited >= REST_TIMEOUT for each in self.result.readings)

    async def abort_request(self, number: int) -> None:
        """Abort a request: in mid-stream, during prefill, or without a stream, by its number."""
        frames = self._random.randrange(*(SMALL_ABORT_FRAMES if self._small else ABORT_FRAMES))
        abort = ClientAbort(frames, 60.0, reset=number % 2 == 0)
        text, parameters = PROMPTS["long"], {"stream": True}
        if number >= ABORTS - 3:
            abort = ClientAbort(0, PREFILL_SECONDS)
            text = PROMPTS["page"] if number < ABORTS - 1 else text
            parameters = {"stream": number < ABORTS - 1}
        budget = SMALL_ABORTED_TOKENS if self._small else ABORTED_TOKENS
        await self._send(text, budget, parameters, abort)
        self.result.aborted += 1

    async def _stream_to_the_end(self) -> None:
        budget = SMALL_CONCURRENT_TOKENS if self._small else CONCURRENT_TOKENS
        exchange = await self._send(PROMPTS["neighbour"], budget, {"stream": True})
        self.result.concurrent_stream_errors.append(
            incomplete_reply_reason(require_not_rate_limited(exchange))
        )

    async def _control(self) -> Exchange:
        exchange = await self._send(PROMPTS["control"], 8, {})
        if why := incomplete_reply_reason(require_not_rate_limited(exchange)):
            self.result.control_errors.append(why)
        self.result.control_replies.append("" if why else _text(exchange))
        return exchange

    async def _is_fast(self, slowdown: float = MAX_SLOWDOWN_BETWEEN) -> bool:
        """Whether a short request takes about as long as before; a failed one ends the wait too."""
        seconds, usual = (await self._control()).seconds, median(self.result.seconds_before)
        return bool(self.result.control_errors) or seconds < max(2 * usual, usual + slowdown)

    async def _is_idle(self) -> bool:
        """Whether a short request is fast, and the metrics show no request of ours in flight."""
        busy = requests_in_flight(await self._gauges()) > self.result.requests_before
        return await self._is_fast() and (not busy or bool(self.result.control_errors))

    async def _wait_until(self, condition: Callable[[], Awaitable[bool]], limit: float) -> float:
        """Poll until the condition holds; return the seconds waited, `limit` if it never did."""
        begun = self._now()
        while self._now() - begun < limit:
            if await condition():
                return self._now() - begun
            await asyncio.sleep(POLL_INTERVAL)
        return limit

    async def _gauges(self) -> Mapping[str, float]:
        return await read_gauges(self._chat.context.meters)

    async def _send(
        self, text: str, budget: int, parameters: dict[str, Any], abort: ClientAbort | None = None
    ) -> Exchange:
        content = text.format(nonce=nonce(self._random), notes=notes(self._random, self._small))
        messages = [{"role": "user", "content": content}]
        body = self._chat.dialect.request(messages, budget, parameters)
        return await self._chat.call(Call(body, crowd=True, hang_up=abort))


def _text(exchange: Exchange) -> str:
    """The text of a reply, or "" if it is malformed, which the api dimension judges."""
    try:
        return read(exchange).text
    except EndpointError:
        return ""
