"""Forms of requests with long documents: each kind meets every level, at no more requests."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from readiness.check import Check
from readiness.checks.long_context import checks, probes
from readiness.checks.long_context.probes import FORMS, formed, log_of, report_of
from readiness.forms.covering import coverage
from readiness.forms.factors import Factor
from readiness.mutants.catalog import FLAWLESS
from readiness.mutants.endpoint.protocol import WINDOW
from readiness.mutants.flaw import Flaw
from readiness.mutants.long_context.flaws_in_forms import FLAWS
from readiness.score import Outcome
from tests.reference_in_process import fresh, tried

CHECKS: dict[str, Check] = {
    each.id: each for each in (checks.no_silent_truncation, checks.summary_accuracy)
}


def outcomes(flaw: Flaw, ids: Sequence[str]) -> dict[str, set[Outcome]]:
    asked = {CHECKS[name]: CHECKS[name].probes(1, CHECKS[name].trials) for name in ids}
    found = tried(asked, fresh(WINDOW, defects_only=True), flaw)
    return {name: {score.outcome for score in scores} for name, scores in found.items()}


@pytest.mark.parametrize("flaw", [of for of in FLAWS if of.check], ids=lambda of: of.name)
def test_a_flaw_of_one_form_fails_its_check(flaw: Flaw) -> None:
    assert Outcome.FAIL in outcomes(flaw, [flaw.check])[flaw.check]


@pytest.mark.parametrize(
    "flaw", [FLAWLESS, *(of for of in FLAWS if of.harmless)], ids=lambda of: of.name
)
def test_the_reference_and_harmless_differences_pass(flaw: Flaw) -> None:
    found = outcomes(flaw, [*CHECKS])
    assert found == {name: {Outcome.PASS} for name in CHECKS}


@pytest.mark.parametrize("seed", range(5))
def test_five_documents_try_most_pairs_and_each_kind_every_level(seed: int) -> None:
    forms = {
        kind: [probes.form_of(make(seed, at)) for at in range(number)]
        for kind, make, number in (("log", log_of, 3), ("report", report_of, 2))
    }
    tried_levels = {
        kind: {(factor, form[factor]) for form in of for factor in FORMS.levels}
        for kind, of in forms.items()
    }
    two = {level for level in FORMS.all if len(FORMS.levels[level[0]]) == 2}
    assert tried_levels["log"] >= {each for each in FORMS.all if each[0] is not Factor.LANGUAGE}
    assert tried_levels["report"] >= two
    assert coverage([(FORMS, [*forms["log"], *forms["report"]])]).share > 0.55


def test_probes_of_one_document_have_one_form_and_a_longer_run_begins_alike() -> None:
    asked = [
        probe
        for check in (checks.accepts_128k, checks.needle_retrieval, checks.cold_prompt_latency)
        for probe in check.probes(4, check.trials)
    ]
    forms = {(probe.shared, *FORMS.form_of(probe.labels).items()) for probe in asked}
    assert len(forms) == len({probe.shared for probe in asked}) == 5
    assert checks.accepts_128k.probes(4, 9)[:5] == checks.accepts_128k.probes(4, 5)


def test_an_endpoint_without_tools_is_sent_documents_without_them() -> None:
    plain = [probe.within({"tools"}, WINDOW) for probe in checks.no_silent_truncation.probes(0, 3)]
    recipes = [(probe.expect["recipe"], probe.expect.get("form", FORMS.plain)) for probe in plain]
    sent = [formed(recipe, form, []) for recipe, form in recipes]
    assert [probe.parameters.get("tools") for probe in sent] == [None] * 3


def test_a_system_message_stays_first_whatever_stands_around() -> None:
    said = [{"role": "system", "content": "nonce"}, {"role": "user", "content": "document"}]
    for number in range(3):
        recipe = log_of(2, number)
        messages = formed(recipe, probes.form_of(recipe), said).messages
        assert messages[0]["role"] == "system"
        assert str(messages[-1]["content"]).count("document") == 1
