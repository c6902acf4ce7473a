"""The official SDK over our own transport: exchanges are evidence, and its errors are results."""

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

from readiness import sdk_client
from readiness.chat import Chat
from readiness.checks.api import scoring_sdk
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
    """Run the SDK against an endpoint with one response."""
    calls: list[Call] = []

    async def send(call: Call) -> Exchange:
        calls.append(call)
        return exchange

    chat = Chat(send, Dialect("m"))
    return asyncio.run(sdk_client.run_with_sdk(chat, work, strict=strict)), calls


def test_a_request_of_the_sdk_is_sent_through_the_chat() -> None:
    found, (call,) = use(answered(COMPLETION), create(temperature=0))
    assert (call.path, call.method) == ("/chat/completions", "POST")
    assert call.body == {"model": "m", "messages": HI, "temperature": 0}
    assert "authorization" not in call.headers
    assert found.value.choices[0].message.content == "Hello"
    assert scoring_sdk.score_success(found) == PASSED


def test_the_sdk_reads_a_stream_from_our_bytes() -> None:
    envelope = {"created": 1, "model": "m"}
    parts: list[dict[str, Any]] = [{"role": "assistant", "content": "Hé"}, {"content": "llo"}]
    chunks = [{**each, **envelope} for each in [*(chunk(**p) for p in parts), chunk("stop")]]

    async def read(client: Any) -> str:
        stream = await create(stream=True)(client)
        return "".join([each.choices[0].delta.content or "" async for each in stream])

    found, _ = use(streamed(*chunks), read)
    assert (found.value, scoring_sdk.score_stream(found)) == ("Héllo", PASSED)


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
def test_each_rejection_raises_the_exception_that_existing_code_catches(
    status: int, error: str
) -> None:
    body = json.dumps({"error": {"message": "no", "type": "t"}}).encode()
    found, calls = use(came(body, {}, status=status), create())
    assert (found.error, scoring_sdk.score_exception(found), len(calls)) == (error, PASSED, 1)


def test_a_server_error_is_no_rejection() -> None:
    found, _ = use(came(b"oops", {}, "text/plain", 502), create())
    assert found.error == "InternalServerError"
    assert scoring_sdk.score_exception(found).reason.startswith("InternalServerError for HTTP 502")
    with pytest.raises(EndpointError):
        scoring_sdk.score_success(found)


def test_a_response_that_the_sdk_cannot_read_fails_with_its_message() -> None:
    found, _ = use(answered({**COMPLETION, "created": "today"}), create())
    assert scoring_sdk.score_success(found).reason.startswith(
        "APIResponseValidationError: 'Data returned by"
    )


@pytest.mark.parametrize(
    ("tokens", "score"),
    [
        (8, Score(Outcome.UNDETERMINED, """the model does not end in 8 tokens: '{"na'""")),
        (7, failed("finish_reason is 'length' after 7 tokens of 8")),
    ],
)
def test_a_reply_cut_off_at_our_token_limit_is_undetermined(tokens: int, score: Score) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": tokens + 1}
    cut = {**said('{"na', finish="length"), "id": "c", "created": 1, "model": "m", "usage": usage}
    exchange = replace(answered(cut), request={"max_completion_tokens": 8})

    def parse(client: Any) -> Awaitable[Any]:
        person = create_model("Person", name=(str, ...))
        made: Awaitable[Any] = client.chat.completions.parse(
            model="m", messages=HI, response_format=person
        )
        return made

    assert scoring_sdk.score_success(use(exchange, parse)[0]) == score


def test_a_feature_rejected_by_name_is_unsupported() -> None:
    body = json.dumps({"error": {"message": "tools is not supported"}}).encode()
    exchange = came(body, {"model": "m", "messages": HI, "tools": []}, JSON, 400)
    found, _ = use(exchange, create())
    with pytest.raises(EndpointError) as raised:
        scoring_sdk.score_success(found)
    assert raised.value.score.outcome is Outcome.UNSUPPORTED


def test_a_lost_connection_is_reported_by_our_transport() -> None:
    with pytest.raises(EndpointError, match="connection lost: because"):
        use(came(b"", {}, fault=Fault.RESET), create())


def test_our_own_bug_is_raised() -> None:
    async def send(call: Call) -> Exchange:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(sdk_client.run_with_sdk(Chat(send, Dialect("m")), create()))


def test_a_spent_budget_is_skipped() -> None:
    async def send(call: Call) -> Exchange:
        raise EndpointError("the budget is spent", Outcome.SKIPPED)

    with pytest.raises(EndpointError, match="the budget is spent"):
        asyncio.run(sdk_client.run_with_sdk(Chat(send, Dialect("m")), create()))


def test_the_schema_is_that_of_the_installed_sdk() -> None:
    found = asyncio.run(sdk_client.schema("completion"))
    assert found["title"] == "ChatCompletion"
    assert set(found["required"]) == {"id", "choices", "created", "model", "object"}


def test_the_checks_do_not_import_the_sdk_before_they_run() -> None:
    slow = "{'openai', 'httpx2', 'hypothesis'}"
    code = f"import readiness.checks.api.check_sdk, sys; print({slow} & {{*sys.modules}})"
    printed = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=Path.cwd())
    assert printed.strip() == "set()"
