"""Scoring of stability: recovery after aborts, isolation, memory growth, gateways, restarts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from readiness.checks.stability.abort_cycles import (
    MAX_SLOWDOWN_AFTER,
    REST_TIMEOUT,
    AbortCyclesResult,
    IdleReading,
)
from readiness.checks.stability.scenarios import (
    EARLY_END_REPEATS,
    RESTART_TIMEOUT,
    BadInput,
    RestartResult,
)
from readiness.exchange import Exchange, Fault
from readiness.load.latency import incomplete_reply_reason, is_rate_limited, odd_input_failure
from readiness.load.meters.meter import CACHE, GPU, HOST, QUEUED, RUNNING
from readiness.load.saturation import excuse_if_saturated
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.statistics.trend import settled, trend

#: The p-value below which a trend is significant.
SIGNIFICANCE = 0.01
#: The article's server ran out of memory after 72 hours, having lost 10 GB. The most that idle use
#: may grow in that time: a share of the cache, or bytes; half a GiB is what an allocator may keep.
MAX_GROWTH_IN_72_HOURS = {CACHE: 0.05, GPU: 2.0**29, HOST: 2.0**29}


def memory_growth(
    readings: Sequence[IdleReading], readings_in_72_hours: float, interval: str
) -> tuple[str, tuple[Measure, ...]]:
    """Return why idle memory grows, or an empty string, and the growth of each meter as measures.

    Growth is a significant Mann-Kendall trend whose slope exceeds what 72 hours allow.

    Args:
        readings: Idle readings in order; the first third is warm-up and ignored.
        readings_in_72_hours: How many readings 72 hours would yield.
        interval: What lies between two readings, a "cycle" or a "round", for messages.
    """
    kept = settled(readings)
    reason, measures = "", list[Measure]()
    for name, limit in MAX_GROWTH_IN_72_HOURS.items():
        series = [each.gauges[name] for each in kept if name in each.gauges]
        if not kept or len(series) < len(kept):
            continue
        found = trend(series)
        unit = "" if name == CACHE else "B"
        measures.append(Measure(f"{name}, growth of a {interval} at rest", found.slope, unit))
        growth = found.slope * readings_in_72_hours
        if found.p < SIGNIFICANCE and found.low > 0 and growth > limit and not reason:
            reason = f"idle {name} grows by {found.slope:.3g} a {interval}"
    return reason, tuple(measures)


#: After aborts a short request may take this multiple of its time before, or this many seconds more
#: where times before and after overlap or fewer than MIN_TIMES_APART were measured after.
MAX_RATIO_AFTER, MAX_SLOWDOWN_OVERLAPPING, MIN_TIMES_APART = 2.0, 0.5, 5
#: Text of the reply that an aborted request asked for; the share of short requests that may be
#: answered wrongly.
ABORTED_REPLY, MAX_WRONG_SHARE = re.compile(r"\d+\s*[,，]\s*\d+"), 0.1
MAX_IDLE_CACHE = 0.01  # share of the cache that may stay occupied when idle
CYCLES_IN_72_HOURS = 750  # at 2,000 aborts a day
#: Default read timeouts of gateways, and the tolerance to recognise one, in seconds.
GATEWAY_TIMEOUTS, GATEWAY_TIMEOUT_TOLERANCE = (30, 60, 100, 120, 180, 300, 600), 1.5
#: The faults by which a stream ends whose connection was never closed.
HANG_FAULTS = (Fault.FIRST_BYTE, Fault.SILENCE, Fault.TOTAL)


def score_recovery(result: AbortCyclesResult) -> Score:
    """Score whether short requests are answered as correctly and as fast after aborts as before."""
    if result.control_errors:
        return failed(f"{_after(result)} a short request fails", result.control_errors[0])
    before, after = median(result.seconds_before), median(result.seconds_after)
    measures = (
        Measure("aborted", result.aborted),
        Measure("short request before", before, "s"),
        Measure("short request after", after, "s"),
    )
    apart = (
        min(result.seconds_after) > max(result.seconds_before)
        and len(result.seconds_after) >= MIN_TIMES_APART
    )
    most = max(
        MAX_RATIO_AFTER * before,
        before + (MAX_SLOWDOWN_AFTER if apart else MAX_SLOWDOWN_OVERLAPPING),
    )
    if wrong := _wrong_replies(result):
        return replace(failed(f"{_after(result)} {wrong}"), measures=measures)
    if after > most:
        reason = f"{_after(result)} a short request takes {after:.2f} s, {before:.2f} s before"
        return replace(
            excuse_if_saturated(failed(reason), after - most, result.client_saturation),
            measures=measures,
        )
    return replace(PASSED, measures=measures)


def score_concurrent_streams(result: AbortCyclesResult) -> Score:
    """Score whether the concurrent streams that no client aborted completed."""
    lost = [each for each in result.concurrent_stream_errors if each]
    if lost:
        total = len(result.concurrent_stream_errors)
        return failed(f"{len(lost)} of {total} streams not aborted failed, the first", lost[0])
    return PASSED


def score_wait_until_idle(result: AbortCyclesResult) -> Score:
    """Score whether short requests return to their usual time within REST_TIMEOUT of aborts."""
    waited = [each.waited for each in result.readings]
    worst = max(waited, default=0.0)
    measures = (Measure("longest wait for rest", worst, "s"),)
    if worst >= REST_TIMEOUT and not result.control_errors:
        reason = (
            f"{REST_TIMEOUT:.0f} s after an abort a short request still takes longer than before"
        )
        return replace(
            excuse_if_saturated(failed(reason), worst, result.client_saturation), measures=measures
        )
    return replace(PASSED, measures=measures)


def score_idle_metrics(result: AbortCyclesResult) -> Score:
    """Score the server's metrics when idle: running and queued requests, cache and memory."""
    if result.control_errors:
        return failed(f"{_after(result)} a short request fails", result.control_errors[0])
    readings = [each.gauges for each in result.readings]
    if not all(RUNNING in each for each in (result.gauges_before, *readings)):
        missing = "no metrics of running requests: name the server's metrics page with --metrics"
        return Score(Outcome.UNSUPPORTED, missing)
    if result.requests_before:
        return scored(
            Outcome.UNDETERMINED, "other clients use the endpoint", came="it is never idle"
        )
    last = readings[-1]
    for name in (RUNNING, QUEUED):
        if stuck := last.get(name, 0.0):
            return failed(f"{name} when idle", f"{stuck:g}, {_after(result)}")
    idle = result.gauges_before.get(CACHE, 0.0)
    if (kept := last.get(CACHE, 0.0)) > idle + MAX_IDLE_CACHE:
        return failed(f"the cache is {kept:.1%} full when idle, {idle:.1%} before the aborts")
    reason, measures = memory_growth(result.readings, CYCLES_IN_72_HOURS, "cycle")
    score = failed(f"{reason}, {_after(result)}") if reason else PASSED
    return replace(score, measures=measures)


