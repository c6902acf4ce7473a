from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from readiness.exchange import NOT_SENT, Exchange, Fault
from readiness.protocol.completion import read
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
