import asyncio
import gzip
import json
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

import pytest

from readiness.exchange import Call, Exchange, Fault
from readiness.transport.address import Address
from readiness.transport.client import EndpointClient, RequestLimits
from readiness.transport.timestamps import LatestReceiveTime, StampingSocket
from tests.scripted_server import Script, free_port, response, serving

QUICK = RequestLimits(connect=1, first_byte=0.3, silence=0.3, total=1.0, body=10_000)
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

#: Between two clocks that are read one after the other.
SKEW = 10**6

BOMB = gzip.compress(b"a" * 10**7)


def post(url: str, body: Mapping[str, Any] | bytes, limits: RequestLimits = QUICK) -> Exchange:
    async def once() -> Exchange:
        endpoint = EndpointClient(Address.read(url, "a-key-of-mine", {}), limits)
        try:
            return await endpoint.send(Call(body))
        finally:
            await endpoint.close()

    return asyncio.run(once())


def answered(script: Script, limits: RequestLimits = QUICK) -> Exchange:
    with serving(script) as url:
        return post(url, {"model": "m"}, limits)


def test_the_body_is_kept_to_the_byte() -> None:
    body = '{"content": "好 \\ud83d 𠮷"}'.encode() + b"\xff\r\n"
    exchange = answered(lambda n, request: [response(body, "200 OK", "X-Id: 7")])
    assert (exchange.status, exchange.body, exchange.fault) == (200, body, None)
    assert exchange.headers["x-id"] == "7"


def test_requests_are_utf8_json_and_carry_the_key() -> None:
    seen: list[bytes] = []

    def script(n: int, request: bytes) -> list[bytes | float | None]:
        seen.append(request)
        return [response(b"{}")]

    with serving(script) as url:
        post(url, {"content": "你好"})
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert json.loads(body) == {"content": "你好"}
    assert "你好".encode() in body
    assert b"POST /v1/chat/completions HTTP/1.1" in head
    assert b"Authorization: Bearer a-key-of-mine" in head


def test_raw_bytes_are_sent_as_they_are() -> None:
    seen: list[bytes] = []

    def script(n: int, request: bytes) -> list[bytes | float | None]:
        seen.append(request)
        return [response(b"{}")]

    with serving(script) as url:
        post(url, b"{\xff not JSON")
    assert seen[0].endswith(b"\r\n\r\n{\xff not JSON")


def test_each_arrival_is_stamped_with_how_much_was_there() -> None:
    limits = RequestLimits(connect=1, first_byte=5, silence=5, total=20)
    exchange = answered(lambda n, request: [STREAM + b"one", 0.2, b"two", 0.2, b"three"], limits)
    sizes = [arrival.size for arrival in exchange.arrivals]
    gaps = [
        (later.ns - earlier.ns) / 1e9
        for earlier, later in zip(exchange.arrivals, exchange.arrivals[1:], strict=False)
    ]
    assert exchange.body == b"onetwothree"
    assert sizes[:3] == [3, 6, 11]
    assert [0.15 < gap < 2 for gap in gaps[:2]] == [True, True]


@pytest.mark.skipif(sys.platform != "linux", reason="no other kernel tells")
def test_a_loop_that_is_late_makes_no_stamp_late() -> None:
    async def beside_a_block(url: str) -> Exchange:
        endpoint = EndpointClient(Address.read(url, "", {}), RequestLimits())
        asyncio.get_running_loop().call_later(0.1, time.sleep, 1.0)
        try:
            return await endpoint.send(Call({}))
        finally:
            await endpoint.close()

    with serving(lambda n, request: [STREAM, 0.3, b"one"]) as url:
        exchange = asyncio.run(beside_a_block(url))
    assert exchange.body == b"one"
    assert exchange.end - exchange.arrivals[-1].ns > 0.2e9


@pytest.mark.parametrize("into", [False, True], ids=["plain", "as TLS reads"])
def test_every_read_has_its_time_of_arrival(into: bool) -> None:
    latest, buffer = LatestReceiveTime(), bytearray(9)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        StampingSocket(latest, socket.AF_INET, socket.SOCK_STREAM, 0) as reader,
    ):
        reader.connect(listener.getsockname())
        writer, _ = listener.accept()
        with writer:
            before = time.perf_counter_ns()
            writer.sendall(b"three")
            read = bytes(buffer[: reader.recv_into(buffer)]) if into else reader.recv(9)
    assert read == b"three"
    assert before - SKEW < latest.at < time.perf_counter_ns()


def test_a_compressed_body_is_unpacked() -> None:
    packed = gzip.compress(b"plain" * 100)
    exchange = answered(lambda n, r: [response(packed, "200 OK", "Content-Encoding: gzip")])
    assert exchange.body == b"plain" * 100


