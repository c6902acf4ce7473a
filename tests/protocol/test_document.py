from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from readiness.protocol.completion import MAX_COUNT, read
from readiness.reply import ToolCall, Usage
from tests.exchanges import ASK, CALL, LOOK, answered, came, defect_text, malformed, said

USED = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def test_a_plain_reply_is_read_as_it_was_sent() -> None:
    reply = read(answered({**said(" Hello\n"), "usage": USED}))
    assert (reply.content, reply.text, reply.reasoning, reply.refusal) == (" Hello\n",) * 2 + (
        "",
    ) * 2
    assert (reply.tool_calls, reply.finish, reply.usage) == ((), "stop", Usage(3, 4))
    assert (reply.leaks, reply.defects) == ((), ())
    assert reply.message == {"role": "assistant", "content": " Hello\n"}


@given(st.text(st.characters(codec="utf-8")))
@example("\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") + "\u2028\x00 é")
def test_any_text_survives(text: str) -> None:
    reply = read(answered(said(f"x{text}")))
    assert (reply.content, reply.defects) == (f"x{text}", ())


@pytest.mark.parametrize(
    ("message", "content", "reasoning", "refusal"),
    [
        ({"content": None}, None, "", ""),
        ({"content": ""}, "", "", ""),
        ({"content": "a", "reasoning_content": "r"}, "a", "r", ""),
        ({"content": "a", "reasoning": "r"}, "a", "r", ""),
        ({"content": "a", "thinking": "r"}, "a", "r", ""),
        ({"content": "a", "reasoning_details": [{"text": "r"}, {"text": "s"}]}, "a", "rs", ""),
        ({"content": "a", "reasoning": "r", "reasoning_content": "r"}, "a", "r", ""),
        ({"content": "a", "reasoning": None, "reasoning_content": ""}, "a", "", ""),
        ({"content": "a", "reasoning": {"effort": "low"}}, "a", "", ""),
        ({"content": "a", "reasoning": {"text": [{"text": "r"}]}}, "a", "r", ""),
        ({"content": "a", "reasoning": {"text": [{"text": ["r"]}]}}, "a", "", ""),
        ({"content": "a", "reasoning": [[{"text": {"text": "r"}}]]}, "a", "", ""),
        ({"content": None, "refusal": "no"}, None, "", "no"),
        (
            {"content": [{"type": "text", "text": "a"}, {"type": "output_text", "text": "b"}]},
            "ab",
            "",
            "",
        ),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "r"}]}]},
            "",
            "r",
            "",
        ),
        (
            {"content": [{"type": "reasoning", "text": "r"}, {"type": "text", "text": "a"}]},
            "a",
            "r",
            "",
        ),
        ({"content": [{"type": "refusal", "refusal": "no"}]}, "", "", "no"),
        ({"content": []}, "", "", ""),
    ],
)
def test_the_texts_of_a_message_are_found_under_all_their_names(
    message: dict[str, Any], content: str | None, reasoning: str, refusal: str
) -> None:
    reply = read(answered(said(**message)))
    assert (reply.content, reply.reasoning, reply.refusal) == (content, reasoning, refusal)
    assert reply.defects == ()


def test_inline_reasoning_is_not_sent_back_as_history() -> None:
    reply = read(answered(said("<think>why</think>\n\nHello", reasoning="because")))
    assert (reply.content, reply.text) == ("<think>why</think>\n\nHello", "Hello")
    assert reply.reasoning == "because\nwhy"
    assert reply.message == {"role": "assistant", "content": "Hello"}


def test_tool_calls_are_read_and_sent_back_unchanged() -> None:
    reply = read(answered(said(None, "tool_calls", tool_calls=[CALL])))
    assert (reply.tool_calls, reply.defects) == ((LOOK,), ())
    assert reply.message == {"role": "assistant", "content": None, "tool_calls": [CALL]}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_before_a_call_is_sent_back_in_its_field(field: str) -> None:
    reply = read(answered(said(None, "tool_calls", tool_calls=[CALL], **{field: "why"})))
    assert (reply.reasoning_field, reply.message[field]) == (field, "why")
    assert field not in read(answered(said("Hello", **{field: "why"}))).message


def test_tokens_of_reasoning_are_counted_where_they_are_told() -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": 3}}
    reply = read(answered({**said(), "usage": {**USED, **details}}))
    assert reply.usage == Usage(3, 4, reasoning=3)


def test_a_reply_that_ends_with_tool_calls_has_some() -> None:
    assert defect_text(read(answered(said("Hello", "tool_calls")))) == (
        "finish_reason is tool_calls, without a tool call"
    )


def test_a_message_without_text_is_sent_back_as_an_empty_text() -> None:
    assert read(answered(said(None))).message == {"role": "assistant", "content": ""}


def test_the_choice_of_index_0_is_the_reply_or_else_the_first() -> None:
    document = said("first")
    document["choices"].insert(0, {**said("second")["choices"][0], "index": 1})
    assert read(answered(document, n=2)).content == "first"
    del document["choices"][1]["index"]
    assert read(answered(document, n=2)).content == "second"


@pytest.mark.parametrize(
    ("call", "defect", "shown"),
    [
        ({"id": None}, "tool call without id", None),
        ({"id": 7}, "id of a tool call is not a string: 7", None),
        ({"type": None}, "tool call without type", ("c1", "", "look", '{"a": 1}')),
        ({"function": {"arguments": "{}"}}, "tool call without name", ("c1", "function", "", "{}")),
        ({"function": {"name": "look"}}, "tool call without arguments", None),
        ({"function": {"name": "look", "arguments": None}}, "tool call without arguments", None),
        (
            {"function": {"name": "look", "arguments": {"a": "ñ"}}},
            "arguments of a tool call are not a string: {'a': 'ñ'}",
            ("c1", "function", "look", '{"a": "ñ"}'),
        ),
    ],
)
def test_a_missing_field_of_a_tool_call_is_a_defect_and_is_not_fabricated(
    call: dict[str, Any], defect: str, shown: tuple[str, ...] | None
) -> None:
    reply = read(answered(said(None, tool_calls=[{**CALL, **call}])))
    assert reply.defects[0].text == defect
    assert shown is None or reply.tool_calls == (ToolCall(*shown),)


