"""What hostile servers do: the bytes that they send to who lists models, or to who chats."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.miniature import DONE, MODELS, completion
from tests.scripted_server import response

#: A part of what is sent: bytes, or a pause in seconds; None hangs up.
Parts = Iterable[bytes | float | None]
JSON_TYPE = "Content-Type: application/json"
STREAM_TYPE = "Content-Type: text/event-stream"
ESCAPES = "\x1b[2J\x1b]0;owned\x07\r\x00\x9b31m\u202e\u200b\ud800 ::error::owned ##[error]owned"
DEEP = b"[" * 100_000 + b"]" * 100_000
DIGITS = b"9" * 5_000
MANY = 20_000
OPEN = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
HEAD = OPEN + b"Content-Type: application/json\r\n\r\n"
STREAM = OPEN + b"Content-Type: text/event-stream\r\n\r\n"
CHUNKED = OPEN + b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
MEGABYTE = 2**20


def ok(body: bytes, *headers: str) -> list[bytes]:
    return [response(body, "200 OK", *(headers or (JSON_TYPE,)))]


def status(line: str, *headers: str, body: bytes = b"{}") -> list[bytes]:
    return [response(body, line, JSON_TYPE, *headers)]


def message(**fields: Any) -> bytes:
    """A completion whose message has these fields."""
    choice = {"index": 0, "message": {"role": "assistant", **fields}, "finish_reason": "stop"}
    return json.dumps({"object": "chat.completion", "choices": [choice]}).encode()


def raw(inside: bytes) -> bytes:
    """A completion whose message is this JSON."""
    return b'{"choices": [{"index": 0, "finish_reason": "stop", "message": %b}]}' % inside


def usage(inside: bytes) -> bytes:
    return completion("OK")[:-1].rpartition(b', "usage"')[0] + b', "usage": %b}' % inside


def frames(*each: Any) -> bytes:
    """A stream of these deltas."""
    chunks = ({"choices": [{"index": 0, "delta": delta}]} for delta in each)
    return b"".join(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks)


def listing(*ids: Any) -> list[bytes]:
    data = [{"id": each, "object": "model"} for each in ids]
    return ok(json.dumps({"object": "list", "data": data}).encode())


def window(value: bytes) -> list[bytes]:
    return ok(b'{"data": [{"id": "mini", "max_model_len": %b}]}' % value)


def repeated(head: bytes, part: bytes, times: int) -> Iterator[bytes]:
    """A body that is never in memory as a whole."""
    yield head
    for _ in range(times):
        yield part


def dripping(head: bytes, part: bytes, pause: float = 0.2) -> Iterator[bytes | float]:
    yield head
    for _ in range(1000):
        yield from (part, pause)


#: Of any request: what no HTTP client expects.
TRANSPORT: dict[str, Callable[[], Parts]] = {
    "hangs up": lambda: [None],
    "says nothing": lambda: [30.0],
    "garbage": lambda: [bytes(range(256)) * 100],
    "body without a head": lambda: [completion("OK")],
    "status of twenty digits": lambda: [b"HTTP/1.1 99999999999999999999 OK\r\n\r\n"],
    "status 999": lambda: status("999 Odd"),
    "status 0": lambda: status("000 None"),
    "header without a colon": lambda: [b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n{}"],
    "header of a megabyte": lambda: ok(completion("OK"), f"X-Long: {'a' * MEGABYTE}"),
    "headers without end": lambda: repeated(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 1000, 500),
    "headers letter by letter": lambda: dripping(b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "interim responses without end": lambda: repeated(
        b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 500
    ),
    "switching protocols": lambda: [b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"],
    "redirect": lambda: status("302 Found", "Location: http://192.0.2.1/v1"),
    "redirect to itself": lambda: status("307 Again", "Location: /v1/models"),
    "negative length": lambda: [OPEN + b"Content-Length: -5\r\n\r\n{}"],
    "length of 5,000 digits": lambda: [OPEN + b"Content-Length: %b\r\n\r\n{}" % DIGITS],
    "two lengths": lambda: [OPEN + b"Content-Length: 2\r\nContent-Length: 900\r\n\r\n{}"],
    "less than its length": lambda: [OPEN + b"Content-Length: 900\r\n\r\n{}"],
    "chunk of no size": lambda: [CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"],
    "chunk of 5,000 digits": lambda: [CHUNKED + b"f" * 5_000 + b"\r\n{}\r\n0\r\n\r\n"],
    "chunks that stop": lambda: [CHUNKED + b"2\r\n{}\r\n", 30.0],
    "half a body, then silence": lambda: [HEAD + completion("OK")[:40], 30.0],
    "body letter by letter": lambda: dripping(HEAD, b" "),
    "gzip that is none": lambda: ok(b"not gzip", JSON_TYPE, "Content-Encoding: gzip"),
    "gzip that is cut": lambda: ok(
        gzip.compress(completion("OK"))[:-12], JSON_TYPE, "Content-Encoding: gzip"
    ),
    "unknown encoding": lambda: ok(completion("OK"), JSON_TYPE, "Content-Encoding: x-odd"),
    "header of high bytes": lambda: [OPEN + b"Server: \xff\xfe\r\nContent-Length: 2\r\n\r\n{}"],
    "header with escapes": lambda: [
        OPEN + b"Server: \x1b[2Jowned\x07\r\n" + b"Content-Length: 2\r\n\r\n{}"
    ],
    "unknown charset": lambda: ok(completion("OK"), "Content-Type: application/json; charset=odd"),
    "no content": lambda: [b"HTTP/1.1 204 No\r\nConnection: close\r\n\r\n"],
    "proxy wants a password": lambda: status("407 Auth", "Proxy-Authenticate: Basic"),
    "html with escapes": lambda: [
        response(f"<title>{ESCAPES}</title>".encode("utf-8", "replace"), "502 Bad")
    ],
    "error of five megabytes": lambda: status(
        "500 No", body=b'{"error": "%b"}' % (b"a" * 5 * 2**20)
    ),
    "error that is deep": lambda: status("400 No", body=b'{"error": %b}' % DEEP),
    "error with escapes": lambda: status(
        "400 No", body=json.dumps({"error": {"message": ESCAPES, "type": ESCAPES}}).encode()
    ),
    "retry after 1e400": lambda: status("500 No", "Retry-After: 1e400"),
}

#: Of the list of models.
LISTS: dict[str, Callable[[], Parts]] = {
    "deep": lambda: ok(b'{"data": %b}' % DEEP),
    "id of 5,000 digits": lambda: ok(b'{"data": [{"id": %b}]}' % DIGITS),
    "window of 5,000 digits": lambda: window(DIGITS),
    "window of 4,000 digits": lambda: window(b"9" * 4_000),
    "infinite window": lambda: window(b"1e999"),
    "negative window": lambda: window(b"-1"),
    "window is a list": lambda: ok(b'{"data": [{"id": "mini", "meta": [1]}]}'),
    "id with escapes": lambda: listing(ESCAPES),
    "id of a lone surrogate": lambda: listing("\udfff"),
    "ids with escapes": lambda: listing(ESCAPES, "other"),
    "id of a megabyte": lambda: listing("m" * MEGABYTE),
    "ids of a megabyte": lambda: listing("m" * MEGABYTE, "n" * MEGABYTE),
    "a hundred thousand ids": lambda: listing(*map(str, range(100_000))),
    "id that is a path": lambda: listing("../../../../tmp/owned"),
    "empty id": lambda: listing(""),
    "ids that are objects": lambda: listing({"a": 1}, [2], None),
    "list of numbers": lambda: ok(b'{"data": [1, 2, 3]}'),
    "text": lambda: ok(b'{"data": "mini"}'),
    "null": lambda: ok(b"null"),
    "in UTF-16": lambda: ok(MODELS.decode().encode("utf-16")),
    "no UTF-8": lambda: ok(b'{"data": [{"id": "\xff\xfe"}]}'),
    "error under 200": lambda: ok(b'{"error": {"message": "no"}}'),
    "white space for ever": lambda: dripping(HEAD, b" " * 1000, 0.05),
}

#: Of a chat completion, streamed or not.
REPLIES: dict[str, Callable[[], Parts]] = {
    "deep content": lambda: ok(raw(b'{"content": %b}' % DEEP)),
    "deep arguments": lambda: ok(
        raw(b'{"tool_calls": [{"function": {"name": "f", "arguments": %b}}]}' % DEEP)
    ),
    "deep reasoning": lambda: ok(raw(b'{"content": "OK", "reasoning_details": %b}' % DEEP)),
    "number of 5,000 digits": lambda: ok(raw(b'{"content": %b}' % DIGITS)),
    "usage of 5,000 digits": lambda: ok(usage(b'{"prompt_tokens": %b}' % DIGITS)),
    "usage of 4,000 digits": lambda: ok(
        usage(b'{"prompt_tokens": 1, "completion_tokens": %b}' % DIGITS[:4000])
    ),
    "infinite usage": lambda: ok(usage(b'{"prompt_tokens": 1e999, "completion_tokens": -1}')),
    "NaN": lambda: ok(usage(b'{"prompt_tokens": NaN}')),
    "content with escapes": lambda: ok(message(content=ESCAPES)),
    "names with escapes": lambda: ok(
        message(content=None, tool_calls=[{"id": ESCAPES, "function": {"name": ESCAPES}}])
    ),
    "a call without an id": lambda: ok(
        message(content=None, tool_calls=[{"function": {"name": "read_note", "arguments": "{}"}}])
    ),
    "calls that are numbers": lambda: ok(message(content=None, tool_calls=[1, None, "a"])),
    "content is an object": lambda: ok(message(content={"a": [1]})),
    "choices without end": lambda: ok(b'{"choices": [%b]}' % b",".join([b'{"index": 0}'] * MANY)),
    "finish reason with escapes": lambda: ok(
        completion("no").replace(b'"stop"', json.dumps(ESCAPES).encode())
    ),
    "empty": lambda: ok(b""),
    "a megabyte of letters": lambda: ok(message(content="a" * MEGABYTE)),
    "tags without end": lambda: ok(message(content="<think>" * 50_000)),
    "unterminated line": lambda: repeated(STREAM + frames({"content": "a"})[:-5], b"a" * 2**16, 64),
    "empty events": lambda: [STREAM + b"data:\n\n" * MANY],
    "comments for ever": lambda: dripping(STREAM, b": ping\n\n"),
    "many choices": lambda: [
        STREAM
        + b"".join(
            b'data: {"choices": [{"index": %d, "delta": {"content": "a"}}]}\n\n' % each
            for each in range(MANY)
        )
        + DONE
    ],
    "index of 5,000 digits": lambda: [
        STREAM + b'data: {"choices": [{"index": %b, "delta": {}}]}\n\n' % DIGITS + DONE
    ],
    "index below 0": lambda: [
        STREAM + b'data: {"choices": [{"index": -9, "delta": {"content": "a"}}]}\n\n' + DONE
    ],
    "call number 1,000,000,000": lambda: [
        STREAM + frames({"tool_calls": [{"index": 10**9, "id": "a"}]}) + DONE
    ],
    "deep frames": lambda: [STREAM + b"data: %b\n\n" % DEEP + frames({"content": "a"}) + DONE],
    "deep delta": lambda: [STREAM + b'data: {"choices": [{"delta": %b}]}\n\n' % DEEP + DONE],
    "error event that is deep": lambda: [
        STREAM + frames({"content": "a"}) + b'event: error\ndata: {"error": %b}\n\n' % DEEP
    ],
    "NULs and carriage returns": lambda: [STREAM + b"\x00\rdata: \x00\r\r" * 1000],
    "DONE for ever": lambda: [STREAM + frames({"content": "a"}) + DONE * MANY],
    "half a character": lambda: [STREAM + frames({"content": "é"})[:-9].replace(b"\\", b"\xc3")],
    "reset in a frame": lambda: [STREAM + frames({"content": "a"})[:-9], None],
    "stream that is JSON": lambda: ok(completion("no"), STREAM_TYPE),
    "JSON that is a stream": lambda: ok(frames({"content": "a"}) + DONE),
    "content letter by letter": lambda: dripping(STREAM, frames({"content": "a"})),
    "surrogates in halves": lambda: [
        STREAM + frames({"content": "\ud83d"}, {"content": "\ud83d"}, {"content": "\udc00"}) + DONE
    ],
}

#: Of a chat completion: what takes long to make and to read.
LARGE: dict[str, Callable[[], Parts]] = {
    "body without end": lambda: repeated(HEAD, b"[" * 2**16, 2_000),
    "line of 64 MB": lambda: repeated(STREAM + frames({"content": "a"})[:-5], b"a" * 2**16, 1_020),
    "64 MB of fields": lambda: repeated(STREAM + b"data: ", b'"a":"b",' * 2**13, 1_000),
    "stream without end": lambda: repeated(STREAM, frames({"content": "a"}) * 1000, 2_000),
    "gzip bomb": lambda: ok(bomb(31), JSON_TYPE, "Content-Encoding: gzip"),
    "deflate bomb": lambda: ok(bomb(15), JSON_TYPE, "Content-Encoding: deflate"),
}


def bomb(format_bits: int) -> bytes:
    """A gigabyte of spaces, compressed."""
    packer = zlib.compressobj(wbits=format_bits)
    return b"".join(packer.compress(b" " * MEGABYTE) for _ in range(1024)) + packer.flush()
