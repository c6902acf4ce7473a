"""Servers that send exactly the bytes that a test names, over a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

#: What to send for the nth request, from 0: bytes, or a pause in seconds; None hangs up at once.
Script = Callable[[int, bytes], Sequence[bytes | float | None]]


def response(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """An HTTP response, which closes the connection."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


#: How many connections that wait are served by a server that leaves.
MAX_WAITING = 20


@contextmanager
def serving(script: Script, port: int = 0, leaves_after: int = 10_000) -> Iterator[str]:
    """Serve a script on loopback, a thread a connection, and give the base URL.

    After so many requests nothing listens to the port any more.
    """
    listener = socket.create_server(("127.0.0.1", port), backlog=64)
    port = listener.getsockname()[1]
    over = threading.Event()
    served = iter(range(10_000))

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                request = _request(connection)
                for part in script(next(served), request) if request else ():
                    if part is None:
                        return
                    if isinstance(part, float):
                        over.wait(part)
                    else:
                        connection.sendall(part)
            except OSError:
                return  # The client hung up, as clients may.

    def accept() -> None:
        # Who waits when it leaves is served still: closing would reset the connection. Others come
        # meanwhile, so their number is bounded.
        for n in range(leaves_after + MAX_WAITING):
            try:
                listener.settimeout(None if n < leaves_after else 0)
                connection, _ = listener.accept()
            except OSError:
                break
            threading.Thread(target=serve, args=(connection,), daemon=True).start()
        listener.close()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        over.set()
        with suppress(OSError):  # It has left.
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := connection.recv(65536)):
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    while len(body) < sum(lengths):
        if not (chunk := connection.recv(65536)):
            return b""
        body += chunk
    return head + b"\r\n\r\n" + body


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def elapsed(since: float) -> float:
    """Seconds since a monotonic time."""
    return time.monotonic() - since
