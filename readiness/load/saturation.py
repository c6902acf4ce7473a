"""Strain: whether this side was too busy to measure, so that no endpoint is blamed for it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from readiness.score import Outcome, Score
from readiness.statistics.histogram import Histogram

#: How often the event loop is looked at, in seconds.
EVERY = 0.010
#: Later than this at its 99th percentile, the loop stamps the times of others too late; busier
#: than this, its thread has no time left to send what is due.
LATE, BUSY = 0.050, 0.90
#: A reply passes through the loop a few times: what is longer than so many lags is not its doing.
BEYOND = 10


@dataclass
class ClientSaturation:
    """How busy this side has been.

    Args:
        lags: How late the event loop was, in seconds.
        busy: The share of one core that its thread took.
    """

    lags: Histogram = field(default_factory=Histogram)
    busy: float = 0.0

    @property
    def lag(self) -> float:
        """How late the event loop was, at the 99th percentile."""
        return self.lags.quantile(0.99) if self.lags.total else 0.0

    def may_explain(self, excess: float) -> str:
        """Why a time that is too long by so many seconds may be ours, in words; "" where not."""
        return self.shown if excess < BEYOND * self.lag or self.busy > BUSY else ""

    @property
    def shown(self) -> str:
        """Why no time measured meanwhile counts, in words; "" where all of them do."""
        if self.lag <= LATE and self.busy <= BUSY:
            return ""
        late = f"its event loop was {self.lag * 1000:.0f} ms late at the 99th percentile"
        return f"the harness itself was saturated: {late}, {self.busy:.0%} of a core was busy"


def excuse_if_saturated(score: Score, excess: float, *strains: ClientSaturation) -> Score:
    """A failure by a time that is so much too long; none where this side may have made it so."""
    why = next((why for each in strains if (why := each.may_explain(excess))), "")
    if not why:
        return score
    return replace(score, outcome=Outcome.UNDETERMINED, reason=f"{why}; {score.reason}", kind="")


@asynccontextmanager
async def measure_client_saturation() -> AsyncIterator[ClientSaturation]:
    """Watch the event loop and its thread; the strain is complete when the context ends.

    Garbage is collected before and after: with 256 streams, one collection stops all stamps for
    up to 80 ms.
    """
    strain = ClientSaturation()
    gc.collect()
    gc.disable()
    watching = asyncio.create_task(_watch(strain))
    wall, used = time.perf_counter(), time.thread_time()
    try:
        yield strain
    finally:
        gc.enable()
        watching.cancel()
        strain.busy = (time.thread_time() - used) / max(time.perf_counter() - wall, EVERY)


async def _watch(strain: ClientSaturation) -> None:
    now = asyncio.get_running_loop().time
    while True:
        due = now() + EVERY
        await asyncio.sleep(EVERY)
        strain.lags.add(np.array([max(now() - due, 0.0)]))
