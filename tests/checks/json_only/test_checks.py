from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.check import Check
from readiness.checks.json_only import check_known_values, checks
from readiness.checks.json_only.probes import instruction_probes, stated_value_probes
from readiness.mutants.endpoint.answer import ModelOutput
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.flaw import Flaw
from readiness.mutants.json_only import flaws, flaws_harmless
from readiness.mutants.json_only.reader import answer as read_json
from readiness.probe import Probe
from readiness.scoring.strict_json import strict
from readiness.verdict.claim import Claim, Tally, Verdict, judge
from tests.reference_in_process import probes_of, scores

CHECKS = [
    checks.prompted_json,
    checks.values_preserved,
    check_known_values.values_preserved_in_format,
    checks.json_object_mode,
    checks.json_schema_mode,
    checks.schema_over_topic,
    checks.invalid_format_rejected,
]
BROKEN = [*flaws.GENERAL_FLAWS, *flaws.FORMATS_FLAWS]


def find(name: str) -> Check:
    return next(check for check in CHECKS if check.id == name)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
@pytest.mark.parametrize("seed", [0, 11])
def test_the_reference_passes_every_probe(check: Check, seed: int) -> None:
    tried = scores(check, probes_of(check, seed, check.trials))
    assert [score for score in tried if not score.passed] == []


@pytest.mark.parametrize("flaw", BROKEN, ids=lambda flaw: flaw.name)
def test_a_flaw_fails_its_check_for_a_reason(flaw: Flaw) -> None:
    check = find(flaw.check)
    lost = [s for s in scores(check, probes_of(check, 4, check.trials), flaw) if not s.passed]
    assert ([score for score in lost if not score.reason], lost != []) == ([], True)


@pytest.mark.parametrize("name", ["json_wrong_value", "json_swapped"])
def test_wrong_values_are_legal_json_and_too_many_to_be_chance(name: str) -> None:
    flaw = next(flaw for flaw in BROKEN if flaw.name == name)
    assert {s.passed for s in scores(checks.prompted_json, instruction_probes(4, 100), flaw)} == {
        True
    }
    # With 42 of 50 right, 95 % is out of the question: the upper bound is 91.7 %.
    values = [
        sum(s.passed for s in scores(checks.values_preserved, stated_value_probes(seed, 50), flaw))
        for seed in range(4)
    ]
    assert max(values) <= 42


def test_the_rare_preamble_comes_twice_in_a_hundred() -> None:
    rare = next(flaw for flaw in flaws.GENERAL_FLAWS if flaw.name == "json_preamble_rarely")
    assert [s.passed for s in scores(checks.prompted_json, instruction_probes(4, 100), rare)].count(
        False
    ) == 2


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "name",
    ["doubles_apostrophes", "loses_breaks", "reverses_letters", "collapses_spaces", "loses_tags",
     "cleans_up_spaces", "integers_rounded"],
)  # fmt: skip
def test_damage_to_one_kind_of_value_is_never_too_rare_to_count(name: str, seed: int) -> None:
    flaw = next(flaw for flaw in BROKEN if flaw.name == f"json_{name}")
    check = checks.values_preserved
    found = scores(check, stated_value_probes(seed, 50), flaw)
    passed = sum(each.passed for each in found)
    claim = Claim(check.required, 0.05, 0.05, 50)
    assert judge(Tally(passed, 50 - passed), claim) is not Verdict.READY


@pytest.mark.parametrize("flaw", flaws_harmless.FLAWS, ids=lambda flaw: flaw.name)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_harmless_variant_passes_every_probe(flaw: Flaw, check: Check) -> None:
    tried = scores(check, probes_of(check, 4, check.trials), flaw)
    assert [score for score in tried if not score.passed] == []


@pytest.mark.parametrize("flaw", [*BROKEN, *flaws_harmless.FLAWS], ids=lambda flaw: flaw.name)
def test_no_flaw_touches_what_is_not_about_json(flaw: Flaw) -> None:
    user = {"role": "user", "content": "Weather in Oslo, as JSON?\n- city: Oslo"}
    prose = {**user, "content": "Name three colours: red, green, blue.\n- city: Oslo"}
    requests = [
        {"model": MODEL, "messages": [user], "tools": [{"type": "function"}]},
        {"model": MODEL, "messages": [prose]},
    ]
    said = [flaw.change_output(request, ModelOutput("Cold."), 49) for request in requests]
    assert (said, [flaw.intercept(request, 49) for request in requests]) == (
        [ModelOutput("Cold.")] * 2,
        [None] * 2,
    )


# The reader


@settings(max_examples=200)
@given(
    st.sampled_from(instruction_probes(1, 60)),
    st.integers(0, 1),
    st.integers(0, 900),
    st.integers(0, 900),
)
def test_a_prompt_that_was_cut_is_answered_with_json_or_not_at_all(
    probe: Probe, place: int, start: int, length: int
) -> None:
    messages = [dict(message) for message in probe.messages]
    text = messages[place % len(messages)]["content"]
    messages[place % len(messages)]["content"] = text[:start] + text[start + length :]
    said = read_json({"messages": messages})
    assert said is None or strict(said.content or "") == json.loads(said.content or "")


def test_a_field_whose_data_were_cut_away_becomes_null() -> None:
    only = {"role": "system", "content": "Return only pure JSON, without any other text."}
    fields = "Put the data below into JSON.\nFields:\n- name (string)\n- age (integer)\nData:\n"
    said = read_json({"messages": [only, {"role": "user", "content": f"{fields}- age: 7"}]})
    assert said == ModelOutput('{"name": null, "age": 7}')


def test_without_the_instruction_the_shape_is_guessed_from_the_data() -> None:
    said = read_json({"messages": [{"role": "user", "content": "As JSON:\n- a.b: 7\n- c: x y"}]})
    assert said == ModelOutput('{"a": {"b": 7}, "c": "x y"}')


def test_a_schema_with_any_feature_is_filled() -> None:
    schema = {
        "$defs": {"part": {"enum": ["x"]}},
        "properties": {"p": {"$ref": "#/$defs/part"}, "n": {"minimum": 1, "type": "integer"}},
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "any", "schema": schema}}
    request = {"messages": [{"role": "user", "content": "Hi"}], "response_format": wanted}
    assert read_json(request) == ModelOutput('{"p": "x", "n": 30}')
