"""The api dimension: the reference passes, and each flaw fails its own check and no other."""

from __future__ import annotations

import pytest

from readiness.mutants.api import (
    flaws_advice,
    flaws_errors,
    flaws_harmless,
    flaws_replies,
    flaws_sdk,
    flaws_streams,
)
from readiness.mutants.catalog import FLAWLESS, mutants
from readiness.mutants.flaw import Flaw
from readiness.policy.policy import load
from readiness.score import Outcome
from tests.checks.api.reference_over_http import CHECKS, KEY, MUST, failing, scores

BROKEN = [
    *(*flaws_replies.FLAWS, *flaws_streams.FLAWS, *flaws_sdk.FLAWS, *flaws_advice.FLAWS),
    *(*flaws_errors.ERRORS_FLAWS, *flaws_errors.HOSTILE_FLAWS),
]
ADVICE = flaws_advice.FLAWS
OTHERS = [f for f in mutants() if f.harmless and f not in flaws_harmless.FLAWS]
#: The checks that a flaw necessarily fails too.
TOGETHER = {
    "api_sdk_models": {"api.models_listed"},
    # Without an error there is no error body to check.
    "api_broken_json_taken": {"api.json_error_body"},
    "api_no_messages_taken": {"api.json_error_body"},
}


def test_every_check_says_must_should_or_may_and_has_a_unique_id() -> None:
    vague = [
        each.id
        for each in CHECKS.values()
        if not any(word in each.requirement for word in ("MUST", "SHOULD", "MAY"))
    ]
    names = [each.attempt.__name__ for each in CHECKS.values()]
    assert (vague, len(names)) == ([], len(set(names)))


def test_in_the_article_policy_exactly_the_must_checks_gate() -> None:
    assert set(load().expected("api", "ci")) == {each.id for each in MUST}
    assert {each for each in load().checks if each.startswith("api.")} == CHECKS.keys()


@pytest.mark.parametrize("key", ["", KEY])
def test_the_reference_passes_every_check(key: str) -> None:
    assert failing(list(CHECKS.values()), FLAWLESS, key) == {}


def test_features_that_the_reference_lacks_are_unsupported() -> None:
    names = ["missing_key_rejected", "wrong_key_rejected", "unknown_model_rejected"]
    found = scores([CHECKS[f"api.{name}"] for name in names], key="")
    assert {name: [score.outcome for score in each] for name, each in found.items()} == {
        f"api.{name}": [Outcome.UNSUPPORTED] for name in names
    }


@pytest.mark.parametrize("flaw", BROKEN, ids=lambda flaw: flaw.name)
def test_a_flaw_fails_its_own_check_with_a_reason(flaw: Flaw) -> None:
    found = failing([CHECKS[flaw.check]], flaw)
    outcome, _, reason = found.get(flaw.check, "").partition(": ")
    assert outcome in ("fail", "endpoint error")
    assert len(reason) > 5


@pytest.mark.nightly
@pytest.mark.parametrize("flaw", BROKEN, ids=lambda flaw: flaw.name)
def test_a_flaw_fails_no_other_must(flaw: Flaw) -> None:
    others = [each for each in MUST if each.id != flaw.check]
    assert failing(others, flaw).keys() == TOGETHER.get(flaw.name, set())


@pytest.mark.nightly
@pytest.mark.parametrize("flaw", ADVICE, ids=lambda flaw: flaw.name)
def test_a_flaw_of_a_should_fails_no_other_should(flaw: Flaw) -> None:
    others = [each for each in CHECKS.values() if each not in MUST and each.id != flaw.check]
    assert failing(others, flaw) == {}


@pytest.mark.parametrize("flaw", flaws_harmless.FLAWS, ids=lambda flaw: flaw.name)
def test_a_harmless_variant_passes_every_must(flaw: Flaw) -> None:
    assert failing(MUST, flaw) == {}


@pytest.mark.nightly
@pytest.mark.parametrize("flaw", OTHERS, ids=lambda flaw: flaw.name)
def test_a_harmless_variant_of_another_dimension_passes_every_must(flaw: Flaw) -> None:
    assert failing(MUST, flaw).keys() == TOGETHER.get(flaw.name, set())


def test_a_deviation_from_a_should_fails_that_check() -> None:
    advice = [each for each in CHECKS.values() if each not in MUST]
    found = {flaw.name: set(failing(advice, flaw)) for flaw in flaws_harmless.FLAWS}
    assert found["api_vllm"] == {"api.no_disallowed_nulls"}
    assert found["api_llama"] == {"api.model_echoed", "api.all_fields_present"}
    assert found["api_litellm"] == {"api.usage_only_in_final_chunk"}
    assert found["api_integer_code"] == {"api.openai_error_shape"}
    assert found["api_lenient"] == {
        "api.missing_model_rejected",
        "api.invalid_conversation_rejected",
        "api.unknown_model_404",
    }
