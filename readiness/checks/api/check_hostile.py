"""Hostile input: it is answered or refused at once, and harms nobody beside it."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import probes_hostile as hostile
from readiness.checks.api.probes import probes
from readiness.checks.api.requests import beside, sent
from readiness.checks.api.scoring_replies import untouched
from readiness.probe import Probe
from readiness.score import Score
from readiness.scoring.rejection import refused, survived


@check(probes("survives_odd_input"), in_order=True)
async def survives_odd_input(chat: Chat, probe: Probe) -> Score:
    """Empty, odd or senseless input MUST be answered or refused with a 4xx, and break nothing."""
    odd = survived(await sent(chat, probe))
    return untouched(odd, await chat.send(hostile.NEIGHBOUR, budget=16))


@check(probes("survives_invalid_utf8"))
async def survives_invalid_utf8(chat: Chat, probe: Probe) -> Score:
    """A body that is no UTF-8 MUST be answered or refused with a 4xx, and break nothing."""
    return survived(await sent(chat, probe))


@check(probes("refuses_invalid_utf8"))
async def refuses_invalid_utf8(chat: Chat, probe: Probe) -> Score:
    """A body that is no UTF-8 SHOULD be refused with a 4xx."""
    return refused(await sent(chat, probe))


@check(hostile.heavy("survives_a_huge_body"), alone=True)
async def survives_a_huge_body(chat: Chat, probe: Probe) -> Score:
    """A body of 32 MB MUST be answered or refused within a minute, and harm no neighbour."""
    return await beside(chat, hostile.padded(probe, chat.dialect))


@check(hostile.heavy("survives_many_tools"), needs=["tools"], alone=True)
async def survives_many_tools(chat: Chat, probe: Probe) -> Score:
    """Two thousand tools MUST be taken or refused within a minute, and harm no neighbour."""
    return await beside(chat, hostile.many_tools(probe, chat.dialect))


@check(hostile.nested(), alone=True)
async def survives_deep_nesting(chat: Chat, probe: Probe) -> Score:
    """Values nested a hundred thousand deep MUST be taken or refused, and harm no neighbour."""
    return await beside(chat, hostile.deep(probe, chat.dialect))
