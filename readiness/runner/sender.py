"""The sender: sends requests within the budget, retries where allowed, replays on resume."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from readiness.evidence.log import Evidence, exchange_of, summarise_exchange
from readiness.exchange import Call, Exchange, Fault
from readiness.runner.resume import ResumeState
from readiness.score import EndpointError, Outcome
from readiness.transport.budget import UsageBudget
from readiness.transport.client import EndpointClient


class AdaptiveConcurrency:
    """The concurrency limit: additive increase, multiplicative decrease (Chiu & Jain 1989)."""

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self._limit = float(maximum)
        self._since_decrease = 0

    @property
    def limit(self) -> int:
        """The number of trials that may be in flight now."""
        return max(1, int(self._limit))

    def note(self, *, overloaded: bool) -> None:
        """Adapt the limit to a response that does or does not report overload."""
        self._since_decrease += 1
        if not overloaded:
            self._limit = min(self.maximum, self._limit + 1 / self._limit)
        elif self._since_decrease >= self._limit:
            # At most one decrease for each round of requests: those in flight predate the last one.
            self._limit = max(1.0, self._limit / 2)
            self._since_decrease = 0


MAX_ATTEMPTS = 4
MAX_RETRY_AFTER = 60.0  # seconds
OVERLOADED = (429, 503)
SKIPPED = Outcome.SKIPPED


class Sender:
    """Sends the requests of trials, and records evidence and usage."""

    def __init__(
        self,
        endpoint: EndpointClient,
        evidence: Evidence,
        budget: UsageBudget,
        slots: AdaptiveConcurrency,
        resume_state: ResumeState,
    ) -> None:
        self._endpoint = endpoint
        self.evidence = evidence
        self.slots = slots
        self.resume_state = resume_state
        self.budget = budget

    async def send(self, call: Call, trial: Mapping[str, Any], connection: str = "") -> Exchange:
        """Send one request, or return its exchange from before the run was resumed.

        A 429 with Retry-After is retried after that time, and so is a refused connection, over
        which nothing was sent. Any other retry would hide errors that users see. Requests of many
        concurrent users are neither retried nor replayed.
        """
        if call.crowd:
            return await self._send(call, {**trial, "attempt": 1}, connection="")
        about = {**trial, "shared": call.shared} if call.shared else trial
        for attempt in range(1, MAX_ATTEMPTS + 1):
            known = self.resume_state.pop_reply(call, about)
            exchange = known or await self._send(call, {**about, "attempt": attempt}, connection)
            pause = _pause(exchange, attempt)
            if pause is None or (exchange.fault and attempt == MAX_ATTEMPTS):
                break
            if pause > MAX_RETRY_AFTER or attempt == MAX_ATTEMPTS:
                # A rate limit belongs to the account: it shows nothing about the model.
                raise EndpointError(f"rate limited at attempt {attempt}", SKIPPED, came="HTTP 429")
            await asyncio.sleep(pause)
        return exchange

    async def _send(self, call: Call, about: Mapping[str, Any], connection: str) -> Exchange:
        if call.made is None:
            self.budget.require_remaining()
            came = await self._endpoint.send(call, connection)
            self.budget.record_exchange(came, about["attempt"])
        else:
            came = exchange_of(call.made)
            self.budget.take_over(came, about["attempt"])
        self.slots.note(overloaded=came.status in OVERLOADED)
        if not call.crowd:
            return self.evidence.exchange(came, about)
        kept = call.made or summarise_exchange(came, self.evidence.secrets)
        return replace(came, seq=self.evidence.append_exchange(kept, about))


def _pause(exchange: Exchange, attempt: int) -> float | None:
    """The pause before another attempt, in seconds; None for no other attempt."""
    if exchange.fault is Fault.UNREACHABLE:
        return 0.5 * 2.0 ** (attempt - 1)
    if exchange.status == 429 and (retry_after := exchange.headers.get("retry-after")):
        return _seconds(retry_after)
    return None


def _seconds(retry_after: str) -> float | None:
    """Read Retry-After: a number of seconds or an HTTP date (RFC 9110 §10.2.3)."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
