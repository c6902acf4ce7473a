"""The ledger of a run: what it has sent, and what the endpoint says that it took."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from time import monotonic

from readiness.exchange import Exchange, Fault
from readiness.score import EndpointError, Outcome

_PROMPT = re.compile(rb'"prompt_tokens"\s*:\s*(\d{1,12})')
_COMPLETION = re.compile(rb'"completion_tokens"\s*:\s*(\d{1,12})')

#: What may be sent: requests, tokens, minutes.
Left = tuple[int, int, float]


@dataclass
class UsageBudget:
    """What a run has sent so far, and the most that it may send; 0 where nothing limits it."""

    most_requests: int = 0
    most_tokens: int = 0
    most_minutes: float = 0.0
    started: float = field(default_factory=monotonic)
    sent: int = 0
    retried: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def require_remaining(self) -> None:
        """Make sure that a request may be sent.

        Raises:
            EndpointError: The budget is spent; the trial counts as skipped.
        """
        if self.most_requests and self.sent >= self.most_requests:
            raise _spent(f"{self.most_requests} requests")
        if self.most_tokens and self.prompt_tokens + self.completion_tokens >= self.most_tokens:
            raise _spent(f"{self.most_tokens} tokens")
        if self.most_minutes and monotonic() - self.started >= 60 * self.most_minutes:
            raise _spent(f"{self.most_minutes:g} minutes")
        self.sent += 1

    def remaining(self, parts: int) -> Left:
        """What each of so many may send that send at once: requests, tokens, minutes.

        As in a ledger, 0 is where nothing limits it.

        Raises:
            EndpointError: Nothing may be sent any more.
        """
        tokens = self.prompt_tokens + self.completion_tokens
        minutes = (monotonic() - self.started) / 60
        return (
            int(_left(self.most_requests, self.sent, parts, "requests")) // parts,
            int(_left(self.most_tokens, tokens, parts, "tokens")) // parts,
            _left(self.most_minutes, minutes, 0, "minutes"),
        )

    def take_over(self, exchange: Exchange, attempt: int) -> None:
        """Count a request that was sent before the run was resumed, or by a load worker."""
        self.sent += 1
        self.record_exchange(exchange, attempt)

    def record_exchange(self, exchange: Exchange, attempt: int) -> None:
        """Count what came of a request that was sent, at which attempt from 1."""
        body = exchange.body
        self.retried += attempt > 1
        self.failed += not (exchange.succeeded or exchange.fault is Fault.CLIENT_ABORTED)
        # No text of a model can look like this, for within a JSON string a quote is escaped.
        start = body.rfind(b'"usage"')
        if start >= 0:
            self.prompt_tokens += _count(_PROMPT, body, start)
            self.completion_tokens += _count(_COMPLETION, body, start)


def _left(most: float, spent: float, least: int, unit: str) -> float:
    """What is left of a budget, at the least so much; 0 where nothing limits it."""
    if most and (spent >= most or most - spent < least):
        raise _spent(f"{most:g} {unit}")
    return most - spent if most else 0.0


def _count(name: re.Pattern[bytes], body: bytes, start: int) -> int:
    found = name.search(body, start)
    return int(found[1]) if found else 0


def _spent(budget: str) -> EndpointError:
    return EndpointError(f"the budget of {budget} is spent", Outcome.SKIPPED)
