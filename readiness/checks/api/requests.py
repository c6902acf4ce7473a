"""Sending of probes by the checks of the dimension `api`."""

from __future__ import annotations

import asyncio

from readiness.chat import Chat
from readiness.checks.api.probes import NEIGHBOUR, call
from readiness.checks.api.scoring_replies import score_next_request
from readiness.exchange import Call, Exchange
from readiness.probe import Probe
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import Score
from readiness.scoring.rejection import survived


async def send(chat: Chat, probe: Probe) -> Reply:
    """Send a probe and read the reply."""
    return await chat(probe.messages, budget=probe.budget, **probe.parameters)


async def send_as_is(chat: Chat, probe: Probe) -> Exchange:
    """Send a probe's request with its faults, and return the exchange."""
    return await chat.call(call(probe, chat.dialect))


async def send_without_reasoning(chat: Chat, probe: Probe) -> Reply:
    """Send a probe and read the reply, with no tokens for reasoning on top of its limit."""
    return read(await send_as_is(chat, probe))


async def send_with_neighbour(chat: Chat, hostile: Call) -> Score:
    """Send a hostile request concurrently with an ordinary one, and then another ordinary one."""
    exchange, _ = await asyncio.gather(chat.call(hostile), chat(NEIGHBOUR, budget=16))
    return score_next_request(survived(exchange), await chat.send(NEIGHBOUR, budget=16))
