"""A run's usage and budget: requests sent, tokens as the endpoint reports them, and minutes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from time import monotonic

from readiness.exchange import Exchange, Fault
from readiness.score import EndpointError, Outcome

_PROMPT = re.compile(rb'"prompt_tokens"\s*:\s*(\d{1,12})')
_COMPLETION = re.compile(rb'"completion_tokens"\s*:\s*(\d{1,12})')

#: What may still be sent: requests, tokens, minutes; 0 for no limit.
RemainingBudget = tuple[int, int, float]


@dataclass
class UsageBudget:
    """A run's usage so far, and its limits; 0 for no limit."""

    max_requests: int = 0
    max_tokens: int = 0
    max_minutes: float = 0.0
    started: float = field(default_factory=monotonic)
    sent: int = 0
    retried: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def require_remaining(self) -> None:
        """Count a request that is about to be sent, if the budget allows it.

        Raises:
            EndpointError: The budget is spent; the trial is counted as skipped.
        """
        if self.max_requests and self.sent >= self.max_requests:
            raise _spent(f"{self.max_requests} requests")
        if self.max_tokens and self.prompt_tokens + self.completion_tokens >= self.max_tokens:
            raise _spent(f"{self.max_tokens} tokens")
        if self.max_minutes and monotonic() - self.started >= 60 * self.max_minutes:
            raise _spent(f"{self.max_minutes:g} minutes")
        self.sent += 1

    def remaining(self, parts: int) -> RemainingBudget:
        """The share of the remaining budget for each of `parts` concurrent senders.

        Minutes are not divided, for they pass at the same time.

        Raises:
            EndpointError: The budget is spent.
        """
        tokens = self.prompt_tokens + self.completion_tokens
        minutes = (monotonic() - self.started) / 60
        return (
            int(_left(self.max_requests, self.sent, parts, "requests")) // parts,
            int(_left(self.max_tokens, tokens, parts, "tokens")) // parts,
            _left(self.max_minutes, minutes, 0, "minutes"),
        )

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


def _left(limit: float, spent: float, minimum: int, unit: str) -> float:
    """The rest of a budget, which is at least the minimum; 0 for no limit."""
    if limit and (spent >= limit or limit - spent < minimum):
        raise _spent(f"{limit:g} {unit}")
    return limit - spent if limit else 0.0


def _count(name: re.Pattern[bytes], body: bytes, start: int) -> int:
    match = name.search(body, start)
    return int(match[1]) if match else 0


def _spent(budget: str) -> EndpointError:
    return EndpointError(f"the budget of {budget} is spent", Outcome.SKIPPED)
