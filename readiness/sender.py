"""Sends requests: each attempt is evidence, and only what users would wait for is tried again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any

from readiness.endpoint import Endpoint
from readiness.evidence import Evidence
from readiness.exchange import Call, Exchange, Fault
from readiness.score import EndpointError, Outcome
from readiness.slots import Slots

MOST_ATTEMPTS = 4
LONGEST_WAIT = 60.0  # seconds; a longer Retry-After is not waited for
OVERLOADED = (429, 503)
_PROMPT = re.compile(rb'"prompt_tokens"\s*:\s*(\d{1,12})')
_COMPLETION = re.compile(rb'"completion_tokens"\s*:\s*(\d{1,12})')


@dataclass
class Ledger:
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

    def admit(self) -> None:
        """Count a request that is about to be sent.

        Raises:
            EndpointError: The budget is spent; the trial counts as skipped.
        """
        if self.most_requests and self.sent >= self.most_requests:
            raise EndpointError(f"the budget of {self.most_requests} requests is spent", SKIPPED)
        if self.most_tokens and self.prompt_tokens + self.completion_tokens >= self.most_tokens:
            raise EndpointError(f"the budget of {self.most_tokens} tokens is spent", SKIPPED)
        if self.most_minutes and monotonic() - self.started >= 60 * self.most_minutes:
            raise EndpointError(f"the budget of {self.most_minutes:g} minutes is spent", SKIPPED)
        self.sent += 1

    def bill(self, body: bytes) -> None:
        """Count the tokens that a reply says it took: in a stream, the last count is the whole."""
        # No text of a model can look like this, for within a JSON string a quote is escaped.
        start = body.rfind(b'"usage"')
        if start >= 0:
            self.prompt_tokens += _count(_PROMPT, body, start)
            self.completion_tokens += _count(_COMPLETION, body, start)


def _count(name: re.Pattern[bytes], body: bytes, start: int) -> int:
    found = name.search(body, start)
    return int(found[1]) if found else 0


SKIPPED = Outcome.SKIPPED


class Sender:
    """Sends requests of trials to the endpoint, and keeps evidence and accounts."""

    def __init__(
        self, endpoint: Endpoint, evidence: Evidence, ledger: Ledger, slots: Slots
    ) -> None:
        self._endpoint = endpoint
        self._evidence = evidence
        self._slots = slots
        self.ledger = ledger

    async def send(self, call: Call, trial: Mapping[str, Any], lane: str = "") -> Exchange:
        """Send one request.

        A 429 that says when to come back is waited for, and a refused connection, over which
        nothing was sent, is tried again. Any other retry would hide errors that users see.
        """
        for attempt in range(1, MOST_ATTEMPTS + 1):
            self.ledger.admit()
            exchange = self._evidence.exchange(
                await self._endpoint.send(call, lane), {**trial, "attempt": attempt}
            )
            self.ledger.bill(exchange.body)
            self._slots.note(overloaded=exchange.status in OVERLOADED)
            pause = _pause(exchange, attempt)
            if pause is None or (exchange.fault and attempt == MOST_ATTEMPTS):
                break
            if pause > LONGEST_WAIT or attempt == MOST_ATTEMPTS:
                # A limit that is stated is the account's: it says nothing of the model.
                raise EndpointError(f"rate limited at attempt {attempt}: HTTP 429", SKIPPED)
            self.ledger.retried += 1
            await asyncio.sleep(pause)
        self.ledger.failed += exchange.fault is not None or not _fine(exchange.status)
        return exchange


def _fine(status: int | None) -> bool:
    return status is not None and 200 <= status < 300


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
