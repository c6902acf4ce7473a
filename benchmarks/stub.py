"""A fast OpenAI-compatible endpoint that answers after a known time: raw bytes, no HTTP library.

    python benchmarks/stub.py [--port 0] [--stamped]

A whole reply takes 50 to 70 ms; a stream has 100 chunks, 10 ms apart. It prints its base URL.
Stamped, each chunk says when it was sent and when its request had come (monotonic, in ns).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from functools import partial
from time import perf_counter_ns

CHUNKS, GAP = 100, 0.010
FASTEST, SLOWEST = 0.050, 0.070
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
MODELS = b'{"object":"list","data":[{"id":"stub","object":"model","created":0,"owned_by":"stub"}]}'
USAGE = {"prompt_tokens": 12, "completion_tokens": CHUNKS, "total_tokens": 12 + CHUNKS}


def _reply() -> bytes:
    message = {"role": "assistant", "content": '{"name": "Li Na", "age": 34, "city": "Chengdu"}'}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "c-1", "object": "chat.completion", "created": 0, "model": "stub"}
    return json.dumps({**body, "choices": [choice], "usage": USAGE}).encode()


def _frame(delta: dict[str, str], finish: str | None = None, came: int = 1, sent: int = 0) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": f"c-{came}", "object": "chat.completion.chunk", "created": 0, "model": "stub"}
    if sent:
        body["system_fingerprint"] = str(sent)
    data = b"data: " + json.dumps({**body, "choices": [choice]}).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


JSON = (HEAD % (b"application/json", len(_reply()))) + _reply()
LIST = (HEAD % (b"application/json", len(MODELS))) + MODELS
FRAME = _frame({"content": "token "})
END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
LAST = _frame({}, "stop") + END


class Stub(asyncio.Protocol):
    """One connection."""

    def __init__(self, stamped: bool) -> None:
        self._data = b""
        self._stamped = stamped
        self._came = 1
        self._random = random.Random(1)
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if not end:
            return
        length = 0
        for line in head.split(b"\r\n"):
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        if len(rest) < length:
            return
        body, self._data = rest[:length], rest[length:]
        self._came = perf_counter_ns() if self._stamped else 1
        if head.startswith(b"GET"):
            self._transport.write(LIST)
        elif b'"stream": true' in body or b'"stream":true' in body:
            self._transport.write(STREAM)
            self._loop.call_later(GAP, self._chunk, CHUNKS, self._loop.time() + GAP)
        else:
            delay = self._random.uniform(FASTEST, SLOWEST)
            self._loop.call_later(delay, self._transport.write, JSON)

    def _chunk(self, left: int, due: float) -> None:
        if left:
            self._transport.write(self._next())
            self._loop.call_at(due + GAP, self._chunk, left - 1, due + GAP)
        elif self._stamped:
            self._transport.write(_frame({}, "stop", self._came) + END)
        else:
            self._transport.write(LAST)

    def _next(self) -> bytes:
        if not self._stamped:
            return FRAME
        return _frame({"content": "token "}, None, self._came, perf_counter_ns())


async def _serve(port: int, stamped: bool) -> None:
    made = partial(Stub, stamped)
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", port, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stamped", action="store_true")
    given = parser.parse_args()
    asyncio.run(_serve(given.port, given.stamped))
