"""Scoring of stability: recovery after aborts, isolation, memory growth, gateways, restarts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from readiness.checks.stability.abort_cycles import (
    ABORTS_A_DAY,
    MAX_SLOWDOWN_AFTER,
    NOTICED,
    REST_TIMEOUT,
    TURN_REQUESTS,
    AbortCyclesResult,
    IdleReading,
)
from readiness.checks.stability.memory_growth import SIGNIFICANCE, MemoryGrowth, unless_by_all
from readiness.checks.stability.scenarios import (
    EARLY_END_REPEATS,
    GAP_REPEATS,
    RESTART_TIMEOUT,
    BadInput,
    RestartResult,
)
from readiness.exchange import Exchange, Fault
from readiness.load.latency import (
    answered_too_late,
    incomplete_reply_reason,
    limiters_reason,
    odd_input_failure,
    tokens,
)
from readiness.load.meters.meter import CACHE, QUEUED, RUNNING
from readiness.load.saturation import excuse_if_saturated, told_if_saturated
from readiness.protocol.completion import read
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.scoring.lateness import excuse_if_late
from readiness.statistics.trend import (
    Estimate,
    detectable,
    interval_of_mean,
    trend,
)


def score_memory_growth(growths: Sequence[MemoryGrowth], interval: str) -> Score:
    """Score whether idle memory grows, with the growth of each meter as measures.

    Args:
        growths: The growth of each meter.
        interval: What lies between two readings, a "cycle" or a "round", for messages.
    """
    found, measures = PASSED, list[Measure]()
    for each in growths:
        unit = "" if each.name == CACHE else "B"
        measures.append(Measure(f"{each.name}, growth of a {interval} at rest", each.slope, unit))
        reason = f"idle {each.name} grows by {each.slope:.3g} a {interval}"
        if each.outcome is Outcome.FAIL and found.outcome is not Outcome.FAIL:
            found = failed(reason)
        elif each.outcome is Outcome.UNDETERMINED and found.passed:
            why = f"{reason}, {each.why}: a leak, or a cache that fills"
            found = Score(each.outcome, why)
    return replace(found, measures=tuple(measures))


#: After aborts a short request may take this multiple of its time before, or this many seconds more
#: where times before and after overlap or fewer than MIN_TIMES_APART were measured after.
MAX_RATIO_AFTER, MAX_SLOWDOWN_OVERLAPPING, MIN_TIMES_APART = 2.0, 0.5, 5
#: Text of the reply that an aborted request asked for; the share of short requests that may be
#: answered wrongly.
ABORTED_REPLY, MAX_WRONG_SHARE = re.compile(r"\d+\s*[,，]\s*\d+"), 0.1
#: A reply repeats itself that has so few different words among those of its second half.
MIN_WORDS, MAX_REPEATED = 100, 0.08
MAX_IDLE_CACHE = 0.01  # share of the cache that may stay occupied when idle
MIN_CYCLES = 6  # that show a trend of what aborts cost
#: Default read timeouts of gateways, and the tolerance to recognise one, in seconds.
GATEWAY_TIMEOUTS, GATEWAY_TIMEOUT_TOLERANCE = (30, 60, 100, 120, 180, 300, 600), 1.5
#: The faults by which a stream ends whose connection was never closed.
HANG_FAULTS = (Fault.FIRST_BYTE, Fault.SILENCE, Fault.TOTAL)


#: What an abort may cost every later request after a day's aborts, in seconds, and from how much on
#: a series is too uneven to show it.
MAX_COST_A_DAY, MAX_UNSEEN_A_DAY = 1.0, 3.0
#: Of those that were to be aborted, the share that must have been; and how long a reply must take
#: when nobody aborts it, in seconds, for something to be left that could run on.
MIN_ABORTED, MIN_LONG = 0.5, 1.0
#: A request runs on if the metrics show it for this share of its time, or if a stream after it
#: is slowed down by this share of what one beside it is.
RUNS_ON, RUNS_ON_IN_METRICS = 0.5, 0.25
#: A stream stands still that waits this long, in seconds, and longer than so many long prefills.
MIN_STALL, STALL_PREFILLS = 5.0, 10.0


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
        score = excuse_if_saturated(failed(reason), after - most, result.client_saturation)
        late = median(result.late_after or [0.0])
        return replace(excuse_if_late(score, after - most, late), measures=measures)
    return _cost_of_aborts(result).measured(*measures)


def _cost_of_aborts(result: AbortCyclesResult) -> Score:
    """Score whether each abort makes later short requests slower: a trend over cycles."""
    series = [each.seconds for each in result.readings if each.seconds is not None]
    each_cycle = result.aborted / max(len(result.readings), 1)
    if len(series) < MIN_CYCLES or not each_cycle:
        return PASSED
    found, cycles = trend(series), ABORTS_A_DAY / each_cycle
    unseen = detectable(series) * cycles
    measures = (
        Measure("short request, growth a day", found.slope * cycles, "s"),
        Measure("short request, growth a day that would be seen", unseen, "s"),
    )
    grown = f"a short request takes {found.slope / each_cycle * 1000:.2g} ms more with each abort"
    if found.p < SIGNIFICANCE and found.low > 0 and found.slope * cycles > MAX_COST_A_DAY:
        by = found.slope * len(series)
        score = excuse_if_saturated(failed(grown), by, result.client_saturation)
        return replace(score, measures=measures)
    if unseen > MAX_UNSEEN_A_DAY:
        uneven = f"growth of {unseen:.1f} s a day would not be seen"
        why = f"short requests are too uneven: {uneven}"
        score = Score(Outcome.UNDETERMINED, why, measures)
        return told_if_saturated(score, result.client_saturation)
    return replace(PASSED, measures=measures)


def score_concurrent_streams(result: AbortCyclesResult) -> Score:
    """Score whether the concurrent streams that no client aborted completed."""
    lost = [each for each in result.concurrent_stream_errors if each]
    if lost:
        total = len(result.concurrent_stream_errors)
        return failed(f"{len(lost)} of {total} streams not aborted failed, the first", lost[0])
    if stall := _longest_stall(result):
        return stall
    return _too_few_aborts(result) or PASSED


def _longest_stall(result: AbortCyclesResult) -> Score | None:
    """The score of streams that stood still, by the longest that this machine does not explain."""
    limit = max(MIN_STALL, STALL_PREFILLS * result.prefill)
    late = [*result.late_in_stalls, *[0.0] * len(result.stalls)]
    scores = [
        excuse_if_late(
            failed("while others abort, a stream stands still", f"for {longest:.1f} s"),
            longest - limit,
            delayed,
        )
        for longest, delayed in sorted(zip(result.stalls, late, strict=False), reverse=True)
        if longest > limit
    ]
    told = [each for each in scores if each.outcome is Outcome.FAIL] or scores
    return told[0] if told else None


def _too_few_aborts(result: AbortCyclesResult) -> Score | None:
    """The score where too few requests were aborted before they had ended; None where enough."""
    if result.aborted >= MIN_ABORTED * result.attempted:
        return None
    shown = f"{result.aborted} of {result.attempted}"
    return scored(Outcome.UNDETERMINED, "replies ended before they could be aborted", came=shown)


def score_wait_until_idle(result: AbortCyclesResult) -> Score:
    """Score whether short requests return to their usual time within REST_TIMEOUT of aborts."""
    slowest = max(result.readings, key=lambda each: each.waited, default=IdleReading(0.0))
    worst = slowest.waited
    measures = (Measure("longest wait for rest", worst, "s"),)
    if worst >= REST_TIMEOUT and not result.control_errors:
        reason = (
            f"{REST_TIMEOUT:.0f} s after an abort a short request still takes longer than before"
        )
        score = excuse_if_saturated(failed(reason), worst, result.client_saturation)
        return replace(excuse_if_late(score, worst, slowest.late), measures=measures)
    score = PASSED if result.long is None or result.control_errors else _stopped(result)
    return score.measured(*measures, *_slowdowns(result))


def _stopped(result: AbortCyclesResult) -> Score:
    """Score whether aborted requests stopped, by the metrics and by the pace of streams."""
    if few := _too_few_aborts(result):
        return few
    assert result.long is not None
    usual, length = result.long.seconds, result.long.tokens
    told = all(RUNNING in each.gauges for each in result.readings) and bool(result.readings)
    slowed = slowed_after_aborts(result)
    if usual < MIN_LONG:
        short = f"{length} tokens in {usual:.2f} s"
        return scored(Outcome.UNDETERMINED, "a reply that nobody aborts is too short", came=short)
    running = median(each.running_for for each in result.readings) if told else 0.0
    if told and running > RUNS_ON_IN_METRICS * usual:
        shown = f"{running:.1f} s, a whole reply takes {usual:.1f} s"
        score = failed("after aborts the metrics show requests running", shown)
        excess = running - RUNS_ON_IN_METRICS * usual
        return excuse_if_saturated(score, excess, result.client_saturation)
    if slowed is not None and slowed.low > RUNS_ON:
        after, alone = median(result.streams_after), median(result.streams_alone)
        score = failed(f"after aborts a stream takes {after:.2f} s", f"alone {alone:.2f} s")
        return excuse_if_saturated(score, after - alone, result.client_saturation)
    if slowed is not None and slowed.high < RUNS_ON:
        return PASSED
    if told and (slowed is None or slowed.value <= RUNS_ON):
        return PASSED
    if slowed is None:
        missing = "requests that run beside another are not noticed: name --metrics"
        return Score(Outcome.UNSUPPORTED, missing)
    uneven = f"{slowed.low:.0%} to {slowed.high:.0%} of what running requests cost it"
    score = scored(Outcome.UNDETERMINED, "a stream after aborts is slowed down by", came=uneven)
    return told_if_saturated(score, result.client_saturation)


def slowed_after_aborts(result: AbortCyclesResult) -> Estimate | None:
    """By which share of what running requests cost a stream it is slowed down after aborts.

    None where running requests cost it nothing that can be told from chance.
    """
    alone, beside = result.streams_alone, result.streams_beside
    if not (alone and beside and result.streams_after):
        return None
    # The fastest: what was aborted before may still run beside the others.
    usual, slowest = median(alone), min(beside)
    if slowest < NOTICED * usual or slowest <= max(alone):
        return None
    shares = [(each - usual) / (slowest - usual) for each in result.streams_after]
    return interval_of_mean(shares)


def _slowdowns(result: AbortCyclesResult) -> Iterator[Measure]:
    """What a stream takes alone, beside others and after aborts."""
    for name, seconds in (
        ("alone", result.streams_alone),
        ("beside running requests", result.streams_beside),
        ("right after aborts", result.streams_after),
    ):
        if seconds:
            yield Measure(f"a stream {name}", median(seconds), "s", {}, len(seconds))
    if result.long is not None:
        yield Measure("a reply that nobody aborts", result.long.seconds, "s")
        yield Measure("requests aborted of those to be", result.aborted, "", {}, result.attempted)


def score_idle_metrics(result: AbortCyclesResult) -> Score:
    """Score the server's metrics when idle: running and queued requests, cache and memory."""
    if result.control_errors:
        return failed(f"{_after(result)} a short request fails", result.control_errors[0])
    readings = result.readings
    if not all(RUNNING in each for each in (result.gauges_before, *(e.gauges for e in readings))):
        missing = "no metrics of running requests: name a page that has them with --metrics"
        return Score(Outcome.UNSUPPORTED, missing)
    if result.requests_before:
        return scored(
            Outcome.UNDETERMINED, "other clients use the endpoint", came="it is never idle"
        )
    last = readings[-1].gauges
    for name in (RUNNING, QUEUED):
        if stuck := last.get(name, 0.0):
            score, end = failed(f"{name} when idle", f"{stuck:g}, {_after(result)}"), readings[-1]
            late = end.late if end.waited >= REST_TIMEOUT else 0.0
            return excuse_if_late(score, REST_TIMEOUT, late)
    idle = result.gauges_before.get(CACHE, 0.0)
    if (kept := last.get(CACHE, 0.0)) > idle + MAX_IDLE_CACHE:
        return failed(f"the cache is {kept:.1%} full when idle, {idle:.1%} before the aborts")
    in_turn = TURN_REQUESTS / result.aborted_in_cycle
    growths = [unless_by_all(each, result.by_turns, in_turn) for each in result.memory_growth]
    score = score_memory_growth(growths, "cycle")
    return replace(score, reason=score.reason and f"{score.reason}, {_after(result)}")


