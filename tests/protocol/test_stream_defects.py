from __future__ import annotations

from typing import Any

import pytest

from readiness.protocol.completion import read
from tests.exchanges import CALL, chunk, fragment, streamed

END = chunk("stop")


def defects(*chunks: Any, end: bytes = b"data: [DONE]\n\n") -> tuple[str, ...]:
    return tuple(each.text for each in read(streamed(*chunks, end=end)).defects)


A, B = chunk(content="a"), chunk(content="b")
HARMLESS: dict[str, list[Any]] = {
    "comments": [b": ping\n\n", chunk(content="a"), b": ping\n\n", END],
    "a role in every chunk": [
        chunk(role="assistant", content="a"),
        chunk("stop", role="assistant"),
    ],
    "Azure's first chunk": [{"id": "", "choices": [], "prompt_filter_results": []}, chunk(), END],
    "text in the last chunk": [chunk("stop", content="a")],
    "an empty delta after the end": [chunk(content="a"), END, chunk(content="", role="assistant")],
    "keys left out": [{"id": "c", "choices": [{"index": 0, "delta": {"content": "a"}}]}, END],
    "TGI without ids": [chunk(id="", content="a"), chunk("stop", id="")],
    "an id that is left out later": [A, chunk(id="", content="b"), END],
    "a null error": [{**chunk(content="a"), "error": None}, END],
    "a call with nulls": [
        fragment(**CALL),
        fragment(id=None, type=None, function={"name": None, "arguments": None}),
        fragment(id="", type="function", function={"name": "", "arguments": ""}),
        fragment(id="c1", function=None),
        chunk("tool_calls"),
    ],
    "a second choice without an end": [
        {"id": "c", "choices": [{"index": 1, "delta": {"content": "b"}}]},
        chunk(content="a"),
        END,
    ],
    "a character that the budget cut in two": [chunk("length", content="a\ufffd")],
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_breaks_no_client_is_no_defect(name: str) -> None:
    assert defects(*HARMLESS[name]) == ()


FIRST = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{"}}
UNENDED = ("no finish_reason", "no [DONE]")
DEFECTIVE: dict[str, list[Any]] = {
    "frame is not JSON: '{\"id\"'": [A, b'data: {"id"\n\n', END],
    "frame is not JSON: '{\"a\": NaN}'": [A, b'data: {"a": NaN}\n\n', END],
    "frame is no JSON object: '[1]'": [A, b"data: [1]\n\n", END],
    "frame without choices: b'{}'": [A, {}, END],
    'invalid UTF-8 in a frame: b\'elta": {"content": "\\xe4\\xbd"}}]}\'': [
        b'data: {"id": "c", "choices": [{"index": 0, "delta": {"content": "\xe4\xbd"}}]}\n\n',
        END,
    ],
    'invalid UTF-8 in a frame: b\'{"choices": [], "\\xff": 1}\'': [
        b'data: {"choices": [], "\xff": 1}\n\n',
        A,
        END,
    ],
    "lone surrogate in the text: '\\ud83d\\ude00b'": [
        chunk(content="a\ud83d"),
        chunk(content="\ude00b"),
        END,
    ],
    f"invalid UTF-8 in a frame: b'{'a' * 20}\\xff{'b' * 20}'": [
        b'data: {"a": "%b\xff%b", "choices": []}\n\n' % (b"a" * 30, b"b" * 30),
        A,
        END,
    ],
    "U+FFFD in the text: 'a�b'": [chunk(content="a\ufffd"), B, END],
    "U+FFFD in the text: '�b'": [chunk(content="\ufffd"), B, END],
    f"U+FFFD in the text: '{'a' * 20}�{'b' * 19}'": [
        chunk(content="a" * 30 + "\ufffd" + "b" * 30),
        END,
    ],
    "data after [DONE]: b'{}'": [A, END, b"data: [DONE]\n\n", {}],
    "id changes: 'c', then 'd'": [A, chunk(id="d", content="b"), END],
    "two finish_reasons: 'stop', then 'stop'": [A, END, END],
    "no finish_reason": [A, B],
    "finish_reason is neither a reason nor null: ''": [chunk("", content="a"), END],
    "delta after the finish_reason: {'content': 'b'}": [A, END, B],
    "choice without index: {'delta': {'content': 'a'}}": [
        {"id": "c", "choices": [{"delta": {"content": "a"}}]},
        END,
    ],
    "tool call without index: {'id': 'c1'": [chunk(tool_calls=[CALL]), END],
    "first fragment of a tool call without id": [fragment(**{**FIRST, "id": None}), END],
    "first fragment of a tool call without name": [fragment(id="c1", type="function"), END],
    "tool call without type": [fragment(**{**FIRST, "type": None}), END],
    "id of a tool call changes: 'c1', then 'c2'": [
        fragment(**FIRST),
        fragment(**{**FIRST, "id": "c2"}),
        END,
    ],
    "name of a tool call comes more than once: 'look'": [
        fragment(**FIRST),
        fragment(function={"name": "look", "arguments": "}"}),
        END,
    ],
    "finish_reason is tool_calls, without a tool call": [A, chunk("tool_calls")],
    "name of a tool call changes: 'look', then 'up'": [
        fragment(**FIRST),
        fragment(function={"name": "up"}),
        END,
    ],
    "arguments of a tool call are not a string: {'a': 1}": [
        fragment(**{**FIRST, "function": {"name": "look", "arguments": {"a": 1}}}),
        END,
    ],
    "tool calls share an id: ['c1', 'c1']": [fragment(**FIRST), fragment(1, **FIRST), END],
    "indexes of the tool calls do not count from 0: [1]": [fragment(1, **FIRST), END],
    "usage is not in token counts: {'prompt_tokens': '3'}": [
        {**A, "usage": {"prompt_tokens": "3"}},
        END,
    ],
}


@pytest.mark.parametrize("defect", DEFECTIVE)
def test_what_breaks_a_client_is_a_defect(defect: str) -> None:
    found = defects(*DEFECTIVE[defect])
    assert found[0].startswith(defect)
    assert {one.partition(":")[0] for one in found[1:]} <= {
        "tool call without id",
        "tool call without name",
        "name of a tool call comes more than once",
    }


@pytest.mark.parametrize(
    ("chunks", "end", "found"),
    [
        ([A, END], b"", ("no [DONE]",)),
        ([A], b"", UNENDED),
        (
            [A, END],
            b"data: [DONE]\n",
            (),
        ),
        (
            [A],
            b'data: {"id"',
            ("stream ends in the middle of a frame: b'data: {\"id\"'", *UNENDED),
        ),
    ],
)
def test_a_stream_that_is_cut_short_has_defects(
    chunks: list[Any], end: bytes, found: tuple[str, ...]
) -> None:
    assert defects(*chunks, end=end) == found


def test_a_defect_of_every_frame_is_reported_once() -> None:
    assert defects(A, *[b"data: {\n\n", b"data: [\n\n"] * 50, END) == ("frame is not JSON: '{'",)
