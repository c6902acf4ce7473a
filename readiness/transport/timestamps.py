"""Connections: timestamps of received bytes, by the kernel's clock, and when one is used again."""

from __future__ import annotations

import socket
import struct
import sys
from asyncio import AbstractEventLoop, Transport
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from time import monotonic, perf_counter_ns, time_ns
from typing import Any

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from aiohttp.tracing import Trace

from readiness.transport.deadlines import OnTimeClock

#: The option SO_TIMESTAMPNS of Linux, which Python does not name, and its control message.
SO_TIMESTAMPNS, TIMESPEC = 35, struct.Struct("ll")
#: A connection that is open for so long after a stream was left open by the server, in seconds, and
#: so many of them show that it leaves them open.
SETTLED, ENOUGH_LEFT_OPEN = 0.5, 16


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


@dataclass
class ResponseTimes:
    """The times of one request and its response, in ns of the performance counter.

    Args:
        written: When the request's body was written; 0 where unknown.
        arrivals: When bytes of the response arrived, each with the size of its body by then.
        ended: When its last byte arrived; 0 where it has not, or only the connection's end ends it.
    """

    written: int = 0
    arrivals: list[tuple[int, int]] = field(default_factory=list)
    ended: int = 0


@dataclass
class StreamEnds:
    """Whether a server leaves its connections open after streams, as its headers say.

    llama.cpp's does not: of 75 requests sent right after a stream, 36 failed on a connection that
    was closing.
    """

    left_open: int = 0
    closed: bool = False

    @property
    def leave_open(self) -> bool:
        """Whether a connection may be used again at once."""
        return self.left_open >= ENOUGH_LEFT_OPEN and not self.closed


class StampingProtocol(ResponseHandler):
    """Records the times of the responses of a connection.

    `streamed` is whether its last response was a stream.
    """

    def __init__(
        self, latest: LatestReceiveTime, ends: StreamEnds, loop: AbstractEventLoop
    ) -> None:
        super().__init__(loop)
        self.written = 0
        self.streamed = False
        self._ends = ends
        self._times = ResponseTimes()
        self._latest = latest
        self._body: aiohttp.StreamReader | None = None

    def begin(self) -> ResponseTimes:
        """Begin the times of the next response."""
        self._times, self._body = ResponseTimes(), None
        return self._times

    def feed_data(
        self, data: tuple[RawResponseMessage, aiohttp.StreamReader], size: int = 0
    ) -> None:
        """Take in the head of a response, and keep its body, which aiohttp lets go at its end."""
        _, self._body = data
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Stamp, and parse."""
        times, at = self._times, self._latest.at or perf_counter_ns()
        super().data_received(data)
        if data:
            # The kernel's clock may have been set: times of arrival must not decrease.
            at = max(at, times.arrivals[-1][0] if times.arrivals else self.written)
            times.arrivals.append((at, self._body.total_bytes if self._body else 0))
            times.ended = at if self._body and self._body.is_eof() else 0

    async def read(self) -> tuple[RawResponseMessage, aiohttp.StreamReader]:
        """Read the head of a response, and decide whether the connection is used again."""
        message, payload = await super().read()
        kind = message.headers.get("Content-Type", "")
        self.streamed = kind.startswith("text/event-stream")
        if message.code >= 500 or (self.streamed and self._ends.closed):
            # uvicorn closes the connection after a crash, which would be counted again in the next
            # request.
            self.force_close()
        return message, payload

    def connection_lost(self, exc: BaseException | None) -> None:
        """Note where the server, and not this client, closes right after a stream."""
        idle = (perf_counter_ns() - self._times.ended) / 1e9 if self._times.ended else SETTLED
        self._ends.closed |= self.streamed and self.transport is not None and idle < SETTLED
        super().connection_lost(exc)


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
    """A response with its own times, and its request's."""

    times: ResponseTimes

    async def start(self, connection: Connection) -> StampedResponse:
        """Begin the times of this response."""
        protocol = connection.protocol
        assert isinstance(protocol, StampingProtocol)
        self.times = protocol.begin()
        await super().start(connection)
        self.times.written = protocol.written
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
        latest, self._ends = LatestReceiveTime(), StreamEnds()
        stamping = sys.platform == "linux"
        super().__init__(
            limit=limit,
            keepalive_timeout=keepalive_timeout,
            socket_factory=(lambda about: StampingSocket(latest, *about[:3])) if stamping else None,
        )
        # aiohttp has no public way to set the protocol: see docs/decisions/0001.
        protocol: Callable[..., ResponseHandler] = partial(StampingProtocol, latest, self._ends)
        self._factory = partial(protocol, loop=self._loop)
        self._clock, self._seconds = clock, seconds

    async def _wrap_create_connection(
        self, *args: Any, **other: Any
    ) -> tuple[Transport, ResponseHandler]:
        """Connect in time. aiohttp's own `sock_connect` would count the loop's lateness too."""
        async with self._clock.deadline(self._seconds):
            return await super()._wrap_create_connection(*args, **other)

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        """An idle connection to use again; one of a stream only where the server leaves it open."""
        if self._ends.leave_open:
            return await super()._get(key, traces)
        idle = self._conns.pop(key, ())
        watched = [each for each in idle if _streamed(each[0])]
        self._conns[key].extend(each for each in idle if not _streamed(each[0]))
        connection = await super()._get(key, traces)
        for nth, (protocol, since) in enumerate(watched):
            settled = monotonic() - since >= SETTLED
            self._ends.left_open += settled and protocol.is_connected()
            if settled or nth >= ENOUGH_LEFT_OPEN:  # A server may count open connections.
                protocol.close()
            else:
                self._conns[key].append((protocol, since))
        return connection


def _streamed(protocol: ResponseHandler) -> bool:
    """Whether the last response of a connection was a stream."""
    return isinstance(protocol, StampingProtocol) and protocol.streamed
