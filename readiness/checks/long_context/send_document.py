"""Sending documents of a given length in tokens, estimated from what the endpoint counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from readiness.chat import Chat
from readiness.checks.long_context.document import DocumentAnswers
from readiness.checks.long_context.document_kinds import log, page, pieces, report, summary_request
from readiness.checks.long_context.probes import (
    BEYOND,
    BUDGETS,
    CLAIM,
    FAR_BEYOND,
    FORMS,
    PAGE,
    SCALED,
    SMALL_PAGE,
    formed,
)
from readiness.checks.long_context.prompt_wording import Recipe
from readiness.exchange import Call, Exchange
from readiness.forms.factors import Form
from readiness.probe import Message
from readiness.protocol.completion import read
from readiness.protocol.message import decode
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome

PATH = "/../tokenize"
MAX_COUNT = 10**9  # tokens


async def count_tokens(chat: Chat, messages: Sequence[Message]) -> int | None:
    """The tokens of messages by the endpoint's /tokenize; None if it has none."""
    # vLLM reads `messages` and applies the chat template; llama.cpp reads `content`.
    text = "\n".join(str(message["content"]) for message in messages)
    body = {"model": chat.dialect.model, "messages": list(messages), "content": text}
    exchange = await chat.call(Call(body, PATH))
    if exchange.status != 200:
        return None
    try:
        counted = decode(exchange.body.decode())
        found = counted.get("count", len(counted["tokens"]))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return found if type(found) is int and 0 <= found < MAX_COUNT else None


#: Tokens per character if the endpoint counts none: more than those of current tokenizers.
ESTIMATES = {"zh": 1.0, "en": 0.3, "mixed": 0.7}
#: Tokens per character outside this range are no count of a tokenizer.
MIN_SLOPE, MAX_SLOPE = 0.05, 5.0


class TokenEstimator:
    """Estimates tokens from characters, by a line through the shortest and longest text counted.

    A line through two short texts misses the tokens of a text of 128K by up to 2.4 % (40 logs and
    reports, two tokenizers); once a long text has been counted, it is one of the two points.
    """

    def __init__(self, language: str) -> None:
        self._estimate = ESTIMATES[language]
        self._counted: dict[int, int] = {}

    def add_count(self, characters: int, tokens: int) -> None:
        """Add the endpoint's token count of a text."""
        self._counted[characters] = tokens

    @property
    def is_calibrated(self) -> bool:
        """Whether the endpoint has counted two texts, with a plausible slope."""
        return len(self._counted) > 1 and self._line is not None

    def tokens(self, characters: int) -> int:
        """The estimated tokens of a text with this many characters."""
        slope, start = self._line or (self._estimate, 0.0)
        return round(start + slope * characters)

    def characters(self, tokens: float) -> int:
        """The estimated characters of a text with this many tokens."""
        slope, start = self._line or (self._estimate, 0.0)
        return max(0, int((tokens - start) / slope))

    @property
    def _line(self) -> tuple[float, float] | None:
        """The slope and intercept of the line; None if nothing plausible was counted."""
        if not self._counted:
            return None
        short, long = min(self._counted), max(self._counted)
        # With a single text the line starts at zero: its needles make it about 20 % too steep.
        start = (short, self._counted[short]) if short < long else (0, 0)
        slope = (self._counted[long] - start[1]) / (long - start[0])
        if not MIN_SLOPE <= slope <= MAX_SLOPE:
            return None
        return slope, start[1] - slope * start[0]


SLACK = 512  # tokens, for a chat template and what else the endpoint adds
#: The share of the available tokens to fill, because the estimate may be off.
SHARE = 0.99
_WRITERS = {"log": log, "report": report}
#: The characters of the two texts counted first: both are long enough for all needles.
SAMPLES = {"zh": (2_000, 6_000), "en": (4_500, 14_000), "mixed": (3_000, 9_500)}
MAX_COUNT_DEVIATION = 0.1  # A count further off the estimate may be a defect.
RECOUNT_FACTOR = 8  # of the text that is counted if a document was rejected as too long
#: Words of an error that rejects a document for its length.
_TOO_LONG = re.compile(r"context|length|long|large|token|exceed", re.IGNORECASE)


@dataclass(frozen=True)
class DocumentReply:
    """The reply to a long document.

    Args:
        expected: What the reply must contain.
        reply: The reply.
        length: The target length of prompt and reply together, in tokens.
        sent: The approximate tokens of the prompt.
        reserved: The tokens of the length reserved for the reply.
        counted: Whether `sent` is based on the endpoint's counts rather than an estimate.
    """

    expected: DocumentAnswers
    reply: Reply
    length: int
    sent: int
    reserved: int
    counted: bool


@dataclass(frozen=True)
class OversizedDocumentReply:
    """The response to a document that does not fit into the context window.

    Args:
        expected: What a reply must contain.
        exchange: The request and its response.
        window: The context window, in tokens.
        tokens: The approximate tokens of the document; 0 if only estimated.
    """

    expected: DocumentAnswers
    exchange: Exchange
    window: int
    tokens: int


def target_length(chat: Chat) -> int:
    """The length to try: 128K tokens, or less in a run that cannot show readiness.

    Raises:
        EndpointError: The endpoint declares a smaller window than 128K, so nothing is sent.
    """
    if _has_small_window(chat):
        declared = f"the endpoint declares a window of {chat.context.context_window:,} tokens"
        raise EndpointError(f"{declared}, and {CLAIM:,} are required", Outcome.FAIL)
    return SCALED if chat.context.defects_only else CLAIM


def _has_small_window(chat: Chat) -> bool:
    """Whether the endpoint declares a window smaller than 128K."""
    return chat.context.context_window is not None and chat.context.context_window < CLAIM


