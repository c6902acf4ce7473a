"""Abort cycles: requests that the client aborts, and the server's state when idle after each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from random import Random
from statistics import median
from typing import Any, NamedTuple

from readiness.chat import Chat
from readiness.checks.stability.long_replies import LongRequest, longest_request
from readiness.checks.stability.memory_growth import MemoryGrowth, memory_growth
from readiness.checks.stability.probes import PROMPTS, notes
from readiness.exchange import Call, ClientAbort, Exchange, Fault
from readiness.load.latency import incomplete_reply_reason, require_not_limited
from readiness.load.meters.meter import QUEUED, RUNNING, read_gauges
from readiness.load.saturation import ClientSaturation, measure_client_saturation
from readiness.load.traffic import nonce
from readiness.load.users import run_concurrently
from readiness.protocol.completion import read
from readiness.protocol.dialect import SMALLEST_LIMIT
from readiness.score import EndpointError, Outcome

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
        seconds: What a short request takes then; None where none was sent.
        running_for: Seconds for which the metrics showed aborted requests running.
        late: By how much this machine may have delayed a short request meanwhile, in seconds.
    """

    waited: float
    gauges: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None
    running_for: float = 0.0
    late: float = 0.0


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
        aborted: How many requests were aborted before their reply had ended.
        client_saturation: How busy this process was.
        attempted: How many requests were to be aborted.
        long: The request that is aborted, and its reply when nobody aborts it.
        stalls: How long each concurrent stream stood still at most, in seconds.
        prefill: Seconds until the first token of a long prompt, alone.
        streams_alone: What a stream takes alone, in seconds, each time.
        streams_beside: What it takes beside requests that are aborted later.
        streams_after: What it takes right after aborts, once in each cycle.
        late_in_stalls: By how much this machine may have delayed each concurrent stream.
        late_after: By how much it may have delayed each short request after the last cycle.
        by_turns: Where memory grew over the cycles, the meters' values when idle: before, and after
            complete and aborted requests by turns.
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
    attempted: int = 0
    long: LongRequest | None = None
    stalls: list[float] = field(default_factory=list)
    prefill: float = 0.0
    streams_alone: list[float] = field(default_factory=list)
    streams_beside: list[float] = field(default_factory=list)
    streams_after: list[float] = field(default_factory=list)
    late_in_stalls: list[float] = field(default_factory=list)
    late_after: list[float] = field(default_factory=list)
    by_turns: list[Mapping[str, float]] = field(default_factory=list)

    @property
    def memory_growth(self) -> list[MemoryGrowth]:
        """The growth of each meter over the cycles."""
        gauges = [each.gauges for each in self.readings]
        return memory_growth(gauges, 3 * ABORTS_A_DAY / self.aborted_in_cycle)

    @property
    def aborted_in_cycle(self) -> float:
        """How many requests were aborted in a cycle, on average; as many as planned where none."""
        return self.aborted / max(len(self.readings), 1) or ABORTS

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
#: How many aborts a day to expect.
ABORTS_A_DAY = 2_000
#: How often requests are aborted by turns with complete ones, how many at once, and their limit: as
#: many tokens as a client waits for, and a share of those of a long reply.
TURNS, TURN_REQUESTS, TURN_TOKENS, TURN_SHARE = 8, 32, 64, 0.25
CONTROLS, SMALL_CONTROLS = 5, 2
#: The range of frames after which a client aborts, and the tokens of a stream that is not aborted.
ABORT_FRAMES, SMALL_ABORT_FRAMES = (5, 41), (3, 10)
CONCURRENT_TOKENS, SMALL_CONCURRENT_TOKENS = 200, 24
SMALL_ABORTED_TOKENS = 64
#: At which share of its usual time a request is aborted, before its first token or while it is not
#: streamed, and after how many seconds at the least.
PREFILL_SHARE, WHOLE_SHARE, MIN_SECONDS = 0.5, 0.15, 0.005
#: How long to look at the metrics before others are timed, in seconds and as a share of a reply.
AT_ONCE, AT_ONCE_SHARE = 0.5, 0.1
#: The streams by which running requests are noticed: their tokens, and how often each is timed.
TIMED_TOKENS, TIMES = 64, 4
#: Running requests are noticed where a stream beside them takes this multiple; they are more where
#: it does not.
NOTICED, MORE_ABORTS = 1.15, 32
#: How often to poll for an idle endpoint, and the pause before a reading, in seconds.
POLL_INTERVAL, RUNNING_INTERVAL, SETTLE_SECONDS = 0.5, 0.1, 0.05
#: After how many cycles that did not end idle to stop, and how long to wait after the last cycle:
#: some servers finish replies whose client has gone.
MAX_BUSY_CYCLES, FINAL_REST_TIMEOUT = 2, 60.0