@pytest.mark.parametrize(
    ("script", "fault", "detail"),
    [
        (lambda n, r: [2.0], Fault.FIRST_BYTE, "nothing within 0.3 s"),
        (lambda n, r: [STREAM, 2.0], Fault.FIRST_BYTE, "nothing within 0.3 s"),
        (lambda n, r: [STREAM + b"a", 2.0], Fault.SILENCE, "nothing more for 0.3 s"),
        (lambda n, r: [STREAM, *[b"a", 0.2] * 20], Fault.TOTAL, "not complete within 1 s"),
        (lambda n, r: [None], Fault.RESET, "ServerDisconnectedError: Server disconnected"),
        (lambda n, r: [STREAM, b"a" * 20_000], Fault.TOO_LARGE, "more than 10,000 bytes"),
        (
            lambda n, r: [response(BOMB, "200 OK", "Content-Encoding: gzip")],
            Fault.TOO_LARGE,
            "more than 10,000 bytes",
        ),
    ],
)
def test_a_fault_of_the_endpoint_is_named(script: Script, fault: Fault, detail: str) -> None:
    exchange = answered(script)
    assert (exchange.fault, exchange.detail) == (fault, detail)


def test_what_arrived_before_a_fault_is_kept() -> None:
    cut = response(b"only half of it")[:-5]
    exchange = answered(lambda n, request: [cut])
    assert exchange.fault is Fault.RESET
    assert (exchange.status, exchange.body) == (200, b"only half ")


def test_what_is_not_http_is_a_fault() -> None:
    exchange = answered(lambda n, request: [b"SSH-2.0-OpenSSH_9.2\r\n\r\n"])
    assert exchange.fault in (Fault.PROTOCOL, Fault.RESET)
    assert exchange.status is None


def test_a_refused_connection_is_unreachable() -> None:
    exchange = post(f"http://127.0.0.1:{free_port()}/v1", {})
    assert exchange.fault is Fault.UNREACHABLE
    assert exchange.status is None


def test_no_redirect_is_followed() -> None:
    with serving(lambda n, request: [response(b"{}")]) as elsewhere:
        location = f"Location: {elsewhere}/chat/completions"
        exchange = answered(lambda n, r: [response(b"", "307 Temporary Redirect", location)])
    assert exchange.status == 307


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://host:8000/v1", "http://host:8000/v1"),
        ("http://host:8000/v1/", "http://host:8000/v1"),
        ("host:8000/v1", "http://host:8000/v1"),
        ("https://host/v1/chat/completions", "https://host/v1"),
        ("https://user:p%40ss@host/v1", "https://host/v1"),
    ],
)
def test_a_base_url_is_read_as_users_write_it(typed: str, url: str) -> None:
    assert Address.read(typed, "", {}).url == url


def test_a_query_follows_the_path_of_each_request() -> None:
    where = Address.read("https://host/openai/v1?api-version=2026-01-01", "", {})
    assert where.of("/models") == "https://host/openai/v1/models?api-version=2026-01-01"


def test_a_password_in_the_url_becomes_basic_credentials() -> None:
    where = Address.read("https://user:p%40ss@host/v1", "", {})
    assert where.headers["Authorization"] == "Basic dXNlcjpwQHNz"
    assert where.secrets == ("p@ss",)


@pytest.mark.parametrize("typed", ["", ".", "http://", "http://a..b/v1", "ftp://host/v1"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="not the address of an endpoint"):
        Address.read(typed, "", {})


@pytest.mark.parametrize("typed", ["http://host:0/v1", "http://host:99999", "http://host:x/v1"])
def test_what_is_no_port_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="a port is a number from 1 to 65535"):
        Address.read(typed, "", {})


def test_the_proxy_of_the_environment_is_left_out_for_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    assert Address.read("http://127.0.0.1:1/v1", "", {}).proxy is None
    assert Address.read("http://host/v1", "", {}).proxy == "http://proxy:3128"


@pytest.mark.parametrize(
    ("status", "kind"),
    [("500 Internal Server Error", "text/plain"), ("200 OK", "text/event-stream")],
)
def test_after_a_crash_or_a_stream_the_next_request_has_a_connection_of_its_own(
    status: str, kind: str
) -> None:
    # Promises to go on, and takes nothing more: as uvicorn and llama.cpp do.
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: 2\r\n\r\n"

    def script(n: int, _request: bytes) -> list[bytes | float | None]:
        return [response(b"{}")] if n else [head.encode() + b"{}", 1.0]

    async def twice(url: str) -> list[int | None]:
        endpoint = EndpointClient(Address.read(url, "", {}), QUICK)
        try:
            return [(await endpoint.send(Call({}))).status for _ in range(2)]
        finally:
            await endpoint.close()

    with serving(script) as url:
        assert asyncio.run(twice(url)) == [int(status[:3]), 200]
