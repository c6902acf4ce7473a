"""Levels: the steps of a load test, each made once for all checks that are about it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from statistics import median

from readiness.chat import Chat
from readiness.load.step import Shape, StepResult
from readiness.load.traffic import LEVELS, TOKENS
from readiness.load.users import run_step
from readiness.policy.slo import LatencyObjective
from readiness.probe import Probe
from readiness.score import EndpointError, Outcome
from readiness.statistics.trend import rate

#: How many conversations a step makes at the least, how many for each client, and how long new
#: ones are begun, in seconds.
REQUESTS = {"ticket": (24, 2), "code": (100, 3), "copy": (10, 2)}
SECONDS = 45.0
#: A step of a run that can show defects only.
SMALL = Shape("", 2, 12, 15.0, small=True)
ARRIVALS = 40
#: Nobody waits longer for a reply, in seconds: where that is foreseen, nothing is sent.
PATIENCE = 60.0


async def at_level(chat: Chat, probe: Probe) -> StepResult:
    """The step that a probe is about.

    Raises:
        EndpointError: Nothing is known of it, for the endpoint is too small or too slow for it.
    """
    scenario, clients = probe.expect["scenario"], probe.expect["clients"]
    return await _at(chat, scenario, clients, probe.expect["seed"])


async def step_for_objective(chat: Chat, promise: LatencyObjective, seed: str) -> StepResult:
    """The step that a promise is about.

    Raises:
        EndpointError: Nothing is known of it, for the endpoint is too small or too slow for it.
    """
    return await _at(chat, promise.scenario, promise.clients, seed)


async def steps_with_fewest_and_most_clients(
    chat: Chat, probe: Probe, again: str = ""
) -> tuple[StepResult, StepResult]:
    """The steps with the fewest clients of a scenario, and with the most."""
    scenario, seed = probe.expect["scenario"], probe.expect["seed"] + again
    few, *_, many = LEVELS[scenario]
    return await _at(chat, scenario, few, seed), await _at(chat, scenario, many, seed)


async def steps_at_share_and_capacity(
    chat: Chat, probe: Probe, again: str = ""
) -> tuple[StepResult, StepResult]:
    """The step in which requests come at a share of what was answered, and that with the most."""
    full, most = await step_at_capacity(
        chat, probe.expect["scenario"], probe.expect["seed"] + again
    )
    each_second = probe.expect["share"] * most
    shape = replace(full.shape, clients=0, requests=ARRIVALS, seconds=SECONDS, rate=each_second)
    return await _made(chat, shape), full


async def step_at_capacity(chat: Chat, scenario: str, seed: str) -> tuple[StepResult, float]:
    """The step with the most clients of a scenario, and what was answered in it each second.

    Raises:
        EndpointError: Nothing was, or the endpoint is too small or too slow for it.
    """
    full = await _at(chat, scenario, LEVELS[scenario][-1], seed)
    answered = [each.end for each in full.samples if not each.error]
    if not (capacity := rate(answered, *full.full_load_interval).value):
        raise EndpointError("nothing was answered at full load", Outcome.UNDETERMINED)
    return full, capacity


async def _at(chat: Chat, scenario: str, clients: int, seed: str) -> StepResult:
    if chat.context.defects_only:
        small = replace(SMALL, scenario=scenario, seed=seed, warm=chat.context.warm_prefix_cache)
        return await _made(chat, small)
    window = chat.context.context_window
    if window is not None and window < TOKENS[scenario]:
        short = f"the endpoint declares a window of {window:,} tokens: {TOKENS[scenario]:,} are due"
        raise EndpointError(short, Outcome.FAIL)
    below = [each for each in LEVELS[scenario] if each < clients]
    if below:
        _foresee(await _at(chat, scenario, below[-1], seed), clients)
    fewest, each_client = REQUESTS[scenario]
    shape = Shape(scenario, clients, max(fewest, each_client * clients), SECONDS, seed=seed)
    return await _made(chat, replace(shape, warm=chat.context.warm_prefix_cache))


def _foresee(step: StepResult, clients: int) -> None:
    """Make sure that more clients need not wait longer than anybody does."""
    took = [each.took for each in step.samples if not (each.error or each.code)]
    if not took:
        raise EndpointError("nothing was answered", Outcome.UNDETERMINED, came=step.shape.shown)
    foreseen = median(took) * clients / step.shape.clients
    if foreseen > PATIENCE:
        slow = f"{step.shape.shown}, a reply takes {median(took):.1f} s"
        why = f"{slow}: at {clients} it would take {foreseen:.0f} s, and was not tried"
        raise EndpointError(why, Outcome.UNDETERMINED)


async def _made(chat: Chat, shape: Shape) -> StepResult:
    return await chat.fetch_once(("step", shape), partial(_step, shape))


async def _step(shape: Shape, chat: Chat) -> StepResult:
    return await run_step(chat, shape)
