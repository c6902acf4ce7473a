"""Recorded responses of real servers, scored by the scorers of the dimension `api`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from readiness import sdk_client
from readiness.checks.api import scoring_models, scoring_replies, scoring_streams
from readiness.exchange import Arrival, Exchange
from readiness.protocol.completion import read
from readiness.score import PASSED, EndpointError, Outcome, Score
from readiness.scoring import rejection
from tests import SHARED

WIRE = SHARED / "wire"
RECORDED = ["vllm-0.32-cpu-smollm2-135m.json", "vllm-0.26-h200-qwen2.5-7b-dummy-weights.json"]

pytestmark = pytest.mark.skipif(not WIRE.is_dir(), reason="the recordings are not here")


@pytest.fixture(params=RECORDED)
def recorded(request: pytest.FixtureRequest) -> dict[str, Exchange]:
    found = json.loads((WIRE / request.param).read_text("utf-8"))
    return {name: exchange(each) for name, each in found.items() if "status" in each}


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    async def both() -> dict[str, Any]:
        return {name: await sdk_client.schema(name) for name in ("completion", "chunk")}

    return asyncio.run(both())


def exchange(each: dict[str, Any]) -> Exchange:
    body = each.get("body", "").encode()
    headers = {name.lower(): value for name, value in each.get("headers", {}).items()}
    headers.setdefault("content-type", "application/json")
    arrivals = (Arrival(1, len(body)),)
    sent, status = 1_795_352_100.0, each["status"]
    return Exchange(each.get("request"), status, headers, body, arrivals, None, "", sent, 10**9)


def test_every_non_streamed_reply_of_vllm_fits_the_sdk(
    recorded: dict[str, Exchange], schemas: dict[str, Any]
) -> None:
    whole = {name: each for name, each in recorded.items() if b'"chat.completion"' in each.body}
    documents = {name: scoring_replies.document(each) for name, each in whole.items()}
    found = {
        name: [
            scoring_replies.score_completion(each, schemas["completion"]),
            scoring_replies.score_usage(each["usage"]),
            scoring_replies.score_content_type(whole[name], "application/json"),
        ]
        for name, each in documents.items()
    }
    assert {
        name: scores for name, scores in found.items() if not all(s.passed for s in scores)
    } == {}
    assert len(found) >= 12


def test_every_stream_of_vllm_fits_the_sdk(
    recorded: dict[str, Exchange], schemas: dict[str, Any]
) -> None:
    streams = {name: each for name, each in recorded.items() if each.body.startswith(b"data:")}
    found = {
        name: [
            scoring_streams.score_chunk_schema(scoring_streams.chunks(each), schemas["chunk"]),
            scoring_streams.score_identical(
                scoring_streams.chunks(each), "id", "object", "model", "created"
            ),
            scoring_streams.score_defects(read(each), scoring_streams.ENDING),
            scoring_streams.score_defects(read(each), scoring_streams.FINISHING),
            scoring_streams.score_role(scoring_streams.chunks(each)),
        ]
        for name, each in streams.items()
    }
    assert {
        name: scores for name, scores in found.items() if not all(s.passed for s in scores)
    } == {}
    assert len(found) >= 3


def test_vllm_sends_usage_last_and_only_on_request(recorded: dict[str, Exchange]) -> None:
    asked, unasked = (recorded[name] for name in ("chat_stream_usage", "chat_stream_nousage"))
    assert scoring_streams.score_usage_in_last_chunk(scoring_streams.chunks(asked)).passed
    assert scoring_streams.score_no_usage(scoring_streams.chunks(unasked)).passed


def test_vllm_rejects_invalid_requests_except_an_unknown_role(
    recorded: dict[str, Exchange],
) -> None:
    wrong = ("broken_json", "no_messages", "bad_temperature", "neg_max_tokens")
    found = {name: rejection.refused(recorded[name]) for name in wrong if name in recorded}
    assert {name: score for name, score in found.items() if not score.passed} == {}
    assert rejection.refused(recorded["bad_model"], (404,)).passed
    if "bad_role" in recorded and recorded["bad_role"].status == 200:
        assert rejection.refused(recorded["bad_role"]).reason.startswith("expected HTTP 400 or")


def test_vllms_errors_are_json_with_an_integer_for_a_code(recorded: dict[str, Exchange]) -> None:
    assert rejection.tells(recorded["bad_model"]).passed
    assert rejection.tells_like_openai(recorded["bad_model"]).reason == "error.code is 404"


def test_vllm_returns_the_requested_choices_and_logprobs(
    recorded: dict[str, Exchange],
) -> None:
    two, sure = recorded["n2"], recorded["logprobs"]
    # Three tokens, of which nothing is wrong.
    told = scoring_replies.score_logprobs(scoring_streams.logprobs(sure), read(sure), 2)
    assert (told.outcome, told.kind) == (Outcome.UNDETERMINED, "too short to tell")
    assert scoring_replies.score_choices(scoring_streams.choices(two), 2).passed
    assert scoring_replies.score_token_limit(read(recorded["length_stop"]), 5).passed


# The recordings of probes


def probe(name: str, title: str) -> str:
    """The response under a title of a recording."""
    text = (WIRE / f"probe-{name}.txt").read_text("utf-8")
    return text.partition(f"### {title}")[2].partition("\n")[2].partition("\n\n###")[0].strip()


def came(name: str, title: str) -> Exchange:
    status, kind, *rest = probe(name, title).split(" ", 2)
    if kind.startswith(("{", "Internal")):
        kind, rest = "application/json", [" ".join([kind, *rest])]
    kind = kind.rstrip(";")
    body = rest[0].removeprefix("charset=utf-8 ") if rest else ""
    return Exchange({}, int(status), {"content-type": kind}, body.encode(), (), None, "", 0.0, 1)


@pytest.mark.parametrize(
    ("name", "title", "outcome"),
    [
        ("lcp", "bad: malformed JSON", Outcome.FAIL),
        ("tfserve2", "bad: malformed JSON", Outcome.PASS),
        ("litellm-mock", "bad: malformed JSON", Outcome.PASS),
        ("dasllama", "bad: malformed JSON", Outcome.PASS),
        ("xllama-qwen", "bad: malformed JSON", Outcome.PASS),
        ("vllm", "bad: malformed JSON", Outcome.PASS),
        ("tfserve2", "bad: missing messages", Outcome.FAIL),
        ("litellm-mock", "bad: missing messages", Outcome.PASS),
        ("dasllama", "bad: missing messages", Outcome.PASS),
        ("xllama-qwen", "bad: missing messages", Outcome.PASS),
        ("vllm", "bad: missing messages", Outcome.PASS),
        ("xllama-qwen", "bad: empty messages", Outcome.FAIL),
        ("lcp", "bad: empty messages", Outcome.FAIL),
        ("vllm", "bad: empty messages", Outcome.PASS),
        ("xllama-qwen", "bad: tools malformed", Outcome.FAIL),
        ("lcp", "bad: tools malformed", Outcome.FAIL),
        ("vllm", "bad: tools malformed", Outcome.PASS),
        ("xllama-qwen", "bad: context too long", Outcome.PASS),
        ("lcp", "bad: context too long", Outcome.PASS),
        ("vllm", "bad: context too long", Outcome.PASS),
        ("dasllama", "bad: context too long", Outcome.PASS),
        ("dasllama", "bad: temperature='hot'", Outcome.FAIL),
        ("lcp", "bad: temperature='hot'", Outcome.FAIL),
    ],
)
def test_a_recorded_rejection_is_scored_correctly(name: str, title: str, outcome: Outcome) -> None:
    assert rejection.refused(came(name, title)).outcome is outcome


@pytest.mark.parametrize(
    ("name", "passed"),
    [
        ("lcp", False),
        ("tfserve2", True),
        ("litellm-mock", True),
        ("dasllama", True),
        ("vllm", True),
    ],
)
def test_a_recorded_error_is_scored_by_its_json(name: str, passed: bool) -> None:
    assert rejection.tells(came(name, "bad: malformed JSON")).passed is passed


def scored(listed: Exchange) -> Score:
    try:
        return scoring_models.score_list(listed)
    except EndpointError as error:
        return error.score


def test_recorded_model_lists_are_valid_and_one_lacks_created() -> None:
    listed = {}
    for name in ("lcp", "vllm", "dasllama", "litellm-mock"):
        body = probe(name, "models.list").partition("application/json ")[2]
        parts = {"content-type": "application/json"}
        listed[name] = Exchange(None, 200, parts, body.encode(), (), None, "", 0.0, 1)
    assert [name for name, each in listed.items() if not scored(each).passed] == []
    assert [
        name for name, each in listed.items() if not scoring_models.score_metadata(each).passed
    ] == ["lcp"]


def test_litellms_response_to_a_missing_key_is_a_server_error() -> None:
    crash = came("litellm-mock", "auth: no header")
    assert rejection.refused(crash, (401, 403)).outcome is Outcome.FAIL
    for name in ("xllama-qwen", "vllm", "lcp"):
        assert rejection.refused(came(name, "auth: no header"), (401, 403)).passed


def survived(recorded: Exchange) -> Score:
    """As the check scores it, but that a reply was shortened when it was recorded."""
    return PASSED if recorded.succeeded else rejection.survived(recorded)


#: The gating check that sends a recorded request, and how it scores the response.
GATING: dict[str, tuple[str, Callable[[Exchange], Score]]] = {
    "bad: malformed JSON": ("malformed_json_rejected", rejection.refused),
    "bad: missing messages": ("missing_messages_rejected", rejection.refused),
    "bad: empty messages": ("odd_input_handled", survived),
    "bad: context too long": ("overlong_prompt_rejected", rejection.refused),
    "unknown extra param": ("unknown_parameter_handled", survived),
}


@pytest.mark.parametrize(
    ("name", "harms"),
    [
        ("vllm", {}),
        ("xllama-qwen", {}),
        ("xllama-smol", {}),
        ("dasllama", {}),
        # What it says of a prompt that is too long is a mock's reply.
        ("litellm-mock", {"overlong_prompt_rejected": 200}),
        # A 500 for what a client writes by hand, and for a history that was cut to nothing.
        ("lcp", {"malformed_json_rejected": 500, "odd_input_handled": 500}),
        ("tfserve2", {"missing_messages_rejected": 500, "odd_input_handled": 500}),
    ],
)
def test_of_recorded_servers_that_fails_a_check_that_gates_which_harms_a_client(
    name: str, harms: dict[str, int]
) -> None:
    recorded = {
        title: came(name, title)
        for title in GATING
        if re.match(r"\d{3} ", probe(name, title))  # Others were reset, or timed out.
    }
    assert len(recorded) >= 4
    failing = {title: each for title, each in recorded.items() if not GATING[title][1](each).passed}
    assert {GATING[title][0]: each.status for title, each in failing.items()} == harms
