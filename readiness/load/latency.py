"""How the requests of a step ended, and how long they took."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from readiness.exchange import Exchange
from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import EndpointError, Outcome
from readiness.statistics.histogram import Times

FRAME = b"data:"
CLOSE = 1e-9  # seconds by which rounding may part a time from itself


@dataclass(frozen=True, slots=True)
class Latency:
    """The times of one reply, in seconds from when its request was written.

    Those benchmarks keep their connections; a stream here has one of its own, which is not counted.

    Args:
        time_to_first_token: To the first token of any kind, text or reasoning (TTFT).
        time_to_last_token: To the last (vLLM's end-to-end latency).
        tokens: How many there are, as the endpoint counts them; 0 where it does not.
    """

    time_to_first_token: float
    time_to_last_token: float
    tokens: int

    @property
    def time_per_output_token(self) -> float | None:
        """The mean time of a token after the first (TPOT); None where that is not known."""
        return (
            (self.time_to_last_token - self.time_to_first_token) / (self.tokens - 1)
            if self.tokens > 1
            else None
        )


def measure_latency(exchange: Exchange, reply: Reply) -> Latency | None:
    """The times of a streamed reply; None where it has no token, or did not stream."""
    timing = reply.timing
    if timing.first_token is None or timing.last_token is None:
        return None
    tokens, written = reply.usage.completion if reply.usage else 0, exchange.seconds_to_write
    return Latency(timing.first_token - written, timing.last_token - written, tokens)


def inter_token_latencies(exchange: Exchange, times: Latency) -> Times:
    """The times between the arrivals of tokens (ITL), in seconds.

    Of tokens that came together, all but the first have a gap of 0, as in vLLM's benchmark.
    """
    begin, end = (
        each + exchange.seconds_to_write
        for each in (times.time_to_first_token, times.time_to_last_token)
    )
    came = [each for each in exchange.arrivals if begin - CLOSE <= each.seconds <= end + CLOSE]
    together = sum(
        max(exchange.body.count(FRAME, before.size, after.size) - 1, 0)
        for before, after in pairwise(came)
    )
    seconds = np.array([each.seconds for each in came])
    return np.concatenate([np.diff(seconds), np.zeros(together)])


#: What share of what is said otherwise is early, and how near to one another places are the same.
EARLY, ALIKE = 0.8, 0.01
ANSWERED_WITHIN = 60.0  # seconds: an odd request is told so at once, or as soon as any


def incomplete_reply_reason(exchange: Exchange) -> str:
    """What is wrong with the end of a request that nobody aborted; "" where it was answered."""
    if exchange.fault is not None:
        return f"{exchange.fault}: {exchange.detail}"
    if exchange.status != 200:
        return f"HTTP {exchange.status}"
    streamed = isinstance(exchange.request, dict) and exchange.request.get("stream")
    return "a stream without an end" if streamed and b"[DONE]" not in exchange.body[-200:] else ""


def ends_early(exchange: Exchange, other: Exchange) -> int | None:
    """After how many characters a reply ends though another goes on from there; None where not."""
    try:
        own, more = read(exchange), read(other)
    except EndpointError:
        return None
    if not more.text or (own.finish == "length" and own.reasoning):
        # Reasoning took what was left of the limit, and takes more one time than another.
        return None
    early = len(own.text) <= EARLY * len(more.text) and more.text.startswith(own.text)
    return len(own.text) if early else None


def ends_at(exchange: Exchange, place: int) -> bool:
    """Whether a reply has about so many characters."""
    try:
        return abs(len(read(exchange).text) - place) <= ALIKE * place
    except EndpointError:
        return False


def tokens(exchange: Exchange) -> int:
    """How many tokens a reply has; no more than it has characters, where nobody counts them."""
    reply = read(exchange)
    return reply.usage.completion if reply.usage else len(reply.text)


def odd_input_failure(exchange: Exchange) -> str:
    """How odd input has upset the server; "" where it was refused or answered in a while."""
    if exchange.fault is not None:
        return f"{exchange.fault}: {exchange.detail}"
    if not 200 <= (exchange.status or 0) < 500:
        return f"HTTP {exchange.status}"
    seconds = exchange.seconds
    return f"answered after {seconds:.0f} s" if seconds > ANSWERED_WITHIN else ""


def is_rate_limited(exchange: Exchange) -> bool:
    """Whether a request met a limit that the endpoint states."""
    return exchange.status == 429 and "retry-after" in exchange.headers


def require_not_rate_limited(exchange: Exchange) -> Exchange:
    """An exchange that is to tell something of the endpoint.

    Raises:
        EndpointError: It met a stated limit, which is the account's and says nothing.
    """
    if is_rate_limited(exchange):
        raise EndpointError("rate limited", Outcome.SKIPPED, came="HTTP 429")
    return exchange