async def send_document(
    chat: Chat, recipe: Recipe, length: int, form: Form = FORMS.plain
) -> DocumentReply:
    """The reply to a document of that length, which is sent once, in one form."""
    key = ("reading", recipe, length)
    return await chat.fetch_once(key, partial(_read, recipe, length, form))


async def send_oversized_document(
    chat: Chat, recipe: Recipe, window: int
) -> OversizedDocumentReply:
    """Send a document that does not fit into the context window."""
    estimator = await _estimator(chat, recipe)
    beyond = BEYOND if estimator.is_calibrated else FAR_BEYOND
    document = _WRITERS[recipe.kind](recipe, estimator.characters(beyond * window))
    exchange = await chat.send(document.messages, budget=BUDGETS[recipe.kind])
    tokens = estimator.tokens(document.characters) if estimator.is_calibrated else 0
    return OversizedDocumentReply(document.expected, exchange, window, tokens)


async def send_page(chat: Chat, recipe: Recipe, paragraph: int) -> Exchange:
    """Send a page of Chinese text, with a line break after each paragraph, if any."""
    return await chat.send(summary_request(_page(chat, recipe, paragraph)), budget=BUDGETS["page"])


async def send_pieces(chat: Chat, recipe: Recipe, paragraph: int) -> list[Exchange]:
    """Send the same page in pieces, until one fails."""
    exchanges: list[Exchange] = []
    for part in pieces(_page(chat, recipe, paragraph)):
        exchanges.append(await chat.send(summary_request(part), budget=BUDGETS["page"]))
        if exchanges[-1].status != 200:
            break
    return exchanges


def _page(chat: Chat, recipe: Recipe, paragraph: int) -> str:
    return page(recipe, SMALL_PAGE if chat.context.defects_only else PAGE, paragraph)


async def _read(recipe: Recipe, length: int, form: Form, chat: Chat) -> DocumentReply:
    estimator = await _estimator(chat, recipe)
    sending = partial(_send, chat, recipe, length, form)
    try:
        return await sending(estimator)
    except EndpointError as error:
        if _has_small_window(chat) or not _is_too_long(error):
            raise
    # The estimate may have been too low: try once more with a better one.
    await _count(chat, recipe, estimator, RECOUNT_FACTOR * max(SAMPLES[recipe.language]))
    return await sending(estimator)


def _is_too_long(error: EndpointError) -> bool:
    """Whether the endpoint rejected a document for its length."""
    refused = error.status is not None and 400 <= error.status < 500
    return refused and bool(_TOO_LONG.search(error.message))


async def _send(
    chat: Chat, recipe: Recipe, length: int, form: Form, estimator: TokenEstimator
) -> DocumentReply:
    budget, reasoning = BUDGETS[recipe.kind], chat.dialect.reasoning_tokens
    # A reply spent on reasoning is requested again, with four times the budget.
    reserved = SLACK + (4 * budget + reasoning if reasoning else budget)
    around = formed(recipe, form, []).adds
    room = SHARE * (length - reserved) - around
    document = _WRITERS[recipe.kind](recipe, estimator.characters(room))
    tokens, counted = estimator.tokens(document.characters) + around, estimator.is_calibrated
    sent = formed(recipe, form, document.messages)
    # Streamed where streams carry usage.
    left_out = set() if chat.dialect.stream_usage else {"stream"}
    parameters = {name: of for name, of in sent.parameters.items() if name not in left_out}
    reply = await chat(sent.messages, budget=budget, **parameters)
    if reply.usage and (not counted or abs(reply.usage.prompt / tokens - 1) < MAX_COUNT_DEVIATION):
        estimator.add_count(document.characters, reply.usage.prompt - around)
    return DocumentReply(document.expected, reply, length, tokens, reserved, counted)


async def _estimator(chat: Chat, recipe: Recipe) -> TokenEstimator:
    key = ("gauge", recipe.kind, recipe.language)
    return await chat.fetch_once(key, partial(_calibrate, recipe))


async def _calibrate(recipe: Recipe, chat: Chat) -> TokenEstimator:
    """Calibrate an estimator on short documents; a small window has too little room for them."""
    estimator, (short, long) = TokenEstimator(recipe.language), SAMPLES[recipe.language]
    if await chat.fetch_once("tokenizer", partial(_tokenizes, recipe)):
        for characters in (short, RECOUNT_FACTOR * long):
            document = _WRITERS[recipe.kind](recipe, characters)
            estimator.add_count(
                document.characters, await count_tokens(chat, document.messages) or 0
            )
        return estimator
    for characters in () if _has_small_window(chat) else (short, long):
        await _count(chat, recipe, estimator, characters)
    return estimator


async def _tokenizes(recipe: Recipe, chat: Chat) -> bool:
    """Whether the endpoint has a /tokenize whose counts agree with the usage of its replies."""
    messages = _WRITERS[recipe.kind](recipe, min(SAMPLES[recipe.language])).messages
    counted = await count_tokens(chat, messages)
    if not counted or _has_small_window(chat):
        return bool(counted)
    reply = await _reply_to_count(chat, messages)
    return reply.usage is None or abs(reply.usage.prompt / counted - 1) < MAX_COUNT_DEVIATION


async def _count(chat: Chat, recipe: Recipe, estimator: TokenEstimator, characters: int) -> None:
    document = _WRITERS[recipe.kind](recipe, characters)
    reply = await _reply_to_count(chat, document.messages)
    if reply.usage:
        estimator.add_count(document.characters, reply.usage.prompt)


async def _reply_to_count(chat: Chat, messages: Sequence[Message]) -> Reply:
    # The reply is not read: a limit of sixteen tokens, without reasoning tokens on top.
    return read(await chat.send(messages, budget=16 - chat.dialect.reasoning_tokens))
