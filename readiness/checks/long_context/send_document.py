"""Sending a document of so many tokens: estimated first, then fitted to what is counted."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from readiness.chat import Chat
from readiness.checks.long_context.document import DocumentAnswers
from readiness.checks.long_context.document_kinds import asked, log, page, pieces, report
from readiness.checks.long_context.probes import (
    BEYOND,
    BUDGETS,
    CLAIM,
    FAR_BEYOND,
    PAGE,
    SCALED,
    SMALL_PAGE,
)
from readiness.checks.long_context.prompt_wording import Recipe
from readiness.exchange import Call, Exchange
from readiness.probe import Message
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome

PATH = "/../tokenize"


async def count(chat: Chat, messages: Sequence[Message]) -> int | None:
    """How many tokens messages take; None where the endpoint does not tell."""
    # vLLM reads the messages, with its template around them, and llama.cpp the content.
    text = "\n".join(str(message["content"]) for message in messages)
    body = {"model": chat.dialect.model, "messages": list(messages), "content": text}
    exchange = await chat.call(Call(body, PATH))
    if exchange.status != 200:
        return None
    try:
        said = json.loads(exchange.body)
        found = said.get("count", len(said["tokens"]))
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None
    return found if type(found) is int else None


#: Tokens per character where the endpoint counts none: more than tokenizers of today make.
ESTIMATES = {"zh": 1.0, "en": 0.3, "mixed": 0.7}
#: Fewer or more tokens per character than any tokenizer makes: what is counted is something else.
LEAST, MOST = 0.05, 5.0


class TokenEstimator:
    """A straight line through what the endpoint has counted, drawn anew with each text.

    A line through two short texts misses the tokens of a text of 128K by up to 2.4 % (40 logs and
    reports, two tokenizers); once a long text has been counted, it is one of the two points.
    """

    def __init__(self, language: str) -> None:
        self._estimate = ESTIMATES[language]
        self._counted: dict[int, int] = {}

    def add_count(self, characters: int, tokens: int) -> None:
        """Take in that a text of so many characters was counted as so many tokens."""
        self._counted[characters] = tokens

    @property
    def is_calibrated(self) -> bool:
        """Whether the endpoint has counted two texts, and more in the longer."""
        return len(self._counted) > 1 and self._line is not None

    def tokens(self, characters: int) -> int:
        """How many tokens a text of so many characters takes."""
        slope, start = self._line or (self._estimate, 0.0)
        return round(start + slope * characters)

    def characters(self, tokens: float) -> int:
        """How many characters take so many tokens."""
        slope, start = self._line or (self._estimate, 0.0)
        return max(0, int((tokens - start) / slope))

    @property
    def _line(self) -> tuple[float, float] | None:
        """The slope and the start of the line through the shortest text and the longest."""
        if not self._counted:
            return None
        short, long = min(self._counted), max(self._counted)
        # A single text counts from nothing: what is planted in it makes it a fifth too dense.
        start = (short, self._counted[short]) if short < long else (0, 0)
        slope = (self._counted[long] - start[1]) / (long - start[0])
        if not LEAST <= slope <= MOST:
            return None
        return slope, start[1] - slope * start[0]


SLACK = 512  # tokens, for a chat template and what else the endpoint adds
#: How much of the room to fill: a gauge may be off by a little.
SHARE = 0.99
_WRITERS = {"log": log, "report": report}
#: Characters of the texts by which tokens are first counted: both have room for what is planted.
SAMPLES = {"zh": (2_000, 6_000), "en": (4_500, 14_000), "mixed": (3_000, 9_500)}
BELIEVED = 0.1  # A count that is further off what was expected may be a defect.
LONGER = 8  # times as long a text, where the endpoint finds a document too long
#: What an endpoint says of a document that is too long for it.
_TOO_LONG = re.compile(r"context|length|long|large|token|exceed", re.IGNORECASE)


@dataclass(frozen=True)
class DocumentReply:
    """What came back for a long document.

    Args:
        expected: What the reply must have.
        reply: The reply.
        length: The tokens that prompt and reply were to have together.
        sent: About how many tokens the prompt has.
        reserved: How many tokens of the length were kept free for the reply.
        counted: Whether that is known from what the endpoint counts, and not only estimated.
    """

    expected: DocumentAnswers
    reply: Reply
    length: int
    sent: int
    reserved: int
    counted: bool


@dataclass(frozen=True)
class OversizedDocumentReply:
    """What came of a document that does not fit into a window.

    Args:
        expected: What a reply must have.
        exchange: What came back.
        window: The window, in tokens.
        tokens: About how many the document has; 0 where that is only estimated.
    """

    expected: DocumentAnswers
    exchange: Exchange
    window: int
    tokens: int


def target_length(chat: Chat) -> int:
    """The length to try: 128K tokens, or less where readiness cannot be shown anyway.

    Raises:
        EndpointError: The endpoint declares a smaller window than 128K, and nothing need be sent.
    """
    if _small(chat):
        declared = f"the endpoint declares a window of {chat.context.context_window:,} tokens"
        raise EndpointError(f"{declared}, and {CLAIM:,} are required", Outcome.FAIL)
    return SCALED if chat.context.defects_only else CLAIM


def _small(chat: Chat) -> bool:
    """Whether the endpoint itself says that 128K tokens do not fit."""
    return chat.context.context_window is not None and chat.context.context_window < CLAIM


async def send_document(chat: Chat, recipe: Recipe, length: int) -> DocumentReply:
    """The reading of a document at that length: it is sent where it has not been sent yet."""
    return await chat.fetch_once(("reading", recipe, length), partial(_read, recipe, length))


async def send_oversized_document(
    chat: Chat, recipe: Recipe, window: int
) -> OversizedDocumentReply:
    """Send a document that does not fit into a window, whatever the endpoint makes of it."""
    gauge = await _gauge(chat, recipe)
    beyond = BEYOND if gauge.is_calibrated else FAR_BEYOND
    paper = _WRITERS[recipe.kind](recipe, gauge.characters(beyond * window))
    exchange = await chat.send(paper.messages, budget=BUDGETS[recipe.kind])
    tokens = gauge.tokens(paper.characters) if gauge.is_calibrated else 0
    return OversizedDocumentReply(paper.expected, exchange, window, tokens)


async def send_page(chat: Chat, recipe: Recipe, paragraph: int) -> Exchange:
    """Send a hundred thousand Chinese characters, with a line break after each paragraph if any."""
    return await chat.send(asked(_page(chat, recipe, paragraph)), budget=BUDGETS["page"])


async def send_pieces(chat: Chat, recipe: Recipe, paragraph: int) -> list[Exchange]:
    """Send the same in pieces, up to the last or to one that fails."""
    exchanges: list[Exchange] = []
    for part in pieces(_page(chat, recipe, paragraph)):
        exchanges.append(await chat.send(asked(part), budget=BUDGETS["page"]))
        if exchanges[-1].status != 200:
            break
    return exchanges


def _page(chat: Chat, recipe: Recipe, paragraph: int) -> str:
    return page(recipe, SMALL_PAGE if chat.context.defects_only else PAGE, paragraph)


async def _read(recipe: Recipe, length: int, chat: Chat) -> DocumentReply:
    gauge = await _gauge(chat, recipe)
    try:
        return await _sent(chat, recipe, length, gauge)
    except EndpointError as error:
        if _small(chat) or not _is_too_long(error):
            raise
    # It may be our count that is off: once more, with a better one.
    await _count(chat, recipe, gauge, LONGER * max(SAMPLES[recipe.language]))
    return await _sent(chat, recipe, length, gauge)


def _is_too_long(error: EndpointError) -> bool:
    """Whether the endpoint has refused a document for its length."""
    refused = error.status is not None and 400 <= error.status < 500
    return refused and bool(_TOO_LONG.search(error.message))


async def _sent(chat: Chat, recipe: Recipe, length: int, gauge: TokenEstimator) -> DocumentReply:
    budget, reasoning = BUDGETS[recipe.kind], chat.dialect.reasoning_tokens
    # A reply that is lost to reasoning is asked for again, with four times the budget.
    reserved = SLACK + (4 * budget + reasoning if reasoning else budget)
    paper = _WRITERS[recipe.kind](recipe, gauge.characters(SHARE * (length - reserved)))
    tokens, counted = gauge.tokens(paper.characters), gauge.is_calibrated
    # Streamed, so that the first token has a time, wherever usage comes with a stream.
    stream = {"stream": True} if chat.dialect.stream_usage else {}
    reply = await chat(paper.messages, budget=budget, **stream)
    if reply.usage and (not counted or abs(reply.usage.prompt / tokens - 1) < BELIEVED):
        gauge.add_count(paper.characters, reply.usage.prompt)
    return DocumentReply(paper.expected, reply, length, tokens, reserved, counted)


async def _gauge(chat: Chat, recipe: Recipe) -> TokenEstimator:
    key = ("gauge", recipe.kind, recipe.language)
    return await chat.fetch_once(key, partial(_calibrate, recipe))


async def _calibrate(recipe: Recipe, chat: Chat) -> TokenEstimator:
    """Have documents counted; where the window is small, so is the first that is tried."""
    gauge, (short, long) = TokenEstimator(recipe.language), SAMPLES[recipe.language]
    if await chat.fetch_once("tokenizer", partial(_tokenizes, recipe)):
        for characters in (short, LONGER * long):
            paper = _WRITERS[recipe.kind](recipe, characters)
            gauge.add_count(paper.characters, await count(chat, paper.messages) or 0)
        return gauge
    for characters in () if _small(chat) else (short, long):
        await _count(chat, recipe, gauge, characters)
    return gauge


async def _tokenizes(recipe: Recipe, chat: Chat) -> bool:
    """Whether the endpoint has a tokenizer that counts as its replies do: it may be another's."""
    messages = _WRITERS[recipe.kind](recipe, min(SAMPLES[recipe.language])).messages
    told = await count(chat, messages)
    if not told or _small(chat):
        return bool(told)
    reply = await _reply_to_count(chat, messages)
    return reply.usage is None or abs(reply.usage.prompt / told - 1) < BELIEVED


async def _count(chat: Chat, recipe: Recipe, gauge: TokenEstimator, characters: int) -> None:
    paper = _WRITERS[recipe.kind](recipe, characters)
    reply = await _reply_to_count(chat, paper.messages)
    if reply.usage:
        gauge.add_count(paper.characters, reply.usage.prompt)


async def _reply_to_count(chat: Chat, messages: Sequence[Message]) -> Reply:
    # Sixteen tokens with no room to reason: nobody reads this reply.
    return read(await chat.send(messages, budget=16 - chat.dialect.reasoning_tokens))
