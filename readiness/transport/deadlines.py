"""Time in which this process was too late to see what had come: no deadline counts it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

#: How often the event loop's lateness is looked at, and what of it is usual, in seconds.
INTERVAL, USUAL_LATENESS = 0.01, 0.05
#: Where some process waits for a processor for more than this share of a time, all of that time
#: may be due to it: a process that has a lower priority, or is one of many, gets little. On two
#: cores, an endpoint stood still for ten seconds at 0.78, and a quiet run of `ci` has 0.0 to 0.3.
MAX_PRESSURE = 0.5
#: Where Linux tells for how long processes waited for a processor (PSI), in microseconds.
CPU_PRESSURE = Path("/proc/pressure/cpu")


def cpu_waiting() -> float:
    """For how long some process of this machine has waited for a processor, in seconds.

    Of all the time since it was started; 0 where the system does not tell.
    """
    try:
        with CPU_PRESSURE.open("rb", buffering=0) as told:
            some = told.read().partition(b"\n")[0]
        return int(some.rpartition(b"total=")[2]) / 1e6
    except (OSError, ValueError):
        return 0.0


@dataclass
class Lateness:
    """How busy this machine was in a time.

    Args:
        lag: The greatest lag of this process's event loop, in seconds.
        waiting: For how long some process waited for a processor, in seconds.
    """

    lag: float = 0.0
    waiting: float = 0.0

    def within(self, seconds: float) -> float:
        """By how much it may have delayed what took so many seconds, in seconds."""
        starved = seconds if self.waiting > MAX_PRESSURE * seconds else 0.0
        return max(self.lag, starved)


class OnTimeClock:
    """A clock that stands still while the event loop is late, as on a starved machine.

    What arrives in such a time is seen late, so that it is no evidence of a silent endpoint.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._late, self._due = 0.0, self._loop.time()
        self._watching = dict[int, Lateness]()
        self._waiting, self._told = cpu_waiting(), self._due
        self._look()

    def time(self) -> float:
        """The seconds in which the loop was on time, from an arbitrary start."""
        return self._loop.time() - self._late - self._lateness()

    def deadline(self, seconds: float) -> Deadline:
        """Raise TimeoutError in a context that takes this long."""
        return Deadline(self, seconds)

    @contextmanager
    def watch(self) -> Iterator[Lateness]:
        """How busy this machine is in a context; complete when it ends."""
        found, before = Lateness(), self._cpu_waiting()
        self._watching[id(found)] = found
        try:
            yield found
        finally:
            del self._watching[id(found)]
            found.lag = max(found.lag, self._loop.time() - self._due)
            found.waiting = self._cpu_waiting() - before

    def close(self) -> None:
        """Look no more."""
        self._next.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        self._late += self._lateness()
        for each in self._watching.values():
            each.lag = max(each.lag, now - self._due)
        self._due = now + INTERVAL
        self._next = self._loop.call_at(self._due, self._look)

    def _cpu_waiting(self) -> float:
        """For how long processes had waited, as it was told a moment ago at most."""
        now = self._loop.time()
        if now - self._told > INTERVAL:
            self._waiting, self._told = cpu_waiting(), now
        return self._waiting

    def _lateness(self) -> float:
        return max(self._loop.time() - self._due - USUAL_LATENESS, 0.0)


class Deadline:
    """A context that must end in time."""

    def __init__(self, clock: OnTimeClock, seconds: float) -> None:
        self._clock, self._end = clock, clock.time() + seconds
        self._timeout, self._loop = asyncio.timeout(None), asyncio.get_running_loop()
        self._next: asyncio.TimerHandle | None = None

    def lift(self) -> None:
        """Let it take as long as it will."""
        if self._next is not None:
            self._next.cancel()

    async def __aenter__(self) -> Deadline:
        await self._timeout.__aenter__()
        self._wait()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.lift()
        await self._timeout.__aexit__(kind, error, traceback)

    def _wait(self) -> None:
        left = self._end - self._clock.time()
        if left <= 0:
            self._timeout.reschedule(self._loop.time())
        else:
            self._next = self._loop.call_later(left, self._wait)
