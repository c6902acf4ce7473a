"""Reasoning beside tools: three requirements, looked at in the same conversations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.tool_calling import scoring_reasoning as scoring
from readiness.checks.tool_calling.probes_reasoning import conversations
from readiness.checks.tool_calling.probes_tool_results import result_message
from readiness.checks.tool_calling.prompt_wording import user
from readiness.checks.tool_calling.scoring_reasoning import HardReplies
from readiness.probe import Message, Probe
from readiness.reply import Reply
from readiness.score import Score

NEEDS = ["tools", "reasoning"]


async def ask_hard(probe: Probe, chat: Chat) -> HardReplies:
    """Ask two hard questions, each without tools and then beside one."""
    without = {key: of for key, of in probe.parameters.items() if key != "tools"}
    asked = (probe.messages, probe.expect["again"])
    plain = [await chat(each, budget=probe.budget, **without) for each in asked]
    return HardReplies(
        plain, [await chat(each, budget=probe.budget, **probe.parameters) for each in asked]
    )


async def take_turns(probe: Probe, chat: Chat) -> list[list[Reply]]:
    """Have turns that take a call each, as long as the calls come to an end."""
    history: list[Message] = []
    turns: list[list[Reply]] = []
    for turn in probe.expect["turns"]:
        turns.append(await take_turn(probe, chat, history, turn))
        if turns[-1][-1].tool_calls:
            break
    return turns


async def take_turn(
    probe: Probe, chat: Chat, history: list[Message], turn: Mapping[str, Any]
) -> list[Reply]:
    """Say what a turn says, and bring the result of its call back; the history grows by it."""
    history += user(turn["say"])
    replies = [await chat(history, budget=probe.budget, **probe.parameters)]
    if replies[0].tool_calls:
        results = [result_message(call.id, turn["result"]) for call in replies[0].tool_calls]
        history += [replies[0].message, *results]
        replies.append(await chat(history, budget=probe.budget, **probe.parameters))
    history.append(replies[-1].message)
    return replies


async def hard(chat: Chat, probe: Probe) -> HardReplies:
    """The replies to hard questions, which are asked once for these checks."""
    return await chat.fetch_once(("reasoning.hard", probe.id), partial(ask_hard, probe))


async def turns(chat: Chat, probe: Probe) -> list[list[Reply]]:
    """The replies of the turns, which are taken once for these checks."""
    return await chat.fetch_once(("reasoning.turns", probe.id), partial(take_turns, probe))


@check(conversations, trials=2, needs=NEEDS)
async def reasoning_with_tools(chat: Chat, probe: Probe) -> Score:
    """A model that reasons on hard questions MUST do so where a tool is offered, too."""
    return scoring.beside_tools(await hard(chat, probe))


@check(conversations, trials=2, needs=NEEDS)
async def reasoning_across_calls(chat: Chat, probe: Probe) -> Score:
    """With its reasoning sent back between calls, and without it after the user's next turn, the
    endpoint MUST make the right call and use its result.
    """
    asked, tools = probe.expect["turns"], probe.parameters["tools"]
    return scoring.across_turns(await turns(chat, probe), asked, tools)


@check(conversations, trials=2, needs=NEEDS)
async def reasoning_kept_from_content(chat: Chat, probe: Probe) -> Score:
    """Beside tools, none of the reasoning MUST be in the content."""
    asked, taken = await hard(chat, probe), await turns(chat, probe)
    replies = [*asked.plain, *asked.beside, *(reply for turn in taken for reply in turn)]
    return scoring.kept_apart(replies)
