"""The figures of a step for the record, each with the interval that it is known to be in."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean

from readiness.load.step import Sample, Step
from readiness.score import Measure
from readiness.statistics.proportions import upper
from readiness.statistics.trend import Estimate, percentile, rate

ALPHA = 0.05
#: Fewer replies tell nothing of a median, nor 20 of them of a 99th percentile, which needs 100.
ENOUGH = 5
SHARES = {0.5: 0, 0.95: 20, 0.99: 100}
#: How far the number of clients may be off what throughput and latency make of it (Little's law).
LITTLE = 0.15
#: What share of the time that a reply takes with few clients it cannot well take with many.
QUICKER = 0.8


def throughput(step: Step) -> Estimate:
    """How many requests a second were answered while all clients were busy."""
    return rate([each.end for each in step.samples if not each.error], *step.busy)


def measures(step: Step) -> tuple[Measure, ...]:
    """All that a step has measured."""
    return tuple(_measures(step))


def quicker(few: Step, many: Step) -> Iterator[Measure]:
    """What cannot be: that replies take less the more clients there are, unless some are cached."""
    less, more = (mean(each.took for each in step.measured) for step in (few, many))
    if more < QUICKER * less:
        at: dict[str, float | str] = {
            "scenario": many.shape.scenario,
            "clients": many.shape.clients,
        }
        name = f"implausible: replies take less than with {few.shape.clients} clients, the share"
        yield Measure(name, more / less, "", at, len(many.measured))


def _measures(step: Step) -> Iterator[Measure]:
    at: dict[str, float | str] = {"scenario": step.shape.scenario}
    at |= {"clients": step.shape.clients} if step.shape.clients else {"rate": step.shape.rate}
    at |= {"prompts": "warm"} if step.shape.warm else {}
    total, own = len(step.samples), step.measured
    yield Measure("requests", total, "", at)
    yield Measure("errors", len(step.errors), "", at)
    yield Measure("error rate at most", upper(len(step.errors), total, ALPHA), "", at, total)
    if len(own) >= ENOUGH:
        yield _estimate("throughput", throughput(step), "1/s", at, len(own))
        tokens = sum(each.latency.tokens for each in own if each.latency)
        start, end = step.busy
        yield Measure("output tokens", tokens / max(end - start, 1e-9), "1/s", at, total)
        yield Measure("mean end to end", mean(each.took for each in own), "s", at, len(own))
        for name, values in _series(own).items():
            for share, fewest in SHARES.items():
                if len(values) >= max(fewest, ENOUGH):
                    told = f"{name} p{share:.0%}"[:-1]
                    yield _estimate(told, percentile(values, share), "s", at, len(values))
    if step.gaps.total:
        for share in SHARES:
            name = f"time between tokens p{share:.0%}"[:-1]
            yield Measure(name, step.gaps.quantile(share), "s", at, step.gaps.total)
    yield Measure("event loop lag p99", step.strain.lag, "s", at, step.strain.lags.total)
    yield Measure("busy share of a core", step.strain.busy, "", at)
    if step.workers:
        yield Measure("load workers", step.workers, "", at)
        yield Measure("load workers began within", step.agreed, "s", at)
    yield from _audits(step, own, at)


def _series(own: list[Sample]) -> dict[str, list[float]]:
    times = [(each, each.latency) for each in own if each.latency]
    per_token = [latency.per_token for _, latency in times]
    return {
        "end to end": [each.took for each in own],
        "time to first token": [each.sent - each.due + latency.first for each, latency in times],
        "time per token": [each for each in per_token if each is not None],
    }


def _audits(step: Step, own: list[Sample], at: dict[str, float | str]) -> Iterator[Measure]:
    """What cannot be, by figures that must fit each other: a hint, never a verdict."""
    if step.shape.clients and len(own) >= ENOUGH:
        inside = throughput(step).value * mean(each.took for each in own)
        off = abs(inside / step.shape.clients - 1)
        name = "Little's law is off by" if off <= LITTLE else "implausible: Little's law is off by"
        yield Measure(name, off, "", at)
    late = sum(each.latency.last > each.took for each in own if each.latency)
    if late:
        yield Measure("implausible: tokens after the end", late, "", at)


def _estimate(
    name: str, found: Estimate, unit: str, at: dict[str, float | str], of: int
) -> Measure:
    return Measure(name, found.value, unit, at, of, found.low, found.high)
