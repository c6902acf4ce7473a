"""Flaws that show in one form of request only: each is caught, and what is harmless passes."""

from __future__ import annotations

from functools import partial

import pytest

from readiness.check import Check
from readiness.checks.json_only import checks as json_only
from readiness.checks.memory import checks as memory
from readiness.checks.multilingual import checks as multilingual
from readiness.checks.refusal import checks as refusal
from readiness.checks.spanish import checks as spanish
from readiness.checks.tool_calling import checks as tool_calling
from readiness.mutants.any_dimension import declined
from readiness.mutants.endpoint.engine import Engine
from readiness.mutants.flaw import Flaw
from readiness.mutants.json_only import flaws_in_forms as json_flaws
from readiness.mutants.memory import flaws_in_forms as memory_flaws
from readiness.mutants.multilingual import flaws_in_forms as copy_flaws
from readiness.mutants.refusal import flaws_in_forms as refusal_flaws
from readiness.mutants.refusal import flaws_insistence
from readiness.mutants.spanish import flaws_in_forms as spanish_flaws
from readiness.mutants.tool_calling import flaws_in_forms as tool_flaws
from readiness.policy.policy import load
from readiness.verdict.claim import Verdict
from readiness.verdict.result import Result, Trial
from tests.reference_in_process import probes_of, scores

CHECKS = {
    check.id: check
    for module in (json_only, tool_calling, spanish, multilingual, refusal, memory)
    for check in vars(module).values()
    if isinstance(check, Check) and check.forms
}
POLICY = load()
FLAWS = [
    *json_flaws.FLAWS,
    *tool_flaws.FLAWS,
    *spanish_flaws.FLAWS,
    *copy_flaws.FLAWS,
    *refusal_flaws.FLAWS,
    *flaws_insistence.FLAWS,
    *memory_flaws.FLAWS,
]
#: Those that show beside other requests take a server: `readiness selftest` tries them.
CROWDED = [flaw for flaw in FLAWS if flaw.engine is not Engine]
BROKEN = [flaw for flaw in FLAWS if not flaw.harmless and flaw not in CROWDED]
HARMLESS = [flaw for flaw in FLAWS if flaw.harmless and flaw not in CROWDED]
#: By a prefix of their names: the dimension that harmless flaws are of.
OF = {"json": "json_only", "tools": "tool_calling", "spanish": "spanish", "copy": "multilingual"}
OF |= {"refusal": "refusal", "memory": "memory"}
#: What the report says of some of them.
SAID = {
    "json_fence_unsampled": "sampling (none)",
    "tools_seeded_argument_lost": "sampling (temperature and seed)",
    "spanish_english_instructed": "system message (any)",
}


def result(check: Check, flaw: Flaw, seed: int = 0) -> Result:
    claim = POLICY.claim(check, "ci")
    probes = probes_of(check, seed, claim.trials)
    tried = zip(probes, scores(check, probes, flaw), strict=True)
    return Result(check, claim, [Trial.of(probe, 0, score) for probe, score in tried])


@pytest.mark.parametrize("flaw", BROKEN, ids=lambda flaw: flaw.name)
def test_a_flaw_of_one_form_is_not_ready_by_its_check(flaw: Flaw) -> None:
    assert result(CHECKS[flaw.check], flaw).verdict is Verdict.NOT_READY


@pytest.mark.parametrize("name", SAID)
def test_the_form_that_fails_is_named(name: str) -> None:
    flaw = next(each for each in FLAWS if each.name == name)
    found = result(CHECKS[flaw.check], flaw)
    failed = len(found.counted) - found.passed
    counts = f"{failed} of {failed}; elsewhere 0 of {found.passed}"
    assert str(found.worst_pair) == f"fails with {SAID[name]}: {counts}"


def test_a_pair_that_fails_is_named_with_both_of_its_levels() -> None:
    flaw = next(each for each in FLAWS if each.name == "tools_unchosen_instructed_silent")
    worst = result(CHECKS[flaw.check], flaw).worst_pair
    assert worst is not None
    assert set(worst.labels) == {
        ("system message", "any"),
        ("tools offered", "relevant, tool_choice left out"),
    }
    assert (worst.failed, worst.failed_elsewhere) == (worst.trials, 0)


@pytest.mark.parametrize("flaw", HARMLESS, ids=lambda flaw: flaw.name)
def test_a_difference_between_forms_that_harms_nobody_is_ready(flaw: Flaw) -> None:
    dimension = OF[flaw.name.partition("_")[0]]
    left_out = partial(POLICY.leaves_out, profile="ci")
    own = [
        check
        for name, check in CHECKS.items()
        if name.startswith(f"{dimension}.") and not left_out(name)
    ]
    assert {result(check, flaw).verdict for check in own} == {Verdict.READY}


def test_there_are_flaws_of_every_order_in_every_dimension() -> None:
    dimensions = {flaw.check.partition(".")[0] for flaw in BROKEN}
    assert dimensions == {*OF.values()}
    assert {flaw.check.partition(".")[0] for flaw in CROWDED if flaw.check} == {
        "json_only",
        "tool_calling",
        "refusal",
    }


@pytest.mark.parametrize("flaw", declined.FLAWS, ids=lambda flaw: flaw.name)
@pytest.mark.parametrize("name", ["refusal.harmful_request_refused", "spanish.zero_shot_tasks"])
def test_what_an_endpoint_declines_is_no_reason_to_fail_it(name: str, flaw: Flaw) -> None:
    found = result(CHECKS[name], flaw)
    assert (found.verdict, found.passed) == (Verdict.READY, len(found.counted))
