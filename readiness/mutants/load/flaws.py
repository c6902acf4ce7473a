"""Flaws that show only under concurrent or sustained load."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping

from readiness.mutants.endpoint.answer import ModelOutput, Request, RequestError, SubstituteResponse
from readiness.mutants.endpoint.engine import Engine, begins, endures, loads
from readiness.mutants.flaw import Flaw

_ANSWERS = "load.no_errors_under_load"
_JSON = {"Content-Type": "application/json"}
_BROKEN = SubstituteResponse(502, RequestError("bad gateway", status=502).body, _JSON)


class _Every37th(Engine):
    async def begin(self, request: Request) -> SubstituteResponse | None:
        await super().begin(request)
        self.seen += loads(request)
        return _BROKEN if loads(request) and not self.seen % 37 else None


class _SometimesEmpty(Engine):
    """Every 200th reply is empty: 0.5 %."""

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        self.seen += loads(request)
        empty = loads(request) and not self.seen % 200
        return dataclasses.replace(answer, content="") if empty else answer


class _Crowded(Engine):
    """With more than twenty concurrent requests, one in ten fails."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        await super().begin(request)
        self.seen += loads(request)
        if loads(request):
            await asyncio.sleep(0.02)
        full = loads(request) and self.running > 20 and not self.seen % 10
        return (
            SubstituteResponse(500, RequestError("out of memory", status=500).body, _JSON)
            if full
            else None
        )


class _Swapping(Engine):
    """Some requests get the reply of a concurrent one."""

    last: ModelOutput | None = None

    async def begin(self, request: Request) -> SubstituteResponse | None:
        if loads(request):
            await asyncio.sleep(0.005)
        return await super().begin(request)

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        if not loads(request):
            return answer
        other, self.last = self.last, answer
        self.seen += 1
        return other if other and self.running > 1 and self.seen % 3 == 0 else answer


class _Muddled(Engine):
    """Under concurrency, words are replaced by noise."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        if loads(request):
            await asyncio.sleep(0.005)
        return await super().begin(request)

    def says(self, request: Request, answer: ModelOutput) -> ModelOutput:
        if not (loads(request) and self.running > 1):
            return answer
        return dataclasses.replace(answer, content=(answer.content or "")[::-1])


class _Slowing(Engine):
    """Each request makes the next a little slower, until the server is idle."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        refusal = await super().begin(request)
        if loads(request):
            self.seen = 1 if self.running == 1 else self.seen + 1
            await asyncio.sleep(0.015 * self.seen)
        return refusal


class _Thrashing(Engine):
    """Total throughput falls with concurrency."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        refusal = await super().begin(request)
        if loads(request):
            await asyncio.sleep(0.002 * self.running**2)
        return refusal


def _unended(request: Request, frames: list[bytes]) -> list[bytes]:
    """One stream in eight, by its nonce, has no end after its text."""
    struck = loads(request) and begins(request).lstrip("[【# ")[0] in "3c"
    return frames[:-1] if struck else frames


class _Sleeping(Engine):
    """It sleeps when idle for a moment, and requests wait until it has woken."""

    awake = 0.0
    quiet = 0.0

    async def begin(self, request: Request) -> SubstituteResponse | None:
        now = asyncio.get_running_loop().time()
        if loads(request) and not self.running and now - self.quiet > 0.05:
            self.awake = now + 1.0
        refusal = await super().begin(request)
        if loads(request):
            await asyncio.sleep(max(self.awake - now, 0.0))
        return refusal

    def end(self, *, aborted: bool) -> None:
        super().end(aborted=aborted)
        self.quiet = asyncio.get_running_loop().time()


class _Late(Engine):
    """Slower than the article's machine, at any concurrency."""

    async def begin(self, request: Request) -> SubstituteResponse | None:
        refusal = await super().begin(request)
        if loads(request):
            await asyncio.sleep(0.6)
        return refusal


class _OneAtATime(Engine):
    """A small server that handles one request at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = asyncio.Lock()

    async def begin(self, request: Request) -> SubstituteResponse | None:
        refusal = await super().begin(request)
        if loads(request) or endures(request):
            async with self._turn:
                await asyncio.sleep(0.01)
        return refusal


class _Slow(Engine):
    async def begin(self, request: Request) -> SubstituteResponse | None:
        refusal = await super().begin(request)
        if loads(request) or endures(request):
            await asyncio.sleep(0.15)
        return refusal


class _Silent(Engine):
    """Its metrics are a web server's, without requests in flight."""

    @property
    def gauges(self) -> Mapping[str, float]:
        return {"http_requests_total": self.begun}


FLAWS = [
    Flaw("load_every_37th", "every 37th request fails", _ANSWERS, engine=_Every37th),
    Flaw("load_empty", "one reply in two hundred is empty", _ANSWERS, engine=_SometimesEmpty),
    Flaw(
        "load_unended", "one stream in eight ends without [DONE]", _ANSWERS, change_frames=_unended
    ),
    Flaw("load_crowded", "of more than 20 at once, a tenth gets a 500", _ANSWERS, engine=_Crowded),
    Flaw(
        "load_swapped",
        "replies are swapped between clients that are served at once",
        "load.no_cross_talk",
        engine=_Swapping,
    ),
    Flaw(
        "load_muddled",
        "with more than one at once, replies are noise",
        "load.no_cross_talk",
        engine=_Muddled,
    ),
    Flaw(
        "load_slowing",
        "each request takes a little longer than the one before it",
        "load.no_latency_drift",
        engine=_Slowing,
    ),
    Flaw(
        "load_thrashing",
        "thirty-two clients are served less together than eight are",
        "load.throughput_retained",
        engine=_Thrashing,
    ),
    Flaw(
        "load_sleeps",
        "it falls asleep when nothing is under way, and takes a second to wake up",
        "load.open_loop_latency",
        engine=_Sleeping,
    ),
    Flaw(
        "load_late",
        "each reply takes longer than the article claims",
        "load.slo_latency",
        engine=_Late,
    ),
    Flaw("load_one_at_a_time", "a small server serves one after another", engine=_OneAtATime),
    Flaw("load_slow", "a slow server takes its time with each", engine=_Slow),
    Flaw("load_untold", "the metrics tell nothing of requests", engine=_Silent),
]
