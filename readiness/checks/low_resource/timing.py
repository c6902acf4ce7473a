"""Speed: streams that are timed one after another, or several at once, with tokens by usage."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from secrets import token_hex

from readiness.chat import Chat
from readiness.exchange import Call, Exchange
from readiness.load.meters.meter import PeakUsage, measure_peak_usage
from readiness.probe import Message
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome

FEWEST = 128  # tokens: fewer tell little of a pace
BUDGET = 256
SOON = 256  # tokens of a prompt that take a model no time worth the name
WARM_UP, RUNS, RUNS_OF_SMOKE = 1, 5, 2
SHORT, LONG = 0, 4096
AT_ONCE = (1, 2, 4, 8)
COUNT = "List the numbers from 1 to 400, separated by commas."
# About ten tokens, in every tokenizer of today.
LINE = "Note {n}: the blue box is in room {n}.\n"
LINE_TOKENS = 12


@dataclass(frozen=True)
class TimedStream:
    """One stream, and what it took.

    Args:
        prompt: The tokens of the prompt, as the endpoint counts them.
        tokens: Those of the reply.
        allowed: How many the reply was allowed.
        characters: The letters of it, thoughts included.
        first: When its first token was there, in seconds from the sending of the request.
        last: When its last token was.
        early: The share of its bytes that was there with its first token.
        cached: How many tokens of the prompt were remembered.
    """

    prompt: int
    tokens: int
    allowed: int
    characters: int
    first: float
    last: float
    early: float
    cached: int = 0

    @property
    def decode(self) -> float:
        """Tokens per second, once the first has come.

        Those that came with the first took none of that time. Where the stream was held back, no
        more is known than how long all of it took.
        """
        if self.held_back:
            return self.tokens / self.last
        return self.tokens * (1 - self.early) / (self.last - self.first)

    @property
    def held_back(self) -> bool:
        """Whether something between the model and here may have kept tokens, and sent many at once.

        Of a short prompt the first token comes soon, and not after most of the time has gone.
        """
        late = self.prompt <= SOON and self.first > self.last / 2
        return late or self.early > 0.5 or self.last <= self.first

    @property
    def prefill(self) -> float:
        """Tokens of the prompt per second, until the first token of the reply."""
        return (self.prompt - self.cached) / self.first


@dataclass(frozen=True)
class StreamBurst:
    """Several streams at once.

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
    """A request to count, behind about so many tokens that no cache has seen."""
    notes = "".join(LINE.format(n=n) for n in range(1, length // LINE_TOKENS + 1))
    return [{"role": "user", "content": f"Session {token_hex(8)}.\n{notes}{COUNT}"}]


async def series(chat: Chat, length: int) -> list[TimedStream]:
    """Time a few streams one after another, and leave out the first: it warms up.

    Raises:
        EndpointError: A stream failed, or too few tokens were sent or counted.
    """
    runs = RUNS_OF_SMOKE if chat.context.defects_only else RUNS
    timed = [await stream(chat, length) for _ in range(WARM_UP + runs)]
    enough = [each for each in timed[WARM_UP:] if each.tokens >= FEWEST]
    if not enough:
        most = max(each.tokens for each in timed)
        raise _untold(f"asked to count to 400, it stops after {most} tokens")
    return enough


async def bursts(chat: Chat) -> list[StreamBurst]:
    """Time several streams at once, in steps."""
    steps = AT_ONCE[:2] if chat.context.defects_only else AT_ONCE
    return [await _burst(chat, at_once) for at_once in steps]


async def loaded(chat: Chat) -> PeakUsage:
    """Read the meters at rest, in a short chat, in a long one, and in four at once."""
    length = SHORT if chat.context.defects_only else LONG
    longest = 2 * length if _fits(chat, 2 * length) else length

    async def load() -> None:
        await stream(chat, SHORT)
        await stream(chat, longest)
        await asyncio.gather(*(stream(chat, length) for _ in range(4)))

    if not chat.context.meters:
        return PeakUsage({}, {})  # Nothing would be seen of it.
    _, peak = await measure_peak_usage(chat.context.meters, load())
    return peak


async def stream(chat: Chat, length: int) -> TimedStream:
    """Time one stream."""
    # Thoughts are tokens as others are, and need no room of their own here.
    dialect = replace(chat.dialect, reasoning_tokens=0)
    body = dialect.request(messages(length), BUDGET, {"stream": True})
    exchange = await chat.call(Call(body))
    reply = read(exchange)
    usage, timing = reply.usage, reply.timing
    if usage is None:
        raise _untold("the stream has no usage, and frames are no tokens")
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
    )


async def _burst(chat: Chat, at_once: int) -> StreamBurst:
    timed = await asyncio.gather(*(stream(chat, SHORT) for _ in range(at_once)))
    return StreamBurst(at_once, timed, max(each.last for each in timed))


def _early(exchange: Exchange, reply: Reply) -> float:
    """The share of a stream's bytes that was there with its first token."""
    first = reply.timing.first_token or 0.0
    there = max((each.size for each in exchange.arrivals if each.seconds <= first), default=0)
    return there / max(1, len(exchange.body))


def _fits(chat: Chat, length: int) -> bool:
    window = chat.context.context_window
    return window is None or length + 2 * BUDGET <= window


def _untold(why: str) -> EndpointError:
    return EndpointError(why, Outcome.UNDETERMINED)
