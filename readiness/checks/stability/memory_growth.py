"""Whether what a server holds at rest grows from one reading to the next."""

from __future__ import annotations

from collections.abc import Sequence

from readiness.checks.stability.abort_results import Reading
from readiness.load.meters.meter import CACHE, GPU, HOST
from readiness.score import Measure
from readiness.statistics.trend import settled, trend

#: A trend is believed below this chance of none.
SURELY = 0.01
#: The article ran out of memory after 72 hours. What is held at rest must not grow by more than
#: this in that time: a share of the cache, or bytes. The article lost 10 GB; half a GiB is what
#: an allocator may take for itself.
MATERIAL = {CACHE: 0.05, GPU: 2.0**29, HOST: 2.0**29}


def leak(readings: Sequence[Reading], many: float, between: str) -> tuple[str, tuple[Measure, ...]]:
    """What grows at rest, in words, "" where nothing does; and by how much each of it grows.

    Args:
        readings: What was read at rest; the first third of it is not looked at.
        many: How many readings 72 hours would have.
        between: What lies between two of them.
    """
    kept = settled(readings)
    told, measures = "", list[Measure]()
    for name, material in MATERIAL.items():
        series = [each.gauges[name] for each in kept if name in each.gauges]
        if not kept or len(series) < len(kept):
            continue
        found = trend(series)
        unit = "" if name == CACHE else "B"
        measures.append(Measure(f"{name}, growth of a {between} at rest", found.slope, unit))
        if found.p < SURELY and found.low > 0 and found.slope * many > material and not told:
            told = f"{name} grows by {found.slope:.3g} a {between} at rest"
    return told, tuple(measures)
