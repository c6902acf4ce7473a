"""The sender: takes a slot, sends, retries what may be, and replays what was kept before."""

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
    """Additive increase, multiplicative decrease (Chiu & Jain 1989), up to what the user allows."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._open = float(most)
        self._since_cut = 0

    @property
    def open(self) -> int:
        """How many trials may be in flight now."""
        return max(1, int(self._open))

    def note(self, *, overloaded: bool) -> None:
        """Learn from a response whether the endpoint was overloaded."""
        self._since_cut += 1
        if not overloaded:
            self._open = min(self.most, self._open + 1 / self._open)
        elif self._since_cut >= self._open:
            # One cut for each round of requests: those in flight were sent before the last.
            self._open = max(1.0, self._open / 2)
            self._since_cut = 0


MOST_ATTEMPTS = 4
LONGEST_WAIT = 60.0  # seconds; a longer Retry-After is not waited for
OVERLOADED = (429, 503)
SKIPPED = Outcome.SKIPPED


class Sender:
    """Sends requests of trials to the endpoint, and keeps evidence and accounts."""

    def __init__(
        self,
        endpoint: EndpointClient,
        evidence: Evidence,
        ledger: UsageBudget,
        slots: AdaptiveConcurrency,
        past: ResumeState,
    ) -> None:
        self._endpoint = endpoint
        self.evidence = evidence
        self.slots = slots
        self.past = past
        self.ledger = ledger

    async def send(self, call: Call, trial: Mapping[str, Any], connection: str = "") -> Exchange:
        """Send one request, or take what came of it before the run was ended and resumed.

        A 429 that says when to come back is waited for, and a refused connection, over which
        nothing was sent, is tried again. Any other retry would hide errors that users see; and
        whoever is one of a crowd meets what a user would, now and not when the run was ended.
        """
        if call.crowd:
            return await self._send(call, {**trial, "attempt": 1}, connection="")
        about = {**trial, "shared": call.shared} if call.shared else trial
        for attempt in range(1, MOST_ATTEMPTS + 1):
            known = self.past.pop_reply(call, about)
            exchange = known or await self._send(call, {**about, "attempt": attempt}, connection)
            pause = _pause(exchange, attempt)
            if pause is None or (exchange.fault and attempt == MOST_ATTEMPTS):
                break
            if pause > LONGEST_WAIT or attempt == MOST_ATTEMPTS:
                # A limit that is stated is the account's: it says nothing of the model.
                raise EndpointError(f"rate limited at attempt {attempt}", SKIPPED, came="HTTP 429")
            await asyncio.sleep(pause)
        return exchange

    async def _send(self, call: Call, about: Mapping[str, Any], connection: str) -> Exchange:
        if call.made is None:
            self.ledger.require_remaining()
            came = await self._endpoint.send(call, connection)
            self.ledger.record_exchange(came, about["attempt"])
        else:
            came = exchange_of(call.made)
            self.ledger.take_over(came, about["attempt"])
        self.slots.note(overloaded=came.status in OVERLOADED)
        if not call.crowd:
            return self.evidence.exchange(came, about)
        kept = call.made or summarise_exchange(came, self.evidence.secrets)
        return replace(came, seq=self.evidence.append_exchange(kept, about))


def _pause(exchange: Exchange, attempt: int) -> float | None:
    """How long to wait before another attempt, in seconds; None where there is to be none."""
    if exchange.fault is Fault.UNREACHABLE:
        return 0.5 * 2.0 ** (attempt - 1)
    if exchange.status == 429 and (stated := exchange.headers.get("retry-after")):
        return _seconds(stated)
    return None


def _seconds(stated: str) -> float | None:
    """Read Retry-After: a number of seconds or an HTTP date (RFC 9110 §10.2.3)."""
    try:
        return max(0.0, float(stated))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(stated) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
