from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from readiness.exchange import NOT_SENT, Exchange, Fault
from readiness.protocol.completion import cut_below, cut_short, read, stated_limit
from readiness.reply import Reply, Timing
from readiness.score import EndpointError, Outcome, Score
from tests import SHARED
from tests.exchanges import (
    ASK,
    CALL,
    STREAM,
    answered,
    came,
    chunk,
    defect_text,
    framed,
    malformed,
    said,
    score,
    streamed,
)

RECORDINGS = sorted((SHARED / "wire").glob("vllm-*.json"))


def test_the_times_are_those_of_the_first_byte_and_the_end() -> None:
    assert read(answered(said())).timing == Timing(0.001, None, None, 1000.0)


ENVELOPE = ["choices", "message", "delta", "usage", "index", "finish_reason", "id", "error"]
MESSAGE = ["content", "reasoning", "refusal", "tool_calls", "function", "arguments", "name"]
FIELDS = st.sampled_from([*ENVELOPE, *MESSAGE, "type", "text"])
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1.5, "", "a", "text", "\ud83d", "<think>", CALL]),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(FIELDS, values, max_size=5),
)


def outcome(exchange: Exchange) -> Reply | Score:
    try:
        return read(exchange)
    except EndpointError as error:
        return error.score


@given(VALUES, st.dictionaries(FIELDS, VALUES))
@example(None, {"content": [{"type": []}]})
def test_any_json_is_read_or_refused_with_a_message(value: Any, message: dict[str, Any]) -> None:
    document = {"choices": [{"message": message, "delta": message, "finish_reason": value}]}
    exchanges = [answered(value), answered(document), streamed(value, document)]
    outcomes = [outcome(exchange) for exchange in exchanges]
    json.dumps([str(one) for one in outcomes], ensure_ascii=False).encode()
    replies = [one for one in outcomes if isinstance(one, Reply)]
    scores = {one.outcome for one in outcomes if isinstance(one, Score)}
    assert scores <= {Outcome.ENDPOINT_ERROR}
    assert all(isinstance(reply.text, str) for reply in replies)


def test_a_label_that_makes_the_sdk_take_json_for_text_is_a_defect() -> None:
    body = json.dumps(said()).encode()
    assert defect_text(read(came(body, ASK, "text/plain"))) == "content-type of JSON: 'text/plain'"
    assert read(came(body, ASK, "Application/JSON; charset=utf-8")).defects == ()


def test_a_stream_that_was_not_requested_is_malformed() -> None:
    body = framed(chunk(content="Hello"))
    assert malformed(came(body, ASK, STREAM)).startswith("not asked to stream, got text/event-st")
    assert malformed(came(body, ASK)).startswith("not asked to stream, got application/json b'data")


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(fault, Outcome.ENDPOINT_ERROR) for fault in Fault if fault not in NOT_SENT]
    + [(fault, Outcome.SKIPPED) for fault in sorted(NOT_SENT)],
)
def test_a_fault_ends_the_trial_and_only_an_unsent_request_is_skipped(
    fault: Fault, outcome: Outcome
) -> None:
    body = json.dumps(said()).encode()
    assert score(came(body, ASK, fault=fault)) == Score(outcome, f"{fault}: because")


@pytest.mark.parametrize("finish", ["content_filter", "sensitive", "SAFETY", "refusal"])
def test_a_filter_blocks_unless_something_had_leaked(finish: str) -> None:
    reason = f"blocked by filter: finish_reason {finish!r}"
    assert score(answered(said("", finish))) == Score(Outcome.BLOCKED, reason)
    assert read(answered(said("First, take", finish))).text == "First, take"


@pytest.mark.parametrize("status", [200, 299])
def test_every_status_of_success_has_a_reply(status: int) -> None:
    assert read(answered(said(), status)).text == "Hello"
    assert score(answered(said(), 300)).reason == f"HTTP 300: {str(said())!r:.200}"


def cut(exchange: Exchange, limit: int = 100) -> str:
    """How a reply ends below its limit of tokens."""
    return cut_below(read(exchange), limit)


def counted(completion: int, prompt: int = 0, reasoning: int = 0, **message: Any) -> Exchange:
    """A reply that ends by its length, with its tokens."""
    details = {"completion_tokens_details": {"reasoning_tokens": reasoning}}
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, **details}
    return answered({**said("1, 2", "length", **message), "usage": usage})


