"""What only the ends of descriptions tell: which cuts are caught, and what harms nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from readiness.check import Check
from readiness.checks.tool_calling import checks
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling import flaws_described, flaws_unusual
from readiness.policy.policy import load
from readiness.probe import Probe
from readiness.verdict.claim import Verdict
from readiness.verdict.result import Result, Trial
from tests.reference_in_process import probes_of, scores

ASKED = (checks.tool_selection, checks.complex_arguments, checks.no_call_when_irrelevant)
CHECKS = {check.id: check for check in ASKED}
FLAWS = [
    *flaws_described.FLAWS,
    *(of for of in flaws_unusual.FLAWS if "strict" in of.name or "off_topic" in of.name),
]
#: What OpenAI takes; the harness sends less.
MOST_CHARACTERS = 1_024


def verdict(check: Check, flaw: Flaw, seed: int = 0) -> Verdict:
    claim = load().claim(check, "ci")
    probes = probes_of(check, seed, claim.trials)
    tried = zip(probes, scores(check, probes, flaw), strict=True)
    return Result(check, claim, [Trial.of(probe, 0, score) for probe, score in tried]).verdict


def told_by_description(check: Check, seed: int = 0, trials: int = 30) -> list[Probe]:
    made = check.probes(seed, trials)
    return [each for each in made if each.family == "told_by_description"]


@pytest.mark.parametrize("flaw", [of for of in FLAWS if of.check], ids=lambda of: of.name)
def test_a_description_that_is_not_read_whole_is_not_ready(flaw: Flaw) -> None:
    assert verdict(CHECKS[flaw.check], flaw) is Verdict.NOT_READY


@pytest.mark.parametrize("flaw", [of for of in FLAWS if of.harmless], ids=lambda of: of.name)
def test_what_keeps_every_word_is_ready(flaw: Flaw) -> None:
    assert {verdict(check, flaw) for check in CHECKS.values()} == {Verdict.READY}


def descriptions(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for each in value for text in descriptions(each)]
    if not isinstance(value, Mapping):
        return []
    own = value.get("description")
    return [*([own] if isinstance(own, str) else []), *descriptions(list(value.values()))]


@pytest.mark.parametrize("check", ASKED[:2], ids=[check.id for check in ASKED[:2]])
def test_no_beginning_of_a_description_tells_and_none_is_longer_than_clients_may_send(
    check: Check,
) -> None:
    probes = told_by_description(check)
    assert len(probes) >= 4
    for probe in probes:
        called = probe.expect["calls"][0]
        tools = {each["function"]["name"]: each["function"] for each in probe.parameters["tools"]}
        assert max(map(len, descriptions(list(tools.values())))) < MOST_CHARACTERS
        begun = [text[:60] for text in descriptions(tools[called.name])]
        codes = [of for of in called.arguments.values() if isinstance(of, str)]
        assert [code for code in codes if code in " ".join(begun)] == []


def test_the_tools_of_a_selection_differ_by_name_and_by_the_end_of_their_descriptions() -> None:
    for probe in told_by_description(checks.tool_selection):
        like = [
            each["function"]
            for each in probe.parameters["tools"]
            if each["function"]["name"].startswith("search_records_")
        ]
        assert len(like) >= 8
        assert len({json.dumps(each["parameters"]) for each in like}) == 1
        assert len({each["description"][-12:] for each in like}) == len(like)
