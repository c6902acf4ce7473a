"""Values that are known, and replies that a limit cuts: which flaws are caught, by which check."""

from __future__ import annotations

from dataclasses import replace

import pytest

from readiness.check import Check
from readiness.checks.json_only import check_cut_replies, check_known_values, checks
from readiness.checks.json_only.scoring import says_cut, states
from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.flaw import Flaw
from readiness.mutants.json_only import flaws_known_values, flaws_schema_members
from readiness.reply import Usage
from readiness.score import Outcome
from readiness.verdict.claim import Verdict
from tests.reference_in_process import fresh, probes_of, reasons, reply, scores, tried
from tests.replies import verdict

FLAWS = [*flaws_known_values.FLAWS, *flaws_schema_members.FLAWS]
MEMBERS = check_known_values.schema_members_kept
FORM = [checks.prompted_json, checks.json_object_mode, checks.json_schema_mode]
OWN = [
    check_known_values.values_preserved_in_format,
    check_known_values.values_preserved_under_pressure,
    check_cut_replies.cut_json_reported,
    MEMBERS,
]


def failing(check: Check, flaw: Flaw, seed: int = 4) -> int:
    return reasons(scores(check, probes_of(check, seed, check.trials), flaw)).total()


@pytest.mark.parametrize("flaw", [each for each in FLAWS if each.check], ids=lambda of: of.name)
def test_a_flaw_of_values_fails_its_check_and_is_legal_json(flaw: Flaw) -> None:
    least = {"json_only.cut_json_reported": 2, MEMBERS.id: 1}.get(flaw.check, 5)
    own = next(check for check in OWN if check.id == flaw.check)
    assert failing(own, flaw) >= least
    assert [reasons(scores(each, probes_of(each, 4, 20), flaw)).total() for each in FORM] == [0] * 3


@pytest.mark.parametrize("flaw", flaws_schema_members.FLAWS, ids=lambda of: of.name)
def test_members_that_are_lost_are_lost_with_other_values_too(flaw: Flaw) -> None:
    found = verdict(MEMBERS, flaw, 0.0)
    assert found is (Verdict.NOT_READY if flaw.check else Verdict.READY)


@pytest.mark.parametrize(("times", "first"), [(1, Outcome.UNDETERMINED), (2, Outcome.FAIL)])
def test_members_that_are_lost_once_leave_it_open(times: int, first: Outcome) -> None:
    left = [times]

    def slips(_request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        left[0] -= 1
        return said if left[0] < 0 else ModelOutput("{}")

    found = scores(MEMBERS, probes_of(MEMBERS, 4, 3), Flaw("slips", "", change_output=slips))
    assert [each.outcome for each in found] == [first, Outcome.PASS, Outcome.PASS]


@pytest.mark.parametrize("flaw", [each for each in FLAWS if each.harmless], ids=lambda of: of.name)
@pytest.mark.parametrize("check", OWN, ids=lambda check: check.id)
def test_a_harmless_difference_passes(flaw: Flaw, check: Check) -> None:
    assert failing(check, flaw) == 0


@pytest.mark.parametrize("check", OWN, ids=lambda check: check.id)
def test_the_reference_passes_each_of_as_many_probes_as_asked_for(check: Check) -> None:
    assert failing(check, Flaw("none", ""), seed=0) == 0
    made = [[each.id for each in check.probes(1, trials)] for trials in (4, 30, 60)]
    assert [(len(each), len(set(each))) for each in made] == [(4, 4), (30, 30), (60, 60)]
    assert check.probes(2, 4) != check.probes(1, 4)


def test_two_of_three_probes_under_pressure_and_all_in_a_format_are_sent_anyway() -> None:
    told = {each.id: each for check in FORM for each in check.probes(3, check.trials)}
    found = [[told.get(each.id) == each for each in check.probes(3, 30)] for check in OWN[:2]]
    assert [each.count(True) for each in found] == [30, 20]


def test_each_rich_schema_is_asked_for_whole_and_streamed() -> None:
    made = {(each.family, "stream" in each.parameters) for each in MEMBERS.probes(3, 6)}
    assert made == {
        (of, stream) for of in ("bounds", "optional", "maps") for stream in (True, False)
    }


def test_what_two_checks_look_at_is_sent_once() -> None:
    probes = checks.json_object_mode.probes(3, 10)
    context, seen = fresh(), list[str]()
    both = {checks.json_object_mode: probes, check_known_values.values_preserved_in_format: probes}
    found = tried(both, context, seen=seen)
    assert (len(seen), [reasons(each).total() for each in found.values()]) == (10, [0, 0])


OPEN = {"type": "object", "required": ["a"]}


def test_members_that_nobody_asked_for_are_free_where_the_schema_is_open() -> None:
    assert states(reply('{"a": 1, "b": 2}'), OPEN, {"a": 1}).passed
    wrong = states(reply('{"a": 0, "b": 2}'), OPEN, {"a": 1})
    assert wrong.reason == "wrong value at $.a: expected 1, got 0"


@pytest.mark.parametrize(
    ("text", "finish", "used", "outcome"),
    [
        ('{"a": [1, 2', "length", 8, Outcome.PASS),
        ('{"a": [1, 2', "stop", 8, Outcome.FAIL),
        ('{"a": [1, 2', "tool_calls", 8, Outcome.FAIL),
        ('{"a": [1, 2]}', "stop", 8, Outcome.UNDETERMINED),
        ("I cannot.", "stop", 3, Outcome.UNDETERMINED),
    ],
)
def test_a_cut_reply_is_known_by_its_finish_reason(
    text: str, finish: str, used: int, outcome: Outcome
) -> None:
    made = replace(reply(text, finish=finish), usage=Usage(5, used))
    assert says_cut(made, 8).outcome is outcome