@pytest.mark.parametrize(
    ("tokens", "why"),
    [
        ((1,), "'length' after 1 of 100 tokens"),
        # Some count neither the tokens of reasoning nor the last one.
        ((87,), "'length' after 87 of 100 tokens"),
        ((88,), ""),
        ((77, 0, 10), "'length' after 77 of 100 tokens"),
        ((78, 0, 10), ""),
        # The smallest window may be full.
        ((10, 1831), "'length' after 10 of 100 tokens"),
        ((10, 1832), ""),
    ],
)
def test_a_reply_is_cut_where_tokens_are_left_of_its_limit_and_of_any_window(
    tokens: tuple[int, ...], why: str
) -> None:
    assert cut(counted(*tokens)) == why


CALLING = {**CALL, "function": {"name": "é", "arguments": "a" * 5}}


@pytest.mark.parametrize(
    ("content", "message", "limit", "why"),
    [
        ("a" * 87, {}, 100, "'length' after 87 of 100 tokens"),
        ("a" * 88, {}, 100, ""),
        ("a" * 80, {"tool_calls": [CALLING]}, 100, "'length' after 87 of 100 tokens"),
        ("a" * 81, {"tool_calls": [CALLING]}, 100, ""),
        ("a" * 1841, {}, 4096, "'length' after 1841 of 4096 tokens"),
        ("a" * 1842, {}, 4096, ""),
    ],
)
def test_a_reply_whose_tokens_are_not_told_has_at_most_one_for_each_byte(
    content: str, message: dict[str, Any], limit: int, why: str
) -> None:
    assert cut(answered(said(content, "length", **message)), limit) == why


def test_reasoning_that_is_not_counted_may_have_taken_the_limit() -> None:
    assert cut(answered(said("1", "length", reasoning="r"))) == ""
    assert cut(counted(10, reasoning=0, reasoning_content="r")) == ""
    assert cut(counted(10, 0, 9, reasoning_content="r")) == "'length' after 10 of 100 tokens"


@pytest.mark.parametrize(
    ("request_body", "limit"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_tokens": 5, "max_completion_tokens": 6}, 6),
        ({"max_tokens": 5, "max_completion_tokens": None}, 5),
        ({"max_tokens": True}, 0),
        ({}, 0),
        (b"{}", 0),
    ],
)
def test_the_limit_that_a_request_states_is_the_newer_of_two(request_body: Any, limit: int) -> None:
    assert stated_limit(request_body) == limit


def test_a_reply_is_cut_short_that_does_not_finish_or_is_below_the_stated_limit() -> None:
    ends = [(None, 100), ("stop", 100), ("length", 100), ("length", 0)]
    found = [answered(said("1", finish), max_tokens=limit) for finish, limit in ends]
    assert [cut_short(each, read(each)) for each in found] == [
        "a reply that does not finish",
        "",
        "'length' after 1 of 100 tokens",
        "",
    ]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_what_vllm_really_sent_has_no_defects(path: Path) -> None:
    recorded = json.loads(path.read_text())
    chats = {name: r for name, r in recorded.items() if "request" in r and r.get("status") == 200}
    replies = {name: read(recorded_exchange(r)) for name, r in chats.items()}
    assert len(replies) >= 13
    assert {name: reply.defects for name, reply in replies.items()} == dict.fromkeys(chats, ())
    assert {reply.finish for reply in replies.values()} <= {"stop", "length", "tool_calls"}


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_what_vllm_really_refused_is_quoted(path: Path) -> None:
    recorded = json.loads(path.read_text())
    refused = {
        name: r for name, r in recorded.items() if "request" in r and r.get("status", 0) > 299
    }
    scores = {name: score(recorded_exchange(r)) for name, r in refused.items()}
    assert {s.outcome for s in scores.values()} == {Outcome.ENDPOINT_ERROR}
    assert scores["bad_temperature"].reason == (
        "HTTP 400: 'temperature must be in [0, 2], got 9.0. (parameter=temperature, value=9.0)'"
    )


def recorded_exchange(recorded: dict[str, Any]) -> Exchange:
    kind = recorded["headers"]["Content-Type"]
    return came(recorded["body"].encode(), recorded["request"], kind, recorded["status"])
