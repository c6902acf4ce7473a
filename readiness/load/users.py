"""A crowd: the users of a step, at once or as they come."""

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

#: The share of a step's requests that warm up; of all of them, one in ten has a known answer.
WARM_UP, KNOWN_EVERY, FIRST_KNOWN = 0.1, 10, 2
ASKED_AGAIN = 5
SAID = 400  # characters of a reply
LEAST = 24  # tokens


async def run_step(chat: Chat, shape: Shape) -> StepResult:
    """Make a step, here or by load workers."""
    step = await (chat.context.run_distributed_step or run_step_locally)(chat, shape)
    await _settle(chat, step)
    return step


async def run_step_locally(chat: Chat, shape: Shape, start: float | None = None) -> StepResult:
    """Make a step, or a part of one, from now on or from a time of the event loop's."""
    async with measure_client_saturation() as strain:
        now = asyncio.get_running_loop().time
        crowd = _StepUsers(chat, shape, now() if start is None else start)
        await asyncio.sleep(max(crowd.start - now(), 0.0))
        await (crowd.come() if shape.rate else crowd.queue())
    crowd.step.client_saturation = strain
    return crowd.step


def poisson_arrivals(shape: Shape, random: Random) -> list[float]:
    """When requests are due that come by themselves (a Poisson process), in seconds."""
    due, dues = 0.0, list[float]()
    while len(dues) < shape.requests and due < shape.seconds:
        due += random.expovariate(shape.rate)
        dues.append(due)
    return dues


async def run_concurrently(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of it at once; where one piece cannot go on, none of the others does."""
    tasks = [asyncio.ensure_future(each) for each in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for each in tasks:
            each.cancel()


async def _settle(chat: Chat, step: StepResult) -> None:
    """Look for words of others, and ask alone what was answered wrongly among many."""
    codes = {each.expected_word for each in step.known_answer_requests}
    for sample in step.samples:
        said = sample.reply_excerpt.casefold()
        step.cross_talk += [each for each in codes - {sample.code} if each in said]
    wrong = {each.code for each in step.wrong}
    for each in [each for each in step.known_answer_requests if each.expected_word in wrong][
        :ASKED_AGAIN
    ]:
        messages: list[Message] = [{"role": "user", "content": each.turns[0]}]
        reply = read(await _send(chat, step.shape, messages, each))
        step.right_alone += each.expected_word in reply.text.casefold()


async def _send(
    chat: Chat, shape: Shape, messages: Sequence[Message], said: UserScript
) -> Exchange:
    budget = max(said.budget // 8, LEAST) if shape.small else said.budget
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
        self._begun = 0
        # The first of each client find no queue: on a server that answers one at a time, all that
        # come later wait longer, and nothing has slowed down.
        self._warm_up = max(int(WARM_UP * shape.requests), shape.clients)
        self._turn = asyncio.Lock()
        self._reading: list[asyncio.Task[Reply | None]] = []

    async def queue(self) -> None:
        """Each client begins anew as soon as it has been answered."""
        await run_concurrently(self._client() for _ in range(self.step.shape.clients))
        await asyncio.gather(*self._reading)

    async def come(self) -> None:
        """Requests arrive as calls do at an exchange, whether or not others have been answered."""
        await run_concurrently(map(self._arrive, poisson_arrivals(self.step.shape, self._random)))
        await asyncio.gather(*self._reading)

    @property
    def _elapsed(self) -> float:
        return self._now() - self.start

    async def _client(self) -> None:
        shape = self.step.shape
        await self._converse(self._elapsed)
        while self._begun < shape.requests and self._elapsed < shape.seconds:
            await self._converse(self._elapsed)

    async def _arrive(self, due: float) -> None:
        await asyncio.sleep(self.start + due - self._now())
        await self._converse(due)

    async def _converse(self, due: float) -> None:
        """Send the turns of a user, each with what was answered before."""
        said, messages = self._next(), list[Message]()
        warm = self._begun <= self._warm_up
        for turn in said.turns:
            messages.append({"role": "user", "content": turn})
            exchange = await _send(self._chat, self.step.shape, messages, said)
            reading = asyncio.ensure_future(self._take(exchange, said, warm, (due, self._elapsed)))
            self._reading.append(reading)
            if turn is said.turns[-1]:
                return  # The next user does not wait for us to read what this one was told.
            if (reply := await reading) is None:
                return
            messages.append(reply.message)
            due = self._elapsed

    def _next(self) -> UserScript:
        shape = self.step.shape
        self._begun += 1
        if self._begun == self._warm_up + 1:
            self.step.full_load_start = self._elapsed
        self.step.full_load_end = self._elapsed
        part, of = shape.part
        if (part + of * (self._begun - 1) + 1) % KNOWN_EVERY != FIRST_KNOWN:
            return user_script(shape.scenario, self._random, small=shape.small, warm=shape.warm)
        self.step.known_answer_requests.append(known_answer_script(self._random))
        return self.step.known_answer_requests[-1]

    async def _take(
        self, exchange: Exchange, said: UserScript, warm: bool, times: tuple[float, float]
    ) -> Reply | None:
        """Read a reply, while nobody else does: what arrives meanwhile has to be stamped."""
        due, end = times
        sent = max(end - exchange.seconds, due)
        async with self._turn:
            await asyncio.sleep(0)
            reply, error = _read(exchange)
            at = measure_latency(exchange, reply) if reply else None
            text = reply.text[:SAID] if reply else ""
            self.step.samples.append(
                RequestMeasurement(
                    due,
                    sent,
                    end,
                    warm,
                    said.expected_word,
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
    """The reply, or what is wrong with it."""
    try:
        reply = read(exchange)
    except EndpointError as error:
        blamed = error.score.outcome is not Outcome.ENDPOINT_ERROR
        return None, f"{error.score.outcome}: {error}" if blamed else str(error)
    if not (reply.text or reply.reasoning or reply.tool_calls):
        return None, "an empty reply"
    why = incomplete_reply_reason(exchange) if reply.finish else "a stream that does not finish"
    return (None, why) if why else (reply, "")
