"""Memory: after fifty turns across topics, the endpoint recalls facts of any earlier turn."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.memory import probes, scoring
from readiness.checks.memory.live_conversation import reply_to
from readiness.probe import Probe
from readiness.score import Score


async def recall(chat: Chat, probe: Probe) -> Score:
    """Send a conversation with its question, and score the answer."""
    reply = await chat(probe.messages, budget=probe.budget, **probe.parameters)
    return scoring.score_recall(reply, probe.expect["answer"])


@check(probes.scripted, required=0.92, trials=100)
async def recall_at_turn_50(chat: Chat, probe: Probe) -> Score:
    """At turn 50 of a scripted conversation, the endpoint MUST recall what was said in any earlier
    turn.
    """
    return await recall(chat, probe)


@check(probes.live, required=0.92, trials=200)
async def live_conversation_recall(chat: Chat, probe: Probe) -> Score:
    """In a conversation of 50 turns with its own replies as history, the endpoint MUST recall what
    was said.
    """
    reply = await reply_to(chat, probe)
    return scoring.score_recall(reply, probe.expect["answer"])


@check(probes.grown, trials=5)
async def history_not_truncated(chat: Chat, probe: Probe) -> Score:
    """Every turn of a conversation MUST reach the model: prompt_tokens grow with the turns, or,
    where no usage is sent, the first is recalled.
    """
    stages = [*probe.expect["before"], probe.messages]
    replies = [await chat(each, budget=probe.budget, **probe.parameters) for each in stages]
    recalled = scoring.score_recall(replies[-1], probe.expect["answer"]).passed
    return scoring.score_history(
        replies, [scoring.length(messages) for messages in stages], recalled
    )


@check(probes.unsaid, required=0.92, trials=25)
async def abstention(chat: Chat, probe: Probe) -> Score:
    """Asked for something never mentioned, the endpoint MUST say so and hallucinate nothing."""
    return await recall(chat, probe)


@check(probes.instructed, required=0.92, trials=25)
async def standing_instruction(chat: Chat, probe: Probe) -> Score:
    """Told once in which form to write amounts, the endpoint SHOULD still do so at turn 50."""
    return await recall(chat, probe)
