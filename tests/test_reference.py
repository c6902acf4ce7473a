"""The reference endpoint, in a process of its own and over real sockets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import openai
import pytest

from readiness.mutants.process import serving
from tests.asking import CALL, JSON, LOOK, NUMBERS, OK, TEXT, TOLD, ask, chat, user


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture(scope="module")
def sdk(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=url, api_key="none", max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


def test_the_sdk_reads_a_reply_and_its_usage(sdk: openai.OpenAI) -> None:
    reply = sdk.chat.completions.create(model="reference", messages=OK)
    usage = reply.usage
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ("OK", "stop")
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (12, 1, 13)


def test_the_sdk_reads_a_stream(sdk: openai.OpenAI) -> None:
    with sdk.chat.completions.stream(
        model="reference", messages=OK, stream_options={"include_usage": True}
    ) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "OK"
    assert final.usage is not None
    assert final.usage.total_tokens == 13


def test_the_sdk_lists_the_model_and_gets_it(sdk: openai.OpenAI) -> None:
    assert [model.id for model in sdk.models.list()] == ["reference"]
    assert sdk.models.retrieve("reference").object == "model"
    with pytest.raises(openai.NotFoundError):
        sdk.models.retrieve("no/such")


def test_the_sdk_takes_tools(sdk: openai.OpenAI) -> None:
    reply = sdk.chat.completions.create(
        model="reference", messages=OK, tools=[LOOK], tool_choice="none"
    )
    assert reply.choices[0].message.tool_calls is None


def test_the_sdk_names_the_error(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="from 0 to 2") as caught:
        sdk.chat.completions.create(model="reference", messages=OK, temperature=3)
    assert (caught.value.param, caught.value.code) == ("temperature", "invalid_value")


def test_a_stream_has_its_role_first_one_finish_and_usage_last(url: str) -> None:
    got = chat(url, JSON, stream=True, stream_options={"include_usage": True})
    assert got.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert got.frames[-1] == "[DONE]"
    assert got.choices[0]["delta"]["role"] == "assistant"
    assert [each["finish_reason"] for each in got.choices if each["finish_reason"]] == ["stop"]
    assert got.chunks[-1]["choices"] == []
    assert [chunk["usage"] is None for chunk in got.chunks].count(False) == 1
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in got.chunks}) == 1
    assert got.streamed == TEXT


def test_a_stream_without_the_option_has_no_usage(url: str) -> None:
    got = chat(url, stream=True)
    assert [chunk for chunk in got.chunks if "usage" in chunk or not chunk["choices"]] == []


@pytest.mark.parametrize("budget", ["max_tokens", "max_completion_tokens"])
def test_a_budget_cuts_the_reply(url: str, budget: str) -> None:
    got = chat(url, NUMBERS, **{budget: 5})
    assert got.json["choices"][0]["finish_reason"] == "length"
    assert got.json["usage"]["completion_tokens"] == 5
    assert got.content == "1, 2,"[: len(got.content)] + " 3"


@pytest.mark.parametrize("stop", [" 6", ["9", " 6"]])
def test_a_stop_sequence_ends_the_reply(url: str, stop: str | list[str]) -> None:
    got = chat(url, NUMBERS, stop=stop)
    assert (got.content, got.json["choices"][0]["finish_reason"]) == ("1, 2, 3, 4, 5,", "stop")


def test_two_choices_come_in_both_forms(url: str) -> None:
    whole, stream = chat(url, n=2), chat(url, n=2, stream=True)
    assert [choice["index"] for choice in whole.json["choices"]] == [0, 1]
    assert whole.json["usage"]["completion_tokens"] == 2
    assert {choice["index"] for choice in stream.choices} == {0, 1}


def test_the_tokens_of_logprobs_make_up_the_text(url: str) -> None:
    whole = chat(url, JSON, logprobs=True, top_logprobs=3)
    stream = chat(url, JSON, logprobs=True, stream=True)
    entries = whole.json["choices"][0]["logprobs"]["content"]
    pieces = [choice["logprobs"]["content"][0] for choice in stream.choices if choice["logprobs"]]
    assert "".join(entry["token"] for entry in entries) == TEXT
    assert b"".join(bytes(entry["bytes"]) for entry in pieces).decode() == TEXT
    assert {len(entry["top_logprobs"]) for entry in entries} == {3}


def test_content_may_come_in_parts(url: str) -> None:
    parts = [{"type": "text", "text": text} for text in ("Repeat exactly: ab", "cd")]
    assert chat(url, user(parts)).content == "abcd"


def test_a_call_and_its_result_may_be_history(url: str) -> None:
    called = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "c1", "content": "37"}
    messages = [*user("look")["messages"], called, result]
    assert chat(url, {"messages": messages}, tools=[LOOK]).status == 200


def test_131072_tokens_are_read_within_a_second(url: str) -> None:
    start = time.monotonic()
    got = chat(url, user("word " * 131_000))
    assert got.json["usage"]["prompt_tokens"] == 131_008
    assert time.monotonic() - start < 1


def test_a_key_is_asked_for() -> None:
    with serving(key="secret") as url:
        body = json.dumps({"model": "reference", **user(TOLD)})
        shown = ["", "wrong", "secret"]
        posted = [ask(url, "POST", "/chat/completions", body, key).status for key in shown]
        listed = [ask(url, "GET", "/models", None, key).status for key in shown]
    assert (posted, listed) == ([401, 401, 200], [401, 401, 200])
