"""Long context: 128K tokens go in, all of them are read, and what stands in them is found.

Each check asks for documents by name; whichever asks first has it sent, for all of them.
"""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.long_context import probes
from readiness.checks.long_context import scoring_limits as limits
from readiness.checks.long_context.length_search import climb
from readiness.checks.long_context.liveness import beside
from readiness.checks.long_context.probes import CLAIM
from readiness.checks.long_context.scoring_limits import accepts, arrives
from readiness.checks.long_context.scoring_needles import finds, found, summarises
from readiness.checks.long_context.send_document import (
    claimed,
    read_at,
    send_beyond,
    send_page,
    send_pieces,
)
from readiness.probe import Probe
from readiness.score import Score


@check(probes.documents, trials=5, alone=True, in_order=True)
async def accepts_128k(chat: Chat, probe: Probe) -> Score:
    """Sent 131,072 tokens, room for a reply included, the endpoint MUST answer (smoke: 16,384)."""
    reading = await read_at(chat, probe.expect["recipe"], claimed(chat))
    sent = reading.sent if reading.counted else 0
    return accepts(reading.reply, reading.length, reading.reserved, sent)


@check(probes.logs, trials=3, alone=True, in_order=True)
async def reads_all_of_it(chat: Chat, probe: Probe) -> Score:
    """Of 131,072 tokens, head, middle and tail MUST all reach the model (smoke: 16,384)."""
    reading = await read_at(chat, probe.expect["recipe"], claimed(chat))
    return arrives(reading.reply, reading.expected, reading.sent)


@check(probes.questions, required=0.856, trials=36, extension=24, alone=True, in_order=True)
async def finds_what_was_planted(chat: Chat, probe: Probe) -> Score:
    """Asked for lines of a log of 131,072 tokens, the endpoint MUST find them (smoke: 16,384)."""
    reading = await read_at(chat, probe.expect["recipe"], claimed(chat))
    question = reading.expected.questions[probe.expect["question"]]
    score = finds(reading.reply, question)
    return score.measured(found(score, question, reading.length))


@check(probes.reports, trials=2, alone=True, in_order=True)
async def summarises_it(chat: Chat, probe: Probe) -> Score:
    """A summary of 131,072 tokens MUST have the key figures and none made up (smoke: 16,384)."""
    reading = await read_at(chat, probe.expect["recipe"], claimed(chat))
    return summarises(reading.reply, reading.expected)


@check(probes.ladders, trials=1, alone=True, in_order=True)
async def finds_at_every_length(chat: Chat, probe: Probe) -> Score:
    """At 131,072 tokens and at every length below, 85.6 % of what was planted MUST be found."""
    return limits.reaches(await climb(chat, probe.expect["recipe"]), CLAIM, chat.scope.window)


@check(probes.overflows, trials=1, alone=True, in_order=True)
async def refuses_what_does_not_fit(chat: Chat, probe: Probe) -> Score:
    """A prompt longer than the window MUST be refused with a 4xx in 30 s, and never be cut."""
    window = chat.scope.window or CLAIM
    return limits.refuses(await send_beyond(chat, probe.expect["recipe"], window))


@check(probes.pages, trials=1, alone=True)
async def survives_a_long_page(chat: Chat, probe: Probe) -> Score:
    """100,000 characters without a break (smoke: 10,000) MUST be answered, and others beside."""
    exchange, life = await beside(chat, send_page(chat, **probe.expect))
    pieces = await send_pieces(chat, **probe.expect) if limits.ending(exchange) else None
    return limits.survives(exchange, life, limits.remedy(pieces) if pieces else "")


@check(probes.paragraphs, trials=1, alone=True)
async def survives_long_paragraphs(chat: Chat, probe: Probe) -> Score:
    """100,000 characters in paragraphs (smoke: 10,000) MUST be answered, and others beside."""
    return await survives_a_long_page.attempt(chat, probe)


@check(probes.documents, trials=5, alone=True, in_order=True)
async def answers_quickly(chat: Chat, probe: Probe) -> Score:
    """A cold prompt of 131,072 tokens MUST be answered within 8.2 s (smoke: 16,384)."""
    reading = await read_at(chat, probe.expect["recipe"], claimed(chat))
    return limits.quick(reading.reply, reading.length)