def test_calls_that_share_an_id_are_a_defect() -> None:
    reply = read(answered(said(None, tool_calls=[CALL, CALL])))
    assert reply.tool_calls == (LOOK, LOOK)
    assert defect_text(reply) == "tool calls share an id: ['c1', 'c1']"


@pytest.mark.parametrize("finish", [None, "", 1])
def test_a_missing_finish_reason_is_a_defect_and_is_not_fabricated(finish: Any) -> None:
    reply = read(answered(said(finish=finish)))
    assert (reply.finish, defect_text(reply)) == ("", f"no finish_reason: {finish!r}")


@pytest.mark.parametrize(
    ("sent", "usage", "defective"),
    [
        (None, None, False),
        ({}, None, False),
        (USED, Usage(3, 4), False),
        ({**USED, "prompt_tokens_details": None}, Usage(3, 4), False),
        ({**USED, "prompt_tokens_details": {"cached_tokens": 2}}, Usage(3, 4, 2), False),
        ({**USED, "prompt_tokens_details": {"cached_tokens": "2"}}, Usage(3, 4), True),
        ({"prompt_tokens": 3}, None, True),
        ({**USED, "completion_tokens": "4"}, None, True),
        ({**USED, "completion_tokens": True}, None, True),
        ({**USED, "completion_tokens": -1}, None, True),
        ({**USED, "completion_tokens": 0}, Usage(3, 0), False),
        ({**USED, "prompt_tokens": MAX_COUNT - 1}, Usage(MAX_COUNT - 1, 4), False),
        ({**USED, "prompt_tokens": MAX_COUNT}, None, True),
        ([USED], None, True),
    ],
)
def test_usage_is_counts_or_none(sent: Any, usage: Usage | None, defective: bool) -> None:
    reply = read(answered({**said(), "usage": sent}))
    defects = f"usage is not in token counts: {sent!r:.120}" if defective else ""
    assert (reply.usage, defect_text(reply)) == (usage, defects)


def test_half_a_surrogate_pair_is_a_defect_and_leaves_text_that_can_be_written() -> None:
    reply = read(came(json.dumps(said("a\ud83db")).encode(), ASK))
    assert (reply.content, defect_text(reply)) == (
        "a\ufffdb",
        "lone surrogate in the text: '\\ud83db'",
    )


DEEP = b'{"a": ' + b"[" * 114
LARGE = b'{"choices": 1' + b"0" * 107


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b"<html>", "not JSON, Expecting value: line 1 column 1 (char 0): b'<html>'"),
        (b'{"choices": NaN}', "not JSON, NaN is no number: b'{\"choices\": NaN}'"),
        (b"[" * 100_000, "not JSON, nested too deep: " + repr(b"[" * 120)),
        (b'{"a": %b}' % (b"[" * 200 + b"]" * 200), f"not JSON, nested too deep: {DEEP!r}"),
        (b'{"a": %b}' % (b"[" * 199 + b"]" * 199), "no choices: None"),
        (b'{"a": [%b]}' % (b"[]," * 200 + b"[]"), "no choices: None"),
        (b'{"choices": 1%b}' % (b"0" * 308), f"no choices: 1{'0' * 119}"),
        (b'{"choices": 1%b}' % (b"0" * 309), f"not JSON, 1{'0' * 19} is no number: {LARGE!r}"),
        (b'"\xff"', "not UTF-8: b'\"\\xff\"'"),
        (b'"%b\xff%b"' % (b"a" * 30, b"b" * 30), f"not UTF-8: b'{'a' * 20}\\xff{'b' * 20}'"),
        (b"[1]", "no JSON object: [1]"),
        (b'{"error": {"message": "boom"}}', "an error under a success status: 'boom'"),
        (b'{"object": "error", "message": "boom"}', "an error under a success status: 'boom'"),
        (b'{"detail": "boom"}', "an error under a success status: 'boom'"),
        (b"{}", "no choices: None"),
        (b'{"choices": []}', "no choices: []"),
        (b'{"choices": [1]}', "a choice is no object: [1]"),
        (b'{"choices": [{"text": "a"}]}', "no message: {'text': 'a'}"),
        (b'{"choices": [{"message": {"content": 5}}]}', "the content is no string: 5"),
        (b'{"choices": [{"message": {"content": ["a"]}}]}', "a part of the content is 'a'"),
        (
            b'{"choices": [{"message": {"content": [{"type": "text"}]}}]}',
            "the text of a part is no string: None",
        ),
        (
            b'{"choices": [{"message": {"tool_calls": {"id": 1}}}]}',
            "tool_calls is no list of objects: {'id': 1}",
        ),
        (
            b'{"choices": [{"message": {"tool_calls": [{"id": 1}, 2]}}]}',
            "tool_calls is no list of objects: [{'id': 1}, 2]",
        ),
        (
            b'{"choices": [{"message": {"tool_calls": [{"function": "f"}]}}]}',
            "the function of a tool call is 'f'",
        ),
    ],
)
def test_what_no_client_could_read_is_malformed(body: bytes, reason: str) -> None:
    assert malformed(came(body, ASK)) == reason