async def run_abort_cycles(chat: Chat) -> AbortCyclesResult:
    """Run the abort cycles once, and share their result among all checks that score it."""
    return await chat.measure_once("storm", _run_abort_cycles, AbortCyclesResult)


async def _run_abort_cycles(chat: Chat) -> AbortCyclesResult:
    async with measure_client_saturation() as saturation:
        cycles = AbortCycles(chat)
        await cycles.begin()
        if not chat.context.defects_only and not cycles.result.control_errors:
            await cycles.measure_beside()
        for _ in range(SMALL_CYCLES if chat.context.defects_only else CYCLES):
            await cycles.cycle()
            if cycles.result.control_errors or cycles.busy_cycles >= MAX_BUSY_CYCLES:
                break  # It is down or stays busy: more aborts would show nothing new.
        await cycles.end()
        if any(each.outcome is Outcome.FAIL for each in cycles.result.memory_growth):
            with suppress(EndpointError):  # What was measured before counts without it.
                await cycles.take_turns()
    cycles.result.client_saturation = saturation
    return cycles.result


class LimitedRequest(NamedTuple):
    """What a request says, its limit in tokens, and its other parameters."""

    text: str
    budget: int
    parameters: dict[str, Any]


class AbortCycles:
    """Sends and aborts requests, and reads the server's state between cycles."""

    def __init__(self, chat: Chat) -> None:
        self.result = AbortCyclesResult()
        self._chat = chat
        self._random = Random("storm")
        self._small = chat.context.defects_only
        self._controls = SMALL_CONTROLS if self._small else CONTROLS
        self._now = asyncio.get_running_loop().time
        self._aborts = SMALL_ABORTS if self._small else ABORTS
        self._long = LongRequest(budget=SMALL_ABORTED_TOKENS)
        self._late = list[float]()  # By how much each short request so far may have been delayed.

    async def begin(self) -> None:
        """Measure short requests and read the meters before the first abort."""
        self.result.seconds_before += await self.controls()
        self.result.gauges_before = await self._gauges()
        if self._small:
            return
        self._long = self.result.long = await self._chat.measure_once(
            "long request", longest_request, LongRequest
        )
        page = await self._send(PROMPTS["page"], SMALLEST_LIMIT, {"stream": True})
        self.result.prefill = _first_token(require_not_limited(page))
        self.result.streams_alone += [await self._timed_stream() for _ in range(TIMES)]

    async def measure_beside(self) -> None:
        """Time streams beside requests that are then aborted: as many as are noticed."""
        await self._beside()
        if min(self.result.streams_beside) < NOTICED * median(self.result.streams_alone):
            self._aborts, self.result.streams_beside = MORE_ABORTS, []
            await self._beside()

    async def _beside(self) -> None:
        """Time streams beside long requests that have begun."""
        alone = median(self.result.streams_alone)
        for _ in range(TIMES):
            seconds = max(self._long.first + 3 * alone, MIN_SECONDS)
            abort = ClientAbort(0, seconds)
            others = [asyncio.ensure_future(self._abort_beside(abort)) for _ in range(self._aborts)]
            await asyncio.sleep(min(self._long.first, seconds / 2))
            self.result.streams_beside.append(await self._timed_stream())
            await run_concurrently(others)
            await self._wait_until(self._is_idle, REST_TIMEOUT)

    async def cycle(self) -> None:
        """Abort requests concurrently with one stream that completes, then read the idle state."""
        aborts = range(self._aborts)
        await run_concurrently(
            [self._stream_to_the_end(), *(self.abort_request(each) for each in aborts)]
        )
        await self.read_when_idle(await self._look_for_running())

    async def _look_for_running(self) -> float:
        """Look for what aborted requests still cost; seconds that the metrics show them for."""
        begun, running_for = self._now(), 0.0
        told = RUNNING in self.result.gauges_before
        if told:
            at_once = max(AT_ONCE, AT_ONCE_SHARE * self._long.seconds)
            running_for = await self._wait_until(self._runs_nothing, at_once, RUNNING_INTERVAL)
        if not self._small:
            self.result.streams_after.append(await self._timed_stream())
        if told and not await self._runs_nothing():
            await self._wait_until(self._runs_nothing, REST_TIMEOUT, RUNNING_INTERVAL)
            running_for = self._now() - begun
        return running_for

    async def read_when_idle(self, running_for: float = 0.0) -> None:
        """Wait until the endpoint is idle, and read its meters and a short request's time."""
        before = len(self._late)
        waited = await self._wait_until(self._is_idle, REST_TIMEOUT)
        await asyncio.sleep(SETTLE_SECONDS)
        gauges = await self._gauges()
        seconds = None if self._small else median(await self.controls())
        late = max(self._late[before:], default=0.0)
        self.result.readings.append(IdleReading(waited, gauges, seconds, running_for, late))

    async def end(self) -> None:
        """Measure short requests after the last cycle."""
        await self._wait_until(partial(self._is_fast, MAX_SLOWDOWN_AFTER), FINAL_REST_TIMEOUT)
        before = len(self._late)
        self.result.seconds_after += await self.controls()
        self.result.late_after += self._late[before:]

    async def take_turns(self) -> None:
        """Read the meters when idle after complete and aborted requests by turns.

        Where a reply does not complete, nothing is shown.
        """
        budget = max(int(TURN_SHARE * self._long.budget), TURN_TOKENS)
        self._long = self._long.shortened(budget)
        found, incomplete = [await self._gauges_when_idle()], list[str]()
        for turn in range(2 * TURNS + 1):
            send = self._leave if turn % 2 else partial(self._complete, incomplete)
            await run_concurrently([send(each) for each in range(TURN_REQUESTS)])
            if incomplete:
                return
            found.append(await self._gauges_when_idle())
        self.result.by_turns = found

    async def _leave(self, number: int) -> None:
        await self._send(*self._request(number), self._client_abort(number))

    async def _complete(self, incomplete: list[str], number: int) -> None:
        exchange = await self._send(*self._request(number))
        incomplete += filter(None, [incomplete_reply_reason(exchange)])

    async def _gauges_when_idle(self) -> Mapping[str, float]:
        """The meters' values once nothing runs; no request is sent, which might leave something."""
        await self._wait_until(self._runs_nothing, REST_TIMEOUT)
        await asyncio.sleep(SETTLE_SECONDS)
        return await self._gauges()

    async def controls(self) -> list[float]:
        """Send short requests one after another, and return what each took, in seconds."""
        return [(await self._control()).seconds for _ in range(self._controls)]

    @property
    def busy_cycles(self) -> int:
        """How many cycles did not end idle within REST_TIMEOUT."""
        return sum(each.waited >= REST_TIMEOUT for each in self.result.readings)

    async def abort_request(self, number: int) -> None:
        """Abort a request: in mid-stream, during prefill, or without a stream, by its number."""
        self._count(await self._send(*self._request(number), self._client_abort(number)))

    def _request(self, number: int) -> LimitedRequest:
        """The request of this number: for a long reply, streamed or not, or with a long prompt."""
        kind = 0 if self._small else number % ABORTS
        if ABORTS - 3 <= kind < ABORTS - 1:
            return LimitedRequest(PROMPTS["page"], 64, {"stream": True})
        return self._long_request(stream=kind < ABORTS - 1)

    def _client_abort(self, number: int) -> ClientAbort:
        """When the request of this number is aborted."""
        frames = self._random.randrange(*(SMALL_ABORT_FRAMES if self._small else ABORT_FRAMES))
        kind = 0 if self._small else number % ABORTS
        if kind < ABORTS - 3:
            return ClientAbort(frames, 60.0, reset=number % 2 == 0)
        early = kind < ABORTS - 1
        share = PREFILL_SHARE * self.result.prefill if early else WHOLE_SHARE * self._long.seconds
        return ClientAbort(0, max(share, MIN_SECONDS))

    def _long_request(self, *, stream: bool) -> LimitedRequest:
        parameters = {**self._long.parameters, **({"stream": True} if stream else {})}
        return LimitedRequest(PROMPTS[self._long.prompt], self._long.budget, parameters)

    async def _abort_beside(self, abort: ClientAbort) -> None:
        self._count(await self._send(*self._long_request(stream=True), abort))

    def _count(self, exchange: Exchange) -> None:
        """Count an abort, which it is only if the reply had not ended before."""
        self.result.attempted += 1
        self.result.aborted += exchange.fault is Fault.CLIENT_ABORTED

    async def _timed_stream(self) -> float:
        """What a stream of some tokens takes, in seconds."""
        exchange = await self._send(PROMPTS["neighbour"], TIMED_TOKENS, {"stream": True})
        if why := incomplete_reply_reason(require_not_limited(exchange)):
            self.result.control_errors.append(why)
        return exchange.seconds

    async def _stream_to_the_end(self) -> None:
        budget = SMALL_CONCURRENT_TOKENS if self._small else CONCURRENT_TOKENS
        exchange = await self._send(PROMPTS["neighbour"], budget, {"stream": True})
        why = incomplete_reply_reason(require_not_limited(exchange))
        self.result.concurrent_stream_errors.append(why)
        self.result.stalls.append(_longest_wait(exchange))
        self.result.late_in_stalls.append(exchange.seconds_late)

    async def _control(self) -> Exchange:
        exchange = await self._send(PROMPTS["control"], SMALLEST_LIMIT, {})
        self._late.append(exchange.seconds_late)
        if why := incomplete_reply_reason(require_not_limited(exchange)):
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

    async def _runs_nothing(self) -> bool:
        """Whether the metrics show no request of ours in flight."""
        return requests_in_flight(await self._gauges()) <= self.result.requests_before

    async def _wait_until(
        self,
        condition: Callable[[], Awaitable[bool]],
        limit: float,
        interval: float = POLL_INTERVAL,
    ) -> float:
        """Poll until the condition holds; return the seconds waited, `limit` if it never did."""
        begun = self._now()
        while self._now() - begun < limit:
            if await condition():
                return self._now() - begun
            await asyncio.sleep(interval)
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


def _longest_wait(exchange: Exchange) -> float:
    """The longest time in which nothing of a response arrived, in seconds."""
    times = [0.0, *(each.seconds for each in exchange.arrivals), exchange.seconds]
    return max(later - earlier for earlier, later in pairwise(times))


def _first_token(exchange: Exchange) -> float:
    """The time to first token of a stream, in seconds; its whole time where there is none."""
    try:
        first = read(exchange).timing.first_token
    except EndpointError:
        first = None
    return exchange.seconds if first is None else first


def _text(exchange: Exchange) -> str:
    """The text of a reply, or "" if it is malformed, which the api dimension judges."""
    try:
        return read(exchange).text
    except EndpointError:
        return ""
