"""Liveness: whether an endpoint still answers others while it works on something long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypeVar

from readiness.chat import Chat
from readiness.exchange import Call, Exchange

T = TypeVar("T")
EVERY = 2.0  # seconds
AROUND = 3  # chats before, and as many after
LISTED = Call(None, "/models", "GET")
SHORT = [{"role": "user", "content": "Reply with the word OK."}]


@dataclass(frozen=True)
class LivenessResult:
    """How short requests fared before, beside and after a long one."""

    requests_before: Sequence[Exchange]
    requests_during: Sequence[Exchange] = field(default=())
    requests_after: Sequence[Exchange] = field(default=())

    @property
    def failure(self) -> str:
        """Which of the short requests beside the long one, or after it, failed, and how; ""."""
        failed = [
            each for each in (*self.requests_during, *self.requests_after) if each.status != 200
        ]
        if not failed:
            return ""
        total = len(self.requests_during) + len(self.requests_after)
        how = failed[0].fault or f"HTTP {failed[0].status}"
        return f"{len(failed)} of {total} short requests failed, the first: {how}"

    @property
    def slowest(self) -> float:
        """The longest that a short request took beside the long one, in seconds."""
        return max((each.seconds for each in self.requests_during), default=0.0)

    @property
    def before(self) -> float:
        """What a short chat took before, in seconds."""
        return median(each.seconds for each in self.requests_before)

    @property
    def after(self) -> float:
        """What a short chat took after, in seconds."""
        return median(each.seconds for each in self.requests_after)

    @property
    def shown(self) -> str:
        """How it was, in words."""
        return self.failure or f"short requests took up to {self.slowest:.1f} s"


async def with_liveness_requests(chat: Chat, work: Awaitable[T]) -> tuple[T, LivenessResult]:
    """Do the work, and send short requests before, meanwhile and after."""
    earlier = [await _greet(chat) for _ in range(AROUND)]
    task = asyncio.ensure_future(work)
    meanwhile: list[Exchange] = []
    try:
        while not task.done():
            meanwhile += [await chat.call(LISTED), await _greet(chat)]
            await asyncio.wait([task], timeout=EVERY)
        done = await task
    finally:
        task.cancel()
    later = [await _greet(chat) for _ in range(AROUND)]
    return done, LivenessResult(earlier, meanwhile, later)


async def _greet(chat: Chat) -> Exchange:
    """A chat of five tokens, with no room to reason."""
    return await chat.send(SHORT, budget=5 - chat.dialect.reasoning_tokens)
