"""The errors of the reference endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from readiness.mutants.endpoint.server import serving
from tests.http_client import CALL, LOOK, ask, chat, user


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as url:
        yield url


def schema(schema: object, **more: object) -> dict[str, Any]:
    wrapper = {"name": "s", "schema": schema, **more}
    return {"response_format": {"type": "json_schema", "json_schema": wrapper}}


BAD_REQUESTS: dict[str, tuple[Mapping[str, Any], str | None]] = {
    "no messages": ({"messages": []}, "messages"),
    "messages no array": ({"messages": "x"}, "messages"),
    "a message no object": ({"messages": [123]}, "messages[0]"),
    "an unknown role": ({"messages": [{"role": "alien", "content": "x"}]}, "messages[0].role"),
    "a role no string": ({"messages": [{"role": 1, "content": "x"}]}, "messages[0].role"),
    "no content": ({"messages": [{"role": "user"}]}, "messages[0].content"),
    "an image": (user([{"type": "image_url"}]), "messages[0].content[0]"),
    "an orphan result": (
        {"messages": [{"role": "tool", "tool_call_id": "x", "content": "1"}]},
        "messages[0].role",
    ),
    "a call unanswered": (
        {"messages": [{"role": "assistant", "tool_calls": [CALL]}, *user("x")["messages"]]},
        "messages[1]",
    ),
    "no model": ({"model": None}, "model"),
    "a hot temperature": ({"temperature": "hot"}, "temperature"),
    "a temperature below 0": ({"temperature": -1}, "temperature"),
    "a boolean for a number": ({"max_tokens": True}, "max_tokens"),
    "a budget of nothing": ({"max_completion_tokens": 0}, "max_completion_tokens"),
    "five stops": ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
    "options without a stream": ({"stream_options": {}}, "stream_options"),
    "tops without logprobs": ({"top_logprobs": 2}, "top_logprobs"),
    "no tools": ({"tools": []}, "tools"),
    "a tool without a function": ({"tools": [{"type": "function"}]}, "tools[0].function"),
    "a bogus choice": ({"tools": [LOOK], "tool_choice": "bogus"}, "tool_choice"),
    "a choice of no tool": (
        {"tools": [LOOK], "tool_choice": {"type": "function", "function": {"name": "nope"}}},
        "tool_choice",
    ),
    "required without tools": ({"tool_choice": "required"}, "tool_choice"),
    "JSON unmentioned": ({"response_format": {"type": "json_object"}}, "messages"),
    "an unknown format": ({"response_format": {"type": "sound"}}, "response_format.type"),
    "no schema": (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "s"}}},
        "response_format.json_schema.schema",
    ),
    "a schema no object": (schema("x"), "response_format.json_schema.schema"),
    "a strict yes": (schema({}, strict="yes"), "response_format.json_schema.strict"),
    "no such type": (schema({"type": "sound"}), "response_format.json_schema.schema"),
    "nothing fits": (
        schema(
            {"type": "object", "properties": {"n": {"minimum": 2, "maximum": 1}}, "required": ["n"]}
        ),
        "response_format.json_schema.schema",
    ),
    "too long": (user("word " * 140_000), "messages"),
    "half a pair": (user("\ud800"), None),
}


@pytest.mark.parametrize(("request_", "param"), BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_an_invalid_request_is_rejected(
    url: str, request_: Mapping[str, Any], param: str | None
) -> None:
    got = chat(url, **request_)
    error = got.json["error"]
    assert (got.status, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert sorted(error) == ["code", "message", "param", "type"]


@pytest.mark.parametrize(
    "body", [b"{", b"", b"[]", b'{"model": NaN}', b'{"model": "\xff"}', b"[" * 99999]
)
def test_a_body_that_is_no_json_object_is_rejected(url: str, body: bytes) -> None:
    got = ask(url, "POST", "/chat/completions", body)
    assert (got.status, got.json["error"]["type"]) == (400, "invalid_request_error")


def test_an_overlong_prompt_has_its_error_code(url: str) -> None:
    assert chat(url, user("word " * 140_000)).json["error"]["code"] == "context_length_exceeded"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/models", 200),
        ("GET", "/models/reference", 200),
        ("GET", "/models/no%2Fsuch", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/chat/completions", 405),
        ("POST", "/models", 405),
    ],
)
def test_paths_and_methods_have_their_status(url: str, method: str, path: str, status: int) -> None:
    got = ask(url, method, path)
    assert (got.status, "error" in got.json) == (status, status != 200)


def test_an_unknown_model_is_not_found(url: str) -> None:
    got = chat(url, model="nope")
    assert (got.status, got.json["error"]["code"]) == (404, "model_not_found")


def test_a_body_above_64_mb_is_too_large(url: str) -> None:
    got = ask(url, "POST", "/chat/completions", bytes(65 * 2**20))
    assert (got.status, got.json["error"]["type"]) == (413, "invalid_request_error")
