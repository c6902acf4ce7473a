"""Scoring of load: errors, latency, throughput and what the policy promises."""

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

#: Fewer replies tell nothing of a median, nor 20 of them of a 99th percentile, which needs 100.
ENOUGH = 5
SHARES = {0.5: 0, 0.95: 20, 0.99: 100}
#: How far the number of clients may be off what throughput and latency make of it (Little's law).
LITTLE = 0.15
#: What share of the time that a reply takes with few clients it cannot well take with many.
QUICKER = 0.8


def throughput(step: StepResult) -> Estimate:
    """How many requests a second were answered while all clients were busy."""
    return rate([each.end for each in step.samples if not each.error], *step.full_load_interval)


def measures(step: StepResult) -> tuple[Measure, ...]:
    """All that a step has measured."""
    return tuple(_measures(step))


def quicker(few: StepResult, many: StepResult) -> Iterator[Measure]:
    """What cannot be: that replies take less the more clients there are, unless some are cached."""
    less, more = (mean(each.took for each in step.measured) for step in (few, many))
    if more < QUICKER * less:
        at: dict[str, float | str] = {
            "scenario": many.shape.scenario,
            "clients": many.shape.clients,
        }
        name = f"implausible: replies take less than with {few.shape.clients} clients, the share"
        yield Measure(name, more / less, "", at, len(many.measured))


def _measures(step: StepResult) -> Iterator[Measure]:
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
        start, end = step.full_load_interval
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
    yield Measure(
        "event loop lag p99", step.client_saturation.lag, "s", at, step.client_saturation.lags.total
    )
    yield Measure("busy share of a core", step.client_saturation.busy, "", at)
    if step.workers:
        yield Measure("load workers", step.workers, "", at)
        yield Measure("load workers began within", step.start_skew, "s", at)
    yield from _audits(step, own, at)


def _series(own: list[RequestMeasurement]) -> dict[str, list[float]]:
    times = [(each, each.latency) for each in own if each.latency]
    per_token = [latency.time_per_output_token for _, latency in times]
    return {
        "end to end": [each.took for each in own],
        "time to first token": [
            each.sent - each.due + latency.time_to_first_token for each, latency in times
        ],
        "time per token": [each for each in per_token if each is not None],
    }


def _audits(
    step: StepResult, own: list[RequestMeasurement], at: dict[str, float | str]
) -> Iterator[Measure]:
    """What cannot be, by figures that must fit each other: a hint, never a verdict."""
    if step.shape.clients and len(own) >= ENOUGH:
        inside = throughput(step).value * mean(each.took for each in own)
        off = abs(inside / step.shape.clients - 1)
        name = "Little's law is off by" if off <= LITTLE else "implausible: Little's law is off by"
        yield Measure(name, off, "", at)
    late = sum(each.latency.time_to_last_token > each.took for each in own if each.latency)
    if late:
        yield Measure("implausible: tokens after the end", late, "", at)


def _estimate(
    name: str, found: Estimate, unit: str, at: dict[str, float | str], of: int
) -> Measure:
    return Measure(name, found.value, unit, at, of, found.low, found.high)


ALPHA = 0.05
HALF = 0.6  # of what it can do, and a little more, for no rate is exact
#: The article's only loss: 0.3 % at 32 clients, of which each has a ticket.
ALLOWED = {("ticket", 32): 0.003}
#: More clients may wait for each other, but the server must not do less than half as much.
KEPT = 0.5
#: A pace is lost where it is surely falling, and the last third takes half as long again.
SURELY, SLOWER, NOTICED = 0.001, 1.5, 0.020


def answered(step: StepResult) -> Score:
    """Score whether every request was answered, and none with nothing."""
    total, errors = len(step.samples), step.errors
    if errors:
        (why, often), *_ = Counter(errors).most_common()
        told = f"{len(errors)} of {total} requests failed: {step.shape.shown}; {often} × {why}"
        allowed = ALLOWED.get((step.shape.scenario, step.shape.clients), 0.0)
        if lower(len(errors), total, ALPHA) > allowed:
            return _measured(failed(told), step)
        if len(errors) > allowed * total:
            return _measured(Score(Outcome.UNDETERMINED, told), step)
    if step.limited:
        told = f"{step.limited} of {total} requests met a stated rate limit: {step.shape.shown}"
        return _measured(Score(Outcome.UNDETERMINED, told), step)
    return _measured(PASSED, step)


