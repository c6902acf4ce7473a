"""Isolation: what one client says, no other hears."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api.probes import apart, calls_apart
from readiness.checks.api.requests import ask
from readiness.checks.api.scoring_replies import own_code
from readiness.probe import Probe
from readiness.score import Score


@check(apart, trials=32)
async def keeps_conversations_apart(chat: Chat, probe: Probe) -> Score:
    """Of many requests at once, each MUST get its own code word back, and no other's."""
    reply = await ask(chat, probe)
    return own_code(reply.text, probe.expect["code"], probe.expect["others"])


@check(calls_apart, trials=16, needs=["tools"])
async def keeps_calls_apart(chat: Chat, probe: Probe) -> Score:
    """Of many requests at once, each MUST get its own tool call, and no other's."""
    reply = await ask(chat, probe)
    said = "\n".join([reply.text, *(each.arguments for each in reply.tool_calls)])
    return own_code(said, probe.expect["code"], probe.expect["others"])
