"""Flaws that take an hour to show: what thousands of requests leave behind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from readiness.mutants.endpoint.answer import Request
from readiness.mutants.endpoint.engine import Engine, loads
from readiness.mutants.endpoint.problem import Problem
from readiness.mutants.endpoint.refusal import Refusal
from readiness.mutants.flaw import Flaw

_HOLDS = "stability.holds_for_an_hour"
_LOST = Refusal(
    500, Problem("out of memory", status=500).body, {"Content-Type": "application/json"}
)


class Wearing(Engine):
    """What it has served wears it out, though not so soon that a load test would tell."""

    after = 3_000

    @property
    def worn(self) -> int:
        """How many requests it has served beyond those that it bears."""
        return max(self.seen - self.after, 0)

    async def begin(self, request: Request) -> Refusal | None:
        """Count what is served."""
        self.seen += loads(request)
        return await super().begin(request)


class Tiring(Wearing):
    """Each request makes all that come later a little slower."""

    each = 50e-6  # seconds

    async def begin(self, request: Request) -> Refusal | None:
        """Take longer."""
        refusal = await super().begin(request)
        await asyncio.sleep(self.each * self.worn)
        return refusal


class Swelling(Wearing):
    """Each request leaves something in memory, whether or not its client stays."""

    each = 1e6  # bytes

    @property
    def gauges(self) -> Mapping[str, float]:
        """Show what is left."""
        grown = 4e9 + self.each * self.worn
        return {**super().gauges, "process_resident_memory_bytes": grown}


class Failing(Wearing):
    """One in a hundred fails."""

    one_in = 100

    async def begin(self, request: Request) -> Refusal | None:
        """Fail at times."""
        refusal = await super().begin(request)
        lost = loads(request) and self.worn and self.worn % self.one_in == 0
        return _LOST if lost else refusal


class Caching(Engine):
    """A cache fills until it is full, and replies are the faster for it."""

    async def begin(self, request: Request) -> Refusal | None:
        """Answer faster, once there is something in the cache."""
        self.seen += loads(request)
        await asyncio.sleep(0.01 / (1 + self.seen / 50))
        return await super().begin(request)

    @property
    def gauges(self) -> Mapping[str, float]:
        """Show the cache: it goes up, and then no further."""
        grown = 4e9 + 2e6 * min(self.seen, 500)
        return {**super().gauges, "process_resident_memory_bytes": grown}


FLAWS = [
    Flaw("soak_tires", "what it has served makes it slower", _HOLDS, engine=Tiring),
    Flaw("soak_swells", "what it has served stays in memory", _HOLDS, engine=Swelling),
    Flaw("soak_fails", "after thousands of requests, one in 100 fails", _HOLDS, engine=Failing),
    Flaw("soak_caches", "a cache fills up, and that is all", engine=Caching),
]
