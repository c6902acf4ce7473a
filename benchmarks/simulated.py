"""The reference endpoint at a machine's pace in simulated time: no clock, no socket, no noise."""

from __future__ import annotations

import asyncio
import json
import selectors
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field, replace
from time import time
from typing import Any, TypeVar
from unittest.mock import patch

from readiness.chat import Chat
from readiness.context import Context
from readiness.exchange import NS, Arrival, Call, Exchange, Fault
from readiness.load.meters.meter import MeterReading
from readiness.load.meters.metrics_page import read_metrics
from readiness.mutants.catalog import find
from readiness.mutants.endpoint.answer import ServerResponse
from readiness.mutants.endpoint.batching import PACES, Pace
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.endpoint.reference import Accepted, Reference, instead
from readiness.mutants.flaw import Flaw
from readiness.protocol.dialect import Dialect

T = TypeVar("T")
FRAME = b"data:"


class _NoWaiting(selectors.SelectSelector):
    """Instead of waiting, it moves the clock."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found:
            if timeout is None:
                raise RuntimeError("nothing is left to wait for")
            self.passed += timeout
        return found


class SimulatedTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while everybody sleeps, and then at once."""

    def __init__(self) -> None:
        self._clock = _NoWaiting()
        super().__init__(self._clock)

    def time(self) -> float:
        """The simulated time, in seconds."""
        return self._clock.passed


@dataclass
class _Received:
    """What of a response has arrived."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    arrivals: list[Arrival] = field(default_factory=list)
    fault: Fault | None = None


class SimulatedEndpoint:
    """An endpoint with at most one flaw, at a pace; as a meter, it tells the engine's metrics."""

    source = "simulated"

    def __init__(self, flaw: Flaw, pace: Pace | None) -> None:
        self._reference = Reference(flaw)
        self._flaw = flaw
        self.engine = flaw.engine()
        self.engine.pace = pace or self.engine.pace
        self.calls = 0

    async def read(self) -> MeterReading:
        """Read the engine's metrics."""
        return read_metrics(self._flaw.change_metrics(self.engine.metrics()))

    async def send(self, call: Call) -> Exchange:
        """Answer a request; a client that hangs up leaves when it says so."""
        now, got, abort = asyncio.get_running_loop().time, _Received(), call.hang_up
        start = now()
        self.calls += 1
        body = call.body if isinstance(call.body, bytes) else json.dumps(call.body).encode()
        receiving = self._receive(body, got, start, abort.frames if abort else 0)
        try:
            await asyncio.wait_for(receiving, abort.seconds if abort else 600.0)
        except TimeoutError:
            got.fault = Fault.CLIENT_ABORTED if abort else Fault.TOTAL
        end = round((now() - start) * NS)
        head = got.status, got.headers, bytes(got.body), tuple(got.arrivals)
        return Exchange(call.body, *head, got.fault, "", time() - end / NS, end, seq=self.calls)

    async def _receive(self, body: bytes, got: _Received, start: float, frames: int) -> None:
        due = self._reference.accept(body)
        if not isinstance(due, Accepted):
            assert due is not None
            return self._take(got, due)
        ended = False
        try:
            if refusal := await self.engine.begin(due.request):
                self._take(got, instead(refusal))
            else:
                said = self.engine.says(due.request, due.said)
                sent = self._reference.complete(due._replace(said=said))
                await self._stream(due, sent, got, (start, frames))
            ended = got.fault is not Fault.CLIENT_ABORTED
        finally:
            self.engine.end(aborted=not ended)

    @staticmethod
    def _take(got: _Received, sent: ServerResponse) -> None:
        got.status, got.headers = sent.status, {k.lower(): v for k, v in sent.headers.items()}
        got.body += b"".join(piece for piece in sent.pieces if isinstance(piece, bytes))
        got.arrivals.append(Arrival(1, len(got.body)))

    async def _stream(
        self, due: Accepted, sent: ServerResponse, got: _Received, at: tuple[float, int]
    ) -> None:
        now, (start, frames) = asyncio.get_running_loop().time, at
        got.status, got.headers = sent.status, {k.lower(): v for k, v in sent.headers.items()}
        async with aclosing(self.engine.pieces(due.request, sent, lambda: False)) as pieces:
            async for piece in pieces:
                if not self.engine.goes_on(due.request) or piece == -1.0:
                    got.fault = Fault.RESET
                    return
                if isinstance(piece, float):
                    await asyncio.sleep(piece)
                    continue
                got.body += piece
                got.arrivals.append(Arrival(round((now() - start) * NS), len(got.body)))
                if frames and got.body.count(FRAME) >= frames:
                    got.fault = Fault.CLIENT_ABORTED
                    return


def simulated(
    flaw: str | Flaw,
    pace: str | Pace,
    work: Callable[[Chat], Awaitable[T]],
    context: Context | None = None,
    *,
    metrics: bool = True,
) -> T:
    """What comes of some work with an endpoint in simulated time."""
    endpoint = SimulatedEndpoint(
        find(flaw) if isinstance(flaw, str) else flaw,
        PACES.get(pace) if isinstance(pace, str) else pace,
    )
    context = replace(context or Context(), meters=[endpoint] if metrics else [])

    async def run() -> T:
        return await work(Chat(endpoint.send, Dialect(MODEL), context))

    # Simulated seconds take no time of the processor: this machine's is of another clock.
    idle = (
        patch(f"readiness.load.saturation.{each}", lambda: 0.0)
        for each in ("thread_time", "cpu_waiting")
    )
    with ExitStack() as mocked, asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner:
        for each in idle:
            mocked.enter_context(each)
        return runner.run(run())
