"""Requests: chunked, closing, expecting, repeated, with or without a key."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from readiness.evidence.log import Evidence
from readiness.evidence.redaction import Secrets
from readiness.exchange import Call, Exchange, Repeated
from readiness.transport.address import Address
from readiness.transport.client import EndpointClient, RequestLimits
from tests.scripted_server import Script, response, serving

BODY = {"model": "m", "messages": []}


def sent(*calls: Call, key: str = "", **headers: str) -> tuple[list[Exchange], list[bytes]]:
    """The exchanges of some calls, and the requests as they came over the wire."""
    requests: list[bytes] = []

    def script(_n: int, request: bytes) -> list[bytes | float | None]:
        requests.append(request)
        return [response(b"{}")]

    async def send(url: str) -> list[Exchange]:
        endpoint = EndpointClient(Address.read(url, key, headers), RequestLimits())
        try:
            return [await endpoint.send(call) for call in calls]
        finally:
            await endpoint.close()

    answer: Script = script
    with serving(answer) as url:
        return asyncio.run(send(url)), requests


def test_a_repeated_body_is_sent_in_full_and_recorded_compactly() -> None:
    body = Repeated('{"a": "', "xyz", 100_000, '"}')
    (exchange,), (request,) = sent(Call(body))
    head, _, came = request.partition(b"\r\n\r\n")
    assert b"Content-Length: 300009" in head
    assert json.loads(came) == {"a": "xyz" * 100_000}
    assert exchange.request == {"head": '{"a": "', "part": "xyz", "times": 100_000, "tail": '"}'}


@pytest.mark.parametrize("times", [0, 1, 65_536, 65_537])
def test_a_repeated_body_is_as_long_as_it_says(times: int) -> None:
    (_,), (request,) = sent(Call(Repeated("é", "a", times, "é")))
    assert (
        len(request.partition(b"\r\n\r\n")[2]) == times + 4 == Repeated("é", "a", times, "é").size
    )


def test_a_key_is_used_or_left_out_whichever_way_it_is_spelled() -> None:
    without = {"authorization": "", "api-key": ""}
    calls = (Call(BODY), Call(BODY, headers=without))
    found, requests = sent(*calls, key="sk-1", **{"Api-Key": "azure"})
    assert [each.keyed for each in found] == [True, False]
    keys = [
        [name in request.lower() for name in (b"authorization:", b"api-key:")]
        for request in requests
    ]
    assert keys == [[True, True], [False, False]]


def test_a_call_can_ask_for_the_connection_to_be_closed() -> None:
    _, (request,) = sent(Call(BODY, headers={"Connection": "close"}))
    assert b"connection: close" in request.lower()


def test_what_a_repeated_body_is_made_of_is_evidence(tmp_path: Any) -> None:
    (exchange,), _ = sent(Call(Repeated("{", " ", 2**20, "}")))
    with Evidence(tmp_path / "evidence.jsonl", Secrets([])) as evidence:
        evidence.exchange(exchange, {})
    assert (tmp_path / "evidence.jsonl").stat().st_size < 2_000
