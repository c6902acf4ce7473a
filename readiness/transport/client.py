"""The endpoint: the one module that knows HTTP."""

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

# Below the 5 s after which uvicorn hangs up on an idle connection: a request that is written
# to a connection which the server is just closing fails by nobody's fault.
IDLE_CONNECTION = 4.0
#: The headers that endpoints take a key in.
KEYS = frozenset(("authorization", "api-key", "x-api-key"))
PIECE = 2**16
#: Closing with this option set resets the connection, and leaves nothing to be delivered.
LINGER_NOT = struct.pack("ii", 1, 0)
FRAME = b"data:"


@dataclass(frozen=True)
class RequestLimits:
    """How long to wait for what, in seconds, and how many bytes of a body to take."""

    connect: float = 5.0
    first_byte: float = 120.0
    silence: float = 60.0
    total: float = 600.0
    body: int = 64 * 2**20


@dataclass
class _Taken:
    """What has arrived of a response so far."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    arrivals: list[tuple[int, int]] = field(default_factory=list)
    written: int = 0

    def begin(self, response: aiohttp.ClientResponse) -> None:
        """Take in the head, and what will be stamped."""
        assert isinstance(response, StampedResponse)
        self.status, self.arrivals = response.status, response.arrivals
        self.written = response.written
        self.headers = {name.lower(): value for name, value in response.headers.items()}


class EndpointClient:
    """An open way to an endpoint: pooled connections, time limits, and every byte kept.

    Nothing is retried here, and no redirect is followed: it would carry the key elsewhere.
    """

    def __init__(self, where: Address, limits: RequestLimits) -> None:
        self.where = where
        self.limits = limits
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()

    async def send(self, call: Call, lane: str = "") -> Exchange:
        """Send a request and take what comes back; a lane has one connection of its own."""
        headers = self._headers(call)
        request = self._session(lane).request(
            call.method,
            self.where.of(call.path),
            data=_data(call.body),
            headers=headers,
            chunked=call.chunked or None,
            allow_redirects=False,
            proxy=self.where.proxy,
        )
        taken, sent, start = _Taken(), time.time(), perf_counter_ns()
        fault, detail = await self._watch(request, taken, call.hang_up)
        return Exchange(
            request=call.kept,
            status=taken.status,
            headers=taken.headers,
            body=bytes(taken.body),
            arrivals=tuple(Arrival(at - start, size) for at, size in taken.arrivals),
            fault=fault,
            detail=detail,
            sent=sent,
            written=max(taken.written - start, 0),
            end=perf_counter_ns() - start,
            path=call.path,
            method=call.method,
            keyed=any(name.lower() in KEYS for name in headers),
        )

    def _headers(self, call: Call) -> Mapping[str, str]:
        headers = CIMultiDict(self.where.headers)
        if call.body is not None:
            headers.setdefault("Content-Type", "application/json")
        if isinstance(call.body, Repeated):
            headers["Content-Length"] = str(call.body.size)
        headers.update(call.headers)
        return CIMultiDict((name, value) for name, value in headers.items() if value)

    async def _watch(
        self, request: Any, taken: _Taken, leave: ClientAbort | None
    ) -> tuple[Fault | None, str]:
        """Take the response within the limits; what goes wrong becomes a fault, in words."""
        begun = asyncio.get_running_loop().time()
        try:
            if leave is not None:
                return await self._leave(request, taken, leave)
            return await self._take(request, taken, begun)
        except aiohttp.ConnectionTimeoutError:
            return Fault.UNREACHABLE, f"no connection within {self.limits.connect:g} s"
        except TimeoutError:
            if leave is not None:
                return Fault.CLIENT_ABORTED, f"after {leave.seconds:g} s"
            return self._late(taken, asyncio.get_running_loop().time() - begun)
        except aiohttp.ClientConnectorError as error:
            return Fault.UNREACHABLE, f"{error.host}:{error.port}: {_why(error)}"
        except aiohttp.InvalidURL as error:
            return Fault.UNREACHABLE, str(error)
        except aiohttp.ClientOSError as error:
            if error.errno is None and taken.status is None:
                # The server had hung up before anything was written: llama.cpp's does so after
                # a stream. No request was there to be answered.
                return Fault.UNREACHABLE, "the connection was closed before the request was sent"
            return Fault.RESET, f"{type(error).__name__}: {error}"
        except aiohttp.ClientResponseError as error:
            return Fault.PROTOCOL, f"{error.message:.200}"
        except (aiohttp.ClientError, OSError) as error:
            return Fault.RESET, f"{type(error).__name__}: {error}"

    async def _take(self, request: Any, taken: _Taken, begun: float) -> tuple[Fault | None, str]:
        limits, now = self.limits, asyncio.get_running_loop().time
        async with asyncio.timeout(limits.first_byte) as deadline, request as response:
            taken.begin(response)
            async for chunk in response.content.iter_any():
                taken.body += chunk
                if len(taken.body) > limits.body:
                    return Fault.TOO_LARGE, f"more than {limits.body:,} bytes"
                deadline.reschedule(min(now() + limits.silence, begun + limits.total))
        return None, ""

    async def _leave(
        self, request: Any, taken: _Taken, leave: ClientAbort
    ) -> tuple[Fault | None, str]:
        """Take the response up to where the client leaves."""
        async with asyncio.timeout(leave.seconds), request as response:
            taken.begin(response)
            async for chunk in response.content.iter_any():
                taken.body += chunk
                if leave.frames and taken.body.count(FRAME) >= leave.frames:
                    _close(response, reset=leave.reset)
                    return Fault.CLIENT_ABORTED, f"after {leave.frames} frames"
        return None, ""

    def _late(self, taken: _Taken, elapsed: float) -> tuple[Fault, str]:
        if elapsed >= self.limits.total:
            return Fault.TOTAL, f"not complete within {self.limits.total:g} s"
        if not taken.body:
            return Fault.FIRST_BYTE, f"nothing within {self.limits.first_byte:g} s"
        return Fault.SILENCE, f"nothing more for {self.limits.silence:g} s"

    def _session(self, lane: str) -> aiohttp.ClientSession:
        if lane not in self._sessions:
            self._sessions[lane] = aiohttp.ClientSession(
                connector=StampingConnector(
                    limit=1 if lane else 0, keepalive_timeout=IDLE_CONNECTION
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.limits.connect),
                request_class=StampingRequest,
                response_class=StampedResponse,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._sessions[lane]


def _why(error: aiohttp.ClientConnectorError) -> str:
    """Why there is no connection: the system's words, where they are in plain ones."""
    number = error.os_error.errno or 0
    return os.strerror(number) if number > 0 else str(error.os_error)


def _close(response: aiohttp.ClientResponse, *, reset: bool) -> None:
    transport = response.connection.transport if response.connection else None
    wire = transport.get_extra_info("socket") if transport and reset else None
    if wire is not None:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    response.close()


def _data(body: Any) -> bytes | AsyncIterator[bytes] | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, Repeated):
        return _pieces(body)
    return json.dumps(body, ensure_ascii=False).encode()


async def _pieces(body: Repeated) -> AsyncIterator[bytes]:
    """A repeated body in pieces, so that it is never in memory as a whole."""
    part = body.part.encode()
    at_once = max(PIECE // len(part), 1)
    yield body.head.encode()
    for _ in range(body.times // at_once):
        yield part * at_once
    yield part * (body.times % at_once) + body.tail.encode()
