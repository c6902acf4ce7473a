"""The budget: what counts towards it, also where the endpoint does not say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from readiness.exchange import Exchange
from readiness.score import EndpointError
from readiness.transport.budget import UsageBudget

MESSAGES = [{"role": "user", "content": "x" * 4000}]


def exchange(body: bytes, status: int = 200, request: Any = None) -> Exchange:
    sent = {"messages": MESSAGES} if request is None else request
    return Exchange(sent, status, {}, body, (), None, "", 0.0, 0)


def spent(*exchanges: Exchange) -> tuple[int, int, int]:
    budget = UsageBudget()
    for each in exchanges:
        budget.record_exchange(each, 1)
    return budget.prompt_tokens, budget.completion_tokens, budget.estimated_tokens


def test_tokens_are_those_that_the_endpoint_reports() -> None:
    body = json.dumps({"usage": {"prompt_tokens": 7, "completion_tokens": 3}}).encode()
    assert spent(exchange(body), exchange(body)) == (14, 6, 0)


def test_a_stream_without_usage_counts_as_its_prompt_and_its_frames() -> None:
    found = spent(exchange(b'data: {"choices": []}\n\n' * 40))
    assert found == (1010, 40, 1050)


def test_what_no_model_has_read_counts_as_nothing() -> None:
    refused, silent = exchange(b'{"error": {}}', 400), exchange(b"")
    unread = exchange(b"[]", 200, b"?")
    assert spent(refused, silent, unread) == (0, 0, 0)


def test_a_limit_holds_where_no_usage_is_reported() -> None:
    budget = UsageBudget(max_tokens=2000)
    for _ in range(2):
        budget.require_remaining()
        budget.record_exchange(exchange(b"data: 1\n\n"), 1)
    with pytest.raises(EndpointError, match="2000 tokens"):
        budget.require_remaining()
