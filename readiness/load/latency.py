"""The latencies of replies under load, and how requests ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from readiness.exchange import Exchange
from readiness.protocol.completion import cut_short, read
from readiness.reply import Reply, Timing
from readiness.score import EndpointError, Outcome
from readiness.statistics.histogram import Times

FRAME = b"data:"
NO_TIMES: Times = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Latency:
    """The times of one streamed reply, in seconds since its request was written.

    The time to connect is excluded, as in benchmarks that keep their connections open.

    Args:
        time_to_first_token: To the first token, of text or reasoning (TTFT).
        time_to_last_token: To the last token (vLLM's end-to-end latency).
        tokens: The completion tokens as the endpoint counts them; 0 where it reports none.
    """

    time_to_first_token: float
    time_to_last_token: float
    tokens: int

    @property
    def time_per_output_token(self) -> float | None:
        """The mean time per token after the first (TPOT), in seconds; None where unknown."""
        return (
            (self.time_to_last_token - self.time_to_first_token) / (self.tokens - 1)
            if self.tokens > 1
            else None
        )


def measure_latency(exchange: Exchange, reply: Reply) -> Latency | None:
    """The latency of a streamed reply; None where it has no token, or was not streamed."""
    timing = reply.timing
    if timing.first_token is None or timing.last_token is None:
        return None
    tokens, written = reply.usage.completion if reply.usage else 0, exchange.seconds_to_write
    return Latency(timing.first_token - written, timing.last_token - written, tokens)


def inter_token_latencies(exchange: Exchange, timing: Timing) -> Times:
    """The inter-token latencies (ITL) of a streamed reply, in seconds.

    Of tokens that arrive together, all but the first have a latency of 0, as in vLLM's benchmark.
    """
    begin, end = timing.first_token, timing.last_token
    if begin is None or end is None:
        return NO_TIMES
    arrivals = [each for each in exchange.arrivals if begin <= each.seconds <= end]
    together = sum(
        # What ends a stream may arrive with the last token.
        max(exchange.body.count(FRAME, before.size, min(after.size, timing.tokens_size)) - 1, 0)
        for before, after in pairwise(arrivals)
    )
    seconds = np.array([each.seconds for each in arrivals])
    return np.concatenate([np.diff(seconds), np.zeros(together)])


#: A reply ends early up to this share of another's length; ends this close are the same.
EARLY, SAME_END = 0.8, 0.01
MALFORMED_INPUT_TIMEOUT = 60.0  # seconds


def incomplete_reply_reason(exchange: Exchange, reply: Reply | None = None) -> str:
    """Why a request that was not aborted has no complete reply, or an empty string.

    An error frame or a missing finish_reason before [DONE] is no end of a reply.
    """
    if exchange.fault is not None:
        return f"{exchange.fault}: {exchange.detail}"
    if exchange.status != 200:
        return f"HTTP {exchange.status}"
    streamed = isinstance(exchange.request, dict) and exchange.request.get("stream")
    if streamed and b"[DONE]" not in exchange.body[-200:]:
        return "a stream without an end"
    try:
        return cut_short(exchange, reply or read(exchange))
    except EndpointError as error:
        return "" if error.score.outcome is Outcome.BLOCKED else str(error)


def ends_early(exchange: Exchange, other: Exchange) -> int | None:
    """The length in characters of a reply that is cut off compared with another; None if it is not.

    It is cut off where it has at most 80 % of the other's text, and that begins with it.
    """
    try:
        own, more = read(exchange), read(other)
    except EndpointError:
        return None
    if not more.text or (own.finish == "length" and own.reasoning):
        # Reasoning used up the limit, and its length varies.
        return None
    early = len(own.text) <= EARLY * len(more.text) and more.text.startswith(own.text)
    return len(own.text) if early else None


def ends_at(exchange: Exchange, place: int) -> bool:
    """Whether a reply has about `place` characters."""
    try:
        return abs(len(read(exchange).text) - place) <= SAME_END * place
    except EndpointError:
        return False


def tokens(exchange: Exchange) -> int:
    """The completion tokens of a reply; its characters where the endpoint reports none."""
    reply = read(exchange)
    return reply.usage.completion if reply.usage else len(reply.text)


def odd_input_failure(exchange: Exchange) -> str:
    """How malformed input broke the server; "" where it was rejected or answered in time."""
    if exchange.fault is not None:
        return f"{exchange.fault}: {exchange.detail}"
    if not 200 <= (exchange.status or 0) < 500:
        return ": ".join(filter(None, (f"HTTP {exchange.status}", exchange.gateway_timeout)))
    return f"answered after {exchange.seconds:.0f} s" if answered_too_late(exchange) else ""


def answered_too_late(exchange: Exchange) -> float:
    """By how many seconds malformed input was answered too late; 0 where it was not."""
    answered = exchange.fault is None and 200 <= (exchange.status or 0) < 500
    return max(exchange.seconds - MALFORMED_INPUT_TIMEOUT, 0.0) if answered else 0.0


def require_not_limited(exchange: Exchange) -> Exchange:
    """The exchange, if no limiter refused its request.

    Raises:
        EndpointError: One did, which shows nothing about the endpoint.
    """
    if exchange.limiter:
        limiter = f"rate limited by {exchange.limiter!r:.60}"
        raise EndpointError(limiter, Outcome.SKIPPED, came=f"HTTP {exchange.status}")
    return exchange


def limiters_reason(limiters: Sequence[str], requests: int) -> str:
    """How many requests limiters refused, and which limiters, as text."""
    names = ", ".join(sorted({f"{each!r:.60}" for each in limiters}))
    return f"{len(limiters)} of {requests} requests were rate limited by {names}"
