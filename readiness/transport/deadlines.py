"""Deadlines that leave out the time in which this process was too late to see what had come."""

from __future__ import annotations

import asyncio
from types import TracebackType

#: How often the event loop's lateness is looked at, and what of it is usual, in seconds.
INTERVAL, USUAL_LATENESS = 0.1, 0.05


class OnTimeClock:
    """A clock that stands still while the event loop is late, as on a starved machine.

    What arrives in such a time is seen late, so that it is no evidence of a silent endpoint.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._late, self._due = 0.0, self._loop.time()
        self._look()

    def time(self) -> float:
        """The seconds in which the loop was on time, from an arbitrary start."""
        return self._loop.time() - self._late - self._lateness()

    def deadline(self, seconds: float) -> Deadline:
        """Raise TimeoutError in a context that takes this long."""
        return Deadline(self, seconds)

    def close(self) -> None:
        """Look no more."""
        self._next.cancel()

    def _look(self) -> None:
        self._late += self._lateness()
        self._due = self._loop.time() + INTERVAL
        self._next = self._loop.call_at(self._due, self._look)

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
