"""The sender: sends requests within the budget, retries where allowed, replays on resume."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import random
from time import time
from typing import Any

from readiness.evidence.log import Evidence, exchange_of, summarise_exchange
from readiness.exchange import NOT_SENT, Call, Exchange, Fault, Server
from readiness.protocol.capability import LIST_MODELS
from readiness.runner.concurrency import AdaptiveConcurrency, RequestsInFlight
from readiness.runner.resume import ResumeState
from readiness.score import EndpointError, Outcome
from readiness.transport.budget import UsageBudget
from readiness.transport.client import KEY_HEADERS, EndpointClient

MAX_ATTEMPTS = 4
MAX_RETRY_AFTER = 60.0  # seconds
#: The SDK's pauses where no Retry-After states one, in seconds: doubled each time up to the most.
FIRST_PAUSE, MAX_PAUSE = 0.5, 8.0
OVERLOADED = (429, 503)
#: After so many requests in a row that a limiter refused in all attempts, nothing more is sent.
MAX_LIMITED_IN_A_ROW = 20
#: After so many requests in a row without any response, the endpoint is asked a simple one; if that
#: has none either, it is gone, and nothing more is sent.
MAX_UNANSWERED_IN_A_ROW = 20
#: What ends for an account that was accepted before, by the status that says so.
ENDED = {401: "the key ended", 402: "the account's credit ended"}
#: Marks the request that finds out whether a key has ended.
KEY_CHECK = {"check": "key", "attempt": 2}
#: Marks the requests that find out whether an endpoint is gone.
LIVENESS = {"check": "liveness"}
SKIPPED = Outcome.SKIPPED
USUAL = Call(None)


class Sender:
    """Sends the requests of trials, and records evidence and usage."""

    def __init__(
        self,
        endpoint: EndpointClient,
        evidence: Evidence,
        budget: UsageBudget,
        slots: AdaptiveConcurrency,
        resume_state: ResumeState,
        webui: EndpointClient | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._webui = webui
        self.in_flight = RequestsInFlight()
        self.in_flight.most |= resume_state.most_in_flight
        self.evidence = evidence
        self.slots = slots
        self.resume_state = resume_state
        self.budget = budget
        self._limited_in_a_row = 0
        self._unanswered_in_a_row = 0
        self._answered = time()
        self._accepted: Call | None = None
        self._closed = ""
        self.gone = ""

    async def send(self, call: Call, trial: Mapping[str, Any], connection: str = "") -> Exchange:
        """Send one request, or return its exchange from before the run was resumed.

        A 429 or 503 is retried as the SDK does, and so is a refused connection, over which nothing
        was sent. Any other retry would hide errors that users see. Requests of many concurrent
        users are neither retried nor replayed.

        Raises:
            EndpointError: The budget is spent, a limiter refuses, the key has ended, or the
                endpoint is gone: the trial is counted as skipped. A step of many users, which may
                be what the endpoint went by, is tried to its end.
        """
        if call.server is Server.WEBUI:
            return await self._send_to_webui(call, trial)
        if self._closed or (self.gone and not call.crowd):
            raise EndpointError(self._closed or self.gone, SKIPPED)
        if call.crowd:
            exchange = await self._send(call, {**trial, "attempt": 1}, connection="")
            self._require_key_in_time(call, exchange)
            await self._note_answer(call, exchange)
            return exchange
        about = {**trial, "shared": call.shared} if call.shared else trial
        exchange = await self._attempts(call, about, connection)
        await self._note_answer(call, exchange)
        if exchange.status in ENDED and not _has_own_key(call):
            await self._require_account(exchange)
        if self._accepted is None and exchange.succeeded and isinstance(call.body, dict):
            self._accepted = replace(call, shared="")
        return exchange

    async def _send_to_webui(self, call: Call, trial: Mapping[str, Any]) -> Exchange:
        """Send a request to the web interface, once: what its limiter says is what is tried.

        What was created there is deleted whatever the budget, which only new things need.

        Raises:
            EndpointError: The budget is spent: the trial is counted as skipped.
        """
        assert self._webui is not None
        if call.method == "POST":
            self.budget.require_remaining()
        came = await self._webui.send(call)
        self.budget.record_exchange(came, 1)
        about = {**trial, "shared": call.shared} if call.shared else trial
        return self.evidence.exchange(came, {**about, "attempt": 1, **_kind(call)})

    async def _attempts(self, call: Call, about: Mapping[str, Any], connection: str) -> Exchange:
        """Send a request until it is answered, as often as allowed."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            known = self.resume_state.pop_reply(call, about)
            exchange = known or await self._send(call, {**about, "attempt": attempt}, connection)
            pause = _pause(exchange, attempt)
            last = attempt == MAX_ATTEMPTS or (pause or 0) > MAX_RETRY_AFTER
            if pause is None or last:
                break
            await asyncio.sleep(pause)
        if not exchange.limiter:
            self._limited_in_a_row = 0
            return exchange
        self._limited_in_a_row += 1
        raise self._limited(exchange, attempt)

    def _limited(self, exchange: Exchange, attempt: int) -> EndpointError:
        """The error of a request that a limiter refused: it shows nothing about the model."""
        limiter = f"rate limited by {exchange.limiter!r:.60}"
        came = f"HTTP {exchange.status} at attempt {attempt}"
        if self._limited_in_a_row >= MAX_LIMITED_IN_A_ROW:
            self._closed = f"{limiter}: HTTP {exchange.status} for {MAX_LIMITED_IN_A_ROW} requests"
        return EndpointError(limiter, SKIPPED, came=came)

    @property
    def stopped(self) -> str:
        """Why nothing more is sent, or an empty string."""
        return self._closed or self.gone or self.budget.spent

    async def _note_answer(self, call: Call, exchange: Exchange) -> None:
        """Count requests without any response; after too many in a row, ask a simple one.

        A slow check or a wrong route is no endpoint that is gone: any response counts.
        """
        if exchange.status is not None:
            self._unanswered_in_a_row, self._answered = 0, time()
        elif call.valid and exchange.fault is not Fault.CLIENT_ABORTED:
            self._unanswered_in_a_row += 1
            if self._unanswered_in_a_row == MAX_UNANSWERED_IN_A_ROW and not self.gone:
                await self._require_there()

    async def _require_there(self) -> None:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            about = {**LIVENESS, "attempt": attempt}
            again = await self._send(self._accepted or LIST_MODELS, about, connection="")
            if again.status is not None:
                self._unanswered_in_a_row = 0
                return
            if again.fault not in NOT_SENT or attempt == MAX_ATTEMPTS:
                break
            await asyncio.sleep(_pause(again, attempt) or 0)
        since = f"{datetime.fromtimestamp(self._answered, UTC):%Y-%m-%d %H:%M:%SZ}"
        self.gone = (
            f"the endpoint is gone: nothing was answered since {since}, "
            f"{MAX_UNANSWERED_IN_A_ROW} requests in a row"
        )

    async def _require_account(self, exchange: Exchange) -> None:
        """Make sure that a request that was answered before is answered still.

        Raises:
            EndpointError: It is not: the key or the credit has ended, which is no fault of the
                endpoint.
        """
        if self._accepted is None:
            return
        again = await self._send(self._accepted, KEY_CHECK, connection="")
        if again.status in ENDED:
            self._closed = self._ending(again)
            raise EndpointError(self._closed, SKIPPED, came=f"HTTP {exchange.status}")

    def _require_key_in_time(self, call: Call, exchange: Exchange) -> None:
        ends = self._endpoint.where.key_ends
        if exchange.status == 401 and ends and ends <= time() and not _has_own_key(call):
            self._closed = self._ending(exchange)
            raise EndpointError(self._closed, SKIPPED, came="HTTP 401")

    def _ending(self, exchange: Exchange) -> str:
        """What ended, and when: a token tells it."""
        what, ends = ENDED[exchange.status or 0], self._endpoint.where.key_ends
        if exchange.status != 401 or ends is None:
            return what
        return f"{what} at {datetime.fromtimestamp(ends, UTC):%Y-%m-%d %H:%M:%SZ}, its `exp`"

    async def _send(self, call: Call, about: Mapping[str, Any], connection: str) -> Exchange:
        if call.made is None:
            self.budget.require_remaining()
            with self.in_flight.one() as request:
                came = await self._endpoint.send(call, connection)
            about = {**about, "in_flight": request.most}
            self.budget.record_exchange(came, about["attempt"])
        else:
            came = exchange_of(call.made)
            self.budget.take_over(came, about["attempt"])
        self.slots.note(overloaded=came.status in OVERLOADED)
        about = {**about, **_kind(call)}
        try:
            return self._recorded(call, came, about)
        except EndpointError as error:
            self._closed = error.score.reason
            raise

    def _recorded(self, call: Call, came: Exchange, about: Mapping[str, Any]) -> Exchange:
        if not call.crowd or call.whole:
            exchange = self.evidence.exchange(came, about)
            self.in_flight.most[exchange.seq] = about.get("in_flight", 0)
            return exchange
        kept = call.made or summarise_exchange(came, self.evidence.secrets)
        return replace(came, seq=self.evidence.append_exchange(kept, about))


