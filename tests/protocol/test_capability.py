"""What the capability probe detects, against miniature endpoints."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from readiness.exchange import Call, Exchange
from readiness.mutants.endpoint.answer import ModelOutput, SubstituteResponse
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.flaw import Flaw
from readiness.probe import BUDGET, OMIT
from readiness.protocol.capability import Capabilities, Models, Unassessable, choose, explore
from readiness.protocol.dialect import Dialect
from readiness.runner.concurrency import at_most
from readiness.transport.address import Address
from readiness.transport.client import EndpointClient, RequestLimits
from tests.miniature import Answer, Request, completion, mini
from tests.reference_in_process import reference
from tests.scripted_server import response, serving


def explored(answer: Answer, model: str = "mini") -> tuple[Capabilities, list[Request]]:
    asked: list[Request] = []

    def noting(n: int, request: Request) -> str | tuple[int, str]:
        asked.append(request)
        return answer(n, request)

    async def probe(url: str) -> Capabilities:
        endpoint = EndpointClient(Address.read(url, "", {}), RequestLimits())
        try:
            models = Models.read(await endpoint.send(Call(None, "/models", "GET")))
            return await explore(endpoint.send, models, Dialect(choose(models, model)))
        finally:
            await endpoint.close()

    with serving(mini(noting)) as url:
        return asyncio.run(probe(url)), asked


def listed(*models: dict[str, Any]) -> Exchange:
    body = json.dumps({"object": "list", "data": list(models)}).encode()
    return Exchange(None, 200, {}, body, (), None, "", 0.0, 1)


def test_a_plain_endpoint_lacks_nothing_and_is_asked_a_handful_of_times() -> None:
    found, asked = explored(lambda n, request: "OK")
    assert found.unsupported == {}
    assert (found.dialect.max_tokens_field, dict(found.dialect.sampling)) == (
        "max_completion_tokens",
        {"temperature": 0},
    )
    assert len(asked) == 8


async def _most_in_flight(limit: int) -> tuple[Capabilities, int]:
    """What is detected of an endpoint without tools, and how many requests it had at most."""
    here, most = 0, 0

    async def send(call: Call) -> Exchange:
        nonlocal here, most
        here += 1
        most = max(most, here)
        await asyncio.sleep(0)
        here -= 1
        status = 400 if "tools" in call.body else 200
        return replace(listed(), status=status, body=completion("OK", 1))

    found = await explore(at_most(limit, send), Models({"mini": None}), Dialect("mini"))
    return found, most


def test_what_does_not_depend_on_the_others_is_asked_at_once_as_far_as_allowed() -> None:
    tried = [asyncio.run(_most_in_flight(limit)) for limit in (1, 2, 8)]
    assert [most for _, most in tried] == [1, 2, 6]
    assert [found.unsupported.keys() for found, _ in tried] == [{"tools"}] * 3


def test_one_refusal_declines_nothing_and_two_decline_the_parameter() -> None:
    refused: list[Request] = []

    def once(n: int, request: Request) -> str | tuple[int, str]:
        if "tools" in request and not refused:
            refused.append(request)
            return 404, "no server for it"
        return "OK"

    assert explored(once)[0].unsupported == {}
    found, _ = explored(lambda n, request: (404, "no server") if "tools" in request else "OK")
    assert found.unsupported == {"tools": "HTTP 404: no server"}


def test_an_endpoint_that_refuses_most_requests_declines_no_parameter() -> None:
    def busy(n: int, request: Request) -> str | tuple[int, str]:
        plain = request["messages"][0]["content"].startswith(("Reply with the word", "List"))
        usual = plain and not {"tools", "stream"} & request.keys()
        return "OK" if usual else (404, "not now")

    found, _ = explored(busy)
    assert set(found.unsupported) == {"stream", "tools"}


def test_an_older_limit_that_is_rejected_gives_way_to_the_newer_in_every_form() -> None:
    found, _ = explored(
        lambda n, request: (400, "no such parameter") if "max_tokens" in request else "OK"
    )
    form = {"max_completion_tokens": OMIT, "max_tokens": BUDGET}
    body = found.dialect.request([], 9, form)
    assert (found.dialect.older_limit, body["max_completion_tokens"]) == (False, 9)
    assert "max_tokens" not in body
    assert found.dialect.request([], 9, {"max_tokens": 8})["max_tokens"] == 8


def test_a_temperature_that_is_rejected_is_left_out() -> None:
    found, _ = explored(
        lambda n, request: (400, "temperature must be 1") if "temperature" in request else "OK"
    )
    assert found.dialect.sampling == {}


def test_an_unknown_budget_parameter_gives_way_to_the_older_one() -> None:
    found, _ = explored(
        lambda n, request: (
            (422, "unknown field max_completion_tokens")
            if "max_completion_tokens" in request
            else "OK"
        )
    )
    assert found.dialect.max_tokens_field == "max_tokens"


def test_a_budget_that_is_silently_ignored_gives_way_to_the_older_one() -> None:
    def script(n: int, raw: bytes) -> list[bytes | float | None]:
        if raw.startswith(b"GET"):
            return [response(b'{"data": [{"id": "mini"}]}')]
        return [response(completion("1, 2, 3", 150), "200 OK", "Content-Type: application/json")]

    async def probe(url: str) -> Capabilities:
        endpoint = EndpointClient(Address.read(url, "", {}), RequestLimits())
        try:
            return await explore(endpoint.send, Models({"mini": None}), Dialect("mini"))
        finally:
            await endpoint.close()

    with serving(script) as url:
        assert asyncio.run(probe(url)).dialect.max_tokens_field == "max_tokens"


@pytest.mark.parametrize("status", [400, 404, 422, 501])
def test_an_unsupported_feature_is_reported_with_its_error_and_a_remedy(
    status: int,
) -> None:
    found, _ = explored(
        lambda n, request: (status, "tools need a flag") if "tools" in request else "OK"
    )
    assert found.unsupported_reason(frozenset({"tools"})) == (
        f"the endpoint does not offer tools: HTTP {status}: tools need a flag "
        "(vLLM needs --enable-auto-tool-choice and --tool-call-parser, llama.cpp --jinja)"
    )
    assert found.unsupported_reason(frozenset({"json_object"})) == ""


def detected(flaw: Flaw) -> Capabilities:
    """What is detected of the reference endpoint with a flaw."""
    return asyncio.run(explore(reference(flaw), Models({MODEL: None}), Dialect(MODEL)))


def thinks(request: Mapping[str, Any], said: ModelOutput, _turn: int) -> ModelOutput:
    hard = not request.get("tools") and len(text_of(request["messages"][-1])) > 200
    return replace(said, reasoning="Let me think.") if hard else said


def hides(_request: Mapping[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Reasoning is counted, and not shown."""
    body["choices"][0]["message"].pop("reasoning_content", None)
    return body