def score_burst(exchanges: Sequence[Exchange]) -> Score:
    """Score a burst: each request is answered, or rejected with 429 and Retry-After.

    A limiter in front that does not say when to come back leaves it open.
    """
    lost = [(each, why) for each in exchanges if (why := incomplete_reply_reason(each))]
    later = [each for each, _ in lost if each.status == 429 and "retry-after" in each.headers]
    if dropped := [(each, why) for each, why in lost if not each.limiter]:
        (first, why), many = dropped[0], f"{len(dropped)} of {len(exchanges)}"
        page = ", an HTML page" if _html(first) else ""
        return failed(f"{many} simultaneous requests were not answered", f"{why}{page}")
    if bare := [each for each, _ in lost if each not in later]:
        why = limiters_reason([each.limiter for each in bare], len(exchanges))
        came = f"HTTP {bare[0].status}, and not 429 with Retry-After"
        return scored(Outcome.UNDETERMINED, why, came=came)
    return replace(PASSED, measures=(Measure("told to come back later", len(later)),))


def score_long_reply(
    exchange: Exchange,
    early_ends: Sequence[int] = (),
    least: int = 0,
    gaps: Sequence[str] = (),
) -> Score:
    """Score a long reply, and name the gateway timeout that its duration matches, if any.

    Args:
        exchange: The reply.
        early_ends: Where it ended, in characters, each time that the other form was longer.
        least: The tokens from which on a reply shows anything about long ones.
        gaps: Where its list has gaps, each time that the other form had none.
    """
    seconds = exchange.seconds
    measures = (Measure("long reply", seconds, "s"),)
    if not (why := incomplete_reply_reason(exchange)):
        score = PASSED
        if len(early_ends) == EARLY_END_REPEATS:
            times = f"{len(early_ends)} of {EARLY_END_REPEATS} times"
            place = f"after {max(early_ends):,} characters"
            score = failed(f"a long reply ends {times} {place}; {_other(exchange)} it is longer")
        elif len(gaps) == GAP_REPEATS:
            found = f"{_other(exchange)} it has none"
            score = failed(f"a long list has gaps, as between {gaps[0]}; {found}")
        elif least and (text := _repeated_end(exchange)):
            why = "the second half of a long reply repeats itself"
            score = scored(Outcome.UNDETERMINED, why, came=f"{text!r:.60}")
        elif least and (length := tokens(exchange)) < least:
            short = f"{length} tokens in {seconds:.1f} s"
            score = scored(Outcome.UNDETERMINED, "asked for a long reply, it is short", came=short)
        return replace(score, measures=measures)
    timeout = _gateway_timeout(exchange)
    gateway = f": {timeout}" if timeout else ""
    page = ", an HTML page" if _html(exchange) else ""
    score = failed(f"a long reply ends after {seconds:.1f} s with {why}{page}{gateway}")
    if exchange.fault is Fault.TOTAL:
        score = scored(Outcome.UNDETERMINED, score.reason, came="it was still arriving")
    return replace(score, measures=measures)