def score_burst(exchanges: Sequence[Exchange]) -> Score:
    """Score a burst: each request is answered, or rejected with 429 and Retry-After."""
    for each in exchanges:
        why = incomplete_reply_reason(each)
        if why and not is_rate_limited(each):
            bare = ", without Retry-After" if each.status == 429 else ""
            page = ", an HTML page" if _html(each) else ""
            wrong = sum(
                bool(incomplete_reply_reason(other)) and not is_rate_limited(other)
                for other in exchanges
            )
            return failed(
                f"{wrong} of {len(exchanges)} simultaneous requests were not answered",
                f"{why}{bare}{page}",
            )
    later = sum(is_rate_limited(each) for each in exchanges)
    return replace(PASSED, measures=(Measure("told to come back later", later),))


def score_long_reply(exchange: Exchange, early_ends: Sequence[int] = ()) -> Score:
    """Score a long reply, and name the gateway timeout that its duration matches, if any.

    Args:
        exchange: The reply.
        early_ends: Where it ended, in characters, each time that the other form was longer.
    """
    seconds = exchange.seconds
    measures = (Measure("long reply", seconds, "s"),)
    if not (why := incomplete_reply_reason(exchange)):
        score = PASSED
        if len(early_ends) == EARLY_END_REPEATS:
            times = f"{len(early_ends)} of {EARLY_END_REPEATS} times"
            place = f"after {max(early_ends):,} characters"
            score = failed(f"a long reply ends {times} {place}; {_other(exchange)} it is longer")
        return replace(score, measures=measures)
    at = next(
        (each for each in GATEWAY_TIMEOUTS if abs(seconds - each) < GATEWAY_TIMEOUT_TOLERANCE), 0
    )
    gateway = f": a gateway's read timeout of {at} s" if at else ""
    page = ", an HTML page" if _html(exchange) else ""
    score = failed(f"a long reply ends after {seconds:.1f} s with {why}{page}{gateway}")
    if exchange.fault is Fault.TOTAL:
        score = scored(Outcome.UNDETERMINED, score.reason, came="it was still arriving")
    return replace(score, measures=measures)


