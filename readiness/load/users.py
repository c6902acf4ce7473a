"""The users of a step: concurrent clients (closed loop), or Poisson arrivals (open loop)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from random import Random
from typing import Any

from readiness.chat import Chat
from readiness.exchange import Call, Exchange
from readiness.load.latency import (
    incomplete_reply_reason,
    inter_token_latencies,
    is_rate_limited,
    measure_latency,
)
from readiness.load.saturation import measure_client_saturation
from readiness.load.step import RequestMeasurement, Shape, StepResult
from readiness.load.traffic import UserScript, known_answer_script, user_script
from readiness.probe import Message
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome

#: The share of a step's requests that warm up; one in ten of all requests has a known answer.
WARM_UP, KNOWN_EVERY, FIRST_KNOWN = 0.1, 10, 2
MAX_ASKED_ALONE = 5
EXCERPT_LENGTH = 400  # characters of a reply
MIN_BUDGET = 24  # tokens


async def run_step(chat: Chat, shape: Shape) -> StepResult:
    """Run a step, in this process or on the load workers."""
    step = await (chat.context.run_distributed_step or run_step_locally)(chat, shape)
    await _check_answers(chat, step)
    return step


async def run_step_locally(chat: Chat, shape: Shape, start: float | None = None) -> StepResult:
    """Run a step or a part of one in this process, from now or from a time of the event loop."""
    async with measure_client_saturation() as saturation:
        now = asyncio.get_running_loop().time
        users = _StepUsers(chat, shape, now() if start is None else start)
        await asyncio.sleep(max(users.start - now(), 0.0))
        await (users.run_open_loop() if shape.rate else users.run_closed_loop())
    users.step.client_saturation = saturation
    return users.step


def poisson_arrivals(shape: Shape, random: Random) -> list[float]:
    """The arrival times of a Poisson process, in seconds since the start."""
    due, times = 0.0, list[float]()
    while len(times) < shape.requests and due < shape.seconds:
        due += random.expovariate(shape.rate)
        times.append(due)
    return times


async def run_concurrently(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run coroutines concurrently; where one raises, the others are cancelled."""
    tasks = [asyncio.ensure_future(each) for each in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for each in tasks:
            each.cancel()


async def _check_answers(chat: Chat, step: StepResult) -> None:
    """Look for cross-talk in replies, and repeat wrongly answered requests without load."""
    codes = {each.expected_word for each in step.known_answer_requests}
    for sample in step.samples:
        text = sample.reply_excerpt.casefold()
        step.cross_talk += [each for each in codes - {sample.code} if each in text]
    wrong = {each.code for each in step.wrong}
    for each in [each for each in step.known_answer_requests if each.expected_word in wrong][
        :MAX_ASKED_ALONE
    ]:
        messages: list[Message] = [{"role": "user", "content": each.turns[0]}]
        reply = read(await _send(chat, step.shape, messages, each))
        step.right_alone += each.expected_word in reply.text.casefold()


async def _send(
    chat: Chat, shape: Shape, messages: Sequence[Message], script: UserScript
) -> Exchange:
    budget = max(script.budget // 8, MIN_BUDGET) if shape.small else script.budget
    return await chat.call(
        Call(chat.dialect.request(messages, budget, {"stream": True}), crowd=True)
    )


class _StepUsers:
    """The users of one step, or of a part of one."""

    def __init__(self, chat: Chat, shape: Shape, start: float) -> None:
        self.step = StepResult(shape)
        self.start = start
        self._chat = chat
        self._random = Random(f"load/{shape}")
        self._now = asyncio.get_running_loop().time
        self._started = 0
        # Each client's first request finds no queue: on a server that answers sequentially, later
        # ones wait longer although nothing has slowed down.
        self._warm_up = max(int(WARM_UP * shape.requests), shape.clients)
        self._turn = asyncio.Lock()
        self._reading: list[asyncio.Task[Reply | None]] = []

    async def run_closed_loop(self) -> None:
        """Run the clients of a closed loop: each starts again as soon as it is answered."""
        await run_concurrently(self._client() for _ in range(self.step.shape.clients))
        await asyncio.gather(*self._reading)

    async def run_open_loop(self) -> None:
        """Run an open loop: requests arrive whether or not others have been answered."""
        await run_concurrently(map(self._arrive, poisson_arrivals(self.step.shape, self._random)))
        await asyncio.gather(*self._reading)

    @property
    def _elapsed(self) -> float:
        return self._now() - self.start

    async def _client(self) -> None:
        shape = self.step.shape
        await self._converse(self._elapsed)
        while self._started < shape.requests and self._elapsed < shape.seconds:
            await self._converse(self._elapsed)

    async def _arrive(self, due: float) -> None:
        await asyncio.sleep(self.start + due - self._now())
        await self._converse(due)

    async def _converse(self, due: float) -> None:
        """Send the turns of a user, each with the history before it."""
        script, messages = self._next(), list[Message]()
        warm = self._started <= self._warm_up
        for turn in script.turns:
            messages.append({"role": "user", "content": turn})
            exchange = await _send(self._chat, self.step.shape, messages, script)
            reading = asyncio.ensure_future(
                self._record(exchange, script, warm, (due, self._elapsed))
            )
            self._reading.append(reading)
            if turn is script.turns[-1]:
                return  # The next user does not wait until this reply is parsed.
            if (reply := await reading) is None:
                return
            messages.append(reply.message)
            due = self._elapsed

    def _next(self) -> UserScript:
        shape = self.step.shape
        self._started += 1
        if self._started == self._warm_up + 1:
            self.step.full_load_start = self._elapsed
        self.step.full_load_end = self._elapsed
        part, of = shape.part
        if (part + of * (self._started - 1) + 1) % KNOWN_EVERY != FIRST_KNOWN:
            return user_script(shape.scenario, self._random, small=shape.small, warm=shape.warm)
        self.step.known_answer_requests.append(known_answer_script(self._random))
        return self.step.known_answer_requests[-1]

    async def _record(
        self, exchange: Exchange, script: UserScript, warm: bool, times: tuple[float, float]
    ) -> Reply | None:
        """Parse a reply, one at a time, so that timestamps of arriving bytes are not delayed."""
        due, end = times
        sent = max(end - exchange.seconds, due)
        async with self._turn:
            await asyncio.sleep(0)
            reply, error = _read(exchange)
            at = measure_latency(exchange, reply) if reply else None
            text = reply.text[:EXCERPT_LENGTH] if reply else ""
            self.step.samples.append(
                RequestMeasurement(
                    due,
                    sent,
                    end,
                    warm,
                    script.expected_word,
                    text,
                    error,
                    is_rate_limited(exchange),
                    at,
                )
            )
            if at and not warm:
                self.step.gaps.add(inter_token_latencies(exchange, at))
        return reply


def _read(exchange: Exchange) -> tuple[Reply | None, str]:
    """The reply, or why it is not a complete one."""
    try:
        reply = read(exchange)
    except EndpointError as error:
        is_other_outcome = error.score.outcome is not Outcome.ENDPOINT_ERROR
        return None, f"{error.score.outcome}: {error}" if is_other_outcome else str(error)
    if not (reply.text or reply.reasoning or reply.tool_calls):
        return None, "an empty reply"
    why = incomplete_reply_reason(exchange) if reply.finish else "a stream that does not finish"
    return (None, why) if why else (reply, "")
