"""The HTTP client of an endpoint: the one module that knows HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any

import aiohttp
from multidict import CIMultiDict

from readiness.exchange import Arrival, Call, ClientAbort, Exchange, Fault, Repeated
from readiness.transport.address import Address
from readiness.transport.timestamps import StampedResponse, StampingConnector, StampingRequest

# Below the 5 s after which uvicorn closes an idle connection: a request written to a connection
# that the server is just closing would fail without a fault of the endpoint.
KEEPALIVE_TIMEOUT = 4.0
#: The headers in which endpoints accept an API key.
KEY_HEADERS = frozenset(("authorization", "api-key", "x-api-key"))
CHUNK_SIZE = 2**16
#: SO_LINGER with a timeout of 0: closing resets the connection (RST) and drops unsent data.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
FRAME = b"data:"


@dataclass(frozen=True)
class RequestLimits:
    """Timeouts in seconds, and the maximum size of a response body in bytes."""

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
    arrivals: list[tuple[int, int]] = field(default_factory=list)
    written: int = 0

    def begin(self, response: aiohttp.ClientResponse) -> None:
        """Take in the head of the response, and the list of timestamps that its body fills."""
        assert isinstance(response, StampedResponse)
        self.status, self.arrivals = response.status, response.arrivals
        self.written = response.written
        self.headers = {name.lower(): value for name, value in response.headers.items()}


class EndpointClient:
    """A client with pooled connections and timeouts, which keeps every byte of a response.

    It never retries, and follows no redirect: that would send the API key to another server.
    """

    def __init__(self, where: Address, limits: RequestLimits) -> None:
        self.where = where
        self.limits = limits
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()

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
        fault, detail = await self._receive(request, received, call.hang_up)
        return Exchange(
            request=call.kept,
            status=received.status,
            headers=received.headers,
            body=bytes(received.body),
            arrivals=tuple(Arrival(at - start, size) for at, size in received.arrivals),
            fault=fault,
            detail=detail,
            sent=sent,
            written=max(received.written - start, 0),
            end=perf_counter_ns() - start,
            path=call.path,
            method=call.method,
            keyed=any(name.lower() in KEY_HEADERS for name in headers),
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
        self, request: Any, received: _PartialResponse, abort: ClientAbort | None
    ) -> tuple[Fault | None, str]:
        """Receive the response within the limits; return the fault, if any, and its details."""
        started = asyncio.get_running_loop().time()
        try:
            if abort is not None:
                return await self._read_until_abort(request, received, abort)
            return await self._read(request, received, started)
        except aiohttp.ConnectionTimeoutError:
            return Fault.UNREACHABLE, f"no connection within {self.limits.connect:g} s"
        except TimeoutError:
            if abort is not None:
                return Fault.CLIENT_ABORTED, f"after {abort.seconds:g} s"
            return self._timed_out(received, asyncio.get_running_loop().time() - started)
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

    async def _read(
        self, request: Any, received: _PartialResponse, started: float
    ) -> tuple[Fault | None, str]:
        limits, now = self.limits, asyncio.get_running_loop().time
        async with asyncio.timeout(limits.first_byte) as deadline, request as response:
            received.begin(response)
            async for chunk in response.content.iter_any():
                received.body += chunk
                if len(received.body) > limits.body:
                    return Fault.TOO_LARGE, f"more than {limits.body:,} bytes"
                deadline.reschedule(min(now() + limits.silence, started + limits.total))
        return None, ""

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

    def _session(self, connection: str) -> aiohttp.ClientSession:
        if connection not in self._sessions:
            self._sessions[connection] = aiohttp.ClientSession(
                connector=StampingConnector(
                    limit=1 if connection else 0, keepalive_timeout=KEEPALIVE_TIMEOUT
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.limits.connect),
                request_class=StampingRequest,
                response_class=StampedResponse,
                cookie_jar=aiohttp.DummyCookieJar(),
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


def _encoded(body: Any) -> bytes | AsyncIterator[bytes] | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, Repeated):
        return _chunks(body)
    return json.dumps(body, ensure_ascii=False).encode()


async def _chunks(body: Repeated) -> AsyncIterator[bytes]:
    """A repeated body in chunks, so that it is never in memory as a whole."""
    part = body.part.encode()
    per_chunk = max(CHUNK_SIZE // len(part), 1)
    yield body.head.encode()
    for _ in range(body.times // per_chunk):
        yield part * per_chunk
    yield part * (body.times % per_chunk) + body.tail.encode()
