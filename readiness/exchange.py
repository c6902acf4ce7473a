"""An exchange: one request, and every byte that came back, with the time it came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

NS = 1e9  # nanoseconds in a second


class Fault(StrEnum):
    """Why no complete response arrived."""

    UNREACHABLE = "unreachable"  # No connection: not one byte of the request was sent.
    RESET = "connection lost"
    FIRST_BYTE = "no first byte in time"
    SILENCE = "silence in mid-reply"
    TOTAL = "too slow as a whole"
    TOO_LARGE = "reply too large"
    PROTOCOL = "not HTTP"
    CLIENT_ABORTED = "we hung up"  # As a client does that aborts: it is no fault of the endpoint.


COMPLETIONS = "/chat/completions"


@dataclass(frozen=True, slots=True)
class Repeated:
    """A body too large to keep: evidence has its parts, and how often one of them is repeated."""

    head: str
    part: str
    times: int
    tail: str

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        ends = len(self.head.encode()) + len(self.tail.encode())
        return ends + self.times * len(self.part.encode())

    @property
    def described(self) -> dict[str, Any]:
        """What evidence keeps of it, and what it can be made from again."""
        return {"head": self.head, "part": self.part, "times": self.times, "tail": self.tail}


@dataclass(frozen=True, slots=True)
class ClientAbort:
    """When the client leaves before the reply has ended: whichever comes first.

    Args:
        frames: So many frames of a stream have come; 0 where they do not matter.
        seconds: So much time has passed.
        reset: Whether the connection is reset, as by a client that is killed.
    """

    frames: int = 0
    seconds: float = 600.0
    reset: bool = False


@dataclass(frozen=True)
class Call:
    """What to send.

    Args:
        body: JSON, or raw bytes where a check sends what is no JSON; None for no body.
        path: The path below the base URL.
        method: The HTTP method.
        headers: What goes out beside the usual headers, or instead of them; "" leaves one out.
        chunked: Whether the body goes out in chunks, its length not announced.
        shared: What several trials share it as; "" where it is one trial's own.
        crowd: Whether it is one of many users' at once: over a connection that no other waits for,
            sent once whatever comes, and kept in evidence without what can be made again.
        hang_up: When the client leaves; None where it stays.
        made: What evidence keeps of it, where a load worker has sent it; None before it is sent.
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

    @property
    def kept(self) -> Any:
        """The body as evidence keeps it."""
        return self.body.described if isinstance(self.body, Repeated) else self.body


@dataclass(frozen=True, slots=True)
class Arrival:
    """A time, in ns from the sending of the request, and the bytes of body that were there."""

    ns: int
    size: int

    @property
    def seconds(self) -> float:
        """The time in seconds."""
        return self.ns / NS


@dataclass(frozen=True)
class Exchange:
    """One request, and what came back.

    Args:
        request: The body as JSON, or the raw bytes where a check sends what is no JSON; of a
            repeated body, what it is made of.
        status: The HTTP status; None where no response began.
        headers: The response's headers, with lower-case names.
        body: The response's body so far as it arrived, content-decoded and otherwise raw.
        arrivals: When how much of the body had arrived.
        fault: Why the response is not complete; None where it is.
        detail: The fault in words.
        sent: When the request was sent, in seconds since the epoch.
        end: When the response ended, in ns from the sending of the request.
        path: The path below the base URL.
        method: The HTTP method.
        keyed: Whether a key went out with the request.
        written: When there was a connection and the request was written, in ns from its sending;
            0 where that is not known.
        seq: The exchange's number in the evidence.
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

    @property
    def seconds(self) -> float:
        """How long it took, from the sending of the request to the end of the response."""
        return self.end / NS

    @property
    def seconds_to_write(self) -> float:
        """How long it took until the request was written."""
        return self.written / NS

    @property
    def succeeded(self) -> bool:
        """Whether the response is complete, and a success."""
        return self.fault is None and self.status is not None and 200 <= self.status < 300


#: Sends one request. It records a fault of the endpoint and raises none.
Send = Callable[[Call], Awaitable[Exchange]]
