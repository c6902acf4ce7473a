"""Each oddity that real servers were recorded to have, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from readiness.checks.api import scoring_replies
from readiness.checks.json_only.scoring import is_json
from readiness.checks.tool_calling import scoring
from readiness.exchange import Exchange, Fault
from readiness.protocol.completion import read
from readiness.reply import Reply, ToolCall
from readiness.score import Outcome, Score
from readiness.scoring import rejection
from tests.checks.api.test_recorded_models import RECORDED, WIRE, came, exchange, probe
from tests.reference_in_process import reply

pytestmark = pytest.mark.skipif(not WIRE.is_dir(), reason="the recordings are not here")

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "city": {"type": "string"},
    },
    "required": ["name", "age", "city"],
    "additionalProperties": False,
}
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
    "required": ["city"],
}
WEATHER, TIME = (
    {"type": "function", "function": {"name": f"get_{name}", "parameters": CITY}}
    for name in ("weather", "time")
)
REQUIRED = 'tools tool_choice="required" ['
NAMED = 'tools tool_choice={"type": "function", "function": {"name": "get_time"}} ['


def called(name: str, title: str) -> Reply:
    """The reply to a request with tools, as a recording has it."""
    found = json.loads(probe(name, title))
    calls = [
        ToolCall(each["id"], each["type"], each["function"]["name"], each["function"]["arguments"])
        for each in found["tool_calls"]
    ]
    return replace(reply(found["content"] or "", finish=found["finish"]), tool_calls=tuple(calls))


def recorded(version: str, name: str) -> Exchange:
    """An exchange with vLLM."""
    file = next(each for each in RECORDED if version in each)
    return exchange(json.loads((WIRE / file).read_text("utf-8"))[name])


# What the reply is constrained to


@pytest.mark.parametrize("form", ["json_object [", "json_schema strict ["])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tfserve", "a fence around the JSON"),
        ("dasllama", ""),
        ("vllm", ""),
        ("xllama-qwen-tmpl", ""),
    ],
)
def test_a_response_format_that_is_ignored_is_found(form: str, name: str, reason: str) -> None:
    finish, content = json.loads(probe(name, form))
    assert is_json(reply(content, finish=finish), PERSON).reason.partition(":")[0] == reason


@pytest.mark.parametrize(
    ("version", "name", "reason"),
    [
        ("0.32", "json_schema", ""),
        ("0.26", "json_object", "cut off"),
        ("0.26", "json_schema", "whitespace runs away, more than 64 in a row"),
    ],
)
def test_json_that_ends_by_its_budget_is_cut_off_and_not_invalid(
    version: str, name: str, reason: str
) -> None:
    score = is_json(read(recorded(version, name)), PERSON)
    assert score.reason.partition(":")[0] == reason


@pytest.mark.parametrize(
    ("name", "title", "passed"),
    [
        ("tfserve", "json_schema broken schema", False),
        ("tfserve2", "response_format unknown type", False),
        ("dasllama", "json_schema broken schema", False),
        ("dasllama", "response_format unknown type", True),
        ("xllama-qwen-tmpl", "json_schema broken schema", True),
        ("vllm", "json_schema broken schema", True),
    ],
)
def test_a_bad_response_format_is_refused_or_not(name: str, title: str, passed: bool) -> None:
    assert rejection.refused(came(name, title)).passed is passed


# Tools


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("xllama-smol", "expected a call of get_weather or get_time, got []"),
        ("lcp", "a call leaks into the text, with get_weather"),
        ("tfserve", "a call leaks into the text, with get_weather"),
        ("xllama-qwen-tmpl", ""),
        ("dasllama", ""),
        ("vllm", ""),
    ],
)
def test_a_call_that_is_required_is_made_or_missed(name: str, reason: str) -> None:
    score = scoring.forced(called(name, REQUIRED), [WEATHER, TIME])
    assert score.reason.partition(":")[0] == reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("xllama-qwen-tmpl", "expected a call of get_time, got ['get_weather']"),
        ("xllama-smol", "expected a call of get_time, got []"),
        # vLLM ends it by "stop", as OpenAI does, and others by "tool_calls".
        ("vllm", ""),
        ("dasllama", ""),
        ("lcp", ""),
    ],
)
def test_another_function_than_the_one_that_is_named_is_found(name: str, reason: str) -> None:
    assert scoring.forced(called(name, NAMED), [WEATHER, TIME], "get_time").reason == reason


@pytest.mark.parametrize("name", ["tool_required", "tool_named"])
def test_arguments_that_are_no_object_are_found(name: str) -> None:
    score = scoring.forced(read(recorded("0.32", name)), [WEATHER])
    assert score.reason == """arguments of get_weather are no JSON object: '"Paris"'"""


# Parameters


@pytest.mark.parametrize(
    ("name", "indices"),
    [("tfserve", [0]), ("dasllama", [0]), ("lcp", [0]), ("xllama-qwen", [0, 1]), ("vllm", [0, 1])],
)
def test_a_number_of_choices_that_is_ignored_is_found(name: str, indices: list[int]) -> None:
    found = json.loads(probe(name, "n=2"))
    # The recording keeps the choices' indices and texts, not how they ended.
    choices = [{"index": at, "finish_reason": "length"} for at in found["idx"]]
    score = scoring_replies.score_choices(choices, 2)
    assert found["idx"] == indices
    assert score.passed is (indices == [0, 1])


def test_the_tokens_of_one_choice_are_no_count_of_two() -> None:
    found = json.loads(probe("xllama-qwen-tmpl", "n=2"))
    cut = [{"finish_reason": "length"} for _ in found["texts"]]
    body = {"choices": cut, "usage": {"completion_tokens": found["usage"]}}
    assert scoring_replies.score_usage_of_choices(body, 8).reason == "8 tokens for two choices of 8"


@pytest.mark.parametrize(
    ("name", "passed"),
    [("tfserve", False), ("dasllama", True), ("xllama-qwen", True), ("vllm", True), ("lcp", True)],
)
def test_a_stop_text_that_is_ignored_is_found(name: str, passed: bool) -> None:
    finish, text = json.loads(probe(name, "stop ["))
    assert scoring_replies.score_stop(reply(text, finish=finish), "4", ["5"]).passed is passed


@pytest.mark.parametrize("name", ["tfserve", "dasllama"])
def test_log_probabilities_that_do_not_come_are_missed(name: str) -> None:
    asked = json.loads(probe(name, "logprobs top_logprobs=2"))
    told = scoring_replies.score_logprobs(asked or [], reply("Hello!"), 2)
    assert told.reason == "no logprobs.content"


# Errors


@pytest.mark.parametrize(
    ("name", "title", "statuses", "passed"),
    [
        ("xllama-qwen", "bad: unknown model", (404,), False),
        ("dasllama", "bad: unknown model", (404,), True),
        ("vllm", "bad: unknown model", (404,), True),
        ("litellm-mock", "bad: unknown model", (404,), False),
        ("xllama-qwen", "bad: role=alien", rejection.REFUSING, False),
        ("vllm", "bad: role=alien", rejection.REFUSING, False),
        ("dasllama", "bad: role=alien", rejection.REFUSING, True),
        ("litellm-mock", "auth: wrong key", (401, 403), False),
        ("vllm", "auth: wrong key", (401, 403), True),
    ],
)
def test_what_is_answered_in_spite_of_itself_is_found(
    name: str, title: str, statuses: tuple[int, ...], passed: bool
) -> None:
    assert rejection.refused(came(name, title), statuses).passed is passed


def test_a_hang_is_no_refusal() -> None:
    assert probe("tfserve2", "bad: context too long") == "EXC ReadTimeout timed out"
    silent = Exchange({}, None, {}, b"", (), Fault.FIRST_BYTE, "nothing within 120 s", 0.0, 0)
    assert rejection.refused(silent) == Score(
        Outcome.ENDPOINT_ERROR, "no first byte in time: nothing within 120 s"
    )
