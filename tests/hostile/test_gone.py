"""An endpoint that goes away, or a budget that is spent, ends a run early; --resume goes on."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from readiness.runner.sender import MAX_UNANSWERED_IN_A_ROW
from tests.miniature import MODELS, completion
from tests.scripted_server import response, serving
from tests.user_checks import KEPT, prepare, record, word

assert KEPT
JSON_TYPE = "Content-Type: application/json"
OPTIONS = ("-p", "no:hypothesispytest", "--policy", "own.yaml", "--seed", "0")


def answering(request: bytes) -> list[bytes | float | None]:
    if request.startswith(b"GET"):
        return [response(MODELS, "200 OK", JSON_TYPE)]
    said = word(json.loads(request.partition(b"\r\n\r\n")[2]))
    return [response(completion(said), "200 OK", JSON_TYPE)]


def kept(own: pytest.Pytester, kind: str) -> list[dict[str, Any]]:
    """The evidence of a kind."""
    lines = (own.path / "reports/latest/evidence.jsonl").read_text().splitlines()
    return [each for each in map(json.loads, lines) if each["kind"] == kind]


def outcomes(own: pytest.Pytester) -> dict[tuple[str, str], str]:
    """How the trials of a run ended, each the last time that it was made."""
    return {(each["check"], each["probe"]): each["outcome"] for each in kept(own, "trial")}


def run(own: pytest.Pytester, url: str, *options: str) -> tuple[int, str]:
    done = own.runpytest(*OPTIONS, "--endpoint", url, *options, ".")
    return int(done.ret), done.stdout.str()


def resumed(own: pytest.Pytester, url: str, printed: str) -> tuple[int, str]:
    """Go on as the run says."""
    said = re.search(r"^go on with: .* --resume (\S+)$", printed, re.MULTILINE)
    assert said
    return run(own, url, "--resume", said[1])


def test_an_endpoint_that_is_gone_ends_the_run_and_resume_goes_on(
    pytester: pytest.Pytester,
) -> None:
    own = prepare(pytester)
    with serving(lambda n, request: answering(request), leaves_after=30) as url:
        status, printed = run(own, url, "--concurrency=20")
    assert status in (1, 10)  # Whose connection is reset by the end has failed.
    said = r"^stopped: the endpoint is gone: nothing was answered since \d{4}-\d\d-\d\d .*Z, "
    assert re.search(f"{said}{MAX_UNANSWERED_IN_A_ROW} requests in a row$", printed, re.MULTILINE)
    assert "repeats" in printed  # The matrix of what was measured.
    ended = outcomes(own)
    assert 0 < [*ended.values()].count("pass") < 80
    # Four times each: those in flight, those that follow them, and what finds out that it is gone.
    assert len(kept(own, "exchange")) < 60 + 4 * (MAX_UNANSWERED_IN_A_ROW + 2 * 20 + 1)
    port = int(url.rpartition(":")[2].partition("/")[0])
    with serving(lambda n, request: answering(request), port):
        resumed(own, url, printed)
    # What was not made is made; what was made stays, also where the end reset its connection.
    expected = {each: "pass" if was == "skipped" else was for each, was in ended.items()}
    assert len(expected) == 80
    assert outcomes(own) == expected


def test_an_endpoint_that_says_nothing_any_more_is_gone(pytester: pytest.Pytester) -> None:
    own = prepare(pytester)

    def script(n: int, request: bytes) -> list[bytes | float | None]:
        return [9.0] if n >= 30 else answering(request)

    with serving(script) as url:
        options = ("--keep-going", "--first-byte-timeout=1", "--reply-timeout=1")
        status, printed = run(own, url, "--concurrency=20", *options)
    assert status == 1
    assert "stopped: the endpoint is gone" in printed


def test_a_limiter_that_refuses_everything_ends_the_run(pytester: pytest.Pytester) -> None:
    def script(n: int, request: bytes) -> list[bytes | float | None]:
        limited = response(b"{}", "429 No", JSON_TYPE, "Retry-After: 0")
        return [limited] if n >= 30 else answering(request)

    own = prepare(pytester)
    with serving(script) as url:
        status, printed = run(own, url)
    assert status == 10
    assert "stopped: rate limited by 'the endpoint': HTTP 429 for 20 requests" in printed
    assert " --resume " in printed


def test_one_route_that_is_dead_is_no_endpoint_that_is_gone(pytester: pytest.Pytester) -> None:
    own = prepare(pytester)

    def script(n: int, request: bytes) -> list[bytes | float | None]:
        dead = b"Repeat: word" in request and n >= 20
        return [None] if dead else answering(request)

    with serving(script) as url:
        status, printed = run(own, url, "--keep-going")
    assert (status, "stopped" in printed) == (1, False)
    assert [each["check"] for each in kept(own, "exchange")].count("liveness") >= 1


def test_minutes_end_a_run_within_seconds_and_what_was_in_flight_was_not_made(
    pytester: pytest.Pytester,
) -> None:
    own = prepare(pytester)

    def script(n: int, request: bytes) -> list[bytes | float | None]:
        slow = b"Repeat: word" in request and n >= 20
        return [120.0] if slow else answering(request)

    with serving(script) as url:
        began = time.monotonic()
        status, printed = run(own, url, "--max-minutes=0.05")
        assert time.monotonic() - began < 60  # And not the two minutes that a reply takes.
    assert status == 10
    assert "stopped: the budget of 0.05 minutes is spent" in printed
    assert {each["outcome"] for each in kept(own, "trial")} == {"pass", "skipped"}
    assert record(own)["requests"]["failed"] == 0


def test_evidence_is_bounded_and_what_is_not_kept_is_not_evidence(
    pytester: pytest.Pytester,
) -> None:
    own = prepare(pytester)

    def script(n: int, request: bytes) -> list[bytes | float | None]:
        if request.startswith(b"GET") or b"Repeat: word" not in request:
            return answering(request)
        return [response(completion("a" * 200_000), "200 OK", JSON_TYPE)]

    with serving(script) as url:
        status, printed = run(own, url, "--max-evidence=1MB", "--keep-going")
    assert status in (1, 10)
    assert "stopped: the budget of 1 MB of evidence is spent" in printed
    assert (own.path / "reports/latest/evidence.jsonl").stat().st_size < 1_200_000
    sent = record(own)["requests"]["sent"]
    assert sent < 40
