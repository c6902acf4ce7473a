"""How a refusal is scored: its status, its time, and what its body says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from readiness.exchange import Exchange, Fault
from readiness.score import PASSED, Outcome, failed
from readiness.scoring.rejection import (
    UNKNOWN,
    document,
    refused,
    survived,
    tells,
    tells_like_openai,
)
from tests.exchanges import ASK, JSON, answered, came, said

ERROR = {"message": "no", "type": "invalid_request_error", "code": None, "param": None}


def quick(exchange: Exchange, seconds: float = 1) -> Exchange:
    return replace(exchange, end=round(seconds * 10**9), written=0)


def refusal(error: Any, status: int = 400, kind: str = JSON) -> Exchange:
    return quick(replace(answered({"error": error}, status), headers={"content-type": kind}))


@pytest.mark.parametrize("status", [400, 413, 415, 422, 431])
def test_a_request_may_be_refused_for_what_is_wrong_with_it(status: int) -> None:
    assert refused(refusal(ERROR, status)) == PASSED


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_no_other_status_says_that_a_request_is_wrong(status: int) -> None:
    reason = refused(refusal(ERROR, status)).reason
    assert reason.startswith("expected HTTP 400 or 413 or 415 or 422 or 431 for POST /chat/compl")
    assert f"HTTP {status} with" in reason


def test_what_is_not_there_may_be_refused_by_its_status() -> None:
    assert refused(refusal(ERROR, 404), UNKNOWN) == PASSED
    assert refused(refusal(ERROR, 413), UNKNOWN).reason.startswith(
        "expected HTTP 400 or 404 or 422"
    )


@pytest.mark.parametrize("score", [refused, survived, tells, tells_like_openai])
def test_a_response_that_did_not_come_shows_no_refusal(score: Any) -> None:
    found = score(replace(refusal(ERROR), fault=Fault.RESET))
    assert (found.outcome, found.reason) == (
        Outcome.ENDPOINT_ERROR,
        "connection lost: because",
    )


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(60.0, Outcome.PASS), (60.001, Outcome.FAIL), (100.0, Outcome.FAIL)]
)
def test_nobody_waits_more_than_a_minute(seconds: float, outcome: Outcome) -> None:
    refusing, answering = quick(refusal(ERROR), seconds), quick(answered(said()), seconds)
    assert [refused(refusing).outcome, survived(answering).outcome] == [outcome] * 2


@pytest.mark.parametrize("status", [400, 404, 429, 499])
def test_an_odd_request_may_be_refused_as_wrong(status: int) -> None:
    assert survived(refusal(ERROR, status)) == PASSED


@pytest.mark.parametrize("status", [199, 300, 500, 503])
def test_an_odd_request_may_break_nothing(status: int) -> None:
    reason = survived(refusal(ERROR, status)).reason
    assert reason.startswith("expected HTTP 400 to 499 for POST /chat/completions ")


def test_an_odd_request_may_be_answered_as_one_can_read_it() -> None:
    assert [survived(quick(answered(said(), status))) for status in (200, 299)] == [PASSED] * 2
    broken = survived(quick(came(b"{", ASK)))
    assert broken.outcome is Outcome.ENDPOINT_ERROR
    assert broken.reason.startswith("malformed response: not JSON")


@pytest.mark.parametrize(
    "body", [{"error": ERROR}, {"error": "no"}, {"detail": [{"loc": ["n"]}]}, {"message": "no"}]
)
@pytest.mark.parametrize("kind", [JSON, "application/problem+JSON; charset=utf-8", " text/json "])
def test_a_refusal_tells_why_in_each_shape_that_clients_know(body: Any, kind: str) -> None:
    exchange = replace(answered(body, 400), headers={"content-type": kind})
    assert tells(exchange) == PASSED


@pytest.mark.parametrize(
    ("exchange", "reason"),
    [
        (answered({}, 399), 'no error for POST /chat/completions {"messages"'),
        (refusal(ERROR, kind="text/html"), "the error is labelled 'text/html', not application/"),
        (replace(refusal(ERROR), headers={}), "the error is labelled '', not application/json"),
        (came(b"no", ASK, status=400), "the error is no JSON object: HTTP 400 with 'no'"),
        (came(b"[1]", ASK, status=400), "the error is no JSON object: HTTP 400 with '[1]'"),
        (answered({"reason": "no"}, 400), "the error has no message: HTTP 400 with"),
        (refusal({"message": " "}), "the error has no message: HTTP 400 with"),
    ],
)
def test_a_refusal_that_tells_no_client_why_fails(exchange: Exchange, reason: str) -> None:
    assert tells(exchange).outcome is Outcome.FAIL
    assert tells(exchange).reason.startswith(reason)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ERROR, ""),
        ({**ERROR, "code": "c", "param": "p"}, ""),
        ({**ERROR, "code": 400}, "error.code is 400"),
        ({**ERROR, "message": None}, "error.message is None"),
        ({"message": "no"}, "error.type is None; error.code is missing; error.param is missing"),
        ({"type": 5, "code": "", "param": ["p"]},
         "error.message is None; error.type is 5; error.param is ['p']"),
    ],
)  # fmt: skip
def test_openais_shape_has_four_fields_of_text(error: Any, said: str) -> None:
    assert tells_like_openai(refusal(error)) == (failed(said) if said else PASSED)


@pytest.mark.parametrize("body", ["no", {"message": "no"}])
def test_what_is_no_error_object_is_not_openais_shape(body: Any) -> None:
    assert tells_like_openai(answered(body, 400)).reason.startswith("no error object: HTTP 400")
    assert tells_like_openai(refusal("no")).reason.startswith("no error object: HTTP 400")
    assert tells_like_openai(answered({"error": ERROR}, 200)).reason.startswith("no error for")


def test_a_failure_quotes_what_tells_the_request_from_others_first() -> None:
    exchange = answered({}, 500, user="ñ")
    assert refused(exchange).reason == (
        "expected HTTP 400 or 413 or 415 or 422 or 431 for POST /chat/completions "
        """{"user": "ñ", "messages": [{"role": "user", "content": "Hi"}]}, got HTTP 500 with '{}'"""
    )
    raw = replace(exchange, request=b"{", method="PUT", path="/models")
    assert " for PUT /models b'{', got HTTP 500 with '{}'" in refused(raw).reason


def test_a_body_is_read_as_json_or_as_none() -> None:
    bodies = [b'{"a": 1}', b"", b"\xff", b"[" * 5_000]
    assert [document(came(body, ASK)) for body in bodies] == [{"a": 1}, None, None, None]
