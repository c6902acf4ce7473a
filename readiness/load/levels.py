"""The steps of a load test, each run once and shared by the checks that use it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from statistics import median

from readiness.chat import Chat
from readiness.load.step import Shape, StepResult
from readiness.load.traffic import LEVELS, TOKENS
from readiness.load.users import run_step, usable_forms
from readiness.policy.slo import LatencyObjective
from readiness.probe import Probe
from readiness.score import EndpointError, Outcome

#: How many requests of each client are measured, and how many of a step at most.
EACH, MOST = 10, {"ticket": 64, "code": 1_000, "copy": 300}
#: Tickets are long: a short step of so many clients measures so few of each, and goes on up to the
#: second number while the mean is not known to this relative standard error.
TICKETS_EACH, SHORT_STEP, MAX_ERROR = {4: (6, 10), 16: (3, 4), 32: (2, 4)}, 30.0, 0.05
#: The step of a run that shows defects only.
SMALL = Shape("", 2, 12, 3.0, small=True)
ARRIVALS = 300
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


async def steps_up_to(chat: Chat, probe: Probe) -> list[StepResult]:
    """The steps of a scenario, from the fewest clients to those of a probe."""
    scenario, seed, most = (probe.expect[key] for key in ("scenario", "seed", "clients"))
    levels = [each for each in LEVELS[scenario] if each <= most]
    return [await _at(chat, scenario, each, seed) for each in levels]


async def step_again(chat: Chat, step: StepResult) -> StepResult:
    """A step made again, with other prompts."""
    return await _shared_step(chat, replace(step.shape, seed=f"{step.shape.seed}/stalls"))


async def steps_at_share_and_capacity(
    chat: Chat, probe: Probe, again: str = ""
) -> tuple[StepResult, StepResult, StepResult]:
    """A step with Poisson arrivals at a share of the capacity; those of most and fewest clients."""
    full, capacity = await step_at_capacity(
        chat, probe.expect["scenario"], probe.expect["seed"] + again
    )
    per_second = probe.expect["share"] * capacity
    seconds = min(full.shape.seconds, ARRIVALS / per_second)
    shape = replace(full.shape, clients=0, requests=ARRIVALS, seconds=seconds, rate=per_second)
    few = await _at(chat, probe.expect["scenario"], LEVELS[full.shape.scenario][0], full.shape.seed)
    return await _shared_step(chat, shape), full, few


async def step_at_capacity(chat: Chat, scenario: str, seed: str) -> tuple[StepResult, float]:
    """The step of a scenario with the most clients, and its throughput in replies per second.

    Raises:
        EndpointError: Nothing was answered, or the endpoint is too small or too slow for it.
    """
    full = await _at(chat, scenario, LEVELS[scenario][-1], seed)
    if not (capacity := full.throughput.value):
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
    known = await chat.measure_once("known answers", usable_forms, tuple[str, ...])
    shape = replace(_shape(scenario, clients, chat.context.step_seconds), seed=seed, known=known)
    return await _shared_step(chat, replace(shape, warm=chat.context.warm_prefix_cache))


def _shape(scenario: str, clients: int, seconds: float) -> Shape:
    """How much of a scenario is measured with so many clients."""
    if scenario == "ticket" and seconds < SHORT_STEP and clients in TICKETS_EACH:
        each, most = TICKETS_EACH[clients]
        return Shape(scenario, clients, most * clients, 0.0, each=each, max_error=MAX_ERROR)
    return Shape(scenario, clients, max(MOST[scenario], EACH * clients), seconds, each=EACH)


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
    return await chat.measure_once(("step", shape), partial(_step, shape), StepResult)


async def _step(shape: Shape, chat: Chat) -> StepResult:
    return await run_step(chat, shape)
