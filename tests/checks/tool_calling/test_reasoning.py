"""Reasoning beside tools: which flaws are caught, and by which check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from readiness.check import Check
from readiness.checks.tool_calling import check_reasoning
from readiness.checks.tool_calling.scoring_reasoning import HardReplies, beside_tools, kept_apart
from readiness.mutants.any_dimension import reasoning as any_dimension
from readiness.mutants.catalog import find
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling.flaws_reasoning import FLAWS
from readiness.reply import Reply
from readiness.score import Outcome
from tests.reference_in_process import fresh, probes_of, reply, tried

CHECKS = {each.id: each for each in vars(check_reasoning).values() if isinstance(each, Check)}
#: Some who reject reasoning need the capability probe, which this test does without.
HARMLESS = [
    *(each for each in FLAWS if each.harmless),
    *(each for each in any_dimension.FLAWS if each.name != "reasoning_rejected"),
    find("reasoning"),
]


def outcomes(flaw: Flaw, seed: int = 4) -> dict[str, list[Outcome]]:
    """The outcomes of the checks, which share their conversations."""
    probes = {check: probes_of(check, seed, 2) for check in CHECKS.values()}
    found = tried(probes, fresh(), flaw)
    return {name: [score.outcome for score in scores] for name, scores in found.items()}


@pytest.mark.parametrize("flaw", [each for each in FLAWS if each.check], ids=lambda of: of.name)
def test_a_flaw_fails_its_check_and_reasoning_without_tools_is_no_concern_of_it(flaw: Flaw) -> None:
    found = outcomes(flaw)
    failed = {name for name, of in found.items() if set(of) - {Outcome.PASS}}
    assert flaw.check in failed
    # A conversation that breaks has no content to look at either.
    broken = {"tool_calling.reasoning_kept_from_content"}
    assert failed - {flaw.check} <= (
        broken if flaw.check == "tool_calling.reasoning_across_calls" else set()
    )


@pytest.mark.parametrize("flaw", HARMLESS, ids=lambda of: of.name)
def test_harmless_variants_pass(flaw: Flaw) -> None:
    assert outcomes(flaw) == {name: [Outcome.PASS] * 2 for name in CHECKS}


def test_a_model_that_never_reasons_shows_nothing() -> None:
    assert outcomes(Flaw("none", "")) == {
        "tool_calling.reasoning_with_tools": [Outcome.UNDETERMINED] * 2,
        "tool_calling.reasoning_across_calls": [Outcome.PASS] * 2,
        "tool_calling.reasoning_kept_from_content": [Outcome.UNDETERMINED] * 2,
    }


def test_what_the_checks_share_is_sent_once() -> None:
    seen: list[str] = []
    tried({check: check.probes(4, 2) for check in CHECKS.values()}, fresh(), seen=seen)
    assert len(seen) == 16


THOUGHT = "Let me see what the user wants, what is known of it, and what is not."
REASONED = replace(reply("Fine."), reasoning=THOUGHT, reasoning_field="reasoning")
BARE = reply("Fine.")


@pytest.mark.parametrize(
    ("plain", "beside", "outcome"),
    [
        ([REASONED, REASONED], [REASONED, BARE], Outcome.PASS),
        ([BARE, BARE], [BARE, REASONED], Outcome.PASS),
        ([REASONED, BARE], [BARE, BARE], Outcome.FAIL),
        ([BARE, BARE], [BARE, BARE], Outcome.UNDETERMINED),
    ],
)
def test_that_it_never_reasons_beside_tools_is_what_fails(
    plain: Sequence[Reply], beside: Sequence[Reply], outcome: Outcome
) -> None:
    assert beside_tools(HardReplies(plain, beside)).outcome is outcome


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        ("Fine.", Outcome.PASS),
        ("And so: what is known of it, and what is not.", Outcome.PASS),
        (f"{THOUGHT} Fine.", Outcome.FAIL),
        (THOUGHT.replace(" ", "\n"), Outcome.FAIL),
        ("</think>Fine.", Outcome.FAIL),
    ],
)
def test_reasoning_is_found_in_the_content(content: str, outcome: Outcome) -> None:
    assert kept_apart([REASONED, replace(BARE, content=content)]).outcome is outcome


def test_reasoning_that_always_comes_in_the_text_is_no_leak_of_this_kind() -> None:
    inline = replace(BARE, content=f"<think>{THOUGHT}</think>Fine.", reasoning=THOUGHT)
    assert kept_apart([inline, inline]).outcome is Outcome.PASS
