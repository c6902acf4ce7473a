"""An exchange: one request, and every byte of its response with its time of arrival."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

NS = 1e9  # nanoseconds in a second


class Fault(StrEnum):
    """Why no complete response arrived."""

    UNREACHABLE = "unreachable"  # No connection: no byte of the request was sent.
    NO_HOST = "no such host"  # Neither was any with these three.
    NO_TLS = "no TLS"
    UNTRUSTED = "certificate not trusted"
    RESET = "connection lost"
    FIRST_BYTE = "no first byte in time"
    SILENCE = "silence in mid-reply"
    TOTAL = "too slow as a whole"
    TOO_LARGE = "reply too large"
    PROTOCOL = "not HTTP"
    CLIENT_ABORTED = "we hung up"  # The client aborted on purpose: no fault of the endpoint.


#: The faults with which no byte of a request was sent.
NOT_SENT = frozenset((Fault.UNREACHABLE, Fault.NO_HOST, Fault.NO_TLS, Fault.UNTRUSTED))
#: The statuses by which a gateway says that its time was over; 524 is Cloudflare's.
GATEWAY_STATUSES = frozenset((408, 504, 524))
COMPLETIONS = "/chat/completions"


class Server(StrEnum):
    """Which server a request is for."""

    ENDPOINT = "endpoint"
    WEBUI = "webui"  # The web interface in front of the endpoint.


@dataclass(frozen=True, slots=True)
class Repeated:
    """A large body made by repetition: evidence keeps its parts and the number of repetitions."""

    head: str
    part: str
    times: int
    tail: str

    @property
    def size(self) -> int:
        """The size of the body in bytes."""
        ends = len(self.head.encode()) + len(self.tail.encode())
        return ends + self.times * len(self.part.encode())

    @property
    def described(self) -> dict[str, Any]:
        """The description that evidence keeps, from which the body can be rebuilt."""
        return {"head": self.head, "part": self.part, "times": self.times, "tail": self.tail}


@dataclass(frozen=True, slots=True)
class ClientAbort:
    """When the client disconnects before the reply has ended: at the first of two limits.

    Args:
        frames: The number of stream frames after which it disconnects; 0 for no such limit.
        seconds: The time after which it disconnects, in seconds.
        reset: Whether the connection is reset (TCP RST), as by a client that is killed.
    """

    frames: int = 0
    seconds: float = 600.0
    reset: bool = False


@dataclass(frozen=True)
class Call:
    """One HTTP request to send.

    Args:
        body: JSON, or raw bytes where a check sends invalid JSON; None for no body.
        path: The path below the base URL.
        method: The HTTP method.
        headers: Headers that are added to the default ones or replace them; "" omits a header.
        chunked: Whether the body is sent with chunked transfer encoding.
        shared: The key under which several trials share the request; "" where they do not.
        crowd: Whether it is one of many concurrent users' requests: it is sent on a pooled
            connection, never retried, and summarised in evidence.
        hang_up: When the client disconnects; None where it reads to the end.
        made: The evidence entry, where a load worker has sent the request; None before that.
        valid: Whether it is a request that the endpoint has to answer: not one that it may refuse,
            or that is sent while it restarts.
        server: The server that it is for.
        whole: Whether evidence keeps all of its response, although it is one of many users'.
    """

    body: Any
    path: str = COMPLETIONS
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False
    shared: str = ""
    crowd: bool = False
    hang_up: ClientAbort | None = None
    made: Mapping[str, Any] | None = None
    valid: bool = True
    server: Server = Server.ENDPOINT
    whole: bool = False

    @property
    def kept(self) -> Any:
        """The body as evidence keeps it."""
        return self.body.described if isinstance(self.body, Repeated) else self.body


@dataclass(frozen=True, slots=True)
class Arrival:
    """A time in ns since the request was sent, and the bytes of body received by then."""

    ns: int
    size: int

    @property
    def seconds(self) -> float:
        """The time in seconds."""
        return self.ns / NS


@dataclass(frozen=True)
class Exchange:
    """One request and its response.

    Args:
        request: The body as JSON, or the raw bytes where a check sends invalid JSON; of a repeated
            body, its description.
        status: The HTTP status; None where no response began.
        headers: The response headers, with lower-case names.
        body: The response body as far as it arrived, content-decoded and otherwise raw.
        arrivals: The times of arrival, each with the cumulative size of the body.
        fault: Why the response is incomplete; None where it is complete.
        detail: The fault's details as a message.
        sent: When the request was sent, in seconds since the epoch.
        end: When the response ended, in ns since the request was sent.
        path: The path below the base URL.
        method: The HTTP method.
        keyed: Whether an API key was sent with the request.
        written: When the request was written to a connection, in ns since it was sent; 0 where
            unknown.
        seq: The exchange's number in the evidence.
        late: By how much this machine may have delayed it, in ns: the greatest lag of this process;
            all of its time where processes waited for a processor for most of that.
    """

    request: Any
    status: int | None
    headers: Mapping[str, str]
    body: bytes
    arrivals: tuple[Arrival, ...]
    fault: Fault | None
    detail: str
    sent: float
    end: int
    path: str = COMPLETIONS
    method: str = "POST"
    keyed: bool = False
    written: int = 0
    seq: int = -1
    late: int = 0

    @property
    def seconds(self) -> float:
        """The time from sending the request to the end of the response, in seconds."""
        return self.end / NS

    @property
    def seconds_to_write(self) -> float:
        """The time until the request was written to a connection, in seconds."""
        return self.written / NS

    @property
    def seconds_late(self) -> float:
        """By how much this machine may have delayed it, in seconds."""
        return self.late / NS

    @property
    def succeeded(self) -> bool:
        """Whether the response is complete, and a success."""
        return self.fault is None and self.status is not None and 200 <= self.status < 300

    @property
    def declined(self) -> bool:
        """Whether the endpoint does not take such a request, as it says by 400 or 422."""
        return self.status in (400, 422)

    @property
    def limiter(self) -> str:
        """Who refused the request as one too many, by its `Server` header; "" where nobody did.

        A limiter refuses by 429, or by a 503 that is no error of the server's: nginx refuses so
        what is beyond its limits, with a page. A server that says in JSON that it is not there, and
        not for how long, is not there.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip()
        unavailable = kind.endswith("json") and "retry-after" not in self.headers
        limited = self.status == 429 or (self.status == 503 and not unavailable)
        return (self.headers.get("server") or "the endpoint") if limited else ""

    @property
    def gateway_timeout(self) -> str:
        """The read timeout of the gateway that gave the request up; "" where none says so."""
        waited = round(self.seconds - self.seconds_to_write)
        seconds = waited if self.status in GATEWAY_STATUSES else 0
        return f"a gateway's read timeout of {seconds} s" if seconds else ""


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """An exchange as the evidence of a run has it.

    Args:
        exchange: The exchange; of a large request, or of one of many users', it has a digest.
        check: The id of the check that sent it.
        valid: Whether the endpoint had to answer it.
        crowd: Whether it was one of many concurrent users' requests.
        whole: Whether all of the response's body was kept, and not its end alone.
    """

    exchange: Exchange
    check: str
    valid: bool = True
    crowd: bool = False
    whole: bool = True


#: Sends one request. A fault of the endpoint is recorded in the exchange, not raised.
Send = Callable[[Call], Awaitable[Exchange]]
