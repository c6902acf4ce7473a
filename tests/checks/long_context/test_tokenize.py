"""The endpoint's /tokenize: its URL, and which responses are counts."""

from __future__ import annotations

import asyncio

import pytest

from readiness.chat import Chat
from readiness.checks.long_context import send_document
from readiness.protocol.dialect import Dialect
from readiness.transport.address import Address
from readiness.transport.client import EndpointClient, RequestLimits
from tests.scripted_server import response, serving

OK = [{"role": "user", "content": "OK"}]
LIMITS = RequestLimits(connect=10, first_byte=10, silence=10, total=20, body=10_000)


def counted(body: bytes, status: str = "200 OK") -> tuple[int | None, bytes]:
    """The count read from a response, and the first line of the request."""
    seen: list[bytes] = []

    def script(_number: int, request: bytes) -> list[bytes | float | None]:
        seen.append(request)
        return [response(body, status)]

    async def once(url: str) -> int | None:
        endpoint = EndpointClient(Address.read(url, "", {}), LIMITS)
        try:
            return await send_document.count_tokens(Chat(endpoint.send, Dialect("m")), OK)
        finally:
            await endpoint.close()

    with serving(script) as url:
        return asyncio.run(once(url)), seen[0].partition(b"\r\n")[0]


def test_tokenize_is_requested_at_the_servers_root() -> None:
    assert counted(b'{"tokens": [1, 2]}') == (2, b"POST /tokenize HTTP/1.1")


@pytest.mark.parametrize(
    ("body", "count"),
    [
        # vLLM 0.33, llama.cpp, and responses that are no count.
        (b'{"count": 30, "max_model_len": 4096, "tokens": [1, 2]}', 30),
        (b'{"tokens": [{"id": 1, "piece": "OK"}]}', 1),
        (b'{"choices": []}', None),
        (b'{"tokens": 7}', None),
        (b'{"tokens": [1], "count": "many"}', None),
        (b"[]", None),
        (b"OK", None),
        (b"[" * 100_000, None),
    ],
)
def test_a_response_without_a_count_is_none(body: bytes, count: int | None) -> None:
    assert counted(body)[0] == count


def test_an_endpoint_without_tokenize_is_none() -> None:
    assert counted(b'{"tokens": [1]}', "404 Not Found")[0] is None
