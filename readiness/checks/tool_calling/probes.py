"""Probes that offer tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from readiness import probe
from readiness.checks.tool_calling import probe_suites, probes_tool_results
from readiness.checks.tool_calling.prompt_wording import PROMPTS, ToolVariation
from readiness.forms.apply import in_forms
from readiness.forms.factors import (
    COSTLY,
    Factor,
    FormSpace,
    Length,
    Load,
    Share,
    Tools,
    varying,
)
from readiness.probe import Probe

CONTROLS = 2
#: One in so many questions comes after a system message, as most of those that users ask do.
INSTRUCTED = 4


#: Where none may fail, one trial after so long a text tells.
FORMS = FormSpace(
    varying(Load, Length.TOKENS_60K, Tools.NONE, Tools.IRRELEVANT),
    costly={**COSTLY, (Factor.LENGTH, Length.TOKENS_16K): Share(1, 15)},
)


def consecutive(seed: int, trials: int) -> list[Probe]:
    """Questions about the weather that state every value, and three trivially easy probes."""
    easy = [
        probe_suites.easy(ToolVariation("core.control", 0, at), language)
        for at, language in enumerate(PROMPTS["controls"])
    ]
    asked = [probe_suites.core(ToolVariation("core", seed, at)) for at in range(trials)]
    formed = in_forms(asked, FORMS, f"tool_calling.core/{seed}")
    return [*formed, *probe.streaming(easy, "core")]


def forbidden(seed: int, trials: int) -> list[Probe]:
    """The same kind of question, with `tool_choice: none`."""
    return [*_suite("none", probe_suites.forbidden, seed, trials), *_callable("none")]


def required(seed: int, trials: int) -> list[Probe]:
    """Questions that play down the need of a tool, with `tool_choice: required`."""
    return _suite("required", probe_suites.required, seed, trials)


def named(seed: int, trials: int) -> list[Probe]:
    """Questions about the weather, with a `tool_choice` that names another tool."""
    return _suite("named", probe_suites.named, seed, trials)


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
    return _suite("history", probe_suites.after_history, seed, trials)


def _suite(
    suite: str, make: Callable[[ToolVariation], Probe], seed: int, trials: int
) -> list[Probe]:
    key = f"tool_calling.{suite}/{seed}"
    made = probe.streaming([make(ToolVariation(suite, seed, at)) for at in range(trials)], key)
    return probe.instructed(made, key, PROMPTS["system"], INSTRUCTED)


def _callable(suite: str) -> list[Probe]:
    """Control items: an endpoint that cannot call a tool shows nothing by not calling one."""
    slots = [ToolVariation(f"{suite}.control", 0, at) for at in range(CONTROLS)]
    made = [
        replace(probe_suites.asking(slot, slot.parameters("get_weather")), control=True)
        for slot in slots
    ]
    return probe.streaming(made, suite)
