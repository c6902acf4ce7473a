from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from readiness.checks.json_only.scoring import is_json
from readiness.exchange import Exchange
from readiness.reply import Defect, DefectKind, Reply, Timing, ToolCall
from readiness.score import PASSED, Outcome, Score, failed
from readiness.scoring.strict_json import UNSTATED

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "born": {"type": "string", "format": "date"},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}
ANA = {"name": "Ana", "age": 34}
TEXT = '{"name": "Ana", "age": 34}'
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
LEAVES: st.SearchStrategy[Any] = st.none() | st.booleans() | TEXTS | NUMBERS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)
DOCUMENTS = st.lists(VALUES, max_size=4) | st.dictionaries(TEXTS, VALUES, max_size=4)


DEFECTS = (
    Defect(DefectKind.NO_DONE, "no [DONE]"),
    Defect(DefectKind.ID_CHANGES, "two ids"),
)


def reply(content: str | None, **other: Any) -> Reply:
    """Make a reply that is whole, but for what is named."""
    parts: dict[str, Any] = {
        "text": content or "",
        "reasoning": "",
        "tool_calls": (),
        "refusal": "",
        "finish": "stop",
        "usage": None,
        "leaks": (),
        "defects": (),
        "message": {"role": "assistant", "content": content},
        "timing": Timing(0.0, None, None, 0.0),
    }
    return Reply(content=content, **{**parts, **other})


def exchange(request: Any, status: int | None, body: bytes, **other: Any) -> Exchange:
    kind = "text/event-stream" if body.startswith(b"data:") else "application/json"
    parts: dict[str, Any] = {"arrivals": (), "fault": None, "detail": "", "sent": 0.0, "end": 0}
    return Exchange(request, status, {"content-type": kind}, body, **{**parts, **other})


@pytest.mark.parametrize(
    "text",
    [
        f"\r\n\t {TEXT}\n",
        '{"age": 34, "name": "Ana"}',
        '{\n    "name": "Ana",\n    "age": 34\n}',
        '{"name": "Ana", "age": 34.0}',
        '{"name": "\\u0041n\\u0061", "age": 34}',
        '{"name":"Ana","age":3.4e1}',
    ],
)
def test_other_forms_of_the_same_document_pass(text: str) -> None:
    assert is_json(reply(text), PERSON, ANA) == PASSED


@pytest.mark.parametrize(
    ("given_reply", "reason"),
    [
        (reply(None), "no content"),
        (reply(" "), "no content"),
        (reply(None, reasoning=TEXT), f"no content, but reasoning: {TEXT!r}"),
        (reply(None, refusal="I won't"), 'no content, but a refusal: "I won\'t"'),
        (
            reply(None, tool_calls=(ToolCall("1", "function", "save", "{}"),)),
            "no content, but a call of 'save'",
        ),
        (reply(TEXT, defects=DEFECTS), "no [DONE]; two ids"),
        (
            reply('{"name": "A\ufffd", "age": 1}'),
            "a replacement character U+FFFD: '{\"name\": \"A\ufffd\", \"age\": 1}'",
        ),
        (
            reply('{"name": "An', finish="length"),
            "cut off: finish_reason is length, the text ends in '{\"name\": \"An'",
        ),
        (
            reply('{"a":' + "\n" * 65, finish="length"),
            "whitespace runs away, more than 64 in a row: '{\"a\":" + "\\n" * 57,
        ),
        (
            reply(f"```json\n{TEXT}\n```"),
            f"a fence around the JSON: '```json\\n{TEXT}\\n```'; would pass without the fence",
        ),
        (
            reply(f"Here: {TEXT}."),
            f"text before the JSON: 'Here: {TEXT}.'; would pass without the text around it",
        ),
        (
            reply(f"<think>a</think>{TEXT}"),
            f"reasoning leaks into the text: '<think>a</think>{TEXT}'; "
            "would pass without the reasoning",
        ),
        (reply('Here: {"name": 1}.'), "text before the JSON: 'Here: {\"name\": 1}.'"),
        (reply('"Ana"'), "not of the schema at $: 'Ana' is not of type 'object'"),
        (reply('{"name": "Ana"}'), "not of the schema at $: 'age' is a required property"),
        (
            reply('{"name": "Ana", "age": "34"}'),
            "not of the schema at $.age: '34' is not of type 'integer'",
        ),
        (
            reply('{"name": "Ana", "age": 34, "note": ""}'),
            "not of the schema at $: Additional properties are not allowed "
            "('note' was unexpected)",
        ),
        (
            reply('{"name": "Ana", "age": 34, "born": "5 May"}'),
            "not of the schema at $.born: '5 May' is not a 'date'",
        ),
        (reply('{"name": "Ana", "age": 35}'), "wrong value at $.age: expected 34, got 35"),
        (reply('{"name": "Ann", "age": 34}'), "wrong value at $.name: expected 'Ana', got 'Ann'"),
    ],
)  # fmt: skip
def test_a_failed_reply_says_what_came(given_reply: Reply, reason: str) -> None:
    assert is_json(given_reply, PERSON, ANA) == failed(reason)


def test_what_a_filter_cut_off_is_told_apart() -> None:
    score = is_json(reply('{"na', finish="content_filter"), PERSON)
    assert score == Score(Outcome.BLOCKED, "blocked by a filter: '{\"na'")


def test_long_white_space_within_a_string_is_the_models_own() -> None:
    assert is_json(reply(json.dumps({"name": " " * 80, "age": 1})), PERSON) == PASSED


def test_missing_records_are_counted() -> None:
    two = {"type": "array", "minItems": 2, "items": PERSON}
    score = is_json(reply(f"[{TEXT}]"), two)
    assert score == failed("not of the schema at $: 1 items, minItems is 2")


def test_what_is_stated_nowhere_is_no_wrong_value() -> None:
    assert is_json(reply(TEXT), PERSON, UNSTATED) == PASSED
