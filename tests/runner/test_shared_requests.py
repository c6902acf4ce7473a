"""Requests that several trials share are sent once, and large ones are recorded once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import zlib
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from readiness.chat import Chat
from readiness.context import Context
from readiness.evidence.log import LARGE_REQUEST, Evidence
from readiness.evidence.redaction import MARK, Secrets
from readiness.exchange import Arrival, Call, Exchange
from readiness.protocol.dialect import Dialect
from readiness.score import EndpointError
from tests.exchanges import is_whole

SAID = {"role": "assistant", "content": "OK"}
CHOICES = [{"index": 0, "message": SAID, "finish_reason": "stop"}]
BODY = json.dumps({"choices": CHOICES, "usage": {"prompt_tokens": 7, "completion_tokens": 1}})
HELLO = [{"role": "user", "content": "Hello"}]
KEY = "sk-canary-4711"


def chats(number: int, status: int = 200) -> list[Chat]:
    """The chats of trials of one run."""
    numbers = count()
    context = Context()

    async def send(call: Call) -> Exchange:
        await asyncio.sleep(0)
        kind = {"content-type": "application/json"}
        body = BODY.encode()
        seq = next(numbers)
        return Exchange(call.body, status, kind, body, (Arrival(1, 9),), None, "", 0.0, 2, seq=seq)

    return [Chat(send, Dialect("m"), context) for _ in range(number)]


async def hello(chat: Chat) -> str:
    return (await chat(HELLO)).text


def test_what_several_trials_need_is_sent_once() -> None:
    own = chats(3)

    async def together() -> list[str]:
        return await asyncio.gather(*(each.fetch_once("hello", hello) for each in own))

    assert asyncio.run(together()) == ["OK", "OK", "OK"]
    assert [each.exchanges for each in own] == [[0], [0], [0]]


def test_what_fails_once_fails_for_each_trial_with_its_evidence() -> None:
    own = chats(2, status=500)

    async def in_turn() -> list[str]:
        said = []
        for each in own:
            with pytest.raises(EndpointError) as error:
                await each.fetch_once("hello", hello)
            said.append(error.value.score.reason[:8])
        return said

    assert asyncio.run(in_turn()) == ["HTTP 500", "HTTP 500"]
    assert [each.exchanges for each in own] == [[0], [0]]


def test_two_things_are_sent_apart() -> None:
    first, second = chats(2)

    async def both() -> None:
        await first.fetch_once("hello", hello)
        await second.fetch_once("goodbye", hello)

    asyncio.run(both())
    assert (first.exchanges, second.exchanges) == ([0], [1])


def test_a_large_request_is_kept_compressed_and_once(tmp_path: Path) -> None:
    request: Any = {"messages": [{"role": "user", "content": f"龍{KEY}" * LARGE_REQUEST}]}
    exchange = Exchange(request, 200, {}, b"{}", (), None, "", 0.0, 1)
    with Evidence(tmp_path / "evidence.jsonl", Secrets([KEY])) as evidence:
        for _ in range(2):
            evidence.exchange(exchange, {})
    first, second = (
        json.loads(line)["request"] for line in evidence.path.read_bytes().splitlines()
    )
    content = zlib.decompress(base64.b64decode(first["zlib_base64"]))
    assert json.loads(content) == {
        "messages": [{"role": "user", "content": f"龍{MARK}" * LARGE_REQUEST}]
    }
    assert (hashlib.sha256(content).hexdigest(), second) == (
        first["sha256"],
        {"sha256": first["sha256"]},
    )
    assert is_whole(evidence.path)
