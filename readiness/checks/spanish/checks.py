"""Spanish: what is asked in Spanish alone is done, with no step of translation in between."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.spanish import scoring
from readiness.checks.spanish.probes import (
    OTHER_FORMS,
    PAIRED_FORMS,
    ZERO_SHOT,
    asked,
    asked_otherwise,
    paired,
    talked,
)
from readiness.probe import Probe
from readiness.score import Score


async def ask(chat: Chat, probe: Probe) -> Score:
    """Send a prompt, and score what it is answered with."""
    reply = await chat(probe.messages, budget=probe.budget, **probe.parameters)
    return scoring.does(reply, probe.expect["wanted"])


@check(asked, required=0.89, trials=100, forms=ZERO_SHOT)
async def zero_shot_tasks(chat: Chat, probe: Probe) -> Score:
    """Prompted in Spanish only, the endpoint MUST do the task, and in Spanish."""
    return await ask(chat, probe)


@check(asked_otherwise, required=0.89, trials=30, forms=OTHER_FORMS)
async def other_forms(chat: Chat, probe: Probe) -> Score:
    """After a system message, earlier turns or a long text, and with tools at hand, the endpoint
    MUST still do a task in Spanish, and in Spanish.
    """
    return await ask(chat, probe)


@check(talked, required=0.95, trials=30, forms=ZERO_SHOT)
async def reply_in_spanish(chat: Chat, probe: Probe) -> Score:
    """Asked an open question in Spanish, the endpoint MUST answer in Spanish only and in whole
    sentences, and MUST NOT double, join or mask words, lose the tilde of ñ or repeat sentences by
    mistake.
    """
    return await ask(chat, probe)


@check(paired, required=0.89, trials=20, forms=PAIRED_FORMS)
async def parity_with_english(chat: Chat, probe: Probe) -> Score:
    """A task that the endpoint gets right in English SHOULD also be right in Spanish."""
    english = probe.expect["english"]
    replies = [
        await chat(messages, budget=probe.budget, **probe.parameters)
        for messages in (probe.messages, english["messages"])
    ]
    return scoring.as_right(replies, (probe.expect["wanted"], english["wanted"]))
