"""Long context: prompts of 128K tokens are accepted, not truncated, and answered correctly.

Checks request documents by recipe; each document is sent once and shared by the checks.
"""

from __future__ import annotations

from dataclasses import replace

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.long_context import probes
from readiness.checks.long_context import scoring_limits as limits
from readiness.checks.long_context.length_search import search_effective_length
from readiness.checks.long_context.liveness import short_chats, with_liveness_requests
from readiness.checks.long_context.probes import CLAIM, MIN_LENGTH
from readiness.checks.long_context.scoring_limits import score_accepted_length, score_truncation
from readiness.checks.long_context.scoring_needles import found_measure, score_answer, score_summary
from readiness.checks.long_context.send_document import (
    DocumentReply,
    send_document,
    send_oversized_document,
    send_page,
    send_pieces,
    target_length,
)
from readiness.probe import Probe
from readiness.score import Outcome, Score, failed_once


async def read(chat: Chat, probe: Probe) -> DocumentReply:
    """The reply to a probe's document of the required length, in its form."""
    form = probe.expect.get("form", probes.FORMS.plain)
    return await send_document(chat, probe.expect["recipe"], target_length(chat), form)


@check(probes.documents, trials=5, alone=True, in_order=True, forms=probes.FORMS)
async def accepts_128k(chat: Chat, probe: Probe) -> Score:
    """A request of 131,072 tokens, room for the reply included, MUST be answered (smoke:
    16,384).
    """
    reading = await read(chat, probe)
    sent = reading.sent if reading.counted else 0
    return score_accepted_length(reading.reply, reading.length, reading.reserved, sent)


@check(probes.logs, trials=3, alone=True, in_order=True, forms=probes.FORMS)
async def no_silent_truncation(chat: Chat, probe: Probe) -> Score:
    """The head, middle and tail of a prompt of 131,072 tokens MUST all reach the model (smoke:
    16,384).
    """
    reading = await read(chat, probe)
    told = reading.reply, reading.expected, reading.sent
    score = score_truncation(*told)
    if score.passed or not limits.is_lost_by_answers_alone(*told):
        return score
    short = await send_document(chat, probe.expect["recipe"], MIN_LENGTH)
    return limits.rescore_by_short_document(score, short.reply, short.expected)


@check(
    probes.questions,
    required=0.856,
    trials=36,
    extension=24,
    alone=True,
    in_order=True,
    forms=probes.FORMS,
)
async def needle_retrieval(chat: Chat, probe: Probe) -> Score:
    """The endpoint MUST find the facts asked for in a log of 131,072 tokens (smoke: 16,384)."""
    reading = await read(chat, probe)
    question = reading.expected.questions[probe.expect["question"]]
    score = score_answer(reading.reply, question)
    return score.measured(found_measure(score, question, reading.length))


@check(probes.reports, trials=2, alone=True, in_order=True, forms=probes.FORMS)
async def summary_accuracy(chat: Chat, probe: Probe) -> Score:
    """A summary of a report of 131,072 tokens MUST have its key figures and dates, none
    hallucinated, and be complete (smoke: 16,384).
    """
    reading = await read(chat, probe)
    return score_summary(reading.reply, reading.expected)


@check(probes.length_search_probes, trials=1, alone=True, in_order=True)
async def effective_length(chat: Chat, probe: Probe) -> Score:
    """Needle retrieval SHOULD be at least 85.6 % at 131,072 tokens and at every shorter length
    tried.
    """
    return limits.score_effective_length(
        await search_effective_length(chat, probe.expect["recipe"]),
        CLAIM,
        chat.context.context_window,
    )


@check(probes.overflows, trials=1, alone=True, in_order=True)
async def overlong_not_truncated(chat: Chat, probe: Probe) -> Score:
    """A prompt longer than the context window MUST be rejected with a 4xx within 30 s or read in
    full, and never truncated.
    """
    window = chat.context.context_window or CLAIM
    return limits.score_oversized_document(
        await send_oversized_document(chat, probe.expect["recipe"], window)
    )


@check(probes.pages, trials=1, alone=True)
async def no_hang_on_unbroken_text(chat: Chat, probe: Probe) -> Score:
    """100,000 Chinese characters without a line break (smoke: 10,000) MUST be answered or rejected,
    without delaying other requests.
    """
    exchange, liveness = await with_liveness_requests(chat, send_page(chat, **probe.expect))
    pieces = await send_pieces(chat, **probe.expect) if limits.failure_of(exchange) else None
    note = limits.pieces_note(pieces) if pieces else ""
    score = limits.score_long_page(exchange, liveness, note)
    if score.outcome is not Outcome.FAIL or limits.seconds_slower(liveness) <= 0:
        return score
    # Who comes next may have kept it busy, and what a page leaves behind stays.
    later = replace(liveness, requests_after=await short_chats(chat))
    again = limits.score_long_page(exchange, later, note)
    return failed_once(score) if again.passed else again


@check(probes.paragraphs, trials=1, alone=True)
async def no_hang_on_long_paragraphs(chat: Chat, probe: Probe) -> Score:
    """100,000 Chinese characters in paragraphs (smoke: 10,000) MUST be answered or rejected,
    without delaying other requests.
    """
    return await no_hang_on_unbroken_text.attempt(chat, probe)


@check(probes.documents, trials=5, alone=True, in_order=True, forms=probes.FORMS)
async def cold_prompt_latency(chat: Chat, probe: Probe) -> Score:
    """A cold prompt of 131,072 tokens SHOULD be answered within 8.2 s (smoke: 16,384)."""
    reading = await read(chat, probe)
    return limits.score_latency(reading.reply, reading.length)
