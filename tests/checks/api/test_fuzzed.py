"""Fuzzing: it finds crashes, and prints them as curl commands."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import Any

from readiness.checks.api import fuzz_cases
from readiness.checks.api.check_hostile import BATCH
from readiness.mutants.api import flaws_errors
from readiness.mutants.api.requests import CRASH
from readiness.mutants.flaw import Flaw
from readiness.protocol.dialect import Dialect
from readiness.score import Outcome
from readiness.search import GeneratedCase
from tests.checks.api.reference_over_http import CHECKS, SENDING, failing, scores

M = Dialect("m")

FUZZ = CHECKS["api.fuzzed_requests_handled"]


def test_a_crash_on_text_is_shrunk_to_an_empty_text() -> None:
    def crash_on_text(case: GeneratedCase) -> str:
        return "HTTP 500" if isinstance(case.get("messages"), str) else ""

    found = [replace(BATCH, examples=40, calls=200).find(crash_on_text, seed) for seed in range(6)]
    cases = {json.dumps(each.case) for each in found if each}
    assert cases == {json.dumps({"max_tokens": 4, "messages": ""})}


def test_a_case_may_override_the_model() -> None:
    assert fuzz_cases.build_call({"max_tokens": 4}, M).body == {
        "model": "m",
        "max_completion_tokens": 4,
    }
    assert fuzz_cases.build_call({"model": 7}, M).body == {"model": 7}


def test_a_curl_command_sends_the_same_request() -> None:
    call = fuzz_cases.build_call({"messages": "it's"}, M)
    words = shlex.split(fuzz_cases.curl(call))
    assert words[:2] == ["curl", "$OPENAI_BASE_URL/chat/completions"]
    assert json.loads(words[-1]) == call.body
    assert "Bearer $OPENAI_API_KEY" in fuzz_cases.curl(call)


def test_the_reference_survives_ten_batches() -> None:
    many = replace(FUZZ, trials=10)
    assert failing([many]) == {}


def test_a_crash_is_found_and_printed_as_curl() -> None:
    flaw = Flaw("fuzz", "a wrong role crashes", change_error=lambda _, due: _crash(due))
    found = [score for score in scores([FUZZ], flaw)[FUZZ.id] if not score.passed]
    assert [score.outcome for score in found] == [Outcome.FAIL]
    assert '— curl "$OPENAI_BASE_URL/chat/completions"' in found[0].reason


def test_a_crash_outside_handwritten_cases_is_found_by_fuzzing() -> None:
    (flaw,) = flaws_errors.FUZZED_FLAWS
    assert failing(SENDING, flaw).keys() == {flaw.check}


def _crash(due: Any) -> Any:
    return CRASH if b"'messages" in due.body else due
