"""Servers that send exactly the bytes that a test names, over a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

#: What to send for the nth request, from 0: bytes, or a pause in seconds; None hangs up at once.
Script = Callable[[int, bytes], Sequence[bytes | float | None]]


def response(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """An HTTP response, which closes the connection."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def serving(script: Script) -> Iterator[str]:
    """Serve a script on loopback, a thread a connection, and give the base URL."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
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
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        over.set()
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
