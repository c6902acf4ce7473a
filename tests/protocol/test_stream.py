from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from readiness.exchange import Exchange
from readiness.protocol.completion import read
from readiness.reply import DefectKind, Timing, ToolCall, Usage
from readiness.score import Outcome, Score
from tests.exchanges import (
    ASK,
    CALL,
    JSON,
    LOOK,
    STREAM,
    came,
    chunk,
    defect_text,
    fragment,
    framed,
    malformed,
    said,
    score,
    streamed,
)

A = chunk(content="a")
END = chunk("stop")
USED = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"))


def exchange(body: bytes) -> Exchange:
    return came(body, {**ASK, "stream": True}, STREAM)


@given(st.lists(TEXT, min_size=1), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.booleans())
@example(["👩‍👩‍👧‍👦🇪🇸", "𠮷\u2028\x85\r\n", "é\x00"], b"\r\n", False)
def test_any_text_survives_streaming(texts: list[str], newline: bytes, escaped: bool) -> None:
    chunks = [chunk(role="assistant", content=""), *(chunk(content=text) for text in texts), END]
    frames = [json.dumps(one, ensure_ascii=escaped).encode() for one in chunks]
    stream = b"".join(b"data: " + frame + newline * 2 for frame in [*frames, b"[DONE]"])
    reply = read(exchange(stream))
    assert (reply.content, reply.finish, reply.defects) == ("".join(texts), "stop", ())


@given(st.text(), st.lists(st.integers(1, 9)))
@example('{"a": "\ud83d\ude00"}'.encode("utf-16", "surrogatepass").decode("utf-16"), [8])
def test_arguments_survive_any_cuts(arguments: str, cuts: list[int]) -> None:
    pieces, rest = [], arguments
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    first = fragment(id="c1", type="function", function={"name": "look", "arguments": ""})
    later = [fragment(function={"arguments": piece}) for piece in [*pieces, rest]]
    reply = read(streamed(first, *later, chunk("tool_calls")))
    assert reply.tool_calls == (ToolCall("c1", "function", "look", arguments),)
    assert (reply.content, reply.defects) == (None, ())


def test_times_are_those_of_the_frames_that_held_tokens() -> None:
    nothing = chunk(role="assistant", content=[{"type": "text", "text": ""}], reasoning=[])
    silent, token = framed(nothing, end=b""), framed(chunk(content="a"))
    frames = [silent, b": ping\n\n", token[: -len(b"data: [DONE]\n\n")]] * 2
    stream = b"".join(frames) + framed(END)
    first, last = (len(b"".join(frames[:count])) / 1000 for count in (3, 6))
    timing = read(exchange(stream)).timing
    assert timing == Timing(0.001, first, last, 1000.0, len(b"".join(frames)))


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning_content": "a"},
        {"refusal": "a"},
        {"content": [{"type": "text", "text": ""}, {"type": "refusal", "refusal": "a"}]},
        {"tool_calls": [{"index": 0, **CALL}]},
    ],
)
def test_every_kind_of_token_stops_the_clock(delta: dict[str, Any]) -> None:
    timing = read(streamed(chunk(role="assistant"), chunk(**delta), END)).timing
    frame = len(framed(chunk(role="assistant"), chunk(**delta), end=b""))
    assert (timing.first_token, timing.last_token) == (frame / 1000, frame / 1000)


def test_a_part_with_text_is_a_token_behind_one_without() -> None:
    chunks = [chunk(content=[{"type": "text", "text": each}]) for each in ("", "a")]
    timing = read(streamed(*chunks, END)).timing
    assert timing.first_token == len(framed(*chunks, end=b"")) / 1000


def test_a_call_without_index_and_id_is_the_first() -> None:
    sent = [{"type": "function", "function": CALL["function"]}]
    reply = read(streamed(chunk(tool_calls=sent), chunk("tool_calls")))
    assert [each.kind for each in reply.defects] == [
        DefectKind.CALL_WITHOUT_INDEX,
        DefectKind.CALL_BEGINS_WITHOUT_FIELD,
        DefectKind.CALL_WITHOUT_FIELD,
    ]


def test_reasoning_under_two_names_is_read_once() -> None:
    deltas = [chunk(reasoning=part, reasoning_content=part) for part in ("Let me", " see")]
    reply = read(streamed(*deltas, chunk(content="Hello"), END))
    assert (reply.reasoning, reply.text, reply.defects) == ("Let me see", "Hello", ())