def needs_none(request: Mapping[str, Any], _turn: int) -> SubstituteResponse | None:
    """Reasoning in a request is an unknown field."""
    known = [each for each in request["messages"] if "reasoning_content" in each]
    return SubstituteResponse(400, b"{}", {}) if known else None


def test_a_model_that_reasons_only_where_it_must_gets_room_for_it() -> None:
    found = [
        detected(Flaw("shown", "", change_output=thinks)),
        detected(Flaw("hidden", "", change_output=thinks, change_body=hides)),
        detected(Flaw("never", "")),
    ]
    assert [(of.reasoning, of.dialect.reasoning_tokens) for of in found] == [
        (True, 4096),
        (True, 4096),
        (False, 0),
    ]
    assert found[2].unsupported_reason(frozenset({"reasoning"})) == (
        "no reply of the endpoint has reasoning"
    )
    assert found[0].unsupported_reason(frozenset({"reasoning", "tools"})) == ""


def needs_some(request: Mapping[str, Any], _turn: int) -> SubstituteResponse | None:
    """A call without its reasoning is rejected."""
    calls = [each for each in request["messages"] if each.get("tool_calls")]
    bare = [each for each in calls if not each.get("reasoning_content")]
    return SubstituteResponse(400, b"{}", {}) if bare else None


