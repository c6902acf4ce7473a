"""The HTTP client of an endpoint: the one module that knows HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from time import perf_counter_ns
from typing import Any

import aiohttp
from multidict import CIMultiDict

from readiness.exchange import NS, Arrival, Call, ClientAbort, Exchange, Fault, Repeated
from readiness.transport.address import Address
from readiness.transport.deadlines import OnTimeClock
from readiness.transport.timestamps import (
    ResponseTimes,
    StampedResponse,
    StampingConnector,
    StampingRequest,
)

# Below the 2 s after which gunicorn closes an idle connection, and the 5 s of uvicorn: a request
# that is written to a connection which is just closed would fail without a fault of the endpoint.
KEEPALIVE_TIMEOUT = 1.5
#: The headers in which endpoints accept an API key.
KEY_HEADERS = frozenset(("authorization", "api-key", "x-api-key"))
CHUNK_SIZE = 2**16
LARGE_BODY = 2**20  # bytes
#: SO_LINGER with a timeout of 0: closing resets the connection (RST) and drops unsent data.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
FRAME = b"data:"
#: What has arrived of a response is looked at so often, in seconds: to wait for its end costs a
#: fifth less CPU than to wake for each of its chunks.
LOOK = 0.25


@dataclass(frozen=True)
class RequestLimits:
    """Timeouts in seconds, and the maximum size of a response body in bytes.

    Time in which this process was late counts for none of them: see `OnTimeClock`.
    """

    connect: float = 5.0
    first_byte: float = 120.0
    silence: float = 60.0
    total: float = 600.0
    body: int = 64 * 2**20


@dataclass
class _PartialResponse:
    """The part of a response that has arrived so far."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    times: ResponseTimes = field(default_factory=ResponseTimes)
    at: float = 0.0

    def begin(self, response: aiohttp.ClientResponse) -> None:
        """Take in the head of the response, and the timestamps that its body fills."""
        assert isinstance(response, StampedResponse)
        self.status, self.times = response.status, response.times
        self.headers = {name.lower(): value for name, value in response.headers.items()}

    def take(self, content: aiohttp.StreamReader, now: float) -> None:
        """Take in what has arrived of the body since, also of one that was then cut."""
        if content.total_bytes > len(self.body):  # `read_nowait` gives nothing of one that was cut.
            self.body += content._read_nowait(-1)
            self.at = now


