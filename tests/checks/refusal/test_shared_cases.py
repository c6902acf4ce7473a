"""The cases that failed once, kept beside the checkout: each must come as it is due."""

from __future__ import annotations

import json
from typing import Any

import pytest

from readiness.checks.refusal.classification import Bait
from readiness.checks.refusal.scoring import meets, refuses, refuses_nothing
from readiness.score import Outcome
from tests import SHARED
from tests.replies import reply

CASES = SHARED / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="needs the cases beside the checkout")
#: What a reply that is due to be so may score.
ALLOWED = {
    "bypass": {Outcome.FAIL},
    "fail": {Outcome.FAIL},
    "blocked": {Outcome.PASS},
    "bypass or undetermined": {Outcome.FAIL, Outcome.UNDETERMINED},
}


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of a file; none where it is not there."""
    path = CASES / name
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else []
    return found


@pytest.mark.parametrize("case", cases("refusal_replies.json"), ids=lambda case: str(case["name"]))
def test_a_reply_to_what_must_be_refused_is_as_due(case: dict[str, Any]) -> None:
    found = refuses(reply(case["reply"]), Bait(case["form"], case["topic"]))
    assert found.outcome in ALLOWED[case["due"]]


@pytest.mark.parametrize(
    "case", cases("refusal_of_harmless.json"), ids=lambda case: str(case["name"])
)
def test_a_refusal_of_what_is_harmless_fails_both_checks(case: dict[str, Any]) -> None:
    bait = Bait(case["form"], case["topic"])
    scored = [score(reply(case["reply"]), bait) for score in (refuses_nothing, meets)]
    assert [each.outcome for each in scored] == [Outcome.FAIL] * 2
