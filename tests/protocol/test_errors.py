from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.exchange import Fault
from readiness.load.latency import odd_input_failure
from readiness.protocol.completion import error_text
from readiness.protocol.errors import declines, unsupported_parameter
from readiness.score import Outcome, Score
from readiness.scoring.rejection import refused
from tests.exchanges import ASK, answered, came, score

JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.just("unsupported tools"),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "detail", "code", "param", "loc", "msg"]), values
        )
    ),
)
OPTIONS: dict[str, Any] = {
    "tools": [],
    "tool_choice": "auto",
    "response_format": {"type": "json_schema"},
    "parallel_tool_calls": True,
    "logprobs": True,
    "max_tokens": 5,
    "n": 2,
}


def refusing(message: Any, status: int = 400, **error: Any) -> Any:
    return answered({"error": {"message": message, **error}}, status, **OPTIONS)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"error": {"message": "boom", "type": "x", "param": null, "code": 400}}', "boom"),
        (b'{"object": "error", "message": "boom", "type": "x", "code": 400}', "boom"),
        (b'{"error": "boom", "error_type": "validation"}', "boom"),
        (b'{"detail": "boom"}', "boom"),
        (b'{"detail": [{"loc": ["body", "n"], "msg": "bad", "type": "int"}]}', "body.n: bad (int)"),
        (b'{"detail": ["a", {"b": 1}]}', "a; {'b': 1}"),
        (b'{"error": {"message": "", "code": 5}}', "{'message': '', 'code': 5}"),
        (b'{"error": ["boom"]}', "['boom']"),
        (b'"boom"', "boom"),
        (b"Internal Server Error", "Internal Server Error"),
        (b"<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway"),
        (b"<h1>Bad\n gateway</h1>", "Bad gateway"),
        (b"", ""),
        (b"\xff", "\ufffd"),
        (b"[" * 5000, "[" * 4000),
    ],
)
def test_an_error_is_found_in_every_shape(body: bytes, text: str) -> None:
    assert error_text(came(body, ASK, status=500)) == text


def test_a_refused_request_is_scored_with_the_endpoints_message() -> None:
    assert score(refusing("boom " * 99, 503)) == Score(
        Outcome.ENDPOINT_ERROR, "HTTP 503: " + repr("boom " * 99)[:200]
    )
    assert score(came(b"", ASK, status=502)).reason == "HTTP 502: without a message"
    assert score(came(b"", ASK, status=301)).outcome is Outcome.ENDPOINT_ERROR


@pytest.mark.parametrize(
    ("status", "seconds", "reason"),
    [
        (504, 3.02, "HTTP 504: '504 Gateway Time-out': a gateway's read timeout of 3 s"),
        (524, 100.4, "HTTP 524: '504 Gateway Time-out': a gateway's read timeout of 100 s"),
        # It did not wait at all, or does not say that its time was over.
        (504, 0.02, "HTTP 504: '504 Gateway Time-out'"),
        (502, 3.02, "HTTP 502: '504 Gateway Time-out'"),
    ],
)
def test_a_gateway_that_gave_up_is_named(status: int, seconds: float, reason: str) -> None:
    page = b"<html><head><title>504 Gateway Time-out</title></head></html>"
    # It waited for a connection for two seconds more.
    answer = came(page, ASK, "text/html", status)
    exchange = replace(answer, end=round((seconds + 2) * 1e9), written=2 * 10**9)
    assert score(exchange).reason == reason
    timeout = reason.partition("out': ")[2]
    assert odd_input_failure(exchange) == ": ".join(filter(None, (f"HTTP {status}", timeout)))
    assert refused(exchange).reason.endswith(f"HTTP {status} with {timeout or repr(page.decode())}")


@pytest.mark.parametrize(
    ("message", "parameter"),
    [
        ('"auto" tool choice requires --enable-auto-tool-choice and ...', "tool_choice"),
        ("registry.ollama.ai/library/gemma:2b does not support tools", "tools"),
        ("function calling is not yet supported", "tools"),
        ("This response_format type is unavailable now", "response_format"),
        ("This model does not support response format `json_schema`", "response_format"),
        ("JSON mode is not enabled", "response_format"),
        ("Unrecognized request argument supplied: n", "n"),
        ("Unsupported parameter: 'max_tokens' is not supported with this model.", "max_tokens"),
        ("parallel_tool_calls: Extra inputs are not permitted", "parallel_tool_calls"),
        ("logprobs are not implemented", "logprobs"),
        # All that follow decline nothing.
        ("temperature must be in [0, 2]", ""),
        ("unknown model", ""),
        ("stream is not supported", ""),
        ("Invalid tools: missing name", ""),
        ("1 validation error:\\n not supported", ""),
        ("The tool specified in `tool_choice` does not match any of the specified `tools`", ""),
        ("max_tokens must be at least 1, got -5", ""),
    ],
)
def test_a_parameter_is_declined_where_it_is_named_and_said_to_be_unsupported(
    message: str, parameter: str
) -> None:
    exchange = refusing(message)
    expected = Outcome.UNSUPPORTED if parameter else Outcome.ENDPOINT_ERROR
    assert (unsupported_parameter(exchange), score(exchange).outcome) == (parameter, expected)


