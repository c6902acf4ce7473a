"""Latency: the times of one streamed reply, as vLLM's `bench serve` and GuideLLM define them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from readiness.exchange import Exchange
from readiness.reply import Reply
from readiness.statistics.histogram import Times

NS = 1e9
FRAME = b"data:"


@dataclass(frozen=True, slots=True)
class Latency:
    """The times of one reply, in seconds from when its request was written.

    Those benchmarks keep their connections; a stream here has one of its own, which is not counted.

    Args:
        first: To the first token of any kind, text or reasoning (TTFT).
        last: To the last (vLLM's end-to-end latency).
        tokens: How many there are, as the endpoint counts them; 0 where it does not.
    """

    first: float
    last: float
    tokens: int

    @property
    def per_token(self) -> float | None:
        """The mean time of a token after the first (TPOT); None where that is not known."""
        return (self.last - self.first) / (self.tokens - 1) if self.tokens > 1 else None


def latency(exchange: Exchange, reply: Reply) -> Latency | None:
    """The times of a streamed reply; None where it has no token, or did not stream."""
    timing = reply.timing
    if timing.first_token is None or timing.last_token is None:
        return None
    tokens, written = reply.usage.completion if reply.usage else 0, exchange.written / NS
    return Latency(timing.first_token - written, timing.last_token - written, tokens)


def gaps(exchange: Exchange, times: Latency) -> Times:
    """The times between the arrivals of tokens (ITL), in seconds.

    Of tokens that came together, all but the first have a gap of 0, as in vLLM's benchmark.
    """
    begin, end = (NS * each + exchange.written for each in (times.first, times.last))
    came = [each for each in exchange.arrivals if begin - 1 <= each.ns <= end + 1]
    together = sum(
        max(exchange.body.count(FRAME, before.size, after.size) - 1, 0)
        for before, after in pairwise(came)
    )
    seconds = np.array([each.ns / NS for each in came])
    return np.concatenate([np.diff(seconds), np.zeros(together)])
