"""How the checks of the protocol send their probes."""

from __future__ import annotations

import asyncio

from readiness.chat import Chat
from readiness.checks.api.probes import NEIGHBOUR, call
from readiness.checks.api.scoring_replies import untouched
from readiness.exchange import Call, Exchange
from readiness.probe import Probe
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import Score
from readiness.scoring.rejection import survived


async def ask(chat: Chat, probe: Probe) -> Reply:
    """Send a probe, and read the reply."""
    return await chat(probe.messages, budget=probe.budget, **probe.parameters)


async def sent(chat: Chat, probe: Probe) -> Exchange:
    """Send a probe, with what is wrong in it."""
    return await chat.call(call(probe, chat.dialect))


async def once(chat: Chat, probe: Probe) -> Reply:
    """Send a probe and read the reply, where a budget that reasoning eats is the point."""
    return read(await sent(chat, probe))


async def beside(chat: Chat, heavy: Call) -> Score:
    """Send a hostile request with an ordinary one beside it, and another one after it."""
    came, _ = await asyncio.gather(chat.call(heavy), chat(NEIGHBOUR, budget=16))
    return untouched(survived(came), await chat.send(NEIGHBOUR, budget=16))
