"""What the rule for memory says after simulated aborts: `python -m benchmarks.memory_power`.

A server keeps something of every request until a cache is full, and of every abort for ever.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import inf

import numpy as np

from readiness.checks.stability.abort_cycles import (
    ABORTS,
    CYCLES,
    TURN_REQUESTS,
    TURNS,
    AbortCyclesResult,
    IdleReading,
)
from readiness.checks.stability.scoring import score_idle_metrics
from readiness.load.meters.meter import HOST, RUNNING
from readiness.score import Outcome

SERVERS, SEED = 200, 1
MB = 1e6
#: The standard deviations of idle readings, in MB.
NOISE = (0, 2, 10, 30)
#: The complete requests of a cycle, beside those that are aborted.
COMPLETE = 2


@dataclass(frozen=True)
class Server:
    """What a server keeps in memory.

    Args:
        name: Its row.
        cached: MB of a request, until the cache is full; each differs, exponentially.
        most: How many requests the cache holds.
        leaked: MB of an aborted request.
        chunk: In chunks of how many MB memory is taken from the system.
        slows: Whether it fills more and more slowly, as more and more requests are in it.
    """

    name: str
    cached: float = 0.0
    most: float = inf
    leaked: float = 0.0
    chunk: float = 0.0
    slows: bool = False


SERVERS_TRIED = (
    Server("keeps nothing"),
    Server("a cache fills within the cycles: 2 MB of 60 requests", 2.0, 60),
    Server("within the turns: 2 MB of 200 requests", 2.0, 200),
    Server("2 MB of 500 requests", 2.0, 500),
    Server("2 MB of 5,000 requests", 2.0, 5_000),
    Server("more and more slowly: 2 MB of 200 requests", 2.0, 200, slows=True),
    Server("2 MB of every request, without an end", 2.0),
    Server("0.5 MB of each abort", leaked=0.5),
    Server("2 MB of each abort", leaked=2.0),
    Server("8 MB of each abort", leaked=8.0),
    Server("2 MB of each abort, in chunks of 64 MB", leaked=2.0, chunk=64.0),
    Server("8 MB of each abort, in chunks of 64 MB", leaked=8.0, chunk=64.0),
    Server("2 MB of each abort, beside a cache: 2 MB of 500 requests", 2.0, 500, 2.0),
)


class Memory:
    """The memory of one server, as it is read when idle."""

    def __init__(self, server: Server, noise: float, generator: np.random.Generator) -> None:
        self._server, self._noise, self._generator = server, noise, generator
        self._entries, self._kept = 0.0, 4_000.0

    def serve(self, complete: int, aborted: int) -> None:
        """Serve requests, some of which are aborted."""
        for _ in range(complete + aborted):
            free = 1 - self._entries / self._server.most
            new = max(free, 0.0) if self._server.slows else float(free > 0)
            self._kept += new * self._generator.exponential(self._server.cached)
            self._entries += new
        self._kept += self._server.leaked * aborted

    def read(self) -> dict[str, float]:
        """The meters' values."""
        chunk = self._server.chunk
        taken = np.ceil(self._kept / chunk) * chunk if chunk else self._kept
        return {RUNNING: 0.0, HOST: MB * float(taken + self._generator.normal(0.0, self._noise))}


def outcome(server: Server, noise: float, generator: np.random.Generator) -> Outcome:
    """What the check says of one server."""
    memory, result = Memory(server, noise, generator), AbortCyclesResult()
    result.aborted, result.gauges_before = CYCLES * ABORTS, memory.read()
    for _ in range(CYCLES):
        memory.serve(COMPLETE, ABORTS)
        result.readings.append(IdleReading(0.0, memory.read()))
    result.by_turns.append(memory.read())
    for turn in range(2 * TURNS + 1):
        memory.serve(*((0, TURN_REQUESTS) if turn % 2 else (TURN_REQUESTS, 0)))
        result.by_turns.append(memory.read())
    return score_idle_metrics(result).outcome


def share(server: Server, noise: float) -> str:
    """The shares of servers that pass, fail and stay open, in per cent."""
    generator = np.random.default_rng(SEED)
    found = Counter(outcome(server, noise, generator) for _ in range(SERVERS))
    kinds = (Outcome.PASS, Outcome.FAIL, Outcome.UNDETERMINED)
    return " / ".join(f"{100 * found[each] / SERVERS:.0f}" for each in kinds)


def table() -> str:
    """The table of docs/load.md."""
    titles = " | ".join(f"± {noise} MB" for noise in NOISE)
    lines = [f"| pass / fail / open, % | {titles} |", "|---|" + "--:|" * len(NOISE)]
    for server in SERVERS_TRIED:
        shares = " | ".join(share(server, noise) for noise in NOISE)
        lines.append(f"| {server.name} | {shares} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
