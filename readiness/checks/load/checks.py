"""Load: many users at once are answered, each rightly, and no worse as they go on.

Each check asks for steps by their shape; whichever asks first has a step made, for all of them.
"""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.load import probes, scoring
from readiness.load.levels import at_level, at_promise, at_share, ends_of
from readiness.probe import Probe
from readiness.score import Score


@check(probes.by_level, trials=7, needs=["stream"], alone=True, in_order=True)
async def answers_every_request(chat: Chat, probe: Probe) -> Score:
    """With up to 32 clients at once, every request MUST be answered (smoke: 2 clients)."""
    return scoring.answered(await at_level(chat, probe))


@check(probes.by_level, trials=7, needs=["stream"], alone=True, in_order=True)
async def answers_rightly(chat: Chat, probe: Probe) -> Score:
    """Among many requests at once, each MUST get its own answer, as right as when it is alone."""
    return scoring.apart(await at_level(chat, probe))


@check(probes.by_scenario, trials=3, needs=["stream"], alone=True, in_order=True)
async def keeps_its_throughput(chat: Chat, probe: Probe) -> Score:
    """Many clients together MUST be served at least half as much as a few of them are."""
    score = scoring.keeps(*await ends_of(chat, probe))
    # A noisy minute is no defect: what fails has to fail twice.
    return score if score.passed else scoring.keeps(*await ends_of(chat, probe, "/again"))


@check(probes.by_scenario, trials=3, needs=["stream"], alone=True, in_order=True)
async def holds_its_pace(chat: Chat, probe: Probe) -> Score:
    """Under a steady load, replies MUST NOT take ever longer."""
    score = scoring.holds((await ends_of(chat, probe))[1])
    return score if score.passed else scoring.holds((await ends_of(chat, probe, "/again"))[1])


@check(probes.by_share, trials=3, needs=["stream"], alone=True, in_order=True)
async def keeps_up_with_arrivals(chat: Chat, probe: Probe) -> Score:
    """Requests that come at half of what it can do MUST be answered no slower than at all of it."""
    step, full = await at_share(chat, probe)
    score = scoring.keeps_up(step, full)
    # What is slow has to be slow twice; a request that is lost is lost.
    if score.passed or not scoring.answered(step).passed:
        return score
    return scoring.keeps_up(*await at_share(chat, probe, "/again"))


@check(probes.promised, trials=1, needs=["stream"], alone=True, in_order=True)
async def meets_the_slo(chat: Chat, probe: Probe) -> Score:
    """With the clients that the policy's SLO names, replies MUST take no longer than it allows."""
    slo, seed = chat.scope.given.slo, probe.expect["seed"]
    return scoring.promised([(await at_promise(chat, each, seed), each) for each in slo])
