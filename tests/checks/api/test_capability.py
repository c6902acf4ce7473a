"""What the capability probe finds with endpoints that decline once, or take few parameters."""

from __future__ import annotations

import asyncio

import pytest

from readiness.mutants.api import flaws_capability
from readiness.mutants.flaw import Flaw
from readiness.protocol.capability import Capabilities
from readiness.score import Outcome
from tests.checks.api import reference_over_http
from tests.checks.api.reference_over_http import CHECKS, MUST, SENDING, failing, scores

FLAWED = [each for each in flaws_capability.FLAWS if "_once_" in each.name]
HARMLESS = [each for each in flaws_capability.FLAWS if each.harmless]
FEW_PARAMETERS = [each for each in HARMLESS if not each.name.endswith("_once")]


def explored(flaw: Flaw) -> Capabilities:
    async def work() -> Capabilities:
        async with reference_over_http.serving(flaw) as endpoint:
            return await reference_over_http.explored(endpoint)

    return asyncio.run(work())


@pytest.mark.parametrize("flaw", HARMLESS, ids=lambda flaw: flaw.name)
def test_what_is_declined_once_is_offered(flaw: Flaw) -> None:
    assert explored(flaw).unsupported == {}


@pytest.mark.parametrize("flaw", FLAWED, ids=lambda flaw: flaw.name)
def test_one_404_or_501_switches_no_check_off(flaw: Flaw) -> None:
    found = failing([CHECKS[flaw.check]], flaw, explores=True)
    assert found[flaw.check].partition(": ")[0] == "fail"


@pytest.mark.parametrize("flaw", FEW_PARAMETERS, ids=lambda flaw: flaw.name)
def test_an_endpoint_that_takes_few_parameters_passes_every_must(flaw: Flaw) -> None:
    assert failing([each for each in SENDING if each in MUST], flaw, explores=True) == {}


def test_what_an_endpoint_declines_is_unsupported_in_every_trial() -> None:
    stops = CHECKS["api.stop_sequence_honoured"]
    found = scores([stops], flaws_capability.FLAWS[-1], explores=True)[stops.id]
    assert {each.outcome for each in found} == {Outcome.UNSUPPORTED}
