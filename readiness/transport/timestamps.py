"""Timestamps of received bytes, by the kernel's clock, which a busy event loop does not delay."""

from __future__ import annotations

import socket
import struct
import sys
from asyncio import AbstractEventLoop, Transport
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from time import perf_counter_ns, time_ns
from typing import Any

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage

from readiness.transport.deadlines import OnTimeClock

#: The option SO_TIMESTAMPNS of Linux, which Python does not name, and its control message.
SO_TIMESTAMPNS, TIMESPEC = 35, struct.Struct("ll")


@dataclass
class LatestReceiveTime:
    """When the bytes of the last read, of any connection, were received; 0 where unknown."""

    at: int = 0

    def note(self, messages: Iterable[tuple[int, int, bytes]]) -> None:
        """Note when the kernel received them: now, where there is no control message."""
        self.at = perf_counter_ns()
        for _, _, stamp in messages:
            seconds, rest = TIMESPEC.unpack(stamp)
            self.at -= max(time_ns() - seconds * 10**9 - rest, 0)


class StampingSocket(socket.socket):
    """A socket that asks the Linux kernel when the bytes it returns were received."""

    def __init__(self, latest: LatestReceiveTime, family: int, kind: int, protocol: int) -> None:
        super().__init__(family, kind, protocol)
        self._latest = latest
        self._control_size = socket.CMSG_SPACE(TIMESPEC.size)
        self.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Read, and note when the bytes were received."""
        data, messages, _, _ = self.recvmsg(size, self._control_size, flags)
        self._latest.note(messages)
        return data

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        """Read into a buffer, as TLS does, and note when the bytes were received."""
        read, messages, _, _ = self.recvmsg_into(
            [memoryview(buffer)[: size or None]], self._control_size, flags
        )
        self._latest.note(messages)
        return read


class StampingProtocol(ResponseHandler):
    """Records the times of arrival of a response's body, with its cumulative size."""

    def __init__(self, latest: LatestReceiveTime, loop: AbstractEventLoop) -> None:
        super().__init__(loop)
        self.arrivals: list[tuple[int, int]] = []
        self.written = 0
        self._latest = latest

    def data_received(self, data: bytes) -> None:
        """Stamp, and parse."""
        # The kernel's clock may have been set: times of arrival must not decrease.
        before = self.arrivals[-1][0] if self.arrivals else self.written
        at = max(self._latest.at or perf_counter_ns(), before)
        super().data_received(data)
        if data:
            self.arrivals.append((at, self._payload.total_bytes if self._payload else 0))

    async def read(self) -> tuple[RawResponseMessage, aiohttp.StreamReader]:
        """Read the head of a response, and decide whether the connection is used again."""
        message, payload = await super().read()
        streamed = message.headers.get("Content-Type", "").startswith("text/event-stream")
        if streamed or message.code >= 500:
            # llama.cpp's server closes the connection after a stream, contrary to its headers: of
            # 75 requests sent right after one, 36 failed on the closed connection. uvicorn does so
            # after a crash, which would be counted again in the next request.
            self.force_close()
        return message, payload


class StampingRequest(aiohttp.ClientRequest):
    """Records when a request's body is written: 100 ms late where 256 start at the same time."""

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> None:
        """Stamp, then write."""
        if isinstance(conn.protocol, StampingProtocol):
            conn.protocol.written = perf_counter_ns()
        await super().write_bytes(writer, conn, content_length)


class StampedResponse(aiohttp.ClientResponse):
    """A response with the timestamps of its own bytes, and of its request."""

    arrivals: list[tuple[int, int]]
    written: int = 0

    async def start(self, connection: Connection) -> StampedResponse:
        """Begin a list of timestamps for this response."""
        self.arrivals = []
        protocol = connection.protocol
        if isinstance(protocol, StampingProtocol):
            protocol.arrivals = self.arrivals
        await super().start(connection)
        if isinstance(protocol, StampingProtocol):
            self.written = protocol.written
        return self


class StampingConnector(aiohttp.TCPConnector):
    """A connector whose connections record timestamps.

    Args:
        clock: The clock by which a connection takes too long.
        seconds: What it may take.
        limit: The most connections; 0 for any number.
        keepalive_timeout: How long an idle connection is kept, in seconds.
    """

    def __init__(
        self, clock: OnTimeClock, seconds: float, *, limit: int, keepalive_timeout: float
    ) -> None:
        latest = LatestReceiveTime()
        stamping = sys.platform == "linux"
        super().__init__(
            limit=limit,
            keepalive_timeout=keepalive_timeout,
            socket_factory=(lambda about: StampingSocket(latest, *about[:3])) if stamping else None,
        )
        # aiohttp has no public way to set the protocol: see docs/decisions/0001.
        protocol: Callable[..., ResponseHandler] = partial(StampingProtocol, latest)
        self._factory = partial(protocol, loop=self._loop)
        self._clock, self._seconds = clock, seconds

    async def _wrap_create_connection(
        self, *args: Any, **other: Any
    ) -> tuple[Transport, ResponseHandler]:
        """Connect in time. aiohttp's own `sock_connect` would count the loop's lateness too."""
        async with self._clock.deadline(self._seconds):
            return await super()._wrap_create_connection(*args, **other)
