"""What a soak shows: whether all of it was answered, and whether anything grew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from readiness.checks.stability.scoring import SURELY, memory_growth
from readiness.checks.stability.soak import ALLOWED, ALPHA, SoakResult
from readiness.load.saturation import excuse_if_saturated
from readiness.score import PASSED, Measure, Outcome, Score, failed
from readiness.statistics.proportions import upper
from readiness.statistics.trend import detectable, settled, trend

#: A time grows where it is half as long again at the end, and later by more than noise, in seconds.
GROWN, NOTICED = 0.5, 0.05
#: Where an error is as rare as one in a hundred, so many requests without one show it (95 %).
FEWEST = 299
HOUR, DAYS = 3600.0, 72 * 3600.0  # seconds


class Growth(NamedTuple):
    """Something that is not to grow.

    Args:
        name: What it is.
        unit: What it is counted in.
        series: What it was, round by round.
        most: By how much it may grow from the first of them to the last.
    """

    name: str
    unit: str
    series: Sequence[float]
    most: float


def endures(soak: SoakResult) -> Score:
    """Score a soak: nothing lost, nothing wrong, and nothing that grows."""
    told, leaks = memory_growth(
        soak.rest_measurements.readings, DAYS / soak.length.seconds, "round"
    )
    score = _lost(soak) or _grown(soak)
    if score is None:
        score = failed(f"{told}, {_after(soak)}") if told else _shown(soak)
    return replace(score, measures=(*_measures(soak), *leaks))


def _lost(soak: SoakResult) -> Score | None:
    """What was lost or wrong; None where nothing was, or no more than may be."""
    if soak.rest_measurements.control_errors:
        return failed(
            f"{_after(soak)}, a short request fails", soak.rest_measurements.control_errors[0]
        )
    for each in soak.rounds:
        if each.wrong:
            return failed(each.wrong)
        if each.odd_input_failures:
            return failed(
                f"{len(each.odd_input_failures)} odd requests in a minute; "
                f"{each.odd_input_failures[0]}"
            )
    errors, total = soak.errors, soak.requests
    if not errors:
        return None
    ((why, often),) = errors.most_common(1)
    told = f"{errors.total()} of {total} requests failed, {_after(soak)}; {often} × {why}"
    if soak.lost:
        return failed(told)
    return Score(Outcome.UNDETERMINED, told) if errors.total() > ALLOWED * total else None


def _grown(soak: SoakResult) -> Score | None:
    """What has surely grown by more than it may; None where nothing has."""
    for each in _growths(soak):
        found = trend(each.series)
        by = found.slope * (len(each.series) - 1)
        if found.p < SURELY and found.low > 0 and by > each.most:
            told = f"{each.name} grows from {each.series[0]:.3g} by {by:.2g} {each.unit}".rstrip()
            score = failed(f"{told}, {_after(soak)}")
            strains = [rain.client_saturation for rain in soak.rounds]
            return excuse_if_saturated(score, by, *strains) if each.unit else score
    return None


def _shown(soak: SoakResult) -> Score:
    """What is shown where nothing is wrong."""
    limited = sum(each.limited for each in soak.rounds)
    if limited:
        why = f"{limited} of {soak.requests} requests met a stated rate limit"
        return Score(Outcome.UNDETERMINED, why)
    if soak.requests < FEWEST:
        why = f"{soak.requests} requests are too few: {FEWEST} without an error show less than 1 %"
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
        ("a short request at rest", [each.seconds_at_rest for each in rounds]),
    ):
        if series:
            yield Growth(name, "s", series, max(GROWN * median(series), NOTICED))


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
