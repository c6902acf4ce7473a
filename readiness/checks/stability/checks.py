"""Stability: aborts, bursts, long replies, bad input, hours of load and restarts."""

from __future__ import annotations

from functools import partial

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.stability import scenarios, scoring, scoring_soak
from readiness.checks.stability.abort_cycles import run_abort_cycles
from readiness.checks.stability.probes import SESSIONS, over_values, single
from readiness.checks.stability.soak import SoakResult, run_soak
from readiness.exchange import Exchange
from readiness.probe import Probe
from readiness.score import Outcome, Score, scored


@check(
    single("recovers_after_aborts", 50_000), trials=1, needs=["stream"], alone=True, in_order=True
)
async def recovers_after_aborts(chat: Chat, probe: Probe) -> Score:
    """After many aborted requests, short requests MUST be answered correctly, and about as fast as
    before.
    """
    return scoring.score_recovery(await run_abort_cycles(chat))


@check(single("abort_isolation"), trials=1, needs=["stream"], alone=True, in_order=True)
async def abort_isolation(chat: Chat, probe: Probe) -> Score:
    """While other clients abort, a stream that nobody aborts MUST complete, and not stand still."""
    return scoring.score_concurrent_streams(await run_abort_cycles(chat))


@check(single("abort_stops_generation"), trials=1, needs=["stream"], alone=True, in_order=True)
async def abort_stops_generation(chat: Chat, probe: Probe) -> Score:
    """Aborted requests MUST stop: metrics, if any, show them running no longer than half of a whole
    reply, others are no slower than without them, and all is as before within 20 s.
    """
    return scoring.score_wait_until_idle(await run_abort_cycles(chat))


@check(
    single("no_leak_after_aborts"),
    trials=1,
    needs=["stream"],
    alone=True,
    in_order=True,
    evidence="metrics",
)
async def no_leak_after_aborts(chat: Chat, probe: Probe) -> Score:
    """After aborts, the server's metrics MUST show no running or queued requests, and no growing
    memory or cache use.
    """
    return scoring.score_idle_metrics(await run_abort_cycles(chat))


@check(single("burst_not_dropped"), trials=3, alone=True, in_order=True)
async def burst_not_dropped(chat: Chat, probe: Probe) -> Score:
    """Each of 20 simultaneous requests (smoke: 4) MUST be answered, or rejected with 429 and Retry-
    After.
    """
    # Each of its trials is a burst of its own.
    key = "burst", probe.id
    return scoring.score_burst(await chat.measure_once(key, scenarios.send_burst, list[Exchange]))


@check(
    over_values("long_reply_not_truncated", [True, False], "stream"),
    trials=2,
    alone=True,
    in_order=True,
)
async def long_reply_not_truncated(chat: Chat, probe: Probe) -> Score:
    """A long reply MUST arrive complete and without gaps, streamed or not, however long it
    takes.
    """
    stream = probe.expect["stream"]
    reply = await scenarios.long_reply(chat, stream=stream)
    least = 0 if chat.context.defects_only else scenarios.LONG_REPLY_TOKENS
    ends = await scenarios.early_ends(chat, stream=stream)
    gaps = await scenarios.gaps(chat, stream=stream)
    return scoring.score_long_reply(reply, ends, least, gaps)


@check(
    over_values("key_stays_valid", list(SESSIONS), "session"), trials=1, alone=True, in_order=True
)
async def key_stays_valid(chat: Chat, probe: Probe) -> Score:
    """A valid API key MUST stay valid: throughout a session, and after idle minutes."""
    session = probe.expect["session"]
    work = partial(scenarios.run_session, about=SESSIONS[session])
    exchanges = await chat.measure_once(("session", session), work, list[Exchange])
    return scoring.score_key_validity(exchanges)


@check(single("bad_input_isolation"), trials=1, needs=["stream"], alone=True, in_order=True)
async def bad_input_isolation(chat: Chat, probe: Probe) -> Score:
    """Malformed and oversized requests MUST be answered or rejected with a 4xx within 60 s, and
    concurrent streams complete.
    """
    found = await chat.measure_once(
        "bad input", scenarios.send_bad_input, tuple[list[scenarios.BadInput], list[Exchange]]
    )
    return scoring.score_bad_input(*found)


@check(single("one_hour_soak", 24_000_000), trials=1, needs=["stream"], alone=True, in_order=True)
async def one_hour_soak(chat: Chat, probe: Probe) -> Score:
    """During an hour at half of measured throughput, replies MUST be correct, failures stay within
    0.3 %, and latency and memory not grow.
    """
    work = partial(run_soak, seed=probe.expect["seed"])
    return scoring_soak.score_soak(await chat.measure_once("soak", work, SoakResult))


@check(
    single("recovers_after_restart"),
    trials=1,
    needs=["stream"],
    alone=True,
    in_order=True,
    evidence="restart-command",
)
async def recovers_after_restart(chat: Chat, probe: Probe) -> Score:
    """After a restart, the endpoint MUST answer within 300 s and every request from then on, and
    cut streams MUST end rather than hang.
    """
    if not chat.context.restart_command:
        return scored(
            Outcome.UNSUPPORTED,
            "no restart was allowed",
            came="name the command with --restart-command",
        )
    return scoring.score_restart(await scenarios.restart_endpoint(chat))
