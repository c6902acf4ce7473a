"""Requests as an endpoint takes them."""

from __future__ import annotations

from typing import Any

import pytest

from readiness.protocol.dialect import MADE_UP, MAX_TOKENS, Dialect

ASKED = {"role": "user", "content": "Hi"}
CALL: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]}


def test_a_request_has_what_every_endpoint_is_sent() -> None:
    assert Dialect("m").request([ASKED], 64, {"seed": 1}) == {
        "model": "m",
        "messages": [ASKED],
        "temperature": 0,
        "max_completion_tokens": 64,
        "seed": 1,
    }


@pytest.mark.parametrize(
    ("dialect", "stream", "options"),
    [
        (Dialect("m"), True, {"include_usage": True}),
        (Dialect("m"), False, None),
        (Dialect("m", stream_usage=False), True, None),
    ],
)
def test_usage_is_asked_for_in_streams_where_it_may_be(
    dialect: Dialect, stream: bool, options: Any
) -> None:
    assert dialect.request([], 64, {"stream": stream}).get("stream_options") == options


@pytest.mark.parametrize(
    ("budget", "most"), [(64, 164), (MAX_TOKENS - 100, MAX_TOKENS), (MAX_TOKENS, MAX_TOKENS)]
)
def test_a_limit_has_room_for_reasoning_up_to_what_any_endpoint_takes(
    budget: int, most: int
) -> None:
    dialect = Dialect("m", max_tokens_field="max_tokens", reasoning_tokens=100)
    assert dialect.request([], budget, {})["max_tokens"] == most


def test_what_a_user_adds_to_every_request_goes_before_everything_else() -> None:
    dialect = Dialect("m", extra_body={"temperature": 1, "top_k": 5})
    body = dialect.request([], 64, {"temperature": 0.5})
    assert (body["temperature"], body["top_k"]) == (1, 5)


@pytest.mark.parametrize(
    ("message", "reasoning"),
    [
        (CALL, MADE_UP),
        ({**CALL, "reasoning": ""}, MADE_UP),
        ({**CALL, "reasoning": "own"}, "own"),
        ({"role": "assistant", "content": "Hello"}, None),
        ({"role": "assistant", "content": "Hello", "tool_calls": []}, None),
    ],
)
def test_only_a_call_without_reasoning_is_given_some_where_it_is_demanded(
    message: dict[str, Any], reasoning: str | None
) -> None:
    dialect = Dialect("m", reasoning_demanded="reasoning")
    kept = dialect.request([ASKED, message], 64, {})["messages"][1]
    assert kept.get("reasoning") == reasoning


def test_what_stands_before_any_user_keeps_its_reasoning() -> None:
    said = {"role": "assistant", "content": "Hello", "reasoning": "why"}
    assert Dialect("m").request([said], 64, {})["messages"] == [said]