def test_the_history_has_reasoning_as_the_endpoint_wants_it() -> None:
    found = [
        detected(Flaw("takes", "", change_output=thinks)).dialect,
        detected(Flaw("rejects", "", change_output=thinks, intercept=needs_none)).dialect,
        detected(Flaw("demands", "", change_output=thinks, intercept=needs_some)).dialect,
    ]
    assert [(of.reasoning_history, of.reasoning_demanded) for of in found] == [
        (True, ""),
        (False, ""),
        (True, "reasoning_content"),
    ]
    bare: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [{}]}
    kept = [of.request([bare], 8, {})["messages"][0] for of in found]
    assert [each.get("reasoning_content", "") for each in kept] == ["", "", "A tool can tell that."]


def test_reasoning_is_sent_back_between_calls_and_not_after_the_next_question() -> None:
    old: dict[str, Any] = {
        "role": "assistant",
        "content": None,
        "reasoning": "old",
        "tool_calls": [],
    }
    new = {**old, "reasoning": "new"}
    asked = [{"role": "user", "content": "a"}, old, {"role": "user", "content": "b"}, new]
    kept = [
        ["reasoning" in each for each in dialect.request(asked, 8, {})["messages"]]
        for dialect in (Dialect("m"), Dialect("m", reasoning_history=False))
    ]
    assert kept == [[False, False, False, True], [False] * 4]


def test_a_feature_that_breaks_is_not_taken_for_absent() -> None:
    found, _ = explored(lambda n, request: (500, "oops") if "tools" in request else "OK")
    assert found.unsupported == {}


@pytest.mark.parametrize("status", [401, 403])
def test_a_rejected_key_is_the_users_to_mend(status: int) -> None:
    with pytest.raises(LookupError, match=f"the key is not accepted: HTTP {status}: no"):
        explored(lambda n, request: (status, "no"))


def test_an_endpoint_that_fails_the_simplest_request_cannot_be_tried() -> None:
    with pytest.raises(Unassessable, match="the simplest request fails: HTTP 503"):
        explored(lambda n, request: (503, "overloaded"))


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ({"id": "m", "max_model_len": 4096}, 4096),
        ({"id": "m", "meta": {"n_ctx": 8192, "n_ctx_train": 131072}}, 8192),
        ({"id": "m", "context_length": "8192"}, None),
        ({"id": "m"}, None),
    ],
)
def test_the_declared_window_is_read_where_servers_put_it(
    model: dict[str, Any], window: int | None
) -> None:
    assert Models.read(listed(model)).windows == {"m": window}


def test_one_model_is_chosen_and_of_several_the_user_must() -> None:
    assert choose(Models({"a": None}), "") == "a"
    assert choose(Models({"a": None, "b": None}), "b") == "b"
    with pytest.raises(LookupError, match="serves a, b: choose with --model"):
        choose(Models({"a": None, "b": None}), "")


LISTED = Models({"mini": 4096, "other": None})


def exploring(
    answer: Callable[[Request], int | dict[str, Any]],
    model: str = "mini",
    models: Models = LISTED,
    **dialect: Any,
) -> tuple[Capabilities, list[Call]]:
    """What is detected of an endpoint that lists a model with a window, and what it was sent.

    Args:
        answer: The status of a refusal, or what a completion has besides its text.
        model: The one that is wanted.
        models: Those that it lists.
        dialect: What is known of its dialect.
    """
    seen = list[Call]()

    async def send(call: Call) -> Exchange:
        seen.append(call)
        found = answer(call.body)
        if isinstance(found, int):
            return replace(listed(), status=found, body=b'{"error": {"message": "no"}}')
        body = json.dumps({**json.loads(completion("OK")), **found}).encode()
        headers = {"server": "mini/1", "content-type": "application/json"}
        return replace(listed(), request=call.body, headers=headers, body=body)

    return asyncio.run(explore(send, models, Dialect(model, **dialect))), seen


def refusing(status: int, *, times: int) -> Callable[[Request], int | dict[str, Any]]:
    """An endpoint that refuses its first requests."""
    left = [status] * times
    return lambda request: left.pop() if left else {}


