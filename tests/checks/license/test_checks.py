"""The dimension license: each flaw of the evidence gets its verdict, by its own check."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from readiness.chat import Chat
from readiness.check import Check
from readiness.checks.license import checks
from readiness.checks.license.gather import gather
from readiness.checks.license.license_evidence import LicenseEvidence
from readiness.context import Context
from readiness.embedded.weights import LICENSE
from readiness.exchange import Call, Exchange
from readiness.mutants.catalog import FLAWLESS, find, mutants
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.flaw import Flaw
from readiness.mutants.license import evidence
from readiness.protocol.dialect import Dialect
from readiness.score import Score
from readiness.verdict.claim import Claim, Gate, Unsupported, Verdict
from readiness.verdict.matrix import DimensionRow
from readiness.verdict.result import Result, Trial
from tests import ROOT
from tests.checks.license.family_cases import FAMILIES
from tests.checks.license.license_cases import CASES, Case

CHECKS = [each for each in vars(checks).values() if isinstance(each, Check)]
OWN = [flaw for flaw in mutants() if flaw.dimension == "license"]
HARMLESS = [flaw for flaw in mutants() if flaw.name.startswith("license_") and flaw.harmless]
GATING = [each for each in CHECKS if "MUST" in each.requirement]
CLAIM = Claim(1.0, 0.05, 0.05, 1, unsupported=Unsupported.ACCEPTED)


async def refuse(call: Call) -> Exchange:
    raise AssertionError(f"a licence check must send no request: {call}")


def scored(
    check: Check, license_evidence: LicenseEvidence | None, accepted: Sequence[str] = ()
) -> Score:
    context = Context(
        license_evidence=license_evidence, accepted_license_conditions=frozenset(accepted)
    )
    (probe,) = check.probes(0, 1)

    async def attempt() -> Score:
        return await check.attempt(Chat(refuse, Dialect(MODEL), context), probe)

    return asyncio.run(attempt())


def verdicts(license_evidence: LicenseEvidence | None) -> dict[str, Verdict]:
    found = {each.id: Trial("a", 0, scored(each, license_evidence)) for each in CHECKS}
    return {each.id: Result(each, CLAIM, [found[each.id]]).verdict for each in CHECKS}


def shown(flaw: Flaw, folder: Path) -> LicenseEvidence:
    record = evidence.write(folder)
    flaw.change_license_evidence(folder)
    return gather((record,))


@pytest.mark.parametrize("flaw", [FLAWLESS, *HARMLESS], ids=lambda flaw: flaw.name)
def test_evidence_of_a_free_licence_is_ready_in_any_layout(flaw: Flaw, tmp_path: Path) -> None:
    found = verdicts(shown(flaw, tmp_path))
    assert found.pop("license.recent_vendor_statement") is Verdict.NOT_ASSESSED
    assert set(found.values()) == {Verdict.READY}


@pytest.mark.parametrize("flaw", OWN, ids=lambda flaw: flaw.name)
def test_a_flaw_gets_its_verdict_by_its_check(flaw: Flaw, tmp_path: Path) -> None:
    found = verdicts(shown(flaw, tmp_path))
    assert found[flaw.check] is flaw.expected_verdict
    # A licence that no source permits has a text that is not known verbatim, too.
    others = {name for name, each in found.items() if each.severity > 1 and name != flaw.check}
    assert others <= {"license.verbatim_license_text"}
    assert not others or flaw.check == "license.commercial_use_permitted"


def test_without_evidence_nothing_is_assessed() -> None:
    assert set(verdicts(None).values()) == {Verdict.NOT_ASSESSED}
    assert scored(CHECKS[0], None).reason == (
        "no licence evidence: name it with --license-evidence PATH"
    )


def test_every_check_has_its_own_flaw() -> None:
    assert {flaw.check for flaw in OWN} == {each.id for each in CHECKS}


def test_the_embedded_model_has_its_packages_evidence() -> None:
    license_evidence = gather((LICENSE,))
    found = verdicts(license_evidence)
    assert found["license.commercial_use_permitted"] is Verdict.READY
    assert found["license.verbatim_license_text"] is Verdict.READY
    assert scored(checks.base_models_permitted, license_evidence).reason == (
        "the model is derived from HuggingFaceTB/SmolLM2-135M-Instruct: no evidence for it"
    )


def test_conditions_are_accepted_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(evidence.card(license="llama3.1"))
    license_evidence = gather((tmp_path,))
    some = scored(
        checks.commercial_use_permitted, license_evidence, ["llama-naming", "acceptable-use"]
    )
    assert some.reason == (
        "conditions that the policy does not accept: llama-mau-700m "
        "(above 700 million monthly users a licence from Meta is needed)"
    )
    every = ["llama-naming", "acceptable-use", "llama-mau-700m"]
    assert scored(checks.commercial_use_permitted, license_evidence, every).passed


def test_a_rider_is_quoted(tmp_path: Path) -> None:
    rider = find("license_rider_at_the_end")
    assert scored(checks.verbatim_license_text, shown(rider, tmp_path)).reason == (
        "LICENSE is Apache-2.0, but adds 'no commercial use'"
    )


@pytest.mark.parametrize("case", [*CASES, *FAMILIES], ids=lambda case: case.given)
def test_a_folder_gets_its_verdict_with_the_reason(case: Case, tmp_path: Path) -> None:
    license_evidence = gather((case.write(tmp_path),))
    found = [(each, scored(each, license_evidence, case.accepts)) for each in GATING]
    judged = [Result(each, CLAIM, [Trial("a", 0, score)]) for each, score in found]
    assert DimensionRow("license", Gate.REQUIRED, judged).verdict is case.verdict
    reasons = [score.reason for _, score in found if not score.passed]
    shown = [reason for reason in reasons if case.why in reason]
    assert bool(shown) is bool(case.why)


def test_the_documentation_has_every_case() -> None:
    documented = (ROOT / "docs" / "validation.md").read_text("utf-8").splitlines()
    assert [case.row for case in CASES if case.row not in documented] == []
