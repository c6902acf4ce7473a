"""Requests of concurrent users: sent once, possibly aborted, and summarised in evidence."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from readiness.evidence.log import Evidence, body_of, entries, exchange_of, summarise_exchange
from readiness.evidence.redaction import Secrets
from readiness.exchange import Arrival, Call, ClientAbort, Exchange, Fault
from readiness.runner.concurrency import AdaptiveConcurrency
from readiness.runner.resume import ResumeState
from readiness.runner.sender import Sender
from readiness.transport.address import Address
from readiness.transport.budget import UsageBudget
from readiness.transport.client import EndpointClient, RequestLimits
from tests.exchanges import is_whole
from tests.scripted_server import Script, response, serving

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
FRAME = b'data: {"n": 1}\n\n'


def sent(script: Script, call: Call, folder: Path) -> tuple[Exchange, UsageBudget]:
    """What comes of a call, with evidence of it."""

    async def once(url: str) -> tuple[Exchange, UsageBudget]:
        secrets, ledger = Secrets([]), UsageBudget()
        endpoint = EndpointClient(Address.read(url, "a-key-of-mine", {}), RequestLimits(total=20))
        with Evidence(folder / "evidence.jsonl", secrets) as evidence:
            sender = Sender(
                endpoint, evidence, ledger, AdaptiveConcurrency(1), ResumeState(secrets)
            )
            came = await sender.send(call, {"check": "c", "probe": "p", "trial": 0})
        await endpoint.close()
        return came, ledger

    with serving(script) as url:
        return asyncio.run(once(url))


def test_a_client_leaves_after_so_many_frames(tmp_path: Path) -> None:
    def script(n: int, raw: bytes) -> list[bytes | float | None]:
        parts: list[bytes | float | None] = [FRAME, 0.02]
        return [HEAD, *parts * 200]

    came, ledger = sent(script, Call({}, crowd=True, hang_up=ClientAbort(5)), tmp_path)
    assert (came.fault, came.detail, came.status) == (Fault.CLIENT_ABORTED, "after 5 frames", 200)
    assert (ledger.sent, ledger.failed) == (1, 0)
    assert 5 <= came.body.count(b"data:") < 150


def test_a_client_leaves_before_anything_has_come(tmp_path: Path) -> None:
    came, _ = sent(lambda n, raw: [5.0], Call({}, hang_up=ClientAbort(seconds=0.1)), tmp_path)
    assert (came.fault, came.detail, came.status) == (Fault.CLIENT_ABORTED, "after 0.1 s", None)


def test_who_would_leave_later_gets_all_of_it(tmp_path: Path) -> None:
    came, _ = sent(lambda n, raw: [response(b"{}")], Call({}, hang_up=ClientAbort(5)), tmp_path)
    assert (came.fault, came.body) == (None, b"{}")


@contextmanager
def listening(ends: list[str]) -> Iterator[str]:
    """A server that streams for ever, and notes how its client left."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            connection.recv(65536)
            connection.sendall(HEAD + FRAME)
            try:
                while rest := connection.recv(65536):
                    assert rest
                ends.append("closed")
            except ConnectionResetError:
                ends.append("reset")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    thread.join(10)
    listener.close()


@pytest.mark.parametrize(("reset", "end"), [(True, "reset"), (False, "closed")])
def test_a_client_that_is_killed_resets_the_connection(reset: bool, end: str) -> None:
    ends: list[str] = []

    async def once(url: str) -> None:
        endpoint = EndpointClient(Address.read(url, "", {}), RequestLimits())
        await endpoint.send(Call(None, method="GET", hang_up=ClientAbort(1, reset=reset)))
        await endpoint.close()

    with listening(ends) as url:
        asyncio.run(once(url))
    assert ends == [end]


def test_concurrent_users_do_not_wait_for_a_stated_rate_limit(tmp_path: Path) -> None:
    limited = response(b"{}", "429 Too Many Requests", "Retry-After: 0")
    came, ledger = sent(lambda n, raw: [limited], Call({}, crowd=True), tmp_path)
    assert (came.status, ledger.sent, ledger.retried) == (429, 1, 0)


def test_a_request_is_written_after_its_connection_is_there(tmp_path: Path) -> None:
    came, _ = sent(lambda n, raw: [0.05, response(b"{}")], Call({}), tmp_path)
    assert 0 < came.written < came.arrivals[0].ns <= came.end


def kept(exchange: Exchange, folder: Path) -> dict[str, object]:
    with Evidence(folder / "evidence.jsonl", Secrets([])) as evidence:
        evidence.open({})
        evidence.append_exchange(summarise_exchange(exchange, evidence.secrets), {"check": "c"})
    assert is_whole(folder / "evidence.jsonl")
    *_, (entry, _) = entries(folder / "evidence.jsonl")
    return entry


def streamed(body: bytes, fault: Fault | None = None) -> Exchange:
    arrivals = tuple(Arrival(n * 1000, n * 10) for n in range(1, 2001))
    return Exchange({"text": "x" * 9000}, 200, {}, body, arrivals, fault, "", 0.0, 10**9)


def test_a_brief_entry_has_digests_times_and_the_usage(tmp_path: Path) -> None:
    usage = b'data: {"usage": {"prompt_tokens": 7, "completion_tokens": 9}}\n\n'
    entry = kept(streamed(FRAME * 3000 + usage), tmp_path)
    assert len(json.dumps(entry)) < 2500
    assert entry["body_size"] == len(FRAME) * 3000 + len(usage)
    assert list(entry["request"]) == ["sha256"]  # type: ignore[call-overload]
    again = exchange_of(entry)
    assert again.body.endswith(usage)
    assert [each.ns for each in again.arrivals] == [*range(1000, 8000, 1000), 2_000_000]
    ledger = UsageBudget()
    ledger.take_over(again, 1)
    assert (ledger.prompt_tokens, ledger.completion_tokens) == (7, 9)


@pytest.mark.parametrize("body", [FRAME, b"x" * 4096])
def test_a_short_exchange_is_kept_in_full(body: bytes, tmp_path: Path) -> None:
    assert body_of(kept(streamed(body), tmp_path)) == body


def test_a_failed_exchange_is_kept_in_full(tmp_path: Path) -> None:
    entry = kept(streamed(FRAME * 3000, Fault.RESET), tmp_path)
    assert body_of(entry) == FRAME * 3000
    assert len(exchange_of(entry).arrivals) == 2000
