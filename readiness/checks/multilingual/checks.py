"""Several languages: the same copy in Chinese, then in English, then in Japanese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.multilingual import scoring
from readiness.checks.multilingual.probes import conversations, turns
from readiness.probe import Message, Probe
from readiness.reply import Reply
from readiness.score import Score


async def converse(
    said: Sequence[str], budget: int, parameters: Mapping[str, Any], chat: Chat
) -> list[Reply]:
    """Say one thing after another, and return what is answered to each."""
    messages: list[Message] = []
    replies: list[Reply] = []
    for text in said:
        messages.append({"role": "user", "content": text})
        replies.append(await chat(messages, budget=budget, **parameters))
        messages.append(replies[-1].message)
    return replies


async def copy(chat: Chat, probe: Probe) -> list[Reply]:
    """The replies of a conversation, which is held once for all of these checks."""
    said = probe.expect["said"]
    held = partial(converse, said, probe.budget, probe.parameters)
    return await chat.once(("copy", *said), held)


@check(conversations, required=1.0, trials=10)
async def switches_the_language(chat: Chat, probe: Probe) -> Score:
    """Told to go on in another language, the endpoint MUST write in that language alone."""
    return scoring.switches(await copy(chat, probe), probe.expect["copy"])


@check(conversations, required=1.0, trials=10)
async def keeps_the_terms(chat: Chat, probe: Probe) -> Score:
    """In every language, the endpoint MUST use the glossary's terms, and each in one form."""
    return scoring.keeps(await copy(chat, probe), probe.expect["copy"])


@check(turns, required=0.9, trials=30)
async def sends_the_copy_alone(chat: Chat, probe: Probe) -> Score:
    """Told to send the copy alone, the endpoint MUST send no preamble, note or quotation marks."""
    replies = await copy(chat, probe)
    return scoring.alone(replies[probe.expect["turn"]])


@check(turns, required=0.9, trials=30)
async def keeps_to_the_length(chat: Chat, probe: Probe) -> Score:
    """Told how long the copy may be, the endpoint MUST keep to that, give or take a tenth."""
    replies, turn = await copy(chat, probe), probe.expect["turn"]
    language = scoring.TURNS[turn]
    return scoring.fits(replies[turn], language, probe.expect["copy"])
