"""Scoring of a soak: whether every request was answered, and whether time or memory grew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from readiness.checks.stability.memory_growth import SIGNIFICANCE, memory_growth
from readiness.checks.stability.scoring import score_memory_growth
from readiness.checks.stability.soak import ALLOWED, ALPHA, SoakResult
from readiness.load.latency import limiters_reason
from readiness.load.saturation import excuse_if_saturated
from readiness.score import PASSED, Measure, Outcome, Score, failed
from readiness.statistics.proportions import upper
from readiness.statistics.trend import detectable, settled, trend

#: A duration has grown if it ends more than this share longer, and by more than this many seconds.
MAX_GROWTH, MIN_GROWTH = 0.5, 0.05
#: Requests without an error that show an error rate below 1 % with 95 % confidence.
MIN_REQUESTS = 299
HOUR, SECONDS_IN_72_HOURS = 3600.0, 72 * 3600.0  # seconds


class Growth(NamedTuple):
    """A quantity that must not grow during a soak.

    Args:
        name: What it is.
        unit: Its unit; empty for a share.
        series: Its value in each round.
        limit: By how much it may grow from the first round to the last.
    """

    name: str
    unit: str
    series: Sequence[float]
    limit: float


def score_soak(soak: SoakResult) -> Score:
    """Score a soak: replies correct, failures within ALLOWED, latency and memory not growing."""
    gauges = [each.gauges for each in soak.idle_measurements.readings]
    growths = memory_growth(gauges, SECONDS_IN_72_HOURS / soak.length.seconds)
    memory = score_memory_growth(growths, "round")
    leak = replace(memory, reason=f"{memory.reason}, {_after(soak)}")
    score = _failures(soak) or _growth(soak)
    if score is None:
        score = leak if memory.outcome is Outcome.FAIL else _enough(soak)
    if score.passed and not memory.passed:
        score = leak
    return replace(score, measures=(*_measures(soak), *memory.measures))


def _failures(soak: SoakResult) -> Score | None:
    """Score failed and wrong replies; None if there are none, or no more than allowed."""
    if soak.idle_measurements.control_errors:
        return failed(
            f"{_after(soak)}, a short request fails", soak.idle_measurements.control_errors[0]
        )
    for each in soak.rounds:
        if each.wrong:
            return failed(each.wrong)
        if each.bad_input_failures:
            return failed(
                f"{len(each.bad_input_failures)} malformed requests in a round; "
                f"{each.bad_input_failures[0]}"
            )
    errors, total = soak.errors, soak.requests
    if not errors:
        return None
    ((why, often),) = errors.most_common(1)
    reason = f"{errors.total()} of {total} requests failed, {_after(soak)}; {often} × {why}"
    if soak.has_failed:
        return failed(reason)
    return Score(Outcome.UNDETERMINED, reason) if errors.total() > ALLOWED * total else None


def _growth(soak: SoakResult) -> Score | None:
    """Score a quantity that has grown significantly and beyond its limit; None if none has."""
    for each in _growths(soak):
        found = trend(each.series)
        by = found.slope * (len(each.series) - 1)
        if found.p < SIGNIFICANCE and found.low > 0 and by > each.limit:
            why = f"{each.name} grows from {each.series[0]:.3g} by {by:.2g} {each.unit}".rstrip()
            score = failed(f"{why}, {_after(soak)}")
            saturation = [one_round.client_saturation for one_round in soak.rounds]
            return excuse_if_saturated(score, by, *saturation) if each.unit else score
    return None


def _enough(soak: SoakResult) -> Score:
    """Score a soak without a fault: a pass if its requests suffice to show it."""
    limiters = [limiter for each in soak.rounds for limiter in each.limiters]
    if limiters:
        return Score(Outcome.UNDETERMINED, limiters_reason(limiters, soak.requests))
    if soak.requests < MIN_REQUESTS:
        few = f"{soak.requests} requests are too few"
        why = f"{few}: {MIN_REQUESTS} without an error show less than 1 %"
        return Score(Outcome.UNDETERMINED, why)
    return PASSED


def _growths(soak: SoakResult) -> Iterator[Growth]:
    rounds = settled(soak.rounds)
    if not rounds:
        return
    shares = [len(each.errors) / max(each.requests, 1) for each in rounds]
    yield Growth("the share of errors", "", shares, ALLOWED)
    among = [each.p95_under_load for each in rounds if each.p95_under_load is not None]
    for name, series in (
        ("a short request among others (p95)", among),
        ("a short request at rest", [each.seconds_idle for each in rounds]),
    ):
        if series:
            yield Growth(name, "s", series, max(MAX_GROWTH * median(series), MIN_GROWTH))


def _measures(soak: SoakResult) -> Iterator[Measure]:
    errors, total = soak.errors.total(), soak.requests
    yield Measure("requests", total)
    yield Measure("errors", errors)
    if total:
        yield Measure("error rate at most", upper(errors, total, ALPHA), "", {}, total)
    yield Measure("requests a second", soak.rate, "1/s")
    yield Measure("half of what it can do", soak.half_capacity, "1/s")
    rounds = HOUR / soak.length.seconds
    for each in _growths(soak):
        slope = trend(each.series).slope
        yield Measure(f"{each.name}, growth an hour", slope * rounds, each.unit)
        seen = detectable(each.series) * rounds
        yield Measure(f"{each.name}, growth an hour that would be seen", seen, each.unit)


def _after(soak: SoakResult) -> str:
    return f"after {len(soak.rounds) * soak.length.seconds / 60:.0f} minutes of a soak"
