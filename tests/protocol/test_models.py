"""Which models an endpoint lists, which one is tried, and what the address may be wrong by."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from readiness.exchange import Call, Exchange, Fault
from readiness.protocol.capability import (
    MAX_ID,
    MAX_WINDOW,
    ApiKeyRejected,
    Models,
    Unassessable,
    choose,
    require_base_url,
)

KEY_REFUSED = Models(problem="HTTP 401: no", status=401)
NO_LIST = Models(problem="HTTP 404: Not Found", status=404)


def listing(body: Any, status: int | None = 200, fault: Fault | None = None) -> Exchange:
    """The response to a request for the list of models."""
    return Exchange(None, status, {}, json.dumps(body).encode(), (), fault, "because", 0.0, 1)


@pytest.mark.parametrize(
    ("stated", "window"),
    [
        ({"max_model_len": 1}, 1),
        ({"context_length": 4096}, 4096),
        ({"context_window": 4096}, 4096),
        ({"max_input_tokens": 4096}, 4096),
        ({"meta": {"n_ctx_train": 4096}}, 4096),
        ({"max_model_len": 0, "context_length": 4096}, 4096),
        ({"max_model_len": True}, None),
        ({"max_model_len": MAX_WINDOW - 1}, MAX_WINDOW - 1),
        ({"max_model_len": MAX_WINDOW}, None),
        ({"meta": None}, None),
    ],
)
def test_a_window_is_a_number_of_tokens_that_a_model_may_have(
    stated: dict[str, Any], window: int | None
) -> None:
    assert Models.read(listing({"data": [{"id": "m", **stated}]})) == Models({"m": window})


@pytest.mark.parametrize("name", ["m", "m" * MAX_ID])
def test_a_model_that_a_request_can_name_is_listed(name: str) -> None:
    assert Models.read(listing({"data": [{"id": name}]})).windows == {name: None}


@pytest.mark.parametrize(
    "body",
    [
        *({"data": [{"id": name}]} for name in ("", "m" * (MAX_ID + 1), 7, None, "\ud800")),
        {"data": [{}]},
        {"data": [["id"]]},
        {"data": [{"id": "m", "meta": "x"}]},
        {"data": None},
        {},
        ["m"],
    ],
)
def test_what_is_no_list_of_models_is_none(body: Any) -> None:
    found = Models.read(listing(body))
    assert (found.windows, found.status) == ({}, 200)
    assert found.problem.startswith("no list of models: ")


def test_a_list_that_is_refused_has_the_status_and_the_words() -> None:
    refused = listing({"error": {"message": "no"}}, 403)
    assert Models.read(refused) == Models({}, "HTTP 403: no", 403)
    assert Models.read(listing({"data": []}, 201)).status == 201


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault.NO_TLS, "no TLS: because: the port does not speak TLS"),
        (Fault.FIRST_BYTE, "no first byte in time: because: it takes connections and does not"),
    ],
)
def test_what_does_not_answer_cannot_be_tried(fault: Fault, why: str) -> None:
    with pytest.raises(Unassessable, match=why):
        Models.read(listing({"data": [{"id": "m"}]}, fault=fault))


def test_a_refusal_without_words_is_told_by_its_status() -> None:
    assert Models.read(replace(listing({}, status=404), body=b"")).problem == "HTTP 404"


def test_a_model_that_is_named_is_tried_whatever_is_listed() -> None:
    assert [choose(each, "m") for each in (Models(), NO_LIST, KEY_REFUSED)] == ["m"] * 3


@pytest.mark.parametrize(
    ("models", "error", "why"),
    [
        (KEY_REFUSED, ApiKeyRejected, "the key is not accepted: HTTP 401: no"),
        (NO_LIST, Unassessable, "GET /models: HTTP 404: Not Found: is the base URL right"),
        (Models(), Unassessable, "the endpoint serves no model: is one loaded"),
        (
            Models({"m" * 81: None, **{f"{n}": None for n in range(1_020)}}),
            LookupError,
            rf"serves {'m' * 80}, 0, .*, 18 and 1,001 more: choose with --model",
        ),
        (
            Models({f"{n}": None for n in range(20)}),
            LookupError,
            r"serves 0, .*, 18, 19: choose with --model",
        ),
    ],
)
def test_where_no_model_is_named_why_none_is_chosen_is_told(
    models: Models, error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        choose(models, "")


def looked_below(url: str, models: Models, below: Exchange) -> list[str]:
    """The paths that are asked for one step below a URL."""
    asked: list[str] = []

    async def send(call: Call) -> Exchange:
        asked.append(call.path)
        return below

    asyncio.run(require_base_url(send, url, models))
    return asked


HERE = listing({"data": [{"id": "m"}]})


@pytest.mark.parametrize(
    ("url", "models"),
    [("http://h", Models({"m": None})), ("http://h", KEY_REFUSED), ("http://h/v1", NO_LIST)],
)
def test_an_api_is_not_looked_for_below_a_url_that_has_one(url: str, models: Models) -> None:
    assert looked_below(url, models, HERE) == []


@pytest.mark.parametrize(
    "below", [listing({}, 404), listing({}), listing({}, None, Fault.UNREACHABLE)]
)
def test_a_url_without_an_api_below_it_is_left_as_it_is(below: Exchange) -> None:
    assert looked_below("http://h", NO_LIST, below) == ["/v1/models"]


@pytest.mark.parametrize("below", [HERE, listing({}, 401), listing({}, 403)])
def test_an_api_one_step_below_a_url_is_named(below: Exchange) -> None:
    with pytest.raises(Unassessable, match=r"Not Found: the API is at http://h/v1$"):
        looked_below("http://h", NO_LIST, below)
