"""Conversations: every message is read, in whichever form clients send it."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import scoring_replies as replies
from readiness.checks.api.probes import coded, probes
from readiness.checks.api.requests import ask
from readiness.probe import Probe
from readiness.score import Score


async def recall(chat: Chat, probe: Probe) -> Score:
    """Ask for words of the conversation; where they are lost, see if they were in the prompt."""
    reply = await ask(chat, probe)
    score = replies.knows(reply, probe.expect["words"])
    if score.passed:
        return score
    other = probe.expect.get("half") or probe.expect["plain"]
    told = await chat(other, budget=probe.budget, **probe.parameters)
    return (replies.grows if "half" in probe.expect else replies.in_prompt)(score, reply, told)


@check(coded("remembers_turns"), trials=4)
async def remembers_turns(chat: Chat, probe: Probe) -> Score:
    """Messages of system, user and assistant MUST all be read, in their order."""
    return await recall(chat, probe)


@check(coded("reads_parts"), trials=2)
async def reads_parts(chat: Chat, probe: Probe) -> Score:
    """A message in several text parts MUST be read as a whole."""
    return await recall(chat, probe)


@check(coded("reads_long_messages"), trials=1)
async def reads_long_messages(chat: Chat, probe: Probe) -> Score:
    """A message of 20 KB MUST be read from its first line to its last."""
    return await recall(chat, probe)


@check(coded("reads_past_special_tokens"), trials=2)
async def reads_past_special_tokens(chat: Chat, probe: Probe) -> Score:
    """A user's text that looks like the template's control tokens MUST NOT end the message."""
    words = probe.expect["words"]
    score = replies.knows(await ask(chat, probe), words)
    if score.passed:
        return score
    plain = await chat(probe.expect["plain"], budget=probe.budget)
    return replies.knows_plainly(score, plain, words)


@check(coded("reads_instructions_with_tools"), trials=1, needs=["tools"])
async def reads_instructions_with_tools(chat: Chat, probe: Probe) -> Score:
    """Where a request has tools, its system message MUST be read all the same."""
    return await recall(chat, probe)


@check(probes("takes_tool_results"), needs=["tools"])
async def takes_tool_results(chat: Chat, probe: Probe) -> Score:
    """A tool call with content null, and the result that follows it, MUST be taken as history."""
    return replies.answers(await ask(chat, probe))


@check(probes("takes_developer_messages"))
async def takes_developer_messages(chat: Chat, probe: Probe) -> Score:
    """The role developer SHOULD be taken."""
    return replies.answers(await ask(chat, probe))


@check(probes("takes_repeated_roles"))
async def takes_repeated_roles(chat: Chat, probe: Probe) -> Score:
    """Two messages in a row from the same side SHOULD be taken."""
    return replies.answers(await ask(chat, probe))


@check(probes("takes_a_prefill"))
async def takes_a_prefill(chat: Chat, probe: Probe) -> Score:
    """A conversation that ends with the assistant's own words SHOULD be taken."""
    return replies.answers(await ask(chat, probe))


@check(probes("takes_names"))
async def takes_names(chat: Chat, probe: Probe) -> Score:
    """The `name` of who speaks SHOULD be taken."""
    return replies.answers(await ask(chat, probe))