def score_key_validity(exchanges: Sequence[Exchange]) -> Score:
    """Score a session: a key that was accepted once is accepted to the end."""
    for number, each in enumerate(exchanges, 1):
        if each.status in (401, 403) and number > 1:
            return failed(
                f"HTTP {each.status} at request {number} of a session", "the key was valid"
            )
        if why := incomplete_reply_reason(each):
            return failed(f"request {number} of a session fails", why)
    return PASSED


def score_bad_input(inputs: Sequence[BadInput], streams: Sequence[Exchange]) -> Score:
    """Score bad input: each request is rejected or answered, and concurrent streams complete."""
    for each in inputs:
        if each.exchange.fault is Fault.RESET and each.oversized:
            continue  # A server may reject a body before all of it has arrived.
        if why := odd_input_failure(each.exchange):
            return failed(each.name, why)
    lost = [why for why in map(incomplete_reply_reason, streams) if why]
    return failed("a stream concurrent with bad input fails", lost[0]) if lost else PASSED


def score_restart(restart: RestartResult) -> Score:
    """Score a restart: interrupted streams end, and later requests are answered."""
    if restart.status:
        return Score(Outcome.SKIPPED, f"the restart command exited with {restart.status}")
    if restart.seconds is None:
        return failed(f"no answer within {RESTART_TIMEOUT:.0f} s of a restart")
    measures = (Measure("back after", restart.seconds, "s"),)
    hung = [each for each in restart.interrupted if each.fault in HANG_FAULTS]
    if hung:
        score = failed(
            f"{len(hung)} of {len(restart.interrupted)} streams hang after a restart",
            incomplete_reply_reason(hung[0]),
        )
        return replace(score, measures=measures)
    lost = [each for each in restart.errors_after if each]
    if lost:
        score = failed(f"{len(lost)} of {len(restart.errors_after)} fail after a restart", lost[0])
        return replace(score, measures=measures)
    return replace(PASSED, measures=measures)


def _wrong_replies(result: AbortCyclesResult) -> str:
    """Return how replies to short requests are wrong after aborts, or an empty string."""
    usual, later = (
        result.control_replies[: len(result.seconds_before)],
        result.control_replies[len(result.seconds_before) :],
    )
    if not all(map(_is_usual, usual)):
        return ""  # A model that is wrong before the aborts shows nothing by being wrong after.
    if mixed := [each for each in later if ABORTED_REPLY.search(each)]:
        return f"a short request gets another request's reply: {mixed[0]!r:.60}"
    wrong = [each for each in later if not _is_usual(each)]
    if len(wrong) <= max(1, MAX_WRONG_SHARE * len(later)):
        return ""
    return (
        f"{len(wrong)} of {len(later)} short requests are not answered as before: {wrong[0]!r:.60}"
    )


def _is_usual(text: str) -> bool:
    return "ok" in text.casefold()


def _after(result: AbortCyclesResult) -> str:
    return f"after {result.aborted} aborted requests"


def _other(exchange: Exchange) -> str:
    streamed = isinstance(exchange.request, dict) and exchange.request.get("stream")
    return "not streamed" if streamed else "streamed"


def _html(exchange: Exchange) -> bool:
    return exchange.body[:200].lstrip().lower().startswith((b"<!doctype", b"<html"))
