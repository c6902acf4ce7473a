"""A run's usage and budget: requests sent, minutes, and tokens as the endpoint reports them.

Where it reports none, as in a stream without `stream_options`, they are estimated.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Coroutine
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

from readiness.exchange import Exchange, Fault
from readiness.score import EndpointError, Outcome

_PROMPT = re.compile(rb'"prompt_tokens"\s*:\s*(\d{1,12})')
_COMPLETION = re.compile(rb'"completion_tokens"\s*:\s*(\d{1,12})')

T = TypeVar("T")
HTTP_OK = 200
BYTES_PER_TOKEN = 4
#: What may still be sent: requests, tokens, minutes; 0 for no limit.
RemainingBudget = tuple[int, int, float]


@dataclass
class UsageBudget:
    """A run's usage so far, and its limits; 0 for no limit.

    `spent` says which limit was met, or is an empty string.
    """

    max_requests: int = 0
    max_tokens: int = 0
    max_minutes: float = 0.0
    started: float = field(default_factory=monotonic)
    sent: int = 0
    retried: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated_tokens: int = 0
    spent: str = ""

    def require_remaining(self) -> None:
        """Count a request that is about to be sent, if the budget allows it.

        Raises:
            EndpointError: The budget is spent; the trial is counted as skipped.
        """
        if self.max_requests and self.sent >= self.max_requests:
            raise self._spend(f"{self.max_requests} requests")
        if self.max_tokens and self.prompt_tokens + self.completion_tokens >= self.max_tokens:
            raise self._spend(f"{self.max_tokens} tokens")
        if self.max_minutes and monotonic() - self.started >= 60 * self.max_minutes:
            raise self._spend(f"{self.max_minutes:g} minutes")
        self.sent += 1

    async def in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """Await some work, which is cancelled once the minutes are spent: it was then not made.

        Raises:
            EndpointError: The minutes are spent; the trial is counted as skipped.
        """
        if not self.max_minutes:
            return await work
        deadline = self.started + 60 * self.max_minutes  # The event loop's clock is this one.
        if monotonic() >= deadline:
            work.close()
            raise self._spend(f"{self.max_minutes:g} minutes")
        try:
            async with asyncio.timeout_at(deadline) as limit:
                return await work
        except TimeoutError:
            if not limit.expired():
                raise
            raise self._spend(f"{self.max_minutes:g} minutes") from None

    def remaining(self, parts: int) -> RemainingBudget:
        """The share of the remaining budget for each of `parts` concurrent senders.

        Minutes are not divided, for they pass at the same time.

        Raises:
            EndpointError: The budget is spent.
        """
        tokens = self.prompt_tokens + self.completion_tokens
        minutes = (monotonic() - self.started) / 60
        return (
            int(self._left(self.max_requests, self.sent, parts, "requests")) // parts,
            int(self._left(self.max_tokens, tokens, parts, "tokens")) // parts,
            self._left(self.max_minutes, minutes, 0, "minutes"),
        )

    def _left(self, limit: float, spent: float, minimum: int, unit: str) -> float:
        """The rest of a budget, which is at least the minimum; 0 for no limit."""
        if limit and (spent >= limit or limit - spent < minimum):
            raise self._spend(f"{limit:g} {unit}")
        return limit - spent if limit else 0.0

    def _spend(self, budget: str) -> EndpointError:
        self.spent = f"the budget of {budget} is spent"
        return EndpointError(self.spent, Outcome.SKIPPED)

    def take_over(self, exchange: Exchange, attempt: int) -> None:
        """Count a request that was sent before the run was resumed, or by a load worker."""
        self.sent += 1
        self.record_exchange(exchange, attempt)

    def record_exchange(self, exchange: Exchange, attempt: int) -> None:
        """Count the response to a request; `attempt` counts from 1."""
        body = exchange.body
        self.retried += attempt > 1
        self.failed += not (exchange.succeeded or exchange.fault is Fault.CLIENT_ABORTED)
        # Text of a model cannot match: within a JSON string the quotes are escaped.
        start = body.rfind(b'"usage"')
        if start >= 0:
            self.prompt_tokens += _count(_PROMPT, body, start)
            self.completion_tokens += _count(_COMPLETION, body, start)
        elif _generates(exchange):
            prompt, completion = _estimated(exchange)
            self.prompt_tokens += prompt
            self.completion_tokens += completion
            self.estimated_tokens += prompt + completion


def _count(name: re.Pattern[bytes], body: bytes, start: int) -> int:
    match = name.search(body, start)
    return int(match[1]) if match else 0


def _generates(exchange: Exchange) -> bool:
    """Whether a model has read a prompt, and answered it at least in part."""
    begun = exchange.status == HTTP_OK and bool(exchange.body)
    return begun and isinstance(exchange.request, dict) and "messages" in exchange.request


def _estimated(exchange: Exchange) -> tuple[int, int]:
    """The estimated tokens of the prompt and of the reply: a frame of a stream is about one."""
    said = [exchange.request["messages"], exchange.request.get("tools")]
    prompt = len(json.dumps(said, ensure_ascii=False, default=str).encode("utf-8", "replace"))
    frames = exchange.body.count(b"data:")
    return prompt // BYTES_PER_TOKEN, frames or len(exchange.body) // BYTES_PER_TOKEN
