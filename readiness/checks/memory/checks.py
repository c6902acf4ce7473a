"""Memory: after fifty turns across topics, the endpoint knows what was said in any of them."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.memory import probes, scoring
from readiness.checks.memory.live_conversation import reply_to
from readiness.probe import Probe
from readiness.score import Score


async def ask(chat: Chat, probe: Probe) -> Score:
    """Send a conversation with its question, and score what is recalled."""
    reply = await chat(probe.messages, budget=probe.budget, **probe.parameters)
    return scoring.recalls(reply, probe.expect["answer"])


@check(probes.scripted, required=0.92, trials=100)
async def in_the_fiftieth_turn(chat: Chat, probe: Probe) -> Score:
    """In the fiftieth turn, the endpoint MUST recall what was said in any turn before."""
    return await ask(chat, probe)


@check(probes.live, required=0.92, trials=200)
async def in_a_live_conversation(chat: Chat, probe: Probe) -> Score:
    """In fifty turns with its own replies among them, the endpoint MUST recall what was said."""
    reply = await reply_to(chat, probe)
    return scoring.recalls(reply, probe.expect["answer"])


@check(probes.grown, trials=5)
async def keeps_the_whole_history(chat: Chat, probe: Probe) -> Score:
    """The endpoint MUST read all turns of a conversation: its prompt tokens grow with them."""
    stages = [*probe.expect["before"], probe.messages]
    replies = [await chat(each, budget=probe.budget, **probe.parameters) for each in stages]
    known = scoring.recalls(replies[-1], probe.expect["answer"]).passed
    return scoring.grows(replies, [scoring.length(messages) for messages in stages], known)


@check(probes.unsaid, required=0.92, trials=25)
async def admits_what_was_never_said(chat: Chat, probe: Probe) -> Score:
    """Asked for what nobody has said, the endpoint MUST say so, and make nothing up."""
    return await ask(chat, probe)


@check(probes.instructed, required=0.92, trials=25)
async def keeps_to_a_standing_instruction(chat: Chat, probe: Probe) -> Score:
    """Told once in which form to write amounts, the endpoint MUST do so from then on."""
    return await ask(chat, probe)
