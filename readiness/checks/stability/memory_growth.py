"""Growth of memory while the server is idle: a leak, a cache that fills up, or neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from readiness.load.meters.meter import CACHE, GPU, HOST
from readiness.score import Outcome
from readiness.statistics.trend import Trend, interval_of_mean, settled, trend

#: The p-value below which a trend is significant.
SIGNIFICANCE = 0.01
#: The article's server ran out of memory after 72 hours, having lost 10 GB. The most that idle use
#: may grow in that time: a share of the cache, or bytes; half a GiB is what an allocator may keep.
MAX_GROWTH_IN_72_HOURS = {CACHE: 0.05, GPU: 2.0**29, HOST: 2.0**29}
#: A cache that fills up rises with most readings until it is full; a leak in steps may stand still
#: for long. With this many rises before, that none of a leak's falls into the later half of the
#: readings has a probability of 3 %: no rise may be a larger share of the growth.
MIN_RISES = 5
#: How rarely requests of any kind may seem to leave more where they are aborted.
UNLIKELY = 0.002

Gauges = Mapping[str, float]


@dataclass(frozen=True)
class MemoryGrowth:
    """How one meter grows from one idle reading to the next.

    Args:
        name: The meter.
        slope: The growth from one reading to the next.
        limit: The most that it may be.
        outcome: Whether it grows beyond its limit, to the end of the readings.
        why: Why that is undetermined, for messages.
    """

    name: str
    slope: float
    limit: float
    outcome: Outcome
    why: str = ""


def memory_growth(readings: Sequence[Gauges], readings_in_72_hours: float) -> list[MemoryGrowth]:
    """The growth of each meter over idle readings in order; their first third is warm-up."""
    kept, found = settled(readings), list[MemoryGrowth]()
    for name, most in MAX_GROWTH_IN_72_HOURS.items():
        series = [each[name] for each in kept if name in each]
        if kept and len(series) == len(kept):
            limit = most / readings_in_72_hours
            outcome = _outcome(series, limit)
            why = "and less in the end" if outcome is Outcome.UNDETERMINED else ""
            found.append(MemoryGrowth(name, trend(series).slope, limit, outcome, why))
    return found


def _outcome(series: Sequence[float], limit: float) -> Outcome:
    """Whether a series grows beyond its limit, from one reading to the next, to its end.

    Growth is a significant Mann-Kendall trend. A cache that fills up to its bound grows, more and
    more slowly, and then no more: it has passed where that is shown.
    """
    if not _grows(trend(series), limit):
        return Outcome.PASS
    half = len(series) // 2
    earlier, later = trend(series[: half + 1]), trend(series[half:])
    if later.slope > limit:
        return Outcome.UNDETERMINED if later.high < earlier.low else Outcome.FAIL
    largest = max(after - before for before, after in pairwise(series))
    gradual = MIN_RISES * largest <= series[-1] - series[0]
    return Outcome.PASS if later.high <= limit and gradual else Outcome.UNDETERMINED


def _grows(found: Trend, limit: float) -> bool:
    """Whether a trend is significant, and its slope beyond the limit."""
    return found.p < SIGNIFICANCE and found.low > 0 and found.slope > limit


def unless_by_all(
    growth: MemoryGrowth, by_turns: Sequence[Gauges], readings_in_turn: float
) -> MemoryGrowth:
    """The same growth; undetermined where complete requests are not seen to cause less of it.

    A cache that fills up grows with any request, and steadily until it is full; what aborted
    requests alone leave behind, to the end, is a leak.

    Args:
        growth: The growth over cycles of aborts.
        by_turns: Idle readings in order: before, and after complete and aborted requests by turns,
            beginning and ending with complete ones.
        readings_in_turn: After how many cycles as many requests are aborted as in a turn.
    """
    if growth.outcome is not Outcome.FAIL:
        return growth
    excess, limit = _excess(by_turns, growth.name), growth.limit * readings_in_turn
    later = excess[len(excess) // 2 :]
    if excess and all(
        found.low > 0 and found.value > limit
        for found in (interval_of_mean(excess, UNLIKELY), interval_of_mean(later))
    ):
        return growth
    return replace(
        growth, outcome=Outcome.UNDETERMINED, why="and as much with requests that complete"
    )


def _excess(readings: Sequence[Gauges], name: str) -> list[float]:
    """By how much more a meter grows with aborted requests than with the complete ones around them.

    Growth that slows down, as of a cache whose entries repeat, is not more in between.
    """
    if not all(name in each for each in readings):
        return []
    grown = [after[name] - before[name] for before, after in pairwise(readings)]
    complete, aborted = grown[::2], grown[1::2]
    usual = [(before + after) / 2 for before, after in pairwise(complete)]
    return [more - less for more, less in zip(aborted, usual, strict=False)]
