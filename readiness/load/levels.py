"""The steps of a load test, each run once and shared by the checks that use it."""

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

#: The minimum number of conversations of a step, and the number for each client; and how long new
#: ones are started, in seconds.
REQUESTS = {"ticket": (24, 2), "code": (100, 3), "copy": (10, 2)}
SECONDS = 45.0
#: The step of a run that shows defects only.
SMALL = Shape("", 2, 12, 15.0, small=True)
ARRIVALS = 40
#: A step is not run where replies are expected to take longer than this, in seconds.
MAX_EXPECTED_REPLY_TIME = 60.0


async def at_level(chat: Chat, probe: Probe) -> StepResult:
    """The step of a probe.

    Raises:
        EndpointError: The endpoint's window is too small, or it is too slow, for the step.
    """
    scenario, clients = probe.expect["scenario"], probe.expect["clients"]
    return await _at(chat, scenario, clients, probe.expect["seed"])


async def step_for_objective(chat: Chat, objective: LatencyObjective, seed: str) -> StepResult:
    """The step of a service level objective.

    Raises:
        EndpointError: The endpoint's window is too small, or it is too slow, for the step.
    """
    return await _at(chat, objective.scenario, objective.clients, seed)


async def steps_with_fewest_and_most_clients(
    chat: Chat, probe: Probe, again: str = ""
) -> tuple[StepResult, StepResult]:
    """The steps of a scenario with the fewest and with the most clients."""
    scenario, seed = probe.expect["scenario"], probe.expect["seed"] + again
    few, *_, many = LEVELS[scenario]
    return await _at(chat, scenario, few, seed), await _at(chat, scenario, many, seed)


async def steps_at_share_and_capacity(
    chat: Chat, probe: Probe, again: str = ""
) -> tuple[StepResult, StepResult]:
    """A step with Poisson arrivals at a share of the capacity, and the step at capacity."""
    full, capacity = await step_at_capacity(
        chat, probe.expect["scenario"], probe.expect["seed"] + again
    )
    per_second = probe.expect["share"] * capacity
    shape = replace(full.shape, clients=0, requests=ARRIVALS, seconds=SECONDS, rate=per_second)
    return await _shared_step(chat, shape), full


async def step_at_capacity(chat: Chat, scenario: str, seed: str) -> tuple[StepResult, float]:
    """The step of a scenario with the most clients, and its throughput in replies per second.

    Raises:
        EndpointError: Nothing was answered, or the endpoint is too small or too slow for it.
    """
    full = await _at(chat, scenario, LEVELS[scenario][-1], seed)
    answered = [each.end for each in full.samples if not each.error]
    if not (capacity := rate(answered, *full.full_load_interval).value):
        raise EndpointError("nothing was answered at full load", Outcome.UNDETERMINED)
    return full, capacity


async def _at(chat: Chat, scenario: str, clients: int, seed: str) -> StepResult:
    if chat.context.defects_only:
        small = replace(SMALL, scenario=scenario, seed=seed, warm=chat.context.warm_prefix_cache)
        return await _shared_step(chat, small)
    window = chat.context.context_window
    if window is not None and window < TOKENS[scenario]:
        short = f"the endpoint declares a window of {window:,} tokens: {TOKENS[scenario]:,} are due"
        raise EndpointError(short, Outcome.FAIL)
    below = [each for each in LEVELS[scenario] if each < clients]
    if below:
        _require_feasible(await _at(chat, scenario, below[-1], seed), clients)
    fewest, each_client = REQUESTS[scenario]
    shape = Shape(scenario, clients, max(fewest, each_client * clients), SECONDS, seed=seed)
    return await _shared_step(chat, replace(shape, warm=chat.context.warm_prefix_cache))


def _require_feasible(step: StepResult, clients: int) -> None:
    """Make sure that a step with more clients is not expected to take too long.

    Raises:
        EndpointError: It is, or nothing was answered.
    """
    durations = [each.took for each in step.samples if not (each.error or each.code)]
    if not durations:
        raise EndpointError("nothing was answered", Outcome.UNDETERMINED, came=step.shape.shown)
    expected = median(durations) * clients / step.shape.clients
    if expected > MAX_EXPECTED_REPLY_TIME:
        slow = f"{step.shape.shown}, a reply takes {median(durations):.1f} s"
        why = f"{slow}: at {clients} it would take {expected:.0f} s, and was not tried"
        raise EndpointError(why, Outcome.UNDETERMINED)


async def _shared_step(chat: Chat, shape: Shape) -> StepResult:
    return await chat.fetch_once(("step", shape), partial(_step, shape))


async def _step(shape: Shape, chat: Chat) -> StepResult:
    return await run_step(chat, shape)
