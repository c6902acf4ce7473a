import asyncio
import gzip
import json
import socket
import ssl
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from readiness.exchange import Call, Exchange, Fault
from readiness.transport import timestamps
from readiness.transport.address import Address
from readiness.transport.client import EndpointClient, RequestLimits
from readiness.transport.deadlines import Lateness
from readiness.transport.timestamps import LatestReceiveTime, StampingSocket
from tests.scripted_server import Script, free_port, response, serving

QUICK = RequestLimits(connect=1, first_byte=0.3, silence=0.3, total=1.0, body=10_000)
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

KEPT_ALIVE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
)

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


def test_an_exchange_tells_by_how_much_the_machine_may_have_delayed_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Lateness, "within", lambda _self, seconds: 2 * seconds)
    exchange = answered(lambda n, request: [response(b"{}")])
    assert exchange.seconds_late == pytest.approx(2 * exchange.seconds, abs=1e-8)


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


CHUNKED = STREAM.replace(b"Connection: close", b"Transfer-Encoding: chunked")


def test_a_response_ends_when_its_last_byte_arrives_with_all_of_its_body() -> None:
    exchange = beside_a_block(
        lambda n, request: [CHUNKED + b"3\r\none\r\n", 0.2, b"3\r\ntwo\r\n0\r\n\r\n"],
        RequestLimits(),
    )
    first, last = exchange.arrivals
    assert (first.size, last.size, exchange.body) == (3, 6, b"onetwo")
    assert exchange.end == last.ns


def beside_a_block(script: Script, limits: RequestLimits) -> Exchange:
    """An exchange during which the event loop does something else for a second."""

    async def once(url: str) -> Exchange:
        endpoint = EndpointClient(Address.read(url, "", {}), limits)
        asyncio.get_running_loop().call_later(0.1, time.sleep, 1.0)
        try:
            return await endpoint.send(Call({}))
        finally:
            await endpoint.close()

    with serving(script) as url:
        return asyncio.run(once(url))


@pytest.mark.skipif(sys.platform != "linux", reason="no other kernel tells")
def test_a_loop_that_is_late_makes_no_stamp_late() -> None:
    exchange = beside_a_block(lambda n, request: [STREAM, 0.3, b"one"], RequestLimits())
    assert exchange.body == b"one"
    assert exchange.end - exchange.arrivals[-1].ns > 0.2e9


def test_a_stream_that_is_cut_while_the_loop_is_late_is_no_silent_one() -> None:
    exchange = beside_a_block(
        lambda n, request: [CHUNKED, b"3\r\none\r\n", 0.3], RequestLimits(silence=5)
    )
    assert (exchange.fault, exchange.body) == (Fault.RESET, b"one")


@pytest.mark.parametrize(
    ("script", "limits"),
    [
        (lambda n, request: [0.3, response(b"{}")], RequestLimits(first_byte=0.7)),
        (lambda n, request: [STREAM, b"one", 0.3, b"two"], RequestLimits(silence=0.7)),
        (lambda n, request: [STREAM, b"one", 0.3, b"two"], RequestLimits(total=0.7)),
    ],
    ids=["first byte", "silence", "total"],
)
def test_what_comes_in_time_and_is_seen_late_is_no_fault(
    script: Script, limits: RequestLimits
) -> None:
    assert beside_a_block(script, limits).fault is None


class SlowToReturn(StampingSocket):
    """A socket that connects at once, in a process that then does something else for a second."""

    def connect(self, address: Any) -> None:
        try:
            super().connect(address)
        finally:
            time.sleep(1.0)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no such socket")
def test_a_connection_that_is_there_in_time_and_seen_late_is_no_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("readiness.transport.timestamps.StampingSocket", SlowToReturn)
    exchange = answered(lambda n, request: [response(b"{}")], RequestLimits(connect=0.5))
    assert (exchange.fault, exchange.body) == (None, b"{}")


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


WHOLE = {"messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (WHOLE, None),
        ({**WHOLE, "stream": False}, None),
        ({**WHOLE, "stream": True}, Fault.FIRST_BYTE),
        ({"model": "m"}, Fault.FIRST_BYTE),
        (b"{", Fault.FIRST_BYTE),
        (None, Fault.FIRST_BYTE),
    ],
)
def test_the_first_byte_of_a_whole_reply_may_take_as_long_as_all_of_it(
    body: Any, fault: Fault | None
) -> None:
    async def once(url: str) -> Exchange:
        endpoint = EndpointClient(Address.read(url, "", {}), QUICK)
        try:
            return await endpoint.send(Call(body))
        finally:
            await endpoint.close()

    with serving(lambda n, raw: [0.6, response(b"{}")]) as url:
        assert asyncio.run(once(url)).fault is fault


def test_what_arrived_before_a_fault_is_kept() -> None:
    cut = response(b"only half of it")[:-5]
    exchange = answered(lambda n, request: [cut])
    assert exchange.fault is Fault.RESET
    assert (exchange.status, exchange.body) == (200, b"only half ")


def test_what_arrived_long_before_a_stream_was_cut_is_kept() -> None:
    part: list[bytes | float] = [b"3\r\none\r\n", 0.05]
    chunked = STREAM.replace(b"Connection: close", b"Transfer-Encoding: chunked")
    exchange = answered(lambda n, request: [chunked, *part * 8])
    assert exchange.fault is Fault.RESET
    assert exchange.body == b"one" * 8