def _repeated_end(exchange: Exchange) -> str:
    """What the second half of a reply says over and over; "" where it does not."""
    words = re.findall(r"\w+", read(exchange).text)
    half = words[len(words) // 2 :]
    if len(half) < MIN_WORDS or len({*half}) > MAX_REPEATED * len(half):
        return ""
    return " ".join(half[:10])


def _gateway_timeout(exchange: Exchange) -> str:
    """The read timeout of a gateway, by the time it took or its status; "" for none."""
    seconds = exchange.seconds
    near = (each for each in GATEWAY_TIMEOUTS if abs(seconds - each) < GATEWAY_TIMEOUT_TOLERANCE)
    known = next(near, 0)
    return f"a gateway's read timeout of {known} s" if known else exchange.gateway_timeout


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
    limited = [each.exchange for each in inputs if each.exchange.limiter]
    for each in inputs:
        if each.exchange.limiter or (each.exchange.fault is Fault.RESET and each.oversized):
            continue  # A server may reject a body before all of it has arrived.
        if why := odd_input_failure(each.exchange):
            excess, score = answered_too_late(each.exchange), failed(each.name, why)
            late = each.exchange.seconds_late if excess else 0.0
            return excuse_if_late(score, excess, late)
    lost = [why for why in map(incomplete_reply_reason, streams) if why]
    if lost:
        return failed("a stream concurrent with bad input fails", lost[0])
    if limited:
        why = limiters_reason([each.limiter for each in limited], len(inputs))
        return scored(Outcome.UNDETERMINED, why, came=f"HTTP {limited[0].status}")
    return PASSED


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
