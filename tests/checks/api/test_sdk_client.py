"""The official SDK over our own transport: every exchange is evidence, and its errors are data."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import create_model

from readiness.chat import Chat
from readiness.checks.api import scoring_sdk, sdk_client
from readiness.exchange import Call, Exchange, Fault
from readiness.protocol.dialect import Dialect
from readiness.score import PASSED, EndpointError, Outcome, Score, failed
from tests.exchanges import JSON, answered, came, chunk, said, streamed

HI = [{"role": "user", "content": "Hi"}]
COMPLETION = {**said("Hello"), "id": "c", "created": 1, "model": "m"}
Use = Callable[[Any], Awaitable[Any]]


def create(**more: Any) -> Use:
    return lambda client: client.chat.completions.create(model="m", messages=HI, **more)


def use(
    exchange: Exchange, work: Use, *, strict: bool = True
) -> tuple[sdk_client.SdkResult, list[Call]]:
    """Let the SDK do something with an endpoint that gives one answer."""
    calls: list[Call] = []

    async def send(call: Call) -> Exchange:
        calls.append(call)
        return exchange

    chat = Chat(send, Dialect("m"))
    return asyncio.run(sdk_client.run_with_sdk(chat, work, strict=strict)), calls


def test_a_request_of_the_sdk_is_sent_as_the_checks_own() -> None:
    found, (call,) = use(answered(COMPLETION), create(temperature=0))
    assert (call.path, call.method) == ("/chat/completions", "POST")
    assert call.body == {"model": "m", "messages": HI, "temperature": 0}
    assert "authorization" not in call.headers
    assert found.value.choices[0].message.content == "Hello"
    assert scoring_sdk.works(found) == PASSED


def test_the_sdk_reads_a_stream_from_the_bytes_that_came() -> None:
    envelope = {"created": 1, "model": "m"}
    parts: list[dict[str, Any]] = [{"role": "assistant", "content": "Hé"}, {"content": "llo"}]
    chunks = [{**each, **envelope} for each in [*(chunk(**p) for p in parts), chunk("stop")]]

    async def read(client: Any) -> str:
        stream = await create(stream=True)(client)
        return "".join([each.choices[0].delta.content or "" async for each in stream])

    found, _ = use(streamed(*chunks), read)
    assert (found.value, scoring_sdk.reads(found)) == ("Héllo", PASSED)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (413, "APIStatusError"),
        (422, "UnprocessableEntityError"),
        (429, "RateLimitError"),
    ],
)
def test_each_refusal_raises_what_existing_code_catches(status: int, error: str) -> None:
    body = json.dumps({"error": {"message": "no", "type": "t"}}).encode()
    found, calls = use(came(body, {}, status=status), create())
    assert (found.error, scoring_sdk.raises(found), len(calls)) == (error, PASSED, 1)


def test_a_crash_is_no_refusal() -> None:
    found, _ = use(came(b"oops", {}, "text/plain", 502), create())
    assert found.error == "InternalServerError"
    assert scoring_sdk.raises(found).reason.startswith("InternalServerError for HTTP 502")
    with pytest.raises(EndpointError):
        scoring_sdk.works(found)


def test_what_the_sdk_cannot_read_fails_with_its_own_words() -> None:
    found, _ = use(answered({**COMPLETION, "created": "today"}), create())
    assert scoring_sdk.works(found).reason.startswith(
        "APIResponseValidationError: 'Data returned by"
    )


@pytest.mark.parametrize(
    ("tokens", "score"),
    [
        (8, Score(Outcome.UNDETERMINED, """the model does not end in 8 tokens: '{"na'""")),
        (7, failed("finish_reason is 'length' after 7 tokens of 8")),
    ],
)
def test_a_reply_that_is_cut_off_by_its_budget_tells_nothing_of_the_protocol(
    tokens: int, score: Score
) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": tokens + 1}
    cut = {**said('{"na', finish="length"), "id": "c", "created": 1, "model": "m", "usage": usage}
    exchange = replace(answered(cut), request={"max_completion_tokens": 8})

    def parse(client: Any) -> Awaitable[Any]:
        person = create_model("Person", name=(str, ...))
        made: Awaitable[Any] = client.chat.completions.parse(
            model="m", messages=HI, response_format=person
        )
        return made

    assert scoring_sdk.works(use(exchange, parse)[0]) == score


def test_a_feature_that_is_refused_by_name_is_unsupported() -> None:
    body = json.dumps({"error": {"message": "tools is not supported"}}).encode()
    exchange = came(body, {"model": "m", "messages": HI, "tools": []}, JSON, 400)
    found, _ = use(exchange, create())
    with pytest.raises(EndpointError) as raised:
        scoring_sdk.works(found)
    assert raised.value.score.outcome is Outcome.UNSUPPORTED


def test_a_connection_that_is_lost_is_told_by_our_transport() -> None:
    with pytest.raises(EndpointError, match="connection lost: because"):
        use(came(b"", {}, fault=Fault.RESET), create())


def test_a_bug_of_ours_is_no_verdict() -> None:
    async def send(call: Call) -> Exchange:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(sdk_client.run_with_sdk(Chat(send, Dialect("m")), create()))


def test_a_spent_budget_is_told_as_such() -> None:
    async def send(call: Call) -> Exchange:
        raise EndpointError("the budget is spent", Outcome.SKIPPED)

    with pytest.raises(EndpointError, match="the budget is spent"):
        asyncio.run(sdk_client.run_with_sdk(Chat(send, Dialect("m")), create()))


def test_the_schema_is_the_installed_sdks_own() -> None:
    found = asyncio.run(sdk_client.schema("completion"))
    assert found["title"] == "ChatCompletion"
    assert set(found["required"]) == {"id", "choices", "created", "model", "object"}


def test_the_checks_do_not_import_the_sdk_before_they_run() -> None:
    slow = "{'openai', 'httpx2', 'hypothesis'}"
    code = f"import readiness.checks.api.check_sdk, sys; print({slow} & {{*sys.modules}})"
    printed = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=Path.cwd())
    assert printed.strip() == "set()"