def _kind(call: Call) -> dict[str, Any]:
    """What evidence has of the kind of a request; nothing of a usual one."""
    kind = {"valid": call.valid, "crowd": call.crowd, "server": call.server}
    return {name: value for name, value in kind.items() if value is not getattr(USUAL, name)}


def _has_own_key(call: Call) -> bool:
    """Whether a check sends a key of its own, or none."""
    return any(name.lower() in KEY_HEADERS for name in call.headers)


def _pause(exchange: Exchange, attempt: int) -> float | None:
    """The pause before another attempt, in seconds; None for no other attempt."""
    usual = min(FIRST_PAUSE * 2.0 ** (attempt - 1), MAX_PAUSE)
    if exchange.fault in NOT_SENT:
        return usual
    if exchange.status not in OVERLOADED or exchange.headers.get("x-should-retry") == "false":
        return None
    stated = _stated(exchange.headers)
    # Clients that were refused together do not come back together.
    return usual * (1 - random() / 4) if stated is None else stated


def _stated(headers: Mapping[str, str]) -> float | None:
    """The pause that a response states, in seconds; OpenAI and Azure also do in milliseconds."""
    try:
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    except (KeyError, ValueError):
        return _seconds(headers.get("retry-after", ""))


def _seconds(retry_after: str) -> float | None:
    """Read Retry-After: a number of seconds or an HTTP date (RFC 9110 §10.2.3)."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None
