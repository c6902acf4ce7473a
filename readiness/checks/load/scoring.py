"""Scoring of load: errors, cross-talk, throughput, latency drift and the policy's SLO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from statistics import mean, median

from readiness.load.saturation import excuse_if_saturated
from readiness.load.step import RequestMeasurement, StepResult
from readiness.policy.slo import LatencyObjective
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.statistics.proportions import lower, upper
from readiness.statistics.trend import Estimate, percentile, rate, trend

#: The fewest replies of which to report a statistic, and a percentile: a p99 needs 100.
MIN_REPLIES = 5
PERCENTILES = {0.5: 0, 0.95: 20, 0.99: 100}
#: The tolerated relative deviation from Little's law: clients = throughput × mean latency.
LITTLE_TOLERANCE = 0.15
#: Replies with many clients that take less than this share of the time with few are implausible.
MIN_LATENCY_RATIO = 0.8


def throughput(step: StepResult) -> Estimate:
    """Requests answered per second while all clients were busy."""
    return rate([each.end for each in step.samples if not each.error], *step.full_load_interval)


def measures(step: StepResult) -> tuple[Measure, ...]:
    """Every measurement of a step."""
    return tuple(_measures(step))


def implausible_speed_up(few: StepResult, many: StepResult) -> Iterator[Measure]:
    """Report replies that are faster with more clients: implausible unless some are cached."""
    latency_few, latency_many = (mean(each.took for each in step.measured) for step in (few, many))
    if latency_many < MIN_LATENCY_RATIO * latency_few:
        at: dict[str, float | str] = {
            "scenario": many.shape.scenario,
            "clients": many.shape.clients,
        }
        name = f"implausible: replies take less than with {few.shape.clients} clients, the share"
        yield Measure(name, latency_many / latency_few, "", at, len(many.measured))


def _measures(step: StepResult) -> Iterator[Measure]:
    at: dict[str, float | str] = {"scenario": step.shape.scenario}
    at |= {"clients": step.shape.clients} if step.shape.clients else {"rate": step.shape.rate}
    at |= {"prompts": "warm"} if step.shape.warm else {}
    total, measured = len(step.samples), step.measured
    yield Measure("requests", total, "", at)
    yield Measure("errors", len(step.errors), "", at)
    yield Measure("error rate at most", upper(len(step.errors), total, ALPHA), "", at, total)
    if len(measured) >= MIN_REPLIES:
        yield _estimate("throughput", throughput(step), "1/s", at, len(measured))
        tokens = sum(each.latency.tokens for each in measured if each.latency)
        start, end = step.full_load_interval
        yield Measure("output tokens", tokens / max(end - start, 1e-9), "1/s", at, total)
        yield Measure(
            "mean end to end", mean(each.took for each in measured), "s", at, len(measured)
        )
        for name, values in _series(measured).items():
            for share, minimum in PERCENTILES.items():
                if len(values) >= max(minimum, MIN_REPLIES):
                    label = f"{name} p{share:.0%}"[:-1]
                    yield _estimate(label, percentile(values, share), "s", at, len(values))
    if step.gaps.total:
        for share in PERCENTILES:
            name = f"time between tokens p{share:.0%}"[:-1]
            yield Measure(name, step.gaps.quantile(share), "s", at, step.gaps.total)
    yield Measure(
        "event loop lag p99", step.client_saturation.lag, "s", at, step.client_saturation.lags.total
    )
    yield Measure("busy share of a core", step.client_saturation.busy, "", at)
    if step.workers:
        yield Measure("load workers", step.workers, "", at)
        yield Measure("load workers began within", step.start_skew, "s", at)
    yield from _audits(step, at)


def _series(measured: list[RequestMeasurement]) -> dict[str, list[float]]:
    times = [(each, each.latency) for each in measured if each.latency]
    per_token = [latency.time_per_output_token for _, latency in times]
    return {
        "end to end": [each.took for each in measured],
        "time to first token": [
            each.sent - each.due + latency.time_to_first_token for each, latency in times
        ],
        "time per token": [each for each in per_token if each is not None],
    }


def _audits(step: StepResult, at: dict[str, float | str]) -> Iterator[Measure]:
    """Report figures that contradict each other: a hint, never a verdict."""
    measured = step.measured
    if step.shape.clients and len(measured) >= MIN_REPLIES:
        in_flight = throughput(step).value * mean(each.took for each in measured)
        off = abs(in_flight / step.shape.clients - 1)
        name = (
            "Little's law is off by"
            if off <= LITTLE_TOLERANCE
            else "implausible: Little's law is off by"
        )
        yield Measure(name, off, "", at)
    late = sum(each.latency.time_to_last_token > each.took for each in measured if each.latency)
    if late:
        yield Measure("implausible: tokens after the end", late, "", at)


def _estimate(
    name: str, found: Estimate, unit: str, at: dict[str, float | str], of: int
) -> Measure:
    return Measure(name, found.value, unit, at, of, found.low, found.high)


ALPHA = 0.05
HALF_LOAD = 0.6  # of measured throughput, with a margin, for no rate is exact
#: The article's only error rate: 0.3 % of tickets at 32 clients.
ALLOWED = {("ticket", 32): 0.003}
#: With more clients, requests may queue, but throughput must not fall below this share.
MIN_THROUGHPUT_RATIO = 0.5
#: Latency drifts where a trend has this p-value, and the last third of the replies takes this
#: multiple of the first third and this many seconds more.
DRIFT_SIGNIFICANCE, DRIFT_RATIO, MIN_DRIFT = 0.001, 1.5, 0.020


def score_completeness(step: StepResult) -> Score:
    """Score whether every request got a complete, non-empty reply."""
    total, errors = len(step.samples), step.errors
    if errors:
        (why, often), *_ = Counter(errors).most_common()
        reason = f"{len(errors)} of {total} requests failed: {step.shape.shown}; {often} × {why}"
        allowed = ALLOWED.get((step.shape.scenario, step.shape.clients), 0.0)
        if lower(len(errors), total, ALPHA) > allowed:
            return _measured(failed(reason), step)
        if len(errors) > allowed * total:
            return _measured(Score(Outcome.UNDETERMINED, reason), step)
    if step.limited:
        reason = f"{step.limited} of {total} requests were rate-limited: {step.shape.shown}"
        return _measured(Score(Outcome.UNDETERMINED, reason), step)
    return _measured(PASSED, step)


def score_cross_talk(step: StepResult) -> Score:
    """Score whether each request got its own answer, where the answer is known."""
    if step.cross_talk_reason:
        return failed(step.cross_talk_reason)
    known = len(step.known_answers)
    if not known:
        return scored(
            Outcome.UNDETERMINED,
            "no request with a known answer was answered",
            came=step.shape.shown,
        )
    if step.right_alone or len(step.wrong) == known:
        reason = f"{step.wrong_share}; asked alone, {step.right_alone} were right"
        return Score(Outcome.UNDETERMINED, reason)
    return PASSED


def score_throughput_scaling(few: StepResult, many: StepResult) -> Score:
    """Score whether throughput with many clients is at least half of that with few."""
    base, loaded = (throughput(step) for step in (few, many))
    reason = (
        f"{loaded.value:.2f} requests a second: {many.shape.shown}; "
        f"{base.value:.2f} with {few.shape.clients}"
    )
    for step in (few, many):
        if not step.measured and (step is few or step.limited):
            return scored(Outcome.UNDETERMINED, "no request was answered", came=step.shape.shown)
    if not many.measured:
        return failed(reason)
    if loaded.high >= MIN_THROUGHPUT_RATIO * base.low:
        return replace(PASSED, measures=tuple(implausible_speed_up(few, many)))
    # By Little's law, lost throughput is additional latency of each reply.
    slower, usual = (mean(each.took for each in step.measured) for step in (many, few))
    excess = slower - usual * many.shape.clients / few.shape.clients / MIN_THROUGHPUT_RATIO
    return excuse_if_saturated(
        failed(reason), excess, few.client_saturation, many.client_saturation
    )


def score_latency_drift(step: StepResult) -> Score:
    """Score whether latency stayed constant over a step (Mann-Kendall trend)."""
    took = [each.took for each in step.measured]
    third = len(took) // 3
    if not third:
        return scored(Outcome.UNDETERMINED, "too few replies", came=step.shape.shown)
    early, late = median(took[:third]), median(took[-third:])
    grown = late > max(DRIFT_RATIO * early, early + MIN_DRIFT)
    if grown and trend(took).p < DRIFT_SIGNIFICANCE:
        reason = (
            f"replies take {early:.2f} s at the start, {late:.2f} s at the end: {step.shape.shown}"
        )
        return excuse_if_saturated(
            failed(reason), late - DRIFT_RATIO * early, step.client_saturation
        )
    return PASSED


def score_open_loop(step: StepResult, full: StepResult) -> Score:
    """Score an open-loop step, and compare its median latency with a closed loop at full load."""
    score = score_completeness(step)
    took = [[each.took for each in which.measured] for which in (step, full)]
    if (
        not score.passed
        or step.shape.rate > HALF_LOAD * throughput(full).value
        or min(map(len, took)) < MIN_REPLIES
    ):
        return score
    half, full_load = (percentile(each, 0.5) for each in took)
    if half.low > full_load.high:
        reason = (
            f"{half.value:.2f} s at half of its throughput, {full_load.value:.2f} s at full load"
        )
        return excuse_if_saturated(
            failed(reason),
            half.low - full_load.high,
            step.client_saturation,
            full.client_saturation,
        )
    return score


def score_objectives(steps: Sequence[tuple[StepResult, LatencyObjective]]) -> Score:
    """Score each step against its latency objective; the worst score decides."""
    if not steps:
        return scored(Outcome.UNSUPPORTED, "the policy states no SLO", came="add `slo` to it")
    scores = [_within_limits(step, objective.max_seconds) for step, objective in steps]
    order = [Outcome.FAIL, Outcome.UNDETERMINED, Outcome.PASS]
    worst = min(scores, key=lambda score: order.index(score.outcome))
    return replace(worst, measures=tuple(each for score in scores for each in score.measures))


def _within_limits(step: StepResult, limits: Mapping[str, float]) -> Score:
    """Score a step by the limits of its objective, in seconds."""
    measured = step.measured
    if not measured:
        return scored(Outcome.UNDETERMINED, "no request was answered", came=step.shape.shown)
    took = [each.took for each in measured]
    firsts = [each.latency.time_to_first_token for each in measured if each.latency]
    seen = {
        "mean": mean(took),
        "p95": percentile(took, 0.95).value,
        "first": mean(firsts) if firsts else 0.0,
        "first_p95": percentile(firsts, 0.95).value if firsts else 0.0,
    }
    at: dict[str, float | str] = {
        "scenario": step.shape.scenario,
        "clients": step.shape.clients,
    }
    goodput = throughput(step).value * _share_within(measured, limits)
    score = replace(PASSED, measures=(Measure("goodput", goodput, "1/s", at, len(measured)),))
    if slower := [name for name in limits if seen[name] > limits[name]]:
        words = [f"{name} {seen[name]:.2f} s, not {limits[name]:g} s" for name in slower]
        excess = max(seen[name] - limits[name] for name in slower)
        failure = excuse_if_saturated(
            failed("; ".join(words), step.shape.shown), excess, step.client_saturation
        )
        return replace(failure, measures=score.measures)
    return score


def _share_within(measured: Sequence[RequestMeasurement], limits: Mapping[str, float]) -> float:
    """The share of requests within the limits of both end-to-end time and time to first token."""
    total = limits.get("p95", limits.get("mean", inf))
    first = limits.get("first_p95", limits.get("first", inf))
    good = [
        each.took <= total and (not each.latency or each.latency.time_to_first_token <= first)
        for each in measured
    ]
    return sum(good) / len(measured)


def _measured(score: Score, step: StepResult) -> Score:
    return replace(score, measures=measures(step))