def test_what_a_reply_says_of_its_server_is_kept() -> None:
    said = {"system_fingerprint": "f" * 501, "model": "mini-1"}
    found, _ = exploring(lambda request: said)
    assert (found.window, found.server) == (4096, "mini/1")
    assert (found.fingerprint, found.answers_as) == ("f" * 500, "mini-1")
    found, _ = exploring(lambda request: {"system_fingerprint": None, "model": 7})
    assert (found.fingerprint, found.answers_as) == ("", "")


@pytest.mark.parametrize("status", [404, 501])
def test_one_refusal_of_the_first_request_is_no_answer(status: int) -> None:
    found, sent = exploring(refusing(status, times=1))
    assert (found.dialect.sampling, sent[0]) == ({"temperature": 0}, sent[1])
    assert sent[2] != sent[1]


@pytest.mark.parametrize(
    ("models", "error", "why"),
    [
        (Models({"mini": None}), LookupError, "no model 'mini' there: HTTP 404: no"),
        (
            Models(problem="HTTP 404: no"),
            Unassessable,
            r"neither /models nor /chat/completions is there \(HTTP 404: no\)",
        ),
    ],
)
def test_two_refusals_with_404_are_of_the_model_or_of_the_address(
    models: Models, error: type[Exception], why: str
) -> None:
    async def send(call: Call) -> Exchange:
        return replace(listed(), status=404, body=b'{"error": {"message": "no"}}')

    with pytest.raises(error, match=why):
        asyncio.run(explore(send, models, Dialect("mini")))


def test_a_first_request_that_is_refused_once_loses_no_parameter() -> None:
    found, sent = exploring(refusing(400, times=1))
    assert (found.dialect.sampling, found.dialect.max_tokens_field) == (
        {"temperature": 0},
        "max_completion_tokens",
    )
    assert sent[2].body == sent[0].body


def test_a_first_request_may_be_refused_for_both_of_its_newer_parameters() -> None:
    newer = {"temperature", "max_completion_tokens"}
    found, sent = exploring(lambda request: 400 if newer & request.keys() else {})
    assert (found.dialect.sampling, found.dialect.max_tokens_field) == ({}, "max_tokens")
    assert [
        (*sorted({"max_tokens", *newer} & each.body.keys()), each.valid) for each in sent[:5]
    ] == [
        ("max_completion_tokens", "temperature", True),
        ("max_completion_tokens", False),
        ("max_tokens", "temperature", False),
        ("max_tokens", False),
        ("max_completion_tokens", "temperature", False),
    ]


def test_a_name_that_is_not_listed_is_taken_only_of_an_endpoint_that_refuses_others() -> None:
    found, _ = exploring(
        lambda request: 404 if request["model"] not in ("mini", "alias") else {}, "alias"
    )
    assert (found.dialect.model, found.window) == ("alias", None)
    why = "'alias' is not served, and the endpoint answers to any name: choose mini, other with"
    with pytest.raises(LookupError, match=why):
        exploring(lambda request: {}, "alias")


@pytest.mark.parametrize(
    ("usage", "field"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 18}, "max_completion_tokens"),
        ({"prompt_tokens": 9, "completion_tokens": 19}, "max_tokens"),
        (None, "max_completion_tokens"),
    ],
)
def test_a_limit_is_ignored_where_more_than_two_tokens_come_beyond_it(
    usage: dict[str, int] | None, field: str
) -> None:
    limited = {"usage": usage}
    found, sent = exploring(lambda r: limited if r.get("max_completion_tokens") == 16 else {})
    assert found.dialect.max_tokens_field == field
    older = [each for each in sent if "max_tokens" in each.body]
    assert len(older) == (1 if field == "max_completion_tokens" else 5)


def test_an_endpoint_that_lists_no_models_is_believed_to_serve_the_one_that_it_answers_to() -> None:
    found, _ = exploring(lambda request: {}, "alias", models=Models(problem="HTTP 404: no"))
    assert (found.dialect.model, found.window) == ("alias", None)


def test_a_reply_without_usage_has_no_reasoning() -> None:
    assert exploring(lambda request: {"usage": None})[0].reasoning is False


