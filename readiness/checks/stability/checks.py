"""Stability: aborts, bursts, long replies, bad input, hours of load and restarts."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.stability import scenarios, scoring, scoring_soak
from readiness.checks.stability.abort_cycles import run_abort_cycles
from readiness.checks.stability.probes import SESSIONS, over_values, single
from readiness.checks.stability.soak import run_soak
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
    """While other clients abort, a stream that nobody aborts MUST complete."""
    return scoring.score_concurrent_streams(await run_abort_cycles(chat))


@check(single("abort_stops_generation"), trials=1, needs=["stream"], alone=True, in_order=True)
async def abort_stops_generation(chat: Chat, probe: Probe) -> Score:
    """Aborted requests SHOULD stop: within 20 s, short requests are as fast as before and the
    metrics, if any, show none running.
    """
    return scoring.score_wait_until_idle(await run_abort_cycles(chat))


@check(single("no_leak_after_aborts"), trials=1, needs=["stream"], alone=True, in_order=True)
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
    return scoring.score_burst(await scenarios.send_burst(chat))


@check(
    over_values("long_reply_not_truncated", [True, False], "stream"),
    trials=2,
    alone=True,
    in_order=True,
)
async def long_reply_not_truncated(chat: Chat, probe: Probe) -> Score:
    """A long reply MUST arrive complete, streamed or not, however long it takes."""
    stream = probe.expect["stream"]
    reply = await scenarios.long_reply(chat, stream=stream)
    return scoring.score_long_reply(reply, await scenarios.early_ends(chat, stream=stream))


@check(
    over_values("key_stays_valid", list(SESSIONS), "session"), trials=1, alone=True, in_order=True
)
async def key_stays_valid(chat: Chat, probe: Probe) -> Score:
    """A valid API key MUST stay valid: throughout a session, and after idle minutes."""
    exchanges = await scenarios.run_session(chat, SESSIONS[probe.expect["session"]])
    return scoring.score_key_validity(exchanges)


@check(single("bad_input_isolation"), trials=1, needs=["stream"], alone=True, in_order=True)
async def bad_input_isolation(chat: Chat, probe: Probe) -> Score:
    """Malformed and oversized requests MUST be answered or rejected with a 4xx within 60 s, and
    concurrent streams complete.
    """
    return scoring.score_bad_input(*await scenarios.send_bad_input(chat))


@check(single("one_hour_soak", 24_000_000), trials=1, needs=["stream"], alone=True, in_order=True)
async def one_hour_soak(chat: Chat, probe: Probe) -> Score:
    """During an hour at half of measured throughput, replies MUST be correct, failures stay within
    0.3 %, and latency and memory not grow.
    """
    return scoring_soak.score_soak(await run_soak(chat, probe.expect["seed"]))


@check(single("recovers_after_restart"), trials=1, needs=["stream"], alone=True, in_order=True)
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
