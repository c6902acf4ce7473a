"""What the capability probe detects, against miniature endpoints."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from readiness.exchange import Call, Exchange
from readiness.protocol.capability import Capabilities, Models, Unassessable, choose, explore
from readiness.protocol.dialect import Dialect
from readiness.transport.address import Address
from readiness.transport.client import EndpointClient, RequestLimits
from tests.miniature import Answer, Request, completion, mini
from tests.scripted_server import response, serving


def explored(answer: Answer, model: str = "mini") -> tuple[Capabilities, list[Request]]:
    asked: list[Request] = []

    def noting(n: int, request: Request) -> str | tuple[int, str]:
        asked.append(request)
        return answer(n, request)

    async def probe(url: str) -> Capabilities:
        endpoint = EndpointClient(Address.read(url, "", {}), RequestLimits())
        try:
            models = Models.read(await endpoint.send(Call(None, "/models", "GET")))
            return await explore(endpoint.send, models, Dialect(choose(models, model)))
        finally:
            await endpoint.close()

    with serving(mini(noting)) as url:
        return asyncio.run(probe(url)), asked


def listed(*models: dict[str, Any]) -> Exchange:
    body = json.dumps({"object": "list", "data": list(models)}).encode()
    return Exchange(None, 200, {}, body, (), None, "", 0.0, 1)


def test_a_plain_endpoint_lacks_nothing_and_is_asked_a_handful_of_times() -> None:
    found, asked = explored(lambda n, request: "OK")
    assert found.unsupported == {}
    assert (found.dialect.max_tokens_field, dict(found.dialect.sampling)) == (
        "max_completion_tokens",
        {"temperature": 0},
    )
    assert len(asked) == 6


def test_a_temperature_that_is_rejected_is_left_out() -> None:
    found, _ = explored(
        lambda n, request: (400, "temperature must be 1") if "temperature" in request else "OK"
    )
    assert found.dialect.sampling == {}


def test_an_unknown_budget_parameter_gives_way_to_the_older_one() -> None:
    found, _ = explored(
        lambda n, request: (
            (422, "unknown field max_completion_tokens")
            if "max_completion_tokens" in request
            else "OK"
        )
    )
    assert found.dialect.max_tokens_field == "max_tokens"


def test_a_budget_that_is_silently_ignored_gives_way_to_the_older_one() -> None:
    def script(n: int, raw: bytes) -> list[bytes | float | None]:
        if raw.startswith(b"GET"):
            return [response(b'{"data": [{"id": "mini"}]}')]
        return [response(completion("1, 2, 3", 150), "200 OK", "Content-Type: application/json")]

    async def probe(url: str) -> Capabilities:
        endpoint = EndpointClient(Address.read(url, "", {}), RequestLimits())
        try:
            return await explore(endpoint.send, Models({"mini": None}), Dialect("mini"))
        finally:
            await endpoint.close()

    with serving(script) as url:
        assert asyncio.run(probe(url)).dialect.max_tokens_field == "max_tokens"


@pytest.mark.parametrize("status", [400, 404, 422, 501])
def test_an_unsupported_feature_is_reported_with_its_error_and_a_remedy(
    status: int,
) -> None:
    found, _ = explored(
        lambda n, request: (status, "tools need a flag") if "tools" in request else "OK"
    )
    assert found.unsupported_reason(frozenset({"tools"})) == (
        f"the endpoint does not offer tools: HTTP {status}: tools need a flag "
        "(vLLM needs --enable-auto-tool-choice and --tool-call-parser, llama.cpp --jinja)"
    )
    assert found.unsupported_reason(frozenset({"json_object"})) == ""


def test_a_feature_that_breaks_is_not_taken_for_absent() -> None:
    found, _ = explored(lambda n, request: (500, "oops") if "tools" in request else "OK")
    assert found.unsupported == {}


@pytest.mark.parametrize("status", [401, 403])
def test_a_rejected_key_is_the_users_to_mend(status: int) -> None:
    with pytest.raises(LookupError, match=f"the key is not accepted: HTTP {status}: no"):
        explored(lambda n, request: (status, "no"))


def test_an_endpoint_that_fails_the_simplest_request_cannot_be_tried() -> None:
    with pytest.raises(Unassessable, match="the simplest request fails: HTTP 503"):
        explored(lambda n, request: (503, "overloaded"))


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ({"id": "m", "max_model_len": 4096}, 4096),
        ({"id": "m", "meta": {"n_ctx": 8192, "n_ctx_train": 131072}}, 8192),
        ({"id": "m", "context_length": "8192"}, None),
        ({"id": "m"}, None),
    ],
)
def test_the_declared_window_is_read_where_servers_put_it(
    model: dict[str, Any], window: int | None
) -> None:
    assert Models.read(listed(model)).windows == {"m": window}


def test_one_model_is_chosen_and_of_several_the_user_must() -> None:
    assert choose(Models({"a": None}), "") == "a"
    assert choose(Models({"a": None, "b": None}), "b") == "b"
    with pytest.raises(LookupError, match="serves a, b: choose with --model"):
        choose(Models({"a": None, "b": None}), "")