def test_a_reply_of_very_many_chunks_is_read_to_its_end() -> None:
    chunked = STREAM.replace(b"Connection: close", b"Transfer-Encoding: chunked")
    exchange = answered(
        lambda n, r: [chunked, b"1\r\na\r\n" * 40_000, b"0\r\n\r\n"], RequestLimits()
    )
    assert (exchange.fault, exchange.body) == (None, b"a" * 40_000)


def test_what_is_not_http_is_a_fault() -> None:
    exchange = answered(lambda n, request: [b"SSH-2.0-OpenSSH_9.2\r\n\r\n"])
    assert exchange.fault in (Fault.PROTOCOL, Fault.RESET)
    assert exchange.status is None


def test_a_refused_connection_is_unreachable() -> None:
    exchange = post(f"http://127.0.0.1:{free_port()}/v1", {})
    assert exchange.fault is Fault.UNREACHABLE
    assert exchange.status is None


def test_a_name_without_a_host_is_told_from_a_host_without_a_server() -> None:
    exchange = post("http://no-such-host.invalid/v1", {})
    assert (exchange.fault, exchange.detail) == (Fault.NO_HOST, "no-such-host.invalid")


def over_tls(context: ssl.SSLContext | None) -> Exchange:
    """What a server on loopback, with TLS or without, answers to a request over TLS."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"", "400 Bad Request"))
        writer.close()

    async def once() -> Exchange:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        endpoint = EndpointClient(Address.read(f"https://127.0.0.1:{port}/v1", "", {}), QUICK)
        try:
            return await endpoint.send(Call({}))
        finally:
            await endpoint.close()
            server.close()

    return asyncio.run(once())


def test_a_server_without_tls_is_told_from_one_that_is_not_there() -> None:
    exchange = over_tls(None)
    assert (exchange.fault, exchange.status) == (Fault.NO_TLS, None)


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    exchange = over_tls(context)
    assert (exchange.fault, exchange.status) == (Fault.UNTRUSTED, None)
    assert "self-signed" in exchange.detail


def self_signed(folder: Path) -> Path:
    """A certificate of its own, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = builder.not_valid_before(day).not_valid_after(day.replace(year=2126))
    signed = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "certificate.pem"
    path.write_bytes(secret + signed)
    return path


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
    assert where.secrets == ("p@ss", "user:p@ss")


@pytest.mark.parametrize("typed", ["", ".", "word", "http://", "http://a..b/v1", "ftp://host/v1"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="not the address of an endpoint"):
        Address.read(typed, "", {})


@pytest.mark.parametrize("typed", ["localhost", "host/v1", "host:80", "host.test", "http://host"])
def test_an_address_may_lack_its_scheme(typed: str) -> None:
    assert Address.read(typed, "", {}).url == f"http://{typed.removeprefix('http://')}"


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


def streams(
    pauses: Sequence[float], closes: Callable[[int], bool] = lambda n: False
) -> tuple[list[Fault | None], list[int]]:
    """Ask for streams, with a pause before each, of a server that says keep-alive each time.

    After the nth, from 0, it closes the connection nevertheless, where `closes` says so. What is
    returned is the fault of each, and how many streams each connection carried.
    """
    served, connections, open_ones = count(), list[int](), list[asyncio.Task[None] | None]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = len(connections)
        connections.append(0)
        open_ones.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"{}"):
                connections[mine] += 1
                writer.write(KEPT_ALIVE)
                await writer.drain()
                if closes(next(served)):
                    break
        writer.close()
        await writer.wait_closed()

    async def asked() -> list[Fault | None]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        endpoint, faults = EndpointClient(Address.read(url, "", {}), QUICK), []
        try:
            for pause in pauses:
                await asyncio.sleep(pause)
                faults.append((await endpoint.send(Call({}))).fault)
        finally:
            await endpoint.close()
            server.close()
            await asyncio.gather(*filter(None, open_ones))
        return faults

    return asyncio.run(asked()), connections


def after_streams(monkeypatch: pytest.MonkeyPatch, settled: float, enough: int) -> None:
    monkeypatch.setattr(timestamps, "SETTLED", settled)
    monkeypatch.setattr(timestamps, "ENOUGH_LEFT_OPEN", enough)


#: What leaves time for three connections to settle, and none for others.
LEARNT = [0.0, *3 * [0.1], *10 * [0.0]]


def test_after_streams_a_connection_is_used_again_where_enough_were_left_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    after_streams(monkeypatch, settled=0.05, enough=3)
    assert streams(LEARNT) == ([None] * len(LEARNT), [1, 1, 1, len(LEARNT) - 3])


def test_until_then_one_that_has_just_ended_a_stream_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    after_streams(monkeypatch, settled=60, enough=3)
    assert streams([0.0] * 5) == ([None] * 5, [1] * 5)


def test_where_a_server_closes_them_each_stream_has_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    after_streams(monkeypatch, settled=0.05, enough=3)
    assert streams(LEARNT, lambda n: True) == ([None] * len(LEARNT), [1] * len(LEARNT))


def test_one_that_settles_beside_others_that_do_not_is_not_used_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    after_streams(monkeypatch, settled=0.2, enough=3)
    pauses = [*6 * [0.0], 0.3, 0.0]
    assert streams(pauses, lambda n: n == 0) == ([None] * len(pauses), [1] * len(pauses))


def test_once_a_server_has_closed_one_no_other_is_used_again_right_after_a_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    after_streams(monkeypatch, settled=60, enough=0)
    pauses = [*6 * [0.0], 0.1, *3 * [0.0]]
    assert streams(pauses, lambda n: n == 5) == ([None] * len(pauses), [6, 1, 1, 1, 1])
