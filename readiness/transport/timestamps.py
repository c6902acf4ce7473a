"""Stamps the time at which bytes arrive: by the kernel's clock, which no busy loop makes late."""

from __future__ import annotations

import socket
import struct
import sys
from asyncio import AbstractEventLoop
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

#: The option SO_TIMESTAMPNS of Linux, which Python does not name, and its control message.
TIMESTAMPS, STAMP = 35, struct.Struct("ll")


@dataclass
class Latest:
    """When the bytes had come that were read last, of whichever connection; 0 if nobody tells."""

    at: int = 0

    def note(self, told: Iterable[tuple[int, int, bytes]]) -> None:
        """Note when the kernel had them; where it is silent, they have come now."""
        self.at = perf_counter_ns()
        for _, _, stamp in told:
            seconds, rest = STAMP.unpack(stamp)
            self.at -= max(time_ns() - seconds * 10**9 - rest, 0)


class StampingSocket(socket.socket):
    """Asks the kernel of Linux when the bytes had come that it hands out."""

    def __init__(self, latest: Latest, family: int, kind: int, protocol: int) -> None:
        super().__init__(family, kind, protocol)
        self._latest = latest
        self._room = socket.CMSG_SPACE(STAMP.size)
        self.setsockopt(socket.SOL_SOCKET, TIMESTAMPS, 1)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Read, and note when it had come."""
        data, told, _, _ = self.recvmsg(size, self._room, flags)
        self._latest.note(told)
        return data

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        """Read as TLS does, and note when it had come."""
        read, told, _, _ = self.recvmsg_into(
            [memoryview(buffer)[: size or None]], self._room, flags
        )
        self._latest.note(told)
        return read


class StampingProtocol(ResponseHandler):
    """Notes how much of a response's body had arrived, and when."""

    def __init__(self, latest: Latest, loop: AbstractEventLoop) -> None:
        super().__init__(loop)
        self.arrivals: list[tuple[int, int]] = []
        self.written = 0
        self._latest = latest

    def data_received(self, data: bytes) -> None:
        """Stamp, and parse."""
        # The kernel's clock may be set meanwhile: nothing comes before what came before it.
        before = self.arrivals[-1][0] if self.arrivals else self.written
        at = max(self._latest.at or perf_counter_ns(), before)
        super().data_received(data)
        if data:
            self.arrivals.append((at, self._payload.total_bytes if self._payload else 0))

    async def read(self) -> tuple[RawResponseMessage, aiohttp.StreamReader]:
        """Read the head of a response, and see if it is the connection's last."""
        message, payload = await super().read()
        streamed = message.headers.get("Content-Type", "").startswith("text/event-stream")
        if streamed or message.code >= 500:
            # llama.cpp's server hangs up after a stream, though its headers promise otherwise: of
            # 75 requests sent right behind one, 36 met the closed connection. uvicorn does so after
            # a crash, which would be found a second time in the request that follows.
            self.force_close()
        return message, payload


class StampingRequest(aiohttp.ClientRequest):
    """Notes when a request's body is written: with 256 that begin at once, 100 ms late."""

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> None:
        """Stamp, then write."""
        if isinstance(conn.protocol, StampingProtocol):
            conn.protocol.written = perf_counter_ns()
        await super().write_bytes(writer, conn, content_length)


class StampedResponse(aiohttp.ClientResponse):
    """A response with the stamps of its own bytes, and of its request."""

    arrivals: list[tuple[int, int]]
    written: int = 0

    async def start(self, connection: Connection) -> StampedResponse:
        """Begin a list of stamps for this response."""
        self.arrivals = []
        protocol = connection.protocol
        if isinstance(protocol, StampingProtocol):
            protocol.arrivals = self.arrivals
        await super().start(connection)
        if isinstance(protocol, StampingProtocol):
            self.written = protocol.written
        return self


class StampingConnector(aiohttp.TCPConnector):
    """Makes connections that stamp."""

    def __init__(self, *, limit: int, keepalive_timeout: float) -> None:
        latest = Latest()
        stamping = sys.platform == "linux"
        super().__init__(
            limit=limit,
            keepalive_timeout=keepalive_timeout,
            socket_factory=(lambda about: StampingSocket(latest, *about[:3])) if stamping else None,
        )
        # There is no public way to name the protocol; docs/decisions/ says what was weighed.
        protocol: Callable[..., ResponseHandler] = partial(StampingProtocol, latest)
        self._factory = partial(protocol, loop=self._loop)
