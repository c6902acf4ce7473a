"""Memory: after fifty turns across topics, the endpoint recalls facts of any earlier turn."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.memory import long_history, probes, scoring, scoring_history
from readiness.checks.memory.live_conversation import reply_to
from readiness.probe import Probe
from readiness.score import Score


async def recall(chat: Chat, probe: Probe) -> Score:
    """Send a conversation with its question, and score the answer."""
    reply = await chat(probe.messages, budget=probe.budget, **probe.parameters)
    return scoring.score_recall(reply, probe.expect["answer"])


@check(probes.scripted, required=0.92, trials=100, forms=probes.RECALL_FORMS)
async def recall_at_turn_50(chat: Chat, probe: Probe) -> Score:
    """At turn 50 of a scripted conversation, the endpoint MUST recall what was said in any earlier
    turn.
    """
    return await recall(chat, probe)


@check(probes.live, required=0.92, trials=200, forms=probes.LIVE_FORMS)
async def live_conversation_recall(chat: Chat, probe: Probe) -> Score:
    """In a conversation of 50 turns with its own replies as history, the endpoint MUST recall what
    was said.
    """
    reply = await reply_to(chat, probe)
    return scoring.score_recall(reply, probe.expect["answer"])


@check(probes.grown, trials=5, forms=probes.LIVE_FORMS)
async def history_not_truncated(chat: Chat, probe: Probe) -> Score:
    """Every turn of a conversation MUST reach the model: the prompt_tokens of its halves add up to
    those of all, or, where no usage is sent, the first turn is recalled.
    """
    stages = [*probe.expect["before"], probe.messages]
    replies = [await chat(each, budget=probe.budget, **probe.parameters) for each in stages]
    recalled = scoring.score_recall(replies[-1], probe.expect["answer"]).passed
    return scoring_history.score_history(
        replies, [scoring.length(messages) for messages in stages], recalled
    )


@check(long_history.histories, required=0.92, trials=24, forms=long_history.FORMS)
async def long_history_recall(chat: Chat, probe: Probe) -> Score:
    """After a history of 16,000 and of 60,000 tokens, where the window allows, and after results of
    tools, the endpoint MUST recall what was said in any earlier turn.
    """
    reply = await long_history.reply_to(chat, probe)
    return scoring_history.score_line(reply, probe.expect["line"], probe.expect["answer"])


@check(probes.unsaid, required=0.92, trials=25, forms=probes.FORMS)
async def abstention(chat: Chat, probe: Probe) -> Score:
    """Asked for something never mentioned, the endpoint MUST say so and hallucinate nothing."""
    return await recall(chat, probe)


@check(probes.instructed, required=0.92, trials=25, forms=probes.FORMS)
async def standing_instruction(chat: Chat, probe: Probe) -> Score:
    """Told once in which form to write amounts, the endpoint SHOULD still do so at turn 50."""
    return await recall(chat, probe)
