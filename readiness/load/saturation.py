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
from readiness.statistics.histogram import Histogram

#: The interval at which the lag of the event loop is sampled, in seconds.
SAMPLING_INTERVAL = 0.010
#: Above this lag at the 99th percentile, in seconds, measured times are too late; above this share
#: of a core, the thread cannot send on time.
MAX_LAG, MAX_CPU_SHARE = 0.050, 0.90
#: A reply passes through the loop a few times: an excess of more lags than this is not its doing.
MAX_LAGS = 10


@dataclass
class ClientSaturation:
    """The load on this process during a measurement.

    Args:
        lags: The lags of the event loop, in seconds.
        busy: The share of one core that its thread used.
    """

    lags: Histogram = field(default_factory=Histogram)
    busy: float = 0.0

    @property
    def lag(self) -> float:
        """The 99th percentile of the event loop's lag, in seconds."""
        return self.lags.quantile(0.99) if self.lags.total else 0.0

    def may_explain(self, excess: float) -> str:
        """Why saturation may explain a time `excess` seconds too long, or an empty string."""
        return self.shown if excess < MAX_LAGS * self.lag or self.busy > MAX_CPU_SHARE else ""

    @property
    def shown(self) -> str:
        """Why the times of this measurement do not count, or an empty string."""
        if self.lag <= MAX_LAG and self.busy <= MAX_CPU_SHARE:
            return ""
        late = f"{self.lag * 1000:.0f} ms late, {self.busy:.0%} of a core busy"
        return f"the harness was too slow to tell ({late}): run it alone, or with --load-workers"


def excuse_if_saturated(score: Score, excess: float, *saturations: ClientSaturation) -> Score:
    """The score; undetermined where saturation may explain a time `excess` seconds too long."""
    why = next((why for each in saturations if (why := each.may_explain(excess))), "")
    if not why:
        return score
    return replace(score, outcome=Outcome.UNDETERMINED, reason=f"{why}; {score.reason}", kind="")


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
    wall, used = now(), thread_time()
    try:
        yield saturation
    finally:
        gc.enable()
        watching.cancel()
        saturation.busy = (thread_time() - used) / max(now() - wall, SAMPLING_INTERVAL)


async def _watch(saturation: ClientSaturation) -> None:
    now = asyncio.get_running_loop().time
    while True:
        due = now() + SAMPLING_INTERVAL
        await asyncio.sleep(SAMPLING_INTERVAL)
        saturation.lags.add(np.array([max(now() - due, 0.0)]))