def test_a_limit_whose_trial_fails_is_kept() -> None:
    found, _ = exploring(lambda request: 500 if request.get("max_completion_tokens") == 16 else {})
    assert found.dialect.max_tokens_field == "max_completion_tokens"


def test_a_stream_is_supported_where_only_its_usage_is_refused() -> None:
    found, _ = exploring(lambda request: 400 if "stream_options" in request else {})
    assert (found.unsupported, found.dialect.stream_usage) == ({}, False)
    found, _ = exploring(lambda request: 400 if "stream" in request else {})
    assert (found.unsupported, found.dialect.stream_usage) == ({"stream": "HTTP 400: no"}, True)
    found, sent = exploring(lambda request: 400 if "stream" in request else {}, stream_usage=False)
    assert found.unsupported == {"stream": "HTTP 400: no"}
    assert len([each for each in sent if "stream" in each.body]) == 2


def test_what_may_be_declined_is_no_valid_request_either_time() -> None:
    _, sent = exploring(lambda request: 400 if "tools" in request else {})
    assert [each.valid for each in sent if "tools" in each.body] == [False, False]


def test_a_feature_is_declined_only_where_the_request_without_it_is_answered() -> None:
    plain = {"model", "messages", "max_completion_tokens", "temperature"}
    shaped: list[Request] = []

    def answer(request: Request) -> int | dict[str, Any]:
        if "response_format" in request:
            shaped.append(request)
            return 400
        return 503 if shaped and request.keys() == plain else {}

    assert exploring(answer)[0].unsupported == {}


@pytest.mark.parametrize("thinks", ["reasoning_content", "reasoning_details"])
def test_reasoning_is_tried_in_the_history_only_where_it_is_plain_text(thinks: str) -> None:
    message = {"role": "assistant", "content": "OK", thinks: [{"text": "Let me see."}]}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    found, sent = exploring(lambda request: {"choices": [choice]})
    assert (found.reasoning, found.dialect.reasoning_tokens) == (True, 4096)
    asked = [each.body["messages"] for each in sent]
    histories = [each[1] for each in asked if len(each) > 1]
    assert [each.get(thinks) for each in histories] == (
        ["A tool can tell that.", None] if thinks == "reasoning_content" else []
    )


@pytest.mark.parametrize(("status", "taken"), [(400, False), (422, False), (404, True)])
def test_reasoning_in_the_history_may_be_refused_as_wrong(status: int, taken: bool) -> None:
    message = {"role": "assistant", "content": "OK", "reasoning": "Let me see."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    found, _ = exploring(
        lambda r: status if "reasoning" in r["messages"][1 % len(r["messages"])] else
        {"choices": [choice]}
    )  # fmt: skip
    assert found.dialect.reasoning_history is taken


def test_reasoning_is_not_tried_in_the_history_of_calls_without_tools() -> None:
    message = {"role": "assistant", "content": "OK", "reasoning": "Let me see."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    found, sent = exploring(lambda r: 400 if "tools" in r else {"choices": [choice]})
    assert (found.reasoning, [*found.unsupported]) == (True, ["tools"])
    assert [each for each in sent if len(each.body["messages"]) > 1] == []


def test_what_goes_wrong_in_a_request_that_is_sent_ahead_is_raised() -> None:
    def answer(request: Request) -> dict[str, Any]:
        if "tools" in request:
            raise ConnectionAbortedError
        return {}

    with pytest.raises(ConnectionAbortedError):
        exploring(answer)


def test_of_several_needs_the_first_that_is_missing_is_told() -> None:
    found, _ = exploring(lambda r: 400 if {"tools", "response_format"} & r.keys() else {})
    assert found.unsupported_reason(frozenset({"tools", "json_object"})) == (
        "the endpoint does not offer json_object: HTTP 400: no"
    )
    assert found.unsupported_reason(frozenset({"tools"})).endswith("llama.cpp --jinja)")
    assert found.unsupported_reason(frozenset({"stream", "reasoning"})) == (
        "no reply of the endpoint has reasoning"
    )
