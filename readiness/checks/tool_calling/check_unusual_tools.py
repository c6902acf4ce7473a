"""Tools that are unusual but allowed: each is called as the usual ones are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.tool_calling import probes_unusual_tools as probes
from readiness.checks.tool_calling import scoring, scoring_tool_results
from readiness.checks.tool_calling.checks import TOOLS, ask
from readiness.checks.tool_calling.probes_result_contents import results
from readiness.probe import Probe
from readiness.score import Outcome, Score, failed_once

Attempt = Callable[[Chat, Probe], Awaitable[Score]]


async def call(chat: Chat, probe: Probe) -> Score:
    """Send a probe, and score the one call that it asks for."""
    reply = await ask(chat, probe)
    return scoring.calls([reply], probe.expect["calls"], probe.parameters["tools"])


@check(probes.minimal, trials=10, needs=TOOLS, forms=probes.FORMS)
async def minimal_tools(chat: Chat, probe: Probe) -> Score:
    """A tool without description, parameters or properties MUST be called as any other; without
    arguments these are {}.
    """
    return await call(chat, probe)


@check(probes.extreme_values, trials=14, needs=TOOLS, forms=probes.FORMS)
async def extreme_argument_values(chat: Chat, probe: Probe) -> Score:
    """Whole numbers above 2**53, signs, leading zeros, links, addresses, telephone numbers, texts
    that look like another type, open a brace or have spaces around them, free members, arguments
    named like keywords of JSON Schema or with a hyphen, texts of more than 4,096 characters, and
    required values that are 0, false, "", [] or null MUST arrive unchanged.
    """
    return await with_other_values(chat, probe, call)


@check(probes.extreme_tools, trials=10, needs=TOOLS, forms=probes.FORMS)
async def extreme_tools(chat: Chat, probe: Probe) -> Score:
    """Tools with names of 64 letters, 128 tools, and schemas with $schema, $ref, numbers to choose
    from, constants, unions, bounds, patterns, defaults, members that may be left out, maps, lists
    of lists and of objects, and objects that may be null MUST work as others do.
    """
    return await with_other_values(chat, probe, call)


@check(probes.later_calls, trials=6, needs=TOOLS, forms=probes.FORMS)
async def arguments_of_later_calls(chat: Chat, probe: Probe) -> Score:
    """The arguments of the eleventh call of a conversation, and of others, MUST be as complete as
    those of the first.
    """
    return await call(chat, probe)


@check(results, trials=16, needs=TOOLS, forms=probes.FORMS)
async def tool_result_read_whole(chat: Chat, probe: Probe) -> Score:
    """A tool's result MUST be read whole: an array, nested members, null and what is empty or 0, a
    table, lines, a long text, escapes, what looks like markup or control tokens of a template, a
    bare number, parts, and the first of several long results.
    """
    return await with_other_values(chat, probe, read)


async def read(chat: Chat, probe: Probe) -> Score:
    """Send a probe, and score what is told or copied of a tool's result."""
    if "calls" in probe.expect:
        return await call(chat, probe)
    reply = await ask(chat, probe)
    tools = probe.parameters["tools"]
    return scoring_tool_results.tells_of(reply, probe.expect, probe.messages, tools)


async def with_other_values(chat: Chat, probe: Probe, attempt: Attempt) -> Score:
    """The score of a probe; where it fails, it does so with other values too, or is left open.

    A model may slip over a digit of long values; what a server loses it loses of any.
    """
    first = await attempt(chat, probe)
    if first.outcome is not Outcome.FAIL:
        return first
    other: Probe = probe.expect["again"]
    parameters = {**probe.parameters, "tools": other.parameters["tools"]}
    again = await attempt(chat, replace(other, parameters=parameters))
    return again if again.outcome is Outcome.FAIL else failed_once(first)
