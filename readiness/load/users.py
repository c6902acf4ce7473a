"""The users of a step: concurrent clients (closed loop), or Poisson arrivals (open loop)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterable, Sequence
from math import inf
from random import Random
from statistics import mean
from time import time
from typing import Any

from readiness.chat import Chat
from readiness.exchange import Call, Exchange
from readiness.load.latency import (
    NO_TIMES,
    incomplete_reply_reason,
    inter_token_latencies,
    measure_latency,
)
from readiness.load.saturation import measure_client_saturation
from readiness.load.step import MAX_BATCHES, RequestMeasurement, Shape, StepResult
from readiness.load.traffic import (
    FORMS,
    WORDS,
    UserScript,
    calls,
    known_answer_script,
    user_script,
)
from readiness.probe import Message
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome
from readiness.statistics.trend import divided, relative_error

#: One in eight of all requests has a known answer.
KNOWN_EVERY, FIRST_KNOWN = 8, 2
MAX_ASKED_ALONE = 5
#: Of how many requests the reply is compared with one without load.
KEPT = 6
#: What a mark looks like: `traffic.nonce`.
MARK = re.compile(r"[0-9a-f]{12}")
EXCERPT_LENGTH = 400  # characters of a reply
MIN_BUDGET = 24  # tokens
#: How long to wait at most until each client was answered once, until enough is measured, and until
#: what is measured has ended, in seconds.
WARM_UP_LIMIT, MEASURING_LIMIT, ENDING_LIMIT = 60.0, 45.0, 30.0
#: The share of an open loop's time that passes before it is measured.
OPEN_LOOP_WARM_UP = 0.2


async def run_step(chat: Chat, shape: Shape) -> StepResult:
    """Run a step, in this process or on the load workers."""
    step = await (chat.context.run_distributed_step or run_step_locally)(chat, shape)
    await _check_answers(chat, step)
    return step


async def run_step_locally(chat: Chat, shape: Shape, start: float | None = None) -> StepResult:
    """Run a step or a part of one in this process, from now or from a time of the event loop."""
    async with measure_client_saturation() as saturation:
        now = asyncio.get_running_loop().time
        users = StepUsers(chat, shape, now() if start is None else start)
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


async def usable_forms(chat: Chat) -> tuple[str, ...]:
    """The forms of requests with known answers that the endpoint answers right without load."""
    random = Random(f"load/forms/{chat.dialect.model}")
    right = [form for form in FORMS if await _is_right(chat, known_answer_script(random, form))]
    return tuple(right) or WORDS


async def run_concurrently(
    works: Iterable[Coroutine[Any, Any, None] | asyncio.Future[None]],
) -> None:
    """Run coroutines concurrently; where one raises, the others are cancelled."""
    tasks = [asyncio.ensure_future(each) for each in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for each in tasks:
            each.cancel()


async def _check_answers(chat: Chat, step: StepResult) -> None:
    """Look for cross-talk in replies, and send some requests again, without load."""
    codes = {each.expected_word for each in step.known_answer_requests}
    marks = {each.mark for each in step.samples}
    for sample in step.samples:
        text = sample.reply_excerpt.casefold()
        step.cross_talk += [each for each in codes - {sample.code} if each in text]
        step.cross_talk += (marks - {sample.mark}).intersection(MARK.findall(text))
    wrong = {each.code for each in step.wrong}
    asked = [each for each in step.known_answer_requests if each.expected_word in wrong]
    for script in asked[:MAX_ASKED_ALONE]:
        step.right_alone += await _is_right(chat, script) is True
    if step.shape.clients > 1 and step.samples:
        await _sample_again(chat, step)


async def _sample_again(chat: Chat, step: StepResult) -> None:
    """Sample what is known, and the length of replies, right after a step."""
    random = Random(f"load/after/{step.shape}")
    for form in step.shape.known:
        if await _is_right(chat, known_answer_script(random, form)) is False:
            step.wrong_after.append(form)
    for script, length in step.kept_requests[:KEPT]:
        alone, error = _read(await _send(chat, step.shape, _asked(script), script))
        if alone is not None and not error:
            step.lengths.append((length, len(alone.text)))
            step.marked_alone += [script.mark in alone.text.casefold()] if script.mark else []


async def _is_right(chat: Chat, script: UserScript) -> bool | None:
    """Whether a known answer comes when it is requested alone; None where a limiter refuses."""
    body = chat.dialect.request(_asked(script), script.budget, script.parameters)
    # An endpoint may refuse tools.
    call = Call(body, crowd=True, valid="tools" not in body)
    exchange = await chat.call(call)
    if exchange.limiter:
        return None
    reply, _ = _read(exchange)
    return reply is not None and script.is_answered_by(reply)


def _asked(script: UserScript) -> list[Message]:
    return [{"role": "user", "content": script.turns[0]}]


async def _send(
    chat: Chat, shape: Shape, messages: Sequence[Message], script: UserScript
) -> Exchange:
    budget = script.budget
    if shape.small and not script.form:
        budget = max(budget // 8, MIN_BUDGET)
    return await chat.call(
        Call(chat.dialect.request(messages, budget, script.parameters), crowd=True)
    )


class StepUsers:
    """The users of one step, or of a part of one.

    Measured is what begins while all clients are busy. The clients go on until all of that has
    ended, so that no measured request finds less load than the others.
    """

    def __init__(self, chat: Chat, shape: Shape, start: float) -> None:
        self.step = StepResult(shape)
        self.start = start
        self._chat = chat
        self._random = Random(f"load/{shape}")
        self._now = asyncio.get_running_loop().time
        self._started = 0
        self._answered = 0  # clients, once each
        self._measured = 0  # requests that have begun in the window
        self._measuring = 0  # those of them that have not ended
        self._opened: float | None = None
        self._closed: float | None = None
        self._turn = asyncio.Lock()
        self._reading: list[asyncio.Task[Reply | None]] = []

    async def run_closed_loop(self) -> None:
        """Run the clients of a closed loop: each starts again as soon as it is answered."""
        await run_concurrently(self._client() for _ in range(self.step.shape.clients))
        await self._finish()

    async def run_open_loop(self) -> None:
        """Run an open loop: requests arrive whether or not others have been answered."""
        await run_concurrently([self._arrivals()])
        await self._finish()

    async def _finish(self) -> None:
        await asyncio.gather(*self._reading)
        opened = self._opened or 0.0
        self.step.full_load_start = opened
        self.step.full_load_end = max(
            opened, self._elapsed if self._closed is None else self._closed
        )

    @property
    def _elapsed(self) -> float:
        return self._now() - self.start

    async def _client(self) -> None:
        await self._converse(self._elapsed)
        self._answered += 1
        while self._goes_on():
            await self._converse(self._elapsed)

    async def _arrivals(self) -> None:
        """Send requests at random times until those that are measured have ended."""
        shape, due = self.step.shape, 0.0
        sent = list[asyncio.Future[None]]()
        try:
            while self._goes_on():
                due += self._random.expovariate(shape.rate)
                await asyncio.sleep(self.start + due - self._now())
                sent.append(asyncio.ensure_future(self._converse(due)))
        finally:
            await run_concurrently(sent)

    def _goes_on(self) -> bool:
        """Whether requests are still sent; opens and closes the time that is measured."""
        now = self._elapsed
        if self._opened is None:
            if self._is_warm(now):
                self._opened = now
        elif self._closed is None and self._is_enough(now - self._opened):
            self._closed = now
        return self._closed is None or (self._measuring > 0 and now - self._closed < ENDING_LIMIT)

    def _is_warm(self, now: float) -> bool:
        """Whether each client was answered once, or an open loop has run for a while."""
        shape = self.step.shape
        if not shape.clients:
            return now >= OPEN_LOOP_WARM_UP * shape.seconds
        return self._answered == shape.clients or now > WARM_UP_LIMIT

    def _is_enough(self, seconds: float) -> bool:
        """Whether enough was measured: for long enough, and of each client."""
        shape = self.step.shape
        if self._measured >= shape.requests or seconds >= max(MEASURING_LIMIT, shape.seconds):
            return True
        if seconds < shape.seconds or self._measured < shape.each * shape.clients:
            return False
        return shape.max_error == inf or self._error_of_mean() <= shape.max_error

    def _error_of_mean(self) -> float:
        """The relative standard error of the mean reply time in the window so far."""
        opened = self._opened or 0.0
        ended = [each for each in self.step.samples if each.due >= opened and not each.code]
        batches = divided(sorted(ended, key=lambda each: each.due), MAX_BATCHES)
        return relative_error([mean(each.took for each in batch) for batch in batches])

    async def _converse(self, due: float) -> None:
        """Send the turns of a user, each with the history before it."""
        script, messages = self.next_script(), list[Message]()
        for number, turn in enumerate(script.turns):
            messages.append({"role": "user", "content": turn})
            measured = self._opened is not None and self._closed is None
            self._measured += measured
            self._measuring += measured
            try:
                exchange = await _send(self._chat, self.step.shape, messages, script)
            finally:
                self._measuring -= measured
            # What this process does after the response has come is none of the endpoint's time,
            # but its client is busy until then.
            now, late = self._elapsed, max(time() - exchange.sent - exchange.seconds, 0.0)
            times = (due, max(now - late, due), now)
            at = script, number
            reading = asyncio.ensure_future(self._record(exchange, at, times, measured))
            self._reading.append(reading)
            if number == len(script.turns) - 1:
                return  # The next user does not wait until this reply is parsed.
            if (reply := await reading) is None:
                return
            messages.append(reply.message)
            due = self._elapsed

    def next_script(self) -> UserScript:
        """What the next user sends."""
        shape = self.step.shape
        self._started += 1
        (part, of), known = shape.part, self.step.known_answer_requests
        if (part + of * (self._started - 1) + 1) % KNOWN_EVERY != FIRST_KNOWN:
            return user_script(shape.scenario, self._random, small=shape.small, warm=shape.warm)
        form = shape.known[(part + of * len(known)) % len(shape.known)]
        known.append(known_answer_script(self._random, form))
        return known[-1]

    async def _record(
        self,
        exchange: Exchange,
        place: tuple[UserScript, int],
        times: tuple[float, float, float],
        measured: bool,
    ) -> Reply | None:
        """Parse a reply, one at a time, so that timestamps of arriving bytes are not delayed."""
        (due, end, free), (script, turn) = times, place
        async with self._turn:
            await asyncio.sleep(0)
            reply, error = _read(exchange)
            at = measure_latency(exchange, reply) if reply else None
            gaps = inter_token_latencies(exchange, reply.timing) if reply and at else NO_TIMES
            sample = RequestMeasurement(
                due,
                max(end - exchange.seconds, due),
                end,
                script.expected_word,
                "".join([reply.text, *calls(reply)])[:EXCERPT_LENGTH] if reply else "",
                error,
                exchange.limiter,
                at,
                script.is_answered_by(reply) if reply and script.form else None,
                len(reply.text) if reply else 0,
                float(gaps.max(initial=0.0)),
                turn,
                exchange.seq,
                script.mark,
                free,
                exchange.seconds_late,
            )
            self.step.samples.append(sample)
            if measured and at:
                self.step.gaps.add(gaps)
            self._keep(script, sample, measured)
        return reply

    def _keep(self, script: UserScript, sample: RequestMeasurement, measured: bool) -> None:
        """Keep some requests that can be sent again without load."""
        kept, of_one_turn = self.step.kept_requests, len(script.turns) == 1
        if measured and of_one_turn and len(kept) < KEPT and not (sample.error or script.form):
            kept.append((script, sample.length))


def _read(exchange: Exchange) -> tuple[Reply | None, str]:
    """The reply, or why it is not a complete one."""
    try:
        reply = read(exchange)
    except EndpointError as error:
        is_other_outcome = error.score.outcome is not Outcome.ENDPOINT_ERROR
        return None, f"{error.score.outcome}: {error}" if is_other_outcome else str(error)
    if not (reply.text or reply.reasoning or reply.tool_calls):
        return None, "an empty reply"
    why = incomplete_reply_reason(exchange, reply)
    return (None, why) if why else (reply, "")