def no_cross_talk(step: StepResult) -> Score:
    """Score whether each request got its own answer, where the answer is known."""
    if step.cross_talk_reason:
        return failed(step.cross_talk_reason)
    known = len(step.known_answers)
    if not known:
        return scored(
            Outcome.UNDETERMINED, "nobody got an answer that is known", came=step.shape.shown
        )
    if step.right_alone or len(step.wrong) == known:
        told = f"{step.wrong_share}; asked alone, {step.right_alone} were right"
        return Score(Outcome.UNDETERMINED, told)
    return PASSED


def keeps(few: StepResult, many: StepResult) -> Score:
    """Score whether more clients are served as much together as fewer are."""
    less, more = (throughput(step) for step in (few, many))
    told = (
        f"{more.value:.2f} requests a second: {many.shape.shown}; "
        f"{less.value:.2f} with {few.shape.clients}"
    )
    for step in (few, many):
        if not step.measured and (step is few or step.limited):
            return scored(Outcome.UNDETERMINED, "nothing was answered", came=step.shape.shown)
    if not many.measured:
        return failed(told)
    if more.high >= KEPT * less.low:
        return replace(PASSED, measures=tuple(quicker(few, many)))
    # By Little's law, a throughput that is lost is time that each reply takes longer.
    slower, usual = (mean(each.took for each in step.measured) for step in (many, few))
    excess = slower - usual * many.shape.clients / few.shape.clients / KEPT
    return excuse_if_saturated(failed(told), excess, few.client_saturation, many.client_saturation)


def holds(step: StepResult) -> Score:
    """Score whether a step went on as it began."""
    took = [each.took for each in step.measured]
    third = len(took) // 3
    if not third:
        return scored(Outcome.UNDETERMINED, "too few replies", came=step.shape.shown)
    early, late = median(took[:third]), median(took[-third:])
    grown = late > max(SLOWER * early, early + NOTICED)
    if grown and trend(took).p < SURELY:
        told = f"replies take {early:.2f} s at first, {late:.2f} s at last: {step.shape.shown}"
        return excuse_if_saturated(failed(told), late - SLOWER * early, step.client_saturation)
    return PASSED


def keeps_up(step: StepResult, full: StepResult) -> Score:
    """Score requests that came as they would, beside those of clients that wait their turn."""
    score = answered(step)
    took = [[each.took for each in which.measured] for which in (step, full)]
    if (
        not score.passed
        or step.shape.rate > HALF * throughput(full).value
        or min(map(len, took)) < ENOUGH
    ):
        return score
    half, most = (percentile(each, 0.5) for each in took)
    if half.low > most.high:
        told = f"{half.value:.2f} s at half of what it can do, {most.value:.2f} s at all of it"
        return excuse_if_saturated(
            failed(told), half.low - most.high, step.client_saturation, full.client_saturation
        )
    return score


def meets_objectives(made: Sequence[tuple[StepResult, LatencyObjective]]) -> Score:
    """Score steps by what users are promised of each; the worst of them decides."""
    if not made:
        return scored(Outcome.UNSUPPORTED, "the policy promises nothing", came="it has no slo")
    scores = [_kept(step, promise.max_seconds) for step, promise in made]
    order = [Outcome.FAIL, Outcome.UNDETERMINED, Outcome.PASS]
    worst = min(scores, key=lambda score: order.index(score.outcome))
    return replace(worst, measures=tuple(each for score in scores for each in score.measures))


def _kept(step: StepResult, most: Mapping[str, float]) -> Score:
    """Score a step by the seconds that its replies may take."""
    own = step.measured
    if not own:
        return scored(Outcome.UNDETERMINED, "nothing was answered", came=step.shape.shown)
    took = [each.took for each in own]
    firsts = [each.latency.time_to_first_token for each in own if each.latency]
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
    goodput = throughput(step).value * _share(own, most)
    score = replace(PASSED, measures=(Measure("goodput", goodput, "1/s", at, len(own)),))
    if slower := [name for name in most if seen[name] > most[name]]:
        words = [f"{name} {seen[name]:.2f} s, not {most[name]:g} s" for name in slower]
        excess = max(seen[name] - most[name] for name in slower)
        failure = excuse_if_saturated(
            failed("; ".join(words), step.shape.shown), excess, step.client_saturation
        )
        return replace(failure, measures=score.measures)
    return score


def _share(own: Sequence[RequestMeasurement], most: Mapping[str, float]) -> float:
    """The share of requests that are no slower than most are to be, in both of their times."""
    whole = most.get("p95", most.get("mean", inf))
    first = most.get("first_p95", most.get("first", inf))
    good = [
        each.took <= whole and (not each.latency or each.latency.time_to_first_token <= first)
        for each in own
    ]
    return sum(good) / len(own)


def _measured(score: Score, step: StepResult) -> Score:
    return replace(score, measures=measures(step))
