"""Liveness: whether the endpoint answers short requests while it processes a long one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypeVar

from readiness.chat import Chat
from readiness.exchange import Call, Exchange
from readiness.protocol.dialect import SMALLEST_LIMIT

T = TypeVar("T")
INTERVAL = 2.0  # seconds between short requests
REQUESTS_AROUND = 3  # short chats before the long request, and as many after
LIST_MODELS = Call(None, "/models", "GET")
SHORT = [{"role": "user", "content": "Reply with the word OK."}]


@dataclass(frozen=True)
class LivenessResult:
    """Short requests before, during and after a long one."""

    requests_before: Sequence[Exchange]
    requests_during: Sequence[Exchange] = field(default=())
    requests_after: Sequence[Exchange] = field(default=())

    @property
    def failure(self) -> str:
        """How short requests during or after the long one failed, or an empty string."""
        failed = [
            each for each in (*self.requests_during, *self.requests_after) if each.status != 200
        ]
        if not failed:
            return ""
        total = len(self.requests_during) + len(self.requests_after)
        how = failed[0].fault or f"HTTP {failed[0].status}"
        return f"{len(failed)} of {total} short requests failed, the first: {how}"

    @property
    def slowest_seconds(self) -> float:
        """The longest duration of a short request during the long one."""
        return max((each.seconds for each in self.requests_during), default=0.0)

    @property
    def late_during(self) -> float:
        """By how much this machine may have delayed the slowest of these, in seconds."""
        slowest = max(self.requests_during, key=lambda each: each.seconds, default=None)
        return slowest.seconds_late if slowest else 0.0

    @property
    def seconds_before(self) -> float:
        """The median duration of a short chat before."""
        return median(each.seconds for each in self.requests_before)

    @property
    def seconds_after(self) -> float:
        """The median duration of a short chat after."""
        return median(each.seconds for each in self.requests_after)

    @property
    def late_after(self) -> float:
        """By how much this machine may have delayed most of the short chats after, in seconds."""
        return median(each.seconds_late for each in self.requests_after)

    @property
    def shown(self) -> str:
        """The failure or the slowest duration, as a message."""
        return self.failure or f"short requests took up to {self.slowest_seconds:.1f} s"


async def with_liveness_requests(chat: Chat, work: Awaitable[T]) -> tuple[T, LivenessResult]:
    """Do the work, and send short requests before, during and after it."""
    before = await short_chats(chat)
    task = asyncio.ensure_future(work)
    during: list[Exchange] = []
    try:
        while not task.done():
            during += [await chat.call(LIST_MODELS), await _send_short(chat)]
            await asyncio.wait([task], timeout=INTERVAL)
        result = await task
    finally:
        task.cancel()
    return result, LivenessResult(before, during, await short_chats(chat))


async def short_chats(chat: Chat) -> list[Exchange]:
    """Send a few short chats, one after another."""
    return [await _send_short(chat) for _ in range(REQUESTS_AROUND)]


async def _send_short(chat: Chat) -> Exchange:
    """Send a chat with the smallest limit, without reasoning tokens on top."""
    return await chat.send(SHORT, budget=SMALLEST_LIMIT - chat.dialect.reasoning_tokens)
