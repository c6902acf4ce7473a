"""Scoring of load: errors, cross-talk, throughput, latency drift and the policy's SLO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf
from statistics import mean

from readiness.load.latency import limiters_reason
from readiness.load.saturation import (
    ClientSaturation,
    excuse_if_saturated,
    is_saturated,
    told_if_saturated,
)
from readiness.load.step import RequestMeasurement, StepResult
from readiness.policy.slo import LatencyObjective
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.scoring.lateness import MAX_LAGS, too_busy
from readiness.statistics.proportions import lower, upper
from readiness.statistics.trend import Estimate, batch_means, divided, percentile, ratio

#: The fewest replies of which to report a statistic, and a percentile: a p99 needs 100.
MIN_REPLIES = 5
PERCENTILES = {0.5: 0, 0.95: 20, 0.99: 100}
#: The tolerated relative deviation from Little's law: clients = throughput × mean latency.
LITTLE_TOLERANCE = 0.15
#: Replies with many clients that take less than this share of the time with few are implausible.
MIN_LATENCY_RATIO = 0.8


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
        name = f"replies take less than with {few.shape.clients} clients, the share"
        share, of = latency_many / latency_few, len(many.measured)
        yield Measure(name, share, "", at, of, implausible=True)


def _measures(step: StepResult) -> Iterator[Measure]:
    at: dict[str, float | str] = {"scenario": step.shape.scenario}
    at |= {"clients": step.shape.clients} if step.shape.clients else {"rate": step.shape.rate}
    at |= {"prompts": "warm"} if step.shape.warm else {}
    total, measured = len(step.samples), step.measured
    yield Measure("requests", total, "", at)
    yield Measure("errors", len(step.errors), "", at)
    yield Measure("error rate at most", upper(len(step.errors), total, ALPHA), "", at, total)
    if len(measured) >= MIN_REPLIES:
        yield _estimate("throughput", step.throughput, "1/s", at, len(measured))
        tokens = sum(each.latency.tokens for each in measured if each.latency)
        seconds = sum(each.held for each in step.window) / (step.shape.clients or step.busy_clients)
        yield Measure("output tokens", tokens / max(seconds, 1e-9), "1/s", at, len(measured))
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
        off = abs(step.busy_clients / step.shape.clients - 1)
        name, wrong = "Little's law is off by", off > LITTLE_TOLERANCE
        yield Measure(name, off, "", at, implausible=wrong)
    late = sum(each.latency.time_to_last_token > each.took for each in measured if each.latency)
    if late:
        yield Measure("tokens after the end", late, "", at, implausible=True)


def _estimate(
    name: str, found: Estimate, unit: str, at: dict[str, float | str], of: int
) -> Measure:
    return Measure(name, found.value, unit, at, of, found.low, found.high)


ALPHA = 0.05
HALF_LOAD = 0.6  # of measured throughput, with a margin, for no rate is exact
#: The article's only error rate: 0.3 % of tickets at 32 clients.
ALLOWED, ALLOWED_STALLS = {("ticket", 32): 0.003}, 0.003
BATCHES = 6  # of a third of a step, and of lengths
#: With more clients, requests may queue, but throughput must not fall below this share.
MIN_THROUGHPUT_RATIO = 0.5
#: Reply times may grow by this factor within a step, and by this many seconds in any case.
MAX_DRIFT, MIN_DRIFT = 1.5, 0.020
#: A reply under load has at least this share of the length that it has alone, or with few clients;
#: fewer replies than this show nothing of it.
MIN_LENGTH_RATIO, MIN_LENGTHS = 0.8, 4
#: A request stalls that waits for a token for longer than so many whole replies take, the longer
#: ones (as a share of all), and for so many seconds.
STALL_REPLIES, MIN_STALL, LONG_REPLY = 3.0, 5.0, 0.9
#: One that waits for this multiple, and for so many seconds, while others are answered, has failed
#: for its user.
LOST_REPLIES, MIN_LOST = 10.0, 10.0
#: At half of its throughput a reply takes at most this much longer than at all of it.
MAX_HALF_LOAD = 1.5
#: A step tries no isolation where fewer requests than this share of its clients were in flight on
#: average. An endpoint that answers at once, as from a cache, is as fast as this process: with 32
#: clients 15 requests of it are in flight.
MIN_OVERLAP = 0.25


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
    return _measured(_limited(step) or PASSED, step)


def _limited(*steps: StepResult) -> Score | None:
    """The score where a limiter refused requests, so that a step had less load than it says."""
    for each in steps:
        if each.limiters:
            why = limiters_reason(each.limiters, len(each.samples))
            return scored(Outcome.UNDETERMINED, why, came=each.shape.shown)
    return None


def score_cross_talk(step: StepResult, few: StepResult | None = None) -> Score:
    """Score whether each request got its own answer, as right and as long as without load."""
    if step.cross_talk_reason:
        return failed(step.cross_talk_reason)
    if why := _shorter(step, few):
        return failed(why, came=step.shape.shown)
    if why := _unmarked(step, few):
        return failed(why, came=step.shape.shown)
    if len(step.wrong_after) > 1:
        forms = ", ".join(step.wrong_after)
        return failed("right before load and wrong right after it", f"{forms}; {step.shape.shown}")
    known = len(step.known_answers)
    if not known:
        return scored(
            Outcome.UNDETERMINED,
            "no request with a known answer was answered",
            came=step.shape.shown,
        )
    if step.in_flight < MIN_OVERLAP * step.shape.clients:
        overlapped = f"{step.in_flight:.1f} on average, {step.shape.shown}"
        return scored(Outcome.UNDETERMINED, "few requests overlapped", came=overlapped)
    if step.right_alone or len(step.wrong) == known:
        reason = f"{step.wrong_share}; asked alone, {step.right_alone} were right"
        return Score(Outcome.UNDETERMINED, reason)
    return _limited(step) or PASSED


def _unmarked(step: StepResult, few: StepResult | None) -> str:
    """How more replies lack their marks than alone or with the fewest clients; "" if none do."""
    others = {"alone": step.marked_alone}
    if few is not None and few is not step:
        others |= {f"with {few.shape.clients} clients": few.marked}
    lost, of = step.marked.count(False), len(step.marked)
    for load, marked in others.items():
        usual = marked.count(False)
        if of and marked and lower(lost, of, ALPHA) > upper(usual, len(marked), ALPHA):
            without = f"{lost} of {of} replies do not begin as they are to"
            return f"{without}, {usual} of {len(marked)} {load}"
    return ""


def _shorter(step: StepResult, few: StepResult | None) -> str:
    """How replies are shorter than alone, or than with the fewest clients; "" if they are not."""
    if len(step.lengths) >= MIN_LENGTHS:
        loaded, alone = (sum(each) for each in zip(*step.lengths, strict=True))
        if all(one < MIN_LENGTH_RATIO * other for one, other in step.lengths):
            return f"replies have {loaded:,} letters under load, {alone:,} to the same alone"
    if few is None or few is step:
        return ""
    lengths = [
        batch_means([mean(one.length for one in each) for each in divided(which.measured, BATCHES)])
        for which in (step, few)
        if which.measured
    ]
    if len(lengths) == 2 and ratio(*lengths).high < MIN_LENGTH_RATIO:
        loaded_mean, few_mean = (f"{each.value:,.0f}" for each in lengths)
        return f"replies have {loaded_mean} letters, {few_mean} with {few.shape.clients} clients"
    return ""


def score_throughput_scaling(few: StepResult, many: StepResult) -> Score:
    """Score whether throughput with many clients is at least half of that with few."""
    if limited := _limited(few, many):
        return limited
    base, loaded = few.throughput, many.throughput
    reason = (
        f"{loaded.value:.2f} requests a second: {many.shape.shown}; "
        f"{base.value:.2f} with {few.shape.clients}"
    )
    if not few.measured:
        return scored(Outcome.UNDETERMINED, "no request was answered", came=few.shape.shown)
    if not many.measured:
        return failed(reason)
    found = ratio(loaded, base)
    measures_ = (*_power(found, many), *implausible_speed_up(few, many))
    if found.low >= MIN_THROUGHPUT_RATIO:
        return replace(PASSED, measures=measures_)
    shown = f"{reason}; the ratio is {found.low:.2f} to {found.high:.2f}"
    if found.high >= MIN_THROUGHPUT_RATIO:
        score = Score(Outcome.UNDETERMINED, shown, measures_)
        return told_if_saturated(score, few.client_saturation, many.client_saturation)
    score = excuse_if_saturated(failed(shown), *_lost_throughput(few, many))
    return replace(score, measures=measures_)


def throughput_seems_lost(few: StepResult, many: StepResult) -> bool:
    """Whether the ratio itself is too low, be that by chance, and not by what this machine does."""
    if not (few.measured and many.measured) or _limited(few, many):
        return False
    found = ratio(many.throughput, few.throughput)
    low = found.value < MIN_THROUGHPUT_RATIO and found.high < inf
    return low and not is_saturated(*_lost_throughput(few, many))


def _lost_throughput(
    few: StepResult, many: StepResult
) -> tuple[float, ClientSaturation, ClientSaturation]:
    """By how many seconds a reply took too long, and how busy this machine was."""
    # By Little's law, lost throughput is additional latency of each reply.
    slower, usual = (mean(each.took for each in step.measured) for step in (many, few))
    excess = slower - usual * many.shape.clients / few.shape.clients / MIN_THROUGHPUT_RATIO
    return excess, few.client_saturation, many.client_saturation


def _power(found: Estimate, step: StepResult) -> Iterator[Measure]:
    """The ratio that was found, and the highest that would have been found to be too low."""
    at: dict[str, float | str] = {"scenario": step.shape.scenario, "clients": step.shape.clients}
    yield Measure("throughput, share", found.value, "", at, len(step.window), found.low, found.high)
    if found.high < inf and found.value:
        shown = MIN_THROUGHPUT_RATIO * found.value / found.high
        yield Measure("throughput, share that would be too low", shown, "", at, len(step.window))


def score_latency_drift(step: StepResult) -> Score:
    """Score whether latency stayed constant while all clients were busy."""
    if limited := _limited(step):
        return limited
    third = len(step.measured) // 3
    early, late = _early_and_late(step)
    found = ratio(late, early)
    at: dict[str, float | str] = {"scenario": step.shape.scenario, "clients": step.shape.clients}
    measures_ = (Measure("reply time, last third", found.value, "", at, third, *found[1:]),)
    shown = (
        f"replies take {early.value:.2f} s at the start, {late.value:.2f} s at the end: "
        f"{step.shape.shown}; the ratio is {found.low:.2f} to {found.high:.2f}"
    )
    if found.high < inf and (found.high < MAX_DRIFT or late.high < early.value + MIN_DRIFT):
        return replace(PASSED, measures=measures_)
    if third and (found.low <= MAX_DRIFT or late.low < early.value + MIN_DRIFT):
        score = Score(Outcome.UNDETERMINED, shown, measures_ if found.high < inf else ())
        return told_if_saturated(score, step.client_saturation)
    if not third:
        return scored(Outcome.UNDETERMINED, "too few replies", came=step.shape.shown)
    excess = late.value - MAX_DRIFT * early.value
    score = excuse_if_saturated(failed(shown), excess, step.client_saturation)
    return replace(score, measures=measures_)


def latency_seems_to_drift(step: StepResult) -> bool:
    """Whether the growth itself is too large, be that by chance, and not by this machine."""
    if _limited(step):
        return False
    early, late = _early_and_late(step)
    excess = late.value - max(MAX_DRIFT * early.value, early.value + MIN_DRIFT)
    known = ratio(late, early).high < inf
    return known and excess > 0 and not is_saturated(excess, step.client_saturation)


def _early_and_late(step: StepResult) -> tuple[Estimate, Estimate]:
    """The mean reply times of the first third of a step, and of the last."""
    measured = step.measured
    third = len(measured) // 3
    relative = _relative_times(measured)
    usual = mean(each.took for each in measured) if measured else 0.0
    early, late = (
        batch_means([usual * mean(each) for each in divided(part, BATCHES)])
        for part in (relative[:third], relative[len(measured) - third :])
    )
    return early, late


def _relative_times(measured: Sequence[RequestMeasurement]) -> list[float]:
    """Reply times as shares of the mean of their turn: later turns of a conversation are others."""
    turns = sorted({each.turn for each in measured})
    usual = {turn: mean(each.took for each in measured if each.turn == turn) for turn in turns}
    return [each.took / max(usual[each.turn], 1e-9) for each in measured]


def waited(step: StepResult) -> list[RequestMeasurement]:
    """The requests that waited for a token far longer than whole replies take there."""
    limit = _longest_wait(step, STALL_REPLIES, MIN_STALL)
    return [each for each in step.samples if not each.error and each.longest_wait > limit]


def stalled(
    step: StepResult, replies: float = STALL_REPLIES, seconds: float = MIN_STALL
) -> list[RequestMeasurement]:
    """Those of them that waited for longer than this machine may explain."""
    limit = _longest_wait(step, replies, seconds)
    return [each for each in waited(step) if each.longest_wait > limit + MAX_LAGS * each.late]


def lost_to_stalls(step: StepResult) -> list[RequestMeasurement]:
    """Those that waited so long that they failed, while others were answered.

    That others were shows that neither this process nor the network stood still.
    """
    return [
        each
        for each in stalled(step, LOST_REPLIES, MIN_LOST)
        if _longest_pause_of_others(step, each) < each.longest_wait / 2
    ]


def _longest_wait(step: StepResult, replies: float, seconds: float) -> float:
    """So many times as long as long replies take, and so many seconds at the least."""
    took = [each.took for each in step.measured]
    return max(seconds, replies * percentile(took, LONG_REPLY).value) if took else inf


def _longest_pause_of_others(step: StepResult, one: RequestMeasurement) -> float:
    """The longest time in a request during which no other was answered, in seconds."""
    ends = (each.end for each in step.samples if each is not one and not each.error)
    within = sorted(each for each in ends if one.due <= each <= one.end)
    return max(later - earlier for earlier, later in pairwise([one.due, *within, one.end]))


def score_stalls(steps: Sequence[StepResult], again: Sequence[StepResult]) -> Score:
    """Score whether requests stalled, and whether any did when the step was made again.

    Args:
        steps: Steps of a load test.
        again: Those of them in which requests waited, made again.
    """
    total = sum(len(each.samples) for each in steps)
    found = [one for each in steps for one in stalled(each)]
    measures_ = (Measure("stalled requests", len(found), "", {}, total),)
    if not total:
        return scored(Outcome.UNDETERMINED, "no request was answered")
    if not found:
        score = _held_up(steps, again) or _limited(*steps) or PASSED
        return replace(score, measures=measures_)
    longest = max(each.longest_wait for each in found)
    shown = f"{len(found)} of {total}, up to {longest:.1f} s"
    if any(_loses_too_many(each) for each in steps):
        score = failed("requests wait for a token while others are answered", shown)
        return replace(score, measures=measures_)
    repeated = sum(len(stalled(each)) for each in again)
    if repeated or lower(len(found), total, ALPHA) > ALLOWED_STALLS:
        came = f"{shown}; made again, {repeated} of {sum(len(each.samples) for each in again)}"
        return replace(failed("requests wait for a token", came), measures=measures_)
    score = scored(Outcome.UNDETERMINED, "requests waited for a token, and not again", came=shown)
    return replace(score, measures=measures_)


def _held_up(steps: Sequence[StepResult], again: Sequence[StepResult]) -> Score | None:
    """The score where this machine may explain each wait; None where there is none when repeated.

    What is repeated stands alone, for the first time has shown nothing.
    """
    found = [one for each in steps for one in waited(each)]
    if not found or (again and not any(map(waited, again))):
        return None
    late = max(each.late for each in found)
    return too_busy(late, f"a request waited for {max(each.longest_wait for each in found):.1f} s")


def _loses_too_many(step: StepResult) -> bool:
    """Whether more requests failed by waiting than may fail in a step."""
    allowed = ALLOWED.get((step.shape.scenario, step.shape.clients), 0.0)
    return lower(len(lost_to_stalls(step)), len(step.samples), ALPHA) > allowed


def score_open_loop(step: StepResult, full: StepResult, few: StepResult) -> Score:
    """Score an open-loop step, and compare its median latency with a closed loop at full load.

    With the fewest clients of a closed loop, a reply may take no longer either: an engine that
    waits for a larger batch keeps a single user waiting for others.
    """
    score = score_completeness(step)
    if not score.passed or step.shape.rate > HALF_LOAD * full.throughput.value:
        return score
    if limited := _limited(few, full):
        return limited.measured(*score.measures)
    scores = [_no_slower(*each) for each in _pairs(step, full, few)]
    return _worst(scores).measured(*score.measures)


def replies_seem_slower(step: StepResult, full: StepResult, few: StepResult) -> bool:
    """Whether a median itself is too long, be that by chance, and not by what this machine does."""
    if step.shape.rate > HALF_LOAD * full.throughput.value or _limited(step, few, full):
        return False
    return any(_seems_slower(own, full, margin) for own, full, _, margin in _pairs(step, full, few))


#: A step, one at full load, the load of the first in words, and how many times as long it may take.
_Pair = tuple[StepResult, StepResult, str, float]


def _pairs(step: StepResult, full: StepResult, few: StepResult) -> list[_Pair]:
    """Which steps are compared with one at full load."""
    return [
        (step, full, "at half of its throughput", 1.0),
        (few, full, f"with {few.shape.clients} clients", MAX_HALF_LOAD),
    ]


def _no_slower(step: StepResult, full: StepResult, load: str, margin: float) -> Score:
    """Score whether the median reply of a step takes no longer than one at full load."""
    if (fewest := min(len(step.measured), len(full.measured))) < MIN_REPLIES:
        return scored(
            Outcome.UNDETERMINED, "too few replies", came=f"{fewest} of {step.shape.shown}"
        )
    own, at_full = _median(step), _median(full)
    reason = f"{own.value:.2f} s {load}, {at_full.value:.2f} s at full load"
    excess = own.low - margin * at_full.high
    saturations = step.client_saturation, full.client_saturation
    if excess > 0.0 and own.low > at_full.high + (MIN_DRIFT if margin > 1.0 else 0.0):
        return excuse_if_saturated(failed(reason), excess, *saturations)
    if own.high > max(MAX_HALF_LOAD * at_full.value, at_full.value + MIN_DRIFT):
        return told_if_saturated(Score(Outcome.UNDETERMINED, reason), *saturations)
    return PASSED


def _seems_slower(step: StepResult, full: StepResult, margin: float) -> bool:
    if min(len(step.measured), len(full.measured)) < MIN_REPLIES:
        return False
    own, at_full = _median(step).value, _median(full).value
    excess = own - max(margin * at_full, at_full + (MIN_DRIFT if margin > 1.0 else 0.0))
    return excess > 0 and not is_saturated(excess, step.client_saturation, full.client_saturation)


def _median(step: StepResult) -> Estimate:
    return percentile([each.took for each in step.measured], 0.5)


def _worst(scores: Sequence[Score]) -> Score:
    """The score that decides: a failure, or else one that is open."""
    order = [Outcome.FAIL, Outcome.UNDETERMINED, Outcome.PASS]
    return min(scores, key=lambda score: order.index(score.outcome))


def score_objectives(steps: Sequence[tuple[StepResult, LatencyObjective]]) -> Score:
    """Score each step against its latency objective; the worst score decides."""
    if not steps:
        return scored(Outcome.UNSUPPORTED, "the policy states no SLO", came="add `slo` to it")
    scores = [_within_limits(step, objective.max_seconds) for step, objective in steps]
    all_measures = tuple(each for score in scores for each in score.measures)
    return replace(_worst(scores), measures=all_measures)


def _within_limits(step: StepResult, limits: Mapping[str, float]) -> Score:
    """Score a step by the limits of its objective, in seconds."""
    if limited := _limited(step):
        return limited
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
    goodput = step.throughput.value * _share_within(measured, limits)
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