def test_parallel_calls_come_in_the_order_of_their_indexes() -> None:
    second = {**CALL, "id": "c2"}
    sent = [fragment(**CALL), fragment(1, **second), chunk("tool_calls")]
    reply = read(streamed(*sent))
    assert [call.id for call in reply.tool_calls] == ["c1", "c2"]
    assert reply.message["tool_calls"] == [CALL, second]
    assert reply.defects == ()


def test_the_other_choices_of_a_stream_are_kept_apart() -> None:
    other = {"index": 1, "delta": {"content": "B"}, "finish_reason": "length"}
    both = {**chunk(content="A"), "choices": [other, chunk(content="A")["choices"][0]]}
    reply = read(streamed(both, END))
    assert (reply.content, reply.finish, reply.defects) == ("A", "stop", ())


def test_the_last_usage_counts_and_null_is_none() -> None:
    early = {**chunk(content="a"), "usage": {**USED, "completion_tokens": 1}}
    last = {"id": "c", "choices": [], "usage": USED}
    reply = read(streamed(early, {**END, "usage": None}, last, {"id": "c", "choices": []}))
    assert (reply.usage, reply.defects) == (Usage(3, 4), ())


def test_calls_that_share_an_index_are_merged_as_a_client_would() -> None:
    sent = [fragment(**CALL), fragment(**{**CALL, "id": "c2"}), chunk("tool_calls")]
    reply = read(streamed(*sent))
    assert reply.tool_calls == (ToolCall("c1", "function", "look", '{"a": 1}{"a": 1}'),)


def test_calls_without_index_are_distinguished_by_their_ids() -> None:
    rest = {"function": {"arguments": " "}}
    sent = [CALL, rest, {**CALL, "id": "c2"}, rest, rest]
    reply = read(streamed(chunk(tool_calls=sent), chunk("tool_calls")))
    assert [(call.id, call.arguments) for call in reply.tool_calls] == [
        ("c1", '{"a": 1} '),
        ("c2", '{"a": 1}  '),
    ]
    assert reply.tool_calls[0].name == LOOK.name


@pytest.mark.parametrize(
    "frame",
    [
        {"error": {"message": "boom", "type": "InternalServerError", "code": 500}},
        {"error": "boom", "error_type": "generation"},
        {"object": "error", "message": "boom", "type": "BadRequestError", "code": 400},
        {"message": "boom", "type": "x"},
        {"detail": "boom"},
        b'event: error\ndata: {"msg": "boom"}\n\n',
    ],
)
def test_an_error_in_mid_stream_is_the_endpoints_error(frame: Any) -> None:
    found = score(streamed(A, frame, END))
    assert found == Score(Outcome.ENDPOINT_ERROR, "error in mid-stream: 'boom'")


def test_a_filter_in_mid_stream_blocks_only_what_it_kept_back() -> None:
    frame = {"error": {"message": "no", "code": "data_inspection_failed"}}
    reason = "error in mid-stream: 'no'"
    assert score(streamed(frame)) == Score(Outcome.BLOCKED, reason)
    assert score(streamed(A, frame)) == Score(Outcome.ENDPOINT_ERROR, reason)


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (framed(), "a stream without choices: b'data: [DONE]\\n\\n'"),
        (b": ping\n\n", "a stream without choices: b': ping\\n\\n'"),
        (b'error: {"code": 500}\n\n', "a stream without choices: b'error: {\"code\": 500}\\n\\n'"),
        (framed({"choices": [1]}), "a choice is no object: 1"),
        (framed({"choices": [{"index": 0, "delta": 5}]}), "a delta is no object: 5"),
        (framed(chunk(content=5)), "the content is no string: 5"),
        (framed(chunk(tool_calls=CALL)), f"tool_calls is no list of objects: {CALL!r:.120}"),
    ],
)
def test_what_no_client_could_read_is_malformed(stream: bytes, reason: str) -> None:
    assert malformed(exchange(stream)) == reason


def test_a_document_in_place_of_a_stream_is_read_and_a_defect() -> None:
    body = json.dumps(said()).encode()
    reply = read(came(body, {**ASK, "stream": True}))
    assert defect_text(reply) == "asked to stream, got one document: application/json"
    assert (reply.content, reply.timing.first_token) == ("Hello", None)
    error = came(b'{"error": "boom"}', {**ASK, "stream": True}, STREAM)
    assert malformed(error) == "an error under a success status: 'boom'"


def test_a_stream_under_another_label_is_read_and_a_defect() -> None:
    reply = read(came(framed(A, END), {**ASK, "stream": True}, JSON))
    assert (reply.content, defect_text(reply)) == (
        "a",
        "content-type of a stream: 'application/json'",
    )
