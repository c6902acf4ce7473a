"""What clients tolerate fails no check of content, whichever dimension it is written for."""

from __future__ import annotations

import pytest

from readiness.check import Check
from readiness.checks.json_only import checks as json_only
from readiness.checks.long_context import checks as long_context
from readiness.checks.memory import checks as memory
from readiness.checks.multilingual import checks as multilingual
from readiness.checks.refusal import checks as refusal
from readiness.checks.spanish import checks as spanish
from readiness.checks.tool_calling import checks as tool_calling
from readiness.mutants.catalog import mutants
from readiness.mutants.flaw import Flaw
from readiness.policy.policy import load
from readiness.verdict.claim import Verdict
from tests.replies import verdict

MODULES = (json_only, long_context, memory, multilingual, refusal, spanish, tool_calling)
POLICY = load()
CHECKS = [
    check
    for module in MODULES
    for check in vars(module).values()
    if isinstance(check, Check) and not POLICY.leaves_out(check.id, "ci")
]
#: What the client, or the capability probe before a run, adapts to: `readiness selftest` has them.
ADAPTED_TO = {"api_new_limit_alone", "busy", "gzip", "no_temperature", "reasoning_model"}
HARMLESS = [flaw for flaw in mutants() if flaw.harmless and flaw.name not in ADAPTED_TO]


@pytest.mark.nightly
@pytest.mark.parametrize("flaw", HARMLESS, ids=lambda flaw: flaw.name)
def test_a_harmless_variant_is_ready_in_every_dimension(flaw: Flaw) -> None:
    found = {each.id: verdict(each, flaw, POLICY.claim(each, "ci").margin) for each in CHECKS}
    assert {name: of for name, of in found.items() if of is not Verdict.READY} == {}
