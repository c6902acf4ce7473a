"""Tool calling: the endpoint calls the right tools, with every argument, and uses what they say."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.tool_calling import probes, scoring, scoring_tool_results
from readiness.checks.tool_calling.probes_tool_results import result_message
from readiness.probe import Message, Probe
from readiness.reply import Reply
from readiness.score import Score
from readiness.scoring.rejection import UNKNOWN, refused

TOOLS = ["tools"]


async def ask(chat: Chat, probe: Probe) -> Reply:
    """Send a probe as it is."""
    return await chat(probe.messages, budget=probe.budget, **probe.parameters)


async def converse(chat: Chat, probe: Probe) -> tuple[list[Message], list[Reply]]:
    """Bring the results back as long as the endpoint makes one call at a time."""
    messages, replies = list(probe.messages), []
    for result in probe.expect["results"]:
        reply = await chat(messages, budget=probe.budget, **probe.parameters)
        replies.append(reply)
        if len(reply.tool_calls) != 1:
            break
        messages += [reply.message, result_message(reply.tool_calls[0].id, result)]
    return messages, replies


async def answer(chat: Chat, probe: Probe, messages: list[Message]) -> Reply:
    """The reply to the results so far; whoever got nothing may make the same call once more."""
    reply = await chat(messages, budget=probe.budget, **probe.parameters)
    again = scoring.calls([reply], probe.expect["calls"], probe.parameters["tools"])
    if [*probe.expect["results"]] != [""] or not again.passed:
        return reply
    messages += [reply.message, result_message(reply.tool_calls[0].id, "")]
    return await chat(messages, budget=probe.budget, **probe.parameters)


@check(probes.consecutive, trials=100, needs=TOOLS, in_order=True, forms=probes.CORE_FORMS)
async def consecutive_calls(chat: Chat, probe: Probe) -> Score:
    """In each of many consecutive requests, the endpoint MUST make one well-formed call, with every
    argument as stated.
    """
    reply = await ask(chat, probe)
    if probe.control:
        return scoring.says(reply, probe.expect["word"], probe.parameters["tools"])
    return scoring.calls([reply], probe.expect["calls"], probe.parameters["tools"])


@check(probes.forbidden, trials=5, needs=TOOLS, forms=probes.CHOSEN_FORMS)
async def tool_choice_none(chat: Chat, probe: Probe) -> Score:
    """With tool_choice none, the endpoint MUST answer in words and call no tool."""
    reply = await ask(chat, probe)
    score = scoring.forced if probe.control else scoring.silent
    return score(reply, probe.parameters["tools"])


@check(probes.required, trials=5, needs=TOOLS, forms=probes.CHOSEN_FORMS)
async def tool_choice_required(chat: Chat, probe: Probe) -> Score:
    """With tool_choice required, the endpoint MUST call a tool, even where words would do."""
    return scoring.forced(await ask(chat, probe), probe.parameters["tools"])


@check(probes.named, trials=5, needs=TOOLS, forms=probes.CHOSEN_FORMS)
async def tool_choice_named(chat: Chat, probe: Probe) -> Score:
    """With a tool_choice that names a function, the endpoint MUST call that function and no
    other.
    """
    name = probe.parameters["tool_choice"]["function"]["name"]
    return scoring.forced(await ask(chat, probe), probe.parameters["tools"], name)


@check(probes.bad_choices, trials=4, needs=TOOLS)
async def invalid_tool_choice_rejected(chat: Chat, probe: Probe) -> Score:
    """An invalid tool_choice SHOULD be rejected with 400, 404 or 422."""
    if probe.control:
        return scoring.forced(await ask(chat, probe), probe.parameters["tools"])
    asked = chat.send_invalid(probe.messages, budget=probe.budget, **probe.parameters)
    return refused(await asked, UNKNOWN)


@check(probes.irrelevant, required=0.90, trials=30, needs=TOOLS, forms=probes.FORMS)
async def no_call_when_irrelevant(chat: Chat, probe: Probe) -> Score:
    """Asked what no tool can answer, the endpoint MUST answer in words about it and call no
    tool.
    """
    reply = await ask(chat, probe)
    if probe.control:
        return scoring.forced(reply, probe.parameters["tools"])
    return scoring.tells_about(reply, probe.expect["about"], probe.parameters["tools"])


@check(probes.parallel, required=0.90, trials=30, needs=TOOLS, forms=probes.FORMS)
async def parallel_calls(chat: Chat, probe: Probe) -> Score:
    """Asked about several cities, the endpoint MUST make one call for each, in parallel or one by
    one.
    """
    _, replies = await converse(chat, probe)
    return scoring.calls(replies, probe.expect["calls"], probe.parameters["tools"])


@check(probes.one_at_a_time, trials=3, needs=TOOLS, forms=probes.FORMS)
async def parallel_calls_disabled(chat: Chat, probe: Probe) -> Score:
    """With parallel_tool_calls false, the endpoint SHOULD make exactly one call in a reply."""
    return scoring.one_of(await ask(chat, probe), probe.expect["calls"], probe.parameters["tools"])


@check(probes.many_tools, required=0.95, trials=30, needs=TOOLS, forms=probes.FORMS)
async def tool_selection(chat: Chat, probe: Probe) -> Score:
    """Offered 8 to 20 similar tools, the endpoint MUST call the right one with the right
    arguments.
    """
    reply = await ask(chat, probe)
    return scoring.calls([reply], probe.expect["calls"], probe.parameters["tools"])


@check(probes.results, required=0.95, trials=30, needs=TOOLS, forms=probes.FORMS)
async def tool_result_grounding(chat: Chat, probe: Probe) -> Score:
    """Given a tool's result, the endpoint MUST report its figures, and make none up where the tool
    failed.
    """
    messages, replies = await converse(chat, probe)
    offered = probe.parameters["tools"]
    score = scoring.calls(replies, probe.expect["calls"], offered)
    if not score.passed:
        return score
    last = await answer(chat, probe, messages)
    return scoring_tool_results.tells(last, probe.expect, messages, offered)


@check(probes.hard, required=0.95, trials=30, needs=TOOLS, forms=probes.FORMS)
async def complex_arguments(chat: Chat, probe: Probe) -> Score:
    """Arguments that are nested, long, empty or in any script MUST arrive as stated."""
    reply = await ask(chat, probe)
    return scoring.calls([reply], probe.expect["calls"], probe.parameters["tools"])


@check(probes.thirty_turns, trials=2, needs=TOOLS, forms=probes.HISTORY_FORMS)
async def call_after_30_turns(chat: Chat, probe: Probe) -> Score:
    """After thirty calls and results, the endpoint SHOULD make the next call as correctly as the
    first.
    """
    reply = await ask(chat, probe)
    return scoring.calls([reply], probe.expect["calls"], probe.parameters["tools"])
