"""Several languages: the same copy in Chinese, then in English, then in Japanese."""

from __future__ import annotations

from functools import partial

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.multilingual import scoring
from readiness.checks.multilingual.probes import FORMS, conversations, turns
from readiness.probe import Probe
from readiness.reply import Reply
from readiness.score import Score


async def converse(probe: Probe, chat: Chat) -> list[Reply]:
    """Say one thing after another, and return what is answered to each."""
    messages = list(probe.messages)
    replies = [await chat(messages, budget=probe.budget, **probe.parameters)]
    for text in probe.expect["said"][1:]:
        messages += [replies[-1].message, {"role": "user", "content": text}]
        replies.append(await chat(messages, budget=probe.budget, **probe.parameters))
    return replies


async def copy(chat: Chat, probe: Probe) -> list[Reply]:
    """The replies of a conversation, which is held once for all of these checks."""
    return await chat.fetch_once(("copy", probe.shared), partial(converse, probe))


@check(conversations, required=1.0, trials=10, forms=FORMS)
async def language_switch(chat: Chat, probe: Probe) -> Score:
    """Told to continue in another language, the endpoint MUST write in that language only."""
    return scoring.switches(await copy(chat, probe), probe.expect["copy"])


@check(conversations, required=1.0, trials=10, forms=FORMS)
async def glossary_adherence(chat: Chat, probe: Probe) -> Score:
    """In every language, the endpoint MUST use the glossary's terms, each in one form, and keep the
    product's name and figure.
    """
    return scoring.keeps(await copy(chat, probe), probe.expect["copy"])


@check(turns, required=0.9, trials=30, forms=FORMS)
async def no_preamble(chat: Chat, probe: Probe) -> Score:
    """Told to send only the copy, the endpoint MUST add no preamble, note or enclosing quotation
    marks, repeat no sentence, and in English double no word and join no sentences.
    """
    replies = await copy(chat, probe)
    return scoring.alone(replies[probe.expect["turn"]])


@check(turns, required=0.9, trials=30, forms=FORMS)
async def length_limits(chat: Chat, probe: Probe) -> Score:
    """Copy MUST be no shorter than the minimum asked for, and at most a tenth longer than the
    maximum.
    """
    replies, turn = await copy(chat, probe), probe.expect["turn"]
    language = scoring.TURNS[turn]
    return scoring.fits(replies[turn], language, probe.expect["copy"])
