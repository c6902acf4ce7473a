"""Stability: what users, gateways and mishaps do leaves the endpoint as it was."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.stability import mishaps, scoring, scoring_soak
from readiness.checks.stability.abort_cycles import stormed
from readiness.checks.stability.probes import SESSIONS, each, single
from readiness.checks.stability.soak import soaked
from readiness.probe import Probe
from readiness.score import Outcome, Score


@check(single("survives_aborts", 50_000), trials=1, needs=["stream"], alone=True, in_order=True)
async def survives_aborts(chat: Chat, probe: Probe) -> Score:
    """After many aborted requests, short ones MUST be answered, as quickly as before."""
    return scoring.survives(await stormed(chat))


@check(single("spares_others"), trials=1, needs=["stream"], alone=True, in_order=True)
async def spares_others(chat: Chat, probe: Probe) -> Score:
    """When some abort, a stream that nobody aborts MUST come to its end."""
    return scoring.spares(await stormed(chat))


@check(single("stops_when_aborted"), trials=1, needs=["stream"], alone=True, in_order=True)
async def stops_when_aborted(chat: Chat, probe: Probe) -> Score:
    """What is aborted SHOULD stop: 20 s later, a short request takes no longer than before."""
    return scoring.frees(await stormed(chat))


@check(single("comes_to_rest"), trials=1, needs=["stream"], alone=True, in_order=True)
async def comes_to_rest(chat: Chat, probe: Probe) -> Score:
    """By its own metrics, nothing of aborted requests MUST be left at rest, nor MUST any grow."""
    return scoring.rests(await stormed(chat))


@check(single("takes_a_burst"), trials=3, alone=True, in_order=True)
async def takes_a_burst(chat: Chat, probe: Probe) -> Score:
    """Of 20 requests at once, each MUST be answered, or told by 429 when to come back."""
    return scoring.bursts(await mishaps.burst(chat))


@check(each("sends_all_of_it", [True, False], "stream"), trials=2, alone=True, in_order=True)
async def sends_all_of_it(chat: Chat, probe: Probe) -> Score:
    """A long reply MUST come whole, streamed or not, however long it takes."""
    stream = probe.expect["stream"]
    came = await mishaps.long_reply(chat, stream=stream)
    return scoring.outlasts(came, await mishaps.shortened(chat, stream=stream))


@check(each("keeps_the_key", list(SESSIONS), "session"), trials=1, alone=True, in_order=True)
async def keeps_the_key(chat: Chat, probe: Probe) -> Score:
    """A key that was valid MUST stay valid: in mid-session, and after idle minutes."""
    came = await mishaps.session(chat, SESSIONS[probe.expect["session"]])
    return scoring.keeps_key(came)


@check(single("withstands_odd_input"), trials=1, needs=["stream"], alone=True, in_order=True)
async def withstands_odd_input(chat: Chat, probe: Probe) -> Score:
    """Odd and oversized input MUST be refused or answered in a minute, and harm nobody beside."""
    return scoring.withstands(*await mishaps.odd_input(chat))


@check(
    single("holds_for_an_hour", 24_000_000), trials=1, needs=["stream"], alone=True, in_order=True
)
async def holds_for_an_hour(chat: Chat, probe: Probe) -> Score:
    """For an hour at half of what it can do, it MUST answer as well at the end as at first."""
    return scoring_soak.endures(await soaked(chat, probe.expect["seed"]))


@check(single("comes_back"), trials=1, needs=["stream"], alone=True, in_order=True)
async def comes_back(chat: Chat, probe: Probe) -> Score:
    """Restarted, the endpoint MUST answer again within 300 s, and every request from then on."""
    if not chat.scope.given.restart:
        return Score(Outcome.UNSUPPORTED, "nobody may restart it: no --restart-command is given")
    return scoring.returns(await mishaps.restarted(chat))
