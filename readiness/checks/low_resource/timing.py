"""Timing of streams, sequential and concurrent, with tokens counted by usage."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from secrets import token_hex

from readiness.chat import Chat
from readiness.exchange import Call, Exchange
from readiness.load.latency import require_not_limited
from readiness.load.meters.meter import PeakUsage, measure_peak_usage
from readiness.probe import Message
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome

#: Tokens of a reply from which on its decode speed is exact, and below which it is none.
ENOUGH_TOKENS, MIN_TOKENS = 128, 16
#: By how many tokens a short reply may be off: those that arrive with the first, and the end.
ENDS = 2
BUDGET = 256
SHORT_PROMPT = 256  # tokens whose prefill takes negligible time
WARM_UP, RUNS, RUNS_OF_SMOKE = 1, 5, 2
SHORT, LONG = 0, 4096
CONCURRENCY = (1, 2, 4, 8)
COUNT = "List the numbers from 1 to 400, separated by commas."
# About ten tokens, in every tokenizer of today.
LINE = "Note {n}: the blue box is in room {n}.\n"
LINE_TOKENS = 12


@dataclass(frozen=True)
class TimedStream:
    """One stream's token counts and times.

    Args:
        prompt: The tokens of the prompt, as the endpoint counts them.
        tokens: The tokens of the reply, as the endpoint counts them.
        allowed: The limit of the reply, in tokens.
        characters: The characters of the reply, reasoning included.
        first: Time to first token, in seconds from the sending of the request.
        last: Time to last token, in seconds from the sending of the request.
        early: The share of the stream's bytes that had arrived with the first token.
        cached: How many tokens of the prompt came from a prefix cache.
        late: By how much this machine may have delayed it, in seconds.
    """

    prompt: int
    tokens: int
    allowed: int
    characters: int
    first: float
    last: float
    early: float
    cached: int = 0
    late: float = 0.0

    @property
    def decode(self) -> float:
        """Tokens per second after the first token.

        Tokens that arrived with the first are not counted. Of a buffered stream only the total
        time is known.
        """
        if self.is_buffered:
            return self.tokens / self.last
        return self.tokens * (1 - self.early) / (self.last - self.first)

    @property
    def error(self) -> float:
        """By which share its speed may be off, where it is short."""
        return 0.0 if self.tokens >= ENOUGH_TOKENS else ENDS / max(self.tokens, 1)

    @property
    def is_buffered(self) -> bool:
        """Whether something between the model and this client may have buffered tokens.

        The first token of a short prompt comes early; after half of the time it was held back.
        """
        late = self.prompt <= SHORT_PROMPT and self.first > self.last / 2
        return late or self.early > 0.5 or self.last <= self.first

    @property
    def prefill(self) -> float:
        """Tokens of the prompt per second, until the first token of the reply."""
        return (self.prompt - self.cached) / self.first


@dataclass(frozen=True)
class StreamBurst:
    """Concurrent streams.

    Args:
        at_once: How many.
        timed: Each of them.
        seconds: From the sending of the first request to the last token of all.
    """

    at_once: int
    timed: Sequence[TimedStream]
    seconds: float

    @property
    def aggregate(self) -> float:
        """Tokens per second of all streams together."""
        return sum(each.tokens for each in self.timed) / self.seconds


def messages(length: int) -> list[Message]:
    """A request to count, after about `length` tokens of notes that no cache holds."""
    notes = "".join(LINE.format(n=n) for n in range(1, length // LINE_TOKENS + 1))
    return [{"role": "user", "content": f"Session {token_hex(8)}.\n{notes}{COUNT}"}]


async def time_streams(chat: Chat, length: int) -> list[TimedStream]:
    """Time a few sequential streams without the first, which is warm-up.

    Raises:
        EndpointError: A stream failed, or too few tokens were sent or counted.
    """
    runs = RUNS_OF_SMOKE if chat.context.defects_only else RUNS
    timed = [await stream(chat, length) for _ in range(WARM_UP + runs)]
    enough = [each for each in timed[WARM_UP:] if each.tokens >= MIN_TOKENS]
    if not enough:
        longest = max(each.tokens for each in timed)
        raise _undetermined(f"asked to count to 400, it stops after {longest} tokens")
    return enough


async def time_bursts(chat: Chat) -> list[StreamBurst]:
    """Time concurrent streams, at each number in CONCURRENCY."""
    steps = CONCURRENCY[:2] if chat.context.defects_only else CONCURRENCY
    return [await _burst(chat, at_once) for at_once in steps]


async def measure_memory_under_load(chat: Chat) -> PeakUsage:
    """Read the meters idle, during a short request, a long one, and four concurrent ones."""
    length = SHORT if chat.context.defects_only else LONG
    longest = 2 * length if _fits(chat, 2 * length) else length

    async def load() -> None:
        await stream(chat, SHORT)
        await stream(chat, longest)
        await asyncio.gather(*(stream(chat, length, at_once=True) for _ in range(4)))

    if not chat.context.meters:
        return PeakUsage({}, {})  # Nothing would be measured.
    _, peak = await measure_peak_usage(chat.context.meters, load())
    return peak


async def stream(chat: Chat, length: int, *, at_once: bool = False) -> TimedStream:
    """Time one stream, alone or at once with others."""
    # Reasoning tokens are decoded as others are, and need no additional limit here.
    dialect = replace(chat.dialect, reasoning_tokens=0)
    body = dialect.request(messages(length), BUDGET, {"stream": True})
    # Streams of a check that runs in order share one connection, one after another.
    exchange = require_not_limited(await chat.call(Call(body, crowd=at_once)))
    reply = read(exchange)
    usage, timing = reply.usage, reply.timing
    if usage is None:
        raise _undetermined("the stream has no usage, and a frame may hold several tokens")
    if timing.first_token is None or timing.last_token is None:
        raise EndpointError("a stream without a token")
    return TimedStream(
        usage.prompt,
        usage.completion,
        BUDGET,
        len(reply.text) + len(reply.reasoning),
        timing.first_token,
        timing.last_token,
        _early(exchange, reply),
        usage.cached or 0,
        exchange.seconds_late,
    )


async def _burst(chat: Chat, at_once: int) -> StreamBurst:
    timed = await asyncio.gather(*(stream(chat, SHORT, at_once=True) for _ in range(at_once)))
    return StreamBurst(at_once, timed, max(each.last for each in timed))


def _early(exchange: Exchange, reply: Reply) -> float:
    """The share of a stream's bytes that had arrived with its first token."""
    first = reply.timing.first_token or 0.0
    arrived = max((each.size for each in exchange.arrivals if each.seconds <= first), default=0)
    return arrived / max(1, len(exchange.body))


def _fits(chat: Chat, length: int) -> bool:
    window = chat.context.context_window
    return window is None or length + 2 * BUDGET <= window


def _undetermined(why: str) -> EndpointError:
    return EndpointError(why, Outcome.UNDETERMINED)
