"""Flaws that show in one form of request only: each is caught, and what is harmless passes."""

from __future__ import annotations

import pytest

from readiness.check import Check
from readiness.checks.json_only import checks as json_only
from readiness.checks.multilingual import checks as multilingual
from readiness.checks.spanish import checks as spanish
from readiness.checks.tool_calling import checks as tool_calling
from readiness.mutants.flaw import Flaw
from readiness.mutants.json_only import flaws_in_forms as json_flaws
from readiness.mutants.multilingual import flaws_in_forms as copy_flaws
from readiness.mutants.spanish import flaws_in_forms as spanish_flaws
from readiness.mutants.tool_calling import flaws_in_forms as tool_flaws
from readiness.policy.policy import load
from readiness.verdict.claim import Verdict
from readiness.verdict.result import Result, Trial
from tests.reference_in_process import scores

CHECKS = {
    check.id: check
    for module in (json_only, tool_calling, spanish, multilingual)
    for check in vars(module).values()
    if isinstance(check, Check) and check.forms
}
FLAWS = [
    *json_flaws.FLAWS,
    *tool_flaws.FLAWS,
    *spanish_flaws.FLAWS,
    *copy_flaws.FLAWS,
]
BROKEN = [flaw for flaw in FLAWS if not flaw.harmless]
HARMLESS = [flaw for flaw in FLAWS if flaw.harmless]
#: By a prefix of their names: the dimension that harmless flaws are of.
OF = {"json": "json_only", "tools": "tool_calling", "spanish": "spanish", "copy": "multilingual"}
#: What the report says of some of them.
SAID = {
    "json_fence_unsampled": "sampling (none)",
    "tools_seeded_argument_lost": "sampling (temperature 0.7 and seed)",
    "spanish_english_instructed": "system message (any)",
}


def result(check: Check, flaw: Flaw, seed: int = 0) -> Result:
    claim = load().claim(check, "ci")
    probes = check.probes(seed, claim.trials)
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
    own = [check for name, check in CHECKS.items() if name.startswith(f"{dimension}.")]
    assert {result(check, flaw).verdict for check in own} == {Verdict.READY}


def test_there_are_flaws_of_one_level_of_pairs_and_of_three() -> None:
    assert (len(BROKEN), len(HARMLESS), {flaw.check.partition(".")[0] for flaw in BROKEN}) == (
        20,
        7,
        {*OF.values()},
    )
