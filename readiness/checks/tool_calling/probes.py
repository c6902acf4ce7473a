"""Probes that offer tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from readiness.checks.tool_calling import probe_suites, probes_tool_results
from readiness.checks.tool_calling.prompt_wording import PROMPTS, ToolVariation
from readiness.forms.apply import in_forms
from readiness.forms.factors import (
    OFFERED,
    SENDING,
    TELLING,
    Factor,
    FormSpace,
    Tools,
    with_60k,
    without,
)
from readiness.probe import Probe

CONTROLS = 2
#: Room for one call, and for some sentences besides; and for twice a long note.
SMALL_BUDGET, SMALL_CALL, SMALL_NOTE = 192, 96, 1024

#: Tools that may be called.
FORMS = FormSpace(OFFERED)
#: Where none may fail, one trial after so long a text tells; they come one after another.
CORE_FORMS = FormSpace(without(with_60k(OFFERED), Factor.LOAD), costly=TELLING)
#: A choice that the check is about.
CHOSEN_FORMS = FormSpace({**OFFERED, Factor.TOOLS: [Tools.OWN]})
#: Many turns that the check is about.
HISTORY_FORMS = FormSpace(without(OFFERED, Factor.TURNS))
#: Easy questions: what is shown by them does not depend on what stands around.
CONTROL_FORMS = FormSpace(SENDING)


def consecutive(seed: int, trials: int) -> list[Probe]:
    """Questions about the weather that state every value, and three trivially easy probes."""
    easy = [
        probe_suites.easy(ToolVariation("core.control", 0, at), language)
        for at, language in enumerate(PROMPTS["controls"])
    ]
    asked = [probe_suites.core(ToolVariation("core", seed, at)) for at in range(trials)]
    formed = in_forms(_small(asked), CORE_FORMS, f"tool_calling.core/{seed}")
    return [*formed, *in_forms(_small(easy), CONTROL_FORMS, "core")]


def forbidden(seed: int, trials: int) -> list[Probe]:
    """The same kind of question, with `tool_choice: none`."""
    asked = _suite("none", probe_suites.forbidden, seed, trials, CHOSEN_FORMS)
    return [*asked, *_callable("none")]


def required(seed: int, trials: int) -> list[Probe]:
    """Questions that play down the need of a tool, with `tool_choice: required`."""
    return _suite("required", probe_suites.required, seed, trials, CHOSEN_FORMS)


def named(seed: int, trials: int) -> list[Probe]:
    """Questions about the weather, with a `tool_choice` that names another tool."""
    return _suite("named", probe_suites.named, seed, trials, CHOSEN_FORMS)


def bad_choices(seed: int, trials: int) -> list[Probe]:
    """Choices that no request may have, and one that it may."""
    # A stream may have begun before the choice is looked at: these are answered whole.
    bad = [probe_suites.bad_choice(ToolVariation("invalid", seed, at)) for at in range(trials)]
    return [*bad, *_callable("invalid")]


def irrelevant(seed: int, trials: int) -> list[Probe]:
    """Requests that no tool can help with, half of them close to the tool's subject."""
    return [
        *_suite("irrelevance", probe_suites.irrelevant, seed, trials),
        *_callable("irrelevance"),
    ]


def parallel(seed: int, trials: int) -> list[Probe]:
    """Questions about two to four cities, each with a date and a number of days of its own."""
    return _suite("parallel", probe_suites.parallel, seed, trials)


def one_at_a_time(seed: int, trials: int) -> list[Probe]:
    """Questions about several cities, with `parallel_tool_calls: false`."""
    return _suite("single", probe_suites.one_at_a_time, seed, trials)


def many_tools(seed: int, trials: int) -> list[Probe]:
    """Questions for one of 8 to 20 tools that are much alike."""
    return _suite("distractors", probe_suites.many_tools, seed, trials)


def results(seed: int, trials: int) -> list[Probe]:
    """Questions whose answer stands in a tool's result."""
    return _suite("results", probes_tool_results.probe, seed, trials)


def hard(seed: int, trials: int) -> list[Probe]:
    """Requests whose arguments are nested, long or absent, or whose tool is not in English."""
    return _suite("hard", probe_suites.hard, seed, trials)


def thirty_turns(seed: int, trials: int) -> list[Probe]:
    """Questions about the weather after thirty others."""
    return _suite("history", probe_suites.after_history, seed, trials, HISTORY_FORMS)


def _suite(
    suite: str,
    make: Callable[[ToolVariation], Probe],
    seed: int,
    trials: int,
    space: FormSpace = FORMS,
) -> list[Probe]:
    made = [make(ToolVariation(suite, seed, at)) for at in range(trials)]
    return in_forms(_small(made), space, f"tool_calling.{suite}/{seed}")


def _small(probes: Sequence[Probe]) -> list[Probe]:
    """The probes, with a small budget for the calls that are due."""
    return [replace(each, small_budget=_small_budget(each)) for each in probes]


def _small_budget(probe: Probe) -> int:
    if probe.budget > probe_suites.TOLD_BUDGET:
        return SMALL_NOTE
    return max(SMALL_BUDGET, SMALL_CALL * len(probe.expect.get("calls", ())))


def _callable(suite: str) -> list[Probe]:
    """Control items: an endpoint that cannot call a tool shows nothing by not calling one."""
    slots = [ToolVariation(f"{suite}.control", 0, at) for at in range(CONTROLS)]
    made = [
        replace(probe_suites.asking(slot, slot.parameters("get_weather")), control=True)
        for slot in slots
    ]
    return in_forms(_small(made), CONTROL_FORMS, suite)
