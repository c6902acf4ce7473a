"""Scoring of stability: isolation, rest after aborts, memory that grows, recovery."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from readiness.checks.stability.abort_cycles import REST, UNNOTICED, AbortCyclesResult, RestReading
from readiness.checks.stability.mishaps import BACK, TIMES, OddInput, RestartResult
from readiness.exchange import Exchange, Fault
from readiness.load.latency import incomplete_reply_reason, is_rate_limited, odd_input_failure
from readiness.load.meters.meter import CACHE, GPU, HOST, QUEUED, RUNNING
from readiness.load.saturation import excuse_if_saturated
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.statistics.trend import settled, trend

#: A trend is believed below this chance of none.
SURELY = 0.01
#: The article ran out of memory after 72 hours. What is held at rest must not grow by more than
#: this in that time: a share of the cache, or bytes. The article lost 10 GB; half a GiB is what
#: an allocator may take for itself.
MATERIAL = {CACHE: 0.05, GPU: 2.0**29, HOST: 2.0**29}


def memory_growth(
    readings: Sequence[RestReading], many: float, between: str
) -> tuple[str, tuple[Measure, ...]]:
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


#: What a short request may take after a storm: so many times as before, and so much more, in s,
#: where the times before and after overlap, or are fewer than the least that can be told apart.
RECOVERED, OVERLAPPING, APART = 2.0, 0.5, 5
#: Numbers as an aborted request has asked for, and how many short requests may be answered oddly.
NUMBERS, ODDLY = re.compile(r"\d+\s*[,，]\s*\d+"), 0.1
EMPTY = 0.01  # of the cache, at the most, is held at rest
DAYS_OF_CYCLES = 750  # of a storm, in 72 hours with 2,000 aborts a day
#: The read time-outs that gateways come with, in seconds, and how near to one is at it.
ROUND, NEAR = (30, 60, 100, 120, 180, 300, 600), 1.5
#: How a stream ends that nobody has told that its server is gone.
HANGS = (Fault.FIRST_BYTE, Fault.SILENCE, Fault.TOTAL)


def survives(storm: AbortCyclesResult) -> Score:
    """Score whether short requests fare after a storm as they did before."""
    if storm.control_errors:
        return failed(f"{_after(storm)} a short request fails", storm.control_errors[0])
    before, after = median(storm.before), median(storm.after)
    measures = (
        Measure("aborted", storm.aborted),
        Measure("short request before", before, "s"),
        Measure("short request after", after, "s"),
    )
    apart = min(storm.after) > max(storm.before) and len(storm.after) >= APART
    most = max(RECOVERED * before, before + (UNNOTICED if apart else OVERLAPPING))
    if strange := _strange(storm):
        return replace(failed(f"{_after(storm)} {strange}"), measures=measures)
    if after > most:
        told = f"{_after(storm)} a short request takes {after:.2f} s, {before:.2f} s before"
        return replace(
            excuse_if_saturated(failed(told), after - most, storm.client_saturation),
            measures=measures,
        )
    return replace(PASSED, measures=measures)


def spares(storm: AbortCyclesResult) -> Score:
    """Score whether those who stayed were answered to the end."""
    lost = [each for each in storm.neighbour_errors if each]
    if lost:
        told = f"{len(lost)} of {len(storm.neighbour_errors)} streams that nobody aborted failed"
        return failed(f"{told}, the first", lost[0])
    return PASSED


def frees(storm: AbortCyclesResult) -> Score:
    """Score whether the next user finds the room that those left who aborted."""
    waited = [each.waited for each in storm.readings]
    worst = max(waited, default=0.0)
    measures = (Measure("longest wait for rest", worst, "s"),)
    if worst >= REST and not storm.control_errors:
        told = f"{REST:.0f} s after an abort a short request still takes longer than before"
        return replace(
            excuse_if_saturated(failed(told), worst, storm.client_saturation), measures=measures
        )
    return replace(PASSED, measures=measures)


def rests(storm: AbortCyclesResult) -> Score:
    """Score what the engine itself says is left at rest."""
    if storm.control_errors:
        return failed(f"{_after(storm)} a short request fails", storm.control_errors[0])
    readings = [each.gauges for each in storm.readings]
    if not all(RUNNING in each for each in (storm.gauges_before, *readings)):
        silent = "nothing tells of requests under way: name the server's page with --metrics"
        return Score(Outcome.UNSUPPORTED, silent)
    if storm.others:
        return scored(Outcome.UNDETERMINED, "others use the endpoint", came="it is never at rest")
    last = readings[-1]
    for name in (RUNNING, QUEUED):
        if stuck := last.get(name, 0.0):
            return failed(f"{name} at rest", f"{stuck:g}, {_after(storm)}")
    idle = storm.gauges_before.get(CACHE, 0.0)
    if (kept := last.get(CACHE, 0.0)) > idle + EMPTY:
        return failed(f"the cache is {kept:.1%} full at rest, {idle:.1%} before the storm")
    told, measures = memory_growth(storm.readings, DAYS_OF_CYCLES, "cycle")
    score = failed(f"{told}, {_after(storm)}") if told else PASSED
    return replace(score, measures=measures)


def bursts(came: Sequence[Exchange]) -> Score:
    """Score a burst: answered, or told to come back later."""
    for each in came:
        why = incomplete_reply_reason(each)
        if why and not is_rate_limited(each):
            bare = ", without Retry-After" if each.status == 429 else ""
            page = ", an HTML page" if _html(each) else ""
            wrong = sum(
                bool(incomplete_reply_reason(other)) and not is_rate_limited(other)
                for other in came
            )
            return failed(f"{wrong} of {len(came)} at once were not answered", f"{why}{bare}{page}")
    later = sum(is_rate_limited(each) for each in came)
    return replace(PASSED, measures=(Measure("told to come back later", later),))


def outlasts(exchange: Exchange, shortened: Sequence[int] = ()) -> Score:
    """Score a long reply; one that a gateway cuts is cut after a round number of seconds.

    Args:
        exchange: The reply.
        shortened: After how many characters it ended that went on in the other form, each time.
    """
    seconds = exchange.seconds
    measures = (Measure("long reply", seconds, "s"),)
    if not (why := incomplete_reply_reason(exchange)):
        score = PASSED
        if len(shortened) == TIMES:
            places = f"{TIMES} of {TIMES} times after {max(shortened):,} characters"
            score = failed(f"a long reply ends {places}; {_other(exchange)} it goes on")
        return replace(score, measures=measures)
    at = next((each for each in ROUND if abs(seconds - each) < NEAR), 0)
    gateway = f": as a gateway does with a read time-out of {at} s" if at else ""
    page = ", an HTML page" if _html(exchange) else ""
    score = failed(f"a long reply ends after {seconds:.1f} s with {why}{page}{gateway}")
    if exchange.fault is Fault.TOTAL:
        score = scored(Outcome.UNDETERMINED, score.reason, came="it was still coming")
    return replace(score, measures=measures)


def keeps_key(came: Sequence[Exchange]) -> Score:
    """Score a session: a key that was valid is valid to its end."""
    for number, each in enumerate(came, 1):
        if each.status in (401, 403) and number > 1:
            return failed(
                f"HTTP {each.status} at request {number} of a session", "the key was valid"
            )
        if why := incomplete_reply_reason(each):
            return failed(f"request {number} of a session fails", why)
    return PASSED


def withstands(odd: Sequence[OddInput], beside: Sequence[Exchange]) -> Score:
    """Score odd input: it is refused or answered, and no neighbour notices."""
    for each in odd:
        if each.exchange.fault is Fault.RESET and each.oversized:
            continue  # Who refuses a body before it has come may hang up on the rest of it.
        if why := odd_input_failure(each.exchange):
            return failed(each.name, why)
    lost = [why for why in map(incomplete_reply_reason, beside) if why]
    return failed("beside odd input a stream fails", lost[0]) if lost else PASSED


def returns(found: RestartResult) -> Score:
    """Score a restart: what was under way ends as cut, and what comes later is answered."""
    if found.status:
        return Score(Outcome.SKIPPED, f"the command to restart ended with {found.status}")
    if found.seconds is None:
        return failed(f"no answer within {BACK:.0f} s of a restart")
    measures = (Measure("back after", found.seconds, "s"),)
    hung = [each for each in found.interrupted if each.fault in HANGS]
    if hung:
        score = failed(
            f"{len(hung)} of {len(found.interrupted)} streams hang after a restart",
            incomplete_reply_reason(hung[0]),
        )
        return replace(score, measures=measures)
    lost = [each for each in found.after if each]
    if lost:
        score = failed(f"{len(lost)} of {len(found.after)} fail after a restart", lost[0])
        return replace(score, measures=measures)
    return replace(PASSED, measures=measures)


def _strange(storm: AbortCyclesResult) -> str:
    """What short requests are answered that were answered rightly before; "" where nothing is."""
    usual, later = (
        storm.control_replies[: len(storm.before)],
        storm.control_replies[len(storm.before) :],
    )
    if not all(map(_fine, usual)):
        return ""  # Who does not say so when all is quiet need not do so later.
    if foreign := [each for each in later if NUMBERS.search(each)]:
        return f"a short request is answered as if it were another: {foreign[0]!r:.60}"
    odd = [each for each in later if not _fine(each)]
    if len(odd) <= max(1, ODDLY * len(later)):
        return ""
    return f"{len(odd)} of {len(later)} short requests are not answered as before: {odd[0]!r:.60}"


def _fine(text: str) -> bool:
    return "ok" in text.casefold()


def _after(storm: AbortCyclesResult) -> str:
    return f"after {storm.aborted} aborted requests"


def _other(exchange: Exchange) -> str:
    streamed = isinstance(exchange.request, dict) and exchange.request.get("stream")
    return "whole" if streamed else "streamed"


def _html(exchange: Exchange) -> bool:
    return exchange.body[:200].lstrip().lower().startswith((b"<!doctype", b"<html"))
