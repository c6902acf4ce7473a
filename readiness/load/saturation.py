"""Client saturation: whether this process was too busy to measure the endpoint's times."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from time import thread_time

import numpy as np

from readiness.score import Outcome, Score
from readiness.scoring.lateness import MAX_LAGS, REMEDY
from readiness.statistics.histogram import Histogram
from readiness.transport.deadlines import MAX_PRESSURE, cpu_waiting

#: The interval at which the lag of the event loop is sampled, in seconds.
SAMPLING_INTERVAL = 0.010
#: Above this lag at the 99th percentile, in seconds, measured times are too late; above this share
#: of a core, the thread cannot send on time.
MAX_LAG, MAX_CPU_SHARE = 0.050, 0.90


@dataclass
class ClientSaturation:
    """The load on this process during a measurement.

    Args:
        lags: The lags of the event loop, in seconds.
        busy: The share of one core that its thread used.
        pressure: The share of the time in which some process of this machine waited for a
            processor.
    """

    lags: Histogram = field(default_factory=Histogram)
    busy: float = 0.0
    pressure: float = 0.0

    @property
    def lag(self) -> float:
        """The 99th percentile of the event loop's lag, in seconds."""
        return self.lags.quantile(0.99) if self.lags.total else 0.0

    def may_explain(self, excess: float) -> str:
        """Why saturation may explain a time `excess` seconds too long, or an empty string."""
        short = excess < MAX_LAGS * self.lag
        return self.shown if short or self._is_starved else ""

    @property
    def _is_starved(self) -> bool:
        return self.busy > MAX_CPU_SHARE or self.pressure > MAX_PRESSURE

    @property
    def shown(self) -> str:
        """Why the times of this measurement do not count, or an empty string."""
        if self.lag <= MAX_LAG and not self._is_starved:
            return ""
        if self.pressure > MAX_PRESSURE:
            busy = f"this machine was too busy to tell (for {self.pressure:.0%}"
            return f"{busy} of the time processes waited for a processor): {REMEDY}"
        late = f"{self.lag * 1000:.0f} ms late, {self.busy:.0%} of a core busy"
        return f"the harness was too slow to tell ({late}): run it alone, or with --load-workers"


def excuse_if_saturated(score: Score, excess: float, *saturations: ClientSaturation) -> Score:
    """The score; undetermined where saturation may explain a time `excess` seconds too long."""
    why = next((why for each in saturations if (why := each.may_explain(excess))), "")
    if not why:
        return score
    return replace(score, outcome=Outcome.UNDETERMINED, reason=f"{why}; {score.reason}", kind="")


def told_if_saturated(score: Score, *saturations: ClientSaturation) -> Score:
    """A score that is left open, with how busy this machine was, which makes times uneven."""
    why = next((each.shown for each in saturations if each.shown), "")
    return replace(score, reason=f"{why}; {score.reason}", kind="") if why else score


def is_saturated(excess: float, *saturations: ClientSaturation) -> bool:
    """Whether saturation may explain a time `excess` seconds too long."""
    return any(each.may_explain(excess) for each in saturations)


@asynccontextmanager
async def measure_client_saturation() -> AsyncIterator[ClientSaturation]:
    """Measure the saturation of the event loop and its thread; complete when the context ends.

    Garbage collection is disabled meanwhile: with 256 streams, one collection delays timestamps by
    up to 80 ms.
    """
    saturation = ClientSaturation()
    gc.collect()
    gc.disable()
    watching = asyncio.create_task(_watch(saturation))
    now = asyncio.get_running_loop().time
    wall, used, waiting = now(), thread_time(), cpu_waiting()
    try:
        yield saturation
    finally:
        gc.enable()
        watching.cancel()
        seconds = max(now() - wall, SAMPLING_INTERVAL)
        saturation.busy = (thread_time() - used) / seconds
        saturation.pressure = (cpu_waiting() - waiting) / seconds


async def _watch(saturation: ClientSaturation) -> None:
    now = asyncio.get_running_loop().time
    while True:
        due = now() + SAMPLING_INTERVAL
        await asyncio.sleep(SAMPLING_INTERVAL)
        saturation.lags.add(np.array([max(now() - due, 0.0)]))