class EndpointClient:
    """A client with pooled connections and timeouts, which keeps every byte of a response.

    It never retries, and follows no redirect: that would send the API key to another server.
    """

    def __init__(self, where: Address, limits: RequestLimits) -> None:
        self.where = where
        self.limits = limits
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._own_clock: OnTimeClock | None = None

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()
        if self._own_clock is not None:
            self._own_clock.close()
            self._own_clock = None

    async def send(self, call: Call, connection: str = "") -> Exchange:
        """Send a request and receive its response, over a dedicated connection if one is named."""
        headers = self._headers(call)
        request = self._session(connection).request(
            call.method,
            self.where.of(call.path),
            data=_encoded(call.body),
            headers=headers,
            chunked=call.chunked or None,
            allow_redirects=False,
            proxy=self.where.proxy,
        )
        received, sent, start = _PartialResponse(), time.time(), perf_counter_ns()
        with self._clock.watch() as lateness:
            fault, detail = await self._receive(request, received, call)
        times = received.times
        end = (times.ended or perf_counter_ns()) - start
        return Exchange(
            request=call.kept,
            status=received.status,
            headers=received.headers,
            body=bytes(received.body),
            arrivals=tuple(Arrival(at - start, size) for at, size in times.arrivals),
            fault=fault,
            detail=detail,
            sent=sent,
            written=max(times.written - start, 0),
            end=end,
            path=call.path,
            method=call.method,
            keyed=any(name.lower() in KEY_HEADERS for name in headers),
            late=round(NS * lateness.within(end / NS)),
        )

    def _headers(self, call: Call) -> Mapping[str, str]:
        headers = CIMultiDict(self.where.headers)
        if call.body is not None:
            headers.setdefault("Content-Type", "application/json")
        if isinstance(call.body, Repeated):
            headers["Content-Length"] = str(call.body.size)
        headers.update(call.headers)
        return CIMultiDict((name, value) for name, value in headers.items() if value)

    async def _receive(
        self, request: Any, received: _PartialResponse, call: Call
    ) -> tuple[Fault | None, str]:
        """Receive the response within the limits; return the fault, if any, and its details."""
        started, abort = self._clock.time(), call.hang_up
        try:
            if abort is not None:
                return await self._read_until_abort(request, received, abort)
            return await self._read(request, received, started, self._first_byte_limit(call))
        except aiohttp.ConnectionTimeoutError:
            return Fault.UNREACHABLE, f"no connection within {self.limits.connect:g} s"
        except TimeoutError:
            if abort is not None:
                return Fault.CLIENT_ABORTED, f"after {abort.seconds:g} s"
            return self._timed_out(received, self._clock.time() - started)
        except aiohttp.ClientConnectorDNSError as error:
            return Fault.NO_HOST, error.host
        except aiohttp.ClientConnectorCertificateError as error:
            return Fault.UNTRUSTED, f"{error.host}:{error.port}: {error.certificate_error}"
        except aiohttp.ClientConnectorSSLError as error:
            return Fault.NO_TLS, f"{error.host}:{error.port}"
        except aiohttp.ClientConnectorError as error:
            return Fault.UNREACHABLE, f"{error.host}:{error.port}: {_why(error)}"
        except aiohttp.InvalidURL as error:
            return Fault.UNREACHABLE, str(error)
        except aiohttp.ClientOSError as error:
            if error.errno is None and received.status is None:
                # The server closed the connection before anything was written, as llama.cpp's
                # does after a stream: it never received the request.
                return Fault.UNREACHABLE, "the connection was closed before the request was sent"
            return Fault.RESET, f"{type(error).__name__}: {error}"
        except aiohttp.ClientResponseError as error:
            return Fault.PROTOCOL, f"{error.message:.200}"
        except (aiohttp.ClientError, OSError) as error:
            return Fault.RESET, f"{type(error).__name__}: {error}"

    def _first_byte_limit(self, call: Call) -> float:
        """How long the first byte may take: that of a reply which is not streamed, the total."""
        asks = isinstance(call.body, dict) and bool(call.body.get("messages"))
        whole = asks and not call.body.get("stream")
        return self.limits.total if whole else self.limits.first_byte

    async def _read(
        self, request: Any, received: _PartialResponse, started: float, first_byte: float
    ) -> tuple[Fault | None, str]:
        async with self._clock.deadline(first_byte) as first, request as response:
            received.begin(response)
            first.lift()
            content = response.content
            try:
                while not content.is_eof() and content.total_bytes <= self.limits.body:
                    left = self._time_left(received, started, first_byte)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(min(left, LOOK)):
                            await content.wait_eof()
                    received.take(content, self._clock.time())
                    if lost := content.exception():  # Who waits only later would not be told.
                        raise lost
            finally:
                received.take(content, self._clock.time())
        if len(received.body) > self.limits.body:
            return Fault.TOO_LARGE, f"more than {self.limits.body:,} bytes"
        return None, ""

    def _time_left(self, received: _PartialResponse, started: float, first_byte: float) -> float:
        """How long the rest of a response may take to come, or the next of it, in seconds.

        Raises:
            TimeoutError: It is late.
        """
        now = self._clock.time()
        left = received.at + self.limits.silence if received.body else started + first_byte
        left = min(left, started + self.limits.total) - now
        if left <= 0:
            raise TimeoutError
        return left

    async def _read_until_abort(
        self, request: Any, received: _PartialResponse, abort: ClientAbort
    ) -> tuple[Fault | None, str]:
        """Receive the response until the client disconnects."""
        async with asyncio.timeout(abort.seconds), request as response:
            received.begin(response)
            async for chunk in response.content.iter_any():
                received.body += chunk
                if abort.frames and received.body.count(FRAME) >= abort.frames:
                    _close(response, reset=abort.reset)
                    return Fault.CLIENT_ABORTED, f"after {abort.frames} frames"
        return None, ""

    def _timed_out(self, received: _PartialResponse, elapsed: float) -> tuple[Fault, str]:
        if elapsed >= self.limits.total:
            return Fault.TOTAL, f"not complete within {self.limits.total:g} s"
        if not received.body:
            return Fault.FIRST_BYTE, f"nothing within {self.limits.first_byte:g} s"
        return Fault.SILENCE, f"nothing more for {self.limits.silence:g} s"

    @property
    def _clock(self) -> OnTimeClock:
        """The clock of the event loop that the requests are sent from."""
        if self._own_clock is None:
            self._own_clock = OnTimeClock()
        return self._own_clock

    def _session(self, connection: str) -> aiohttp.ClientSession:
        if connection not in self._sessions:
            self._sessions[connection] = aiohttp.ClientSession(
                connector=StampingConnector(
                    self._clock,
                    self.limits.connect,
                    limit=1 if connection else 0,
                    keepalive_timeout=KEEPALIVE_TIMEOUT,
                ),
                timeout=aiohttp.ClientTimeout(total=None),
                request_class=StampingRequest,
                response_class=StampedResponse,
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=self.limits.body,  # What is read at intervals must not wait for it.
            )
        return self._sessions[connection]


def _why(error: aiohttp.ClientConnectorError) -> str:
    """Why there is no connection: the operating system's message where the error has a number."""
    number = error.os_error.errno or 0
    return os.strerror(number) if number > 0 else str(error.os_error)


def _close(response: aiohttp.ClientResponse, *, reset: bool) -> None:
    transport = response.connection.transport if response.connection else None
    sock = transport.get_extra_info("socket") if transport and reset else None
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    response.close()


def _encoded(body: Any) -> bytes | BytesIO | AsyncIterator[bytes] | None:
    if body is None:
        return None
    if isinstance(body, Repeated):
        return _chunks(body)
    sent = body if isinstance(body, bytes) else _json(body)
    # As one piece, a large body would keep all other requests waiting.
    return BytesIO(sent) if len(sent) > LARGE_BODY else sent


def _json(body: Any) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # Half a surrogate pair, as an endpoint wrote it, is escaped.
        return json.dumps(body).encode()


async def _chunks(body: Repeated) -> AsyncIterator[bytes]:
    """A repeated body in chunks, so that it is never in memory as a whole."""
    part = body.part.encode()
    per_chunk = max(CHUNK_SIZE // len(part), 1)
    yield body.head.encode()
    for _ in range(body.times // per_chunk):
        yield part * per_chunk
    yield part * (body.times % per_chunk) + body.tail.encode()