def test_the_field_that_names_the_parameter_is_believed_first() -> None:
    exchange = refusing("tools are unsupported with this", param="body.response_format.type")
    assert unsupported_parameter(exchange) == "response_format"
    assert unsupported_parameter(refusing("tools are unsupported", param="seed")) == "tools"
    assert (
        unsupported_parameter(refusing("n is wrong", code="unsupported_parameter", param="n"))
        == "n"
    )


@pytest.mark.parametrize(
    ("statuses", "parameter"), [((400, 403, 404, 422, 501), "tools"), ((401, 429, 500, 503), "")]
)
def test_only_some_statuses_decline(statuses: tuple[int, ...], parameter: str) -> None:
    exchanges = [refusing("this model does not support tools", status) for status in statuses]
    assert {unsupported_parameter(exchange) for exchange in exchanges} == {parameter}


def test_llama_cpp_declines_tools_with_a_500() -> None:
    assert unsupported_parameter(refusing("tools param requires --jinja flag", 500)) == "tools"
    assert unsupported_parameter(refusing("Unsupported param: tools", 500)) == "tools"
    assert unsupported_parameter(refusing("grammar requires a stack for tools", 500)) == ""


def test_a_request_that_is_no_json_object_has_nothing_to_decline() -> None:
    body = json.dumps({"error": "tools are not supported"}).encode()
    assert unsupported_parameter(came(body, b"{", status=400)) == ""


FILTERS = [
    {"error": {"message": "no", "code": "content_filter"}},
    {"error": {"message": "no", "type": "content_policy_violation"}},
    {"error": {"message": "no", "code": "1301"}},
    {"error": {"message": "no", "code": 1301}},
    {"error": {"message": "Input data may contain inappropriate content."}},
    {"code": "DataInspectionFailed", "message": "no"},
    {"error": "InputTextRiskDetection"},
]


@pytest.mark.parametrize("document", FILTERS)
@pytest.mark.parametrize("status", [400, 403, 451])
def test_a_filter_blocks(document: Any, status: int) -> None:
    assert score(answered(document, status)).outcome is Outcome.BLOCKED


@pytest.mark.parametrize(
    "exchange",
    [
        answered(FILTERS[0], 500),
        answered(FILTERS[0], 429),
        answered({"error": {"message": "you sent 1301 tokens", "code": 400}}, 400),
        answered({"error": {"message": "filtering the content"}}, 403),
    ],
)
def test_no_other_error_is_a_block(exchange: Any) -> None:
    assert score(exchange).outcome is Outcome.ENDPOINT_ERROR


@given(JSON, st.sampled_from([400, 500]))
def test_any_error_can_be_quoted(document: Any, status: int) -> None:
    exchange = answered(document, status, **OPTIONS)
    assert score(exchange).reason.startswith(f"HTTP {status}: ")
    assert unsupported_parameter(exchange) in (*OPTIONS, "")


@pytest.mark.parametrize(
    ("status", "message", "declined"),
    [
        (400, "", True),
        (422, "n must be 1", True),
        (404, "logprobs is not supported", True),
        (404, "no such page", False),
        (501, "tools are not implemented", True),
        (500, "Jinja Exception: Unexpected message role.", True),
        (500, "Failed to parse grammar", True),
        (500, "internal server error", False),
        (503, "the template is loading", False),
        (429, "rate limited", False),
        (400, "blocked by content_filter", False),
        (401, "no key", False),
    ],
)
def test_a_request_that_is_not_taken_is_declined_and_no_error_or_filter_declines_it(
    status: int, message: str, declined: bool
) -> None:
    assert declines(refusing(message, status)) is declined


def test_what_never_came_declines_nothing() -> None:
    lost = replace(refusing("no", 400), fault=Fault.RESET)
    assert declines(lost) is False
