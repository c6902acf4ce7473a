"""Latency: the times of one streamed reply, as vLLM's `bench serve` and GuideLLM define them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from readiness.exchange import Exchange
from readiness.histogram import Times
from readiness.reply import Reply

NS = 1e9
FRAME = b"data:"


@dataclass(frozen=True, slots=True)
class Latency:
    """The times of one reply, in seconds.

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


def latency(reply: Reply) -> Latency | None:
    """The times of a streamed reply; None where it has no token, or did not stream."""
    timing = reply.timing
    if timing.first_token is None or timing.last_token is None:
        return None
    tokens = reply.usage.completion if reply.usage else 0
    return Latency(timing.first_token, timing.last_token, tokens)


def gaps(exchange: Exchange, times: Latency) -> Times:
    """The times between the arrivals of tokens (ITL), in seconds.

    Of tokens that came together, all but the first have a gap of 0, as in vLLM's benchmark.
    """
    came = [each for each in exchange.arrivals if times.first <= each.ns / NS <= times.last]
    together = sum(
        max(exchange.body.count(FRAME, before.size, after.size) - 1, 0)
        for before, after in pairwise(came)
    )
    seconds = np.array([each.ns / NS for each in came])
    return np.concatenate([np.diff(seconds), np.zeros(together)])
