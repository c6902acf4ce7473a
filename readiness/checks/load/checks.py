"""Load: concurrent users all get replies, correct ones, and no slower as load goes on.

Checks request load steps by shape; each step is run once and shared by the checks that need it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.load import probes, scoring
from readiness.load.levels import (
    at_level,
    step_again,
    step_for_objective,
    steps_at_share_and_capacity,
    steps_up_to,
    steps_with_fewest_and_most_clients,
)
from readiness.probe import Probe
from readiness.score import Outcome, Score, scored


@check(probes.by_level, trials=7, needs=["stream"], alone=True, in_order=True)
async def no_errors_under_load(chat: Chat, probe: Probe) -> Score:
    """With up to 32 concurrent clients (smoke: 2), every request MUST get a non-empty reply; of
    tickets at 32 clients, 0.3 % may fail.
    """
    return scoring.score_completeness(await at_level(chat, probe))


@check(probes.by_level, trials=7, needs=["stream"], alone=True, in_order=True)
async def no_cross_talk(chat: Chat, probe: Probe) -> Score:
    """Under concurrent load and right after it, each request MUST get its own answer, as correct
    and as long as when it is sent alone.
    """
    step = await at_level(chat, probe)
    few = step if chat.context.defects_only else (await steps_up_to(chat, probe))[0]
    return scoring.score_cross_talk(step, few)


@check(probes.by_scenario, trials=3, needs=["stream"], alone=True, in_order=True)
async def no_stalls(chat: Chat, probe: Probe) -> Score:
    """Under steady load, no request MUST wait for a token, the first or another, for longer than
    three whole replies take, and 5 s.
    """
    steps = await steps_up_to(chat, probe)
    again = [await step_again(chat, each) for each in steps if scoring.waited(each)]
    return scoring.score_stalls(steps, again)


@check(probes.by_scenario, trials=3, needs=["stream"], alone=True, in_order=True)
async def throughput_retained(chat: Chat, probe: Probe) -> Score:
    """Throughput with the most clients MUST be at least half of that with the fewest."""

    async def measure(seed: str) -> Measured:
        steps = await steps_with_fewest_and_most_clients(chat, probe, seed)
        score = scoring.score_throughput_scaling(*steps)
        return Measured(score, scoring.throughput_seems_lost(*steps))

    return await measured_again_unless_passed(measure)


@check(probes.by_scenario, trials=3, needs=["stream"], alone=True, in_order=True)
async def no_latency_drift(chat: Chat, probe: Probe) -> Score:
    """Under steady load, reply times MUST NOT grow by more than half from start to end."""

    async def measure(seed: str) -> Measured:
        _, most = await steps_with_fewest_and_most_clients(chat, probe, seed)
        return Measured(scoring.score_latency_drift(most), scoring.latency_seems_to_drift(most))

    return await measured_again_unless_passed(measure)


@check(probes.by_share, trials=3, needs=["stream"], alone=True, in_order=True)
async def open_loop_latency(chat: Chat, probe: Probe) -> Score:
    """Requests that arrive at 50 to 100 % of measured throughput MUST be answered, at 50 % and with
    the fewest clients no slower than at full closed-loop load.
    """

    async def measure(seed: str) -> Measured:
        steps = await steps_at_share_and_capacity(chat, probe, seed)
        # Slowness has to be reproduced; failed requests do not.
        lost = not scoring.score_completeness(steps[0]).passed
        score = scoring.score_open_loop(*steps)
        return Measured(score, not lost and scoring.replies_seem_slower(*steps), lost)

    return await measured_again_unless_passed(measure)


class Measured(NamedTuple):
    """A score by time.

    Args:
        score: The score.
        against: Whether the estimate is on the failing side, be that by chance.
        lost: Whether lost requests decide, which need not be reproduced.
    """

    score: Score
    against: bool
    lost: bool = False

    @property
    def shows_nothing(self) -> bool:
        """Whether it is evidence for neither side."""
        return self.score.outcome is Outcome.UNDETERMINED and not self.against


async def measured_again_unless_passed(measure: Callable[[str], Awaitable[Measured]]) -> Score:
    """What a measurement shows; one that does not pass is made again, with other prompts.

    Interference lasts a minute, and a server's own fault may too: of two measurements that show
    something both must, for a failure as for a pass after a first that did not pass.
    """
    first = await measure("")
    if first.score.passed or first.lost:
        return first.score
    again = await measure("/again")
    if first.shows_nothing and again.score.outcome is Outcome.FAIL and not again.lost:
        first, again = again, await measure("/once more")
    if first.shows_nothing or not again.score.passed:
        return again.score
    how = "it failed once, and then not again"
    if first.score.outcome is not Outcome.FAIL:
        how = "it nearly failed once, and then not again"
    score = scored(Outcome.UNDETERMINED, how, came=first.score.reason)
    return score.measured(*again.score.measures)


@check(probes.objective_probes, trials=1, needs=["stream"], alone=True, in_order=True)
async def slo_latency(chat: Chat, probe: Probe) -> Score:
    """At the concurrency that the policy's SLO names, reply times SHOULD stay within its limits."""
    slo, seed = chat.context.slo, probe.expect["seed"]
    return scoring.score_objectives(
        [(await step_for_objective(chat, each, seed), each) for each in slo]
    )
