"""Fuzz: it finds what does harm, shrinks it, keeps to its budget, and is the same each time."""

from __future__ import annotations

import json
import shlex
from typing import Any

from readiness.fuzz import Body, Harm, search
from readiness.mutants.api_requests import CRASH
from readiness.mutants.flaw import Flaw
from readiness.score import Outcome
from tests.over_http import CHECKS, failing, scores

FUZZ = CHECKS["api.survives_fuzz"]


def crash_on_text(body: Body) -> str:
    return "HTTP 500" if isinstance(body.get("messages"), str) else ""


def test_what_does_harm_is_shrunk_to_the_smallest() -> None:
    found = [search(crash_on_text, "m", (seed, 40, 200)) for seed in range(6)]
    harms = {json.dumps(each.body) for each in found if each}
    assert harms == {json.dumps({"model": "m", "max_tokens": 4, "messages": ""})}


def test_the_same_seed_tries_the_same() -> None:
    def tried() -> list[Body]:
        bodies: list[Body] = []

        def note(body: Body) -> str:
            bodies.append(body)
            return ""

        assert search(note, "m", (7, 20, 80)) is None
        return bodies

    first = tried()
    assert len(first) > 10
    assert tried() == first


def test_no_more_is_sent_than_the_budget_and_nothing_twice() -> None:
    sent: list[str] = []

    def harm(body: Body) -> str:
        sent.append(json.dumps(body, sort_keys=True))
        return "HTTP 500"

    assert search(harm, "m", (1, 20, 15)) is not None
    assert len(sent) <= 15
    assert len(sent) == len(set(sent))


def test_harm_that_comes_and_goes_is_told_all_the_same() -> None:
    turns = iter([""] * 9 + ["HTTP 500"] + [""] * 1_000)
    found = search(lambda body: next(turns), "m", (3, 20, 80))
    assert found is not None
    assert found.reason == "HTTP 500"


def test_a_curl_line_sends_it_again() -> None:
    harm = Harm({"model": "m", "messages": "it's"}, "HTTP 500")
    words = shlex.split(harm.curl)
    assert words[:2] == ["curl", "$OPENAI_BASE_URL/chat/completions"]
    assert json.loads(words[-1]) == harm.body
    assert "Bearer $OPENAI_API_KEY" in harm.curl


def test_the_reference_survives_ten_batches() -> None:
    from dataclasses import replace

    many = replace(FUZZ, trials=10)
    assert failing([many]) == {}


def test_a_crash_is_found_and_printed_as_curl() -> None:
    flaw = Flaw("fuzz", "a wrong role crashes", errs=lambda _, due: _crash(due))
    found = [score for score in scores([FUZZ], flaw)[FUZZ.id] if not score.passed]
    assert [score.outcome for score in found] == [Outcome.FAIL]
    assert '— curl "$OPENAI_BASE_URL/chat/completions"' in found[0].reason


def _crash(due: Any) -> Any:
    return CRASH if b"'messages" in due.body else due
