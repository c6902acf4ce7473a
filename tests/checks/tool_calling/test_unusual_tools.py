"""Unusual tools, later calls and finish reasons: which flaws are caught, and by which check."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from readiness.check import Check
from readiness.checks.tool_calling import check_finish, check_unusual_tools, scoring_finish
from readiness.checks.tool_calling.scoring import calls, parameters_of
from readiness.mutants.catalog import FLAWLESS
from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling import (
    flaws_long_arguments,
    flaws_result_contents,
    flaws_schema_members,
    flaws_unusual,
)
from readiness.probe import Probe, prompt_tokens
from readiness.reply import Reply, ToolCall, Usage
from readiness.score import Outcome
from tests.reference_in_process import probes_of, reply, scores

FLAWS = [
    *(*flaws_unusual.FLAWS, *flaws_result_contents.FLAWS),
    *(*flaws_schema_members.FLAWS, *flaws_long_arguments.FLAWS),
]
MODULES = (check_finish, check_unusual_tools)
CHECKS = {each.id: each for of in MODULES for each in vars(of).values() if isinstance(each, Check)}

VALUES, TOOLS = "tool_calling.extreme_argument_values", "tool_calling.extreme_tools"
READ = "tool_calling.tool_result_read_whole"


def outcomes(check: Check, flaw: Flaw, seed: int = 4) -> set[Outcome]:
    return {each.outcome for each in scores(check, probes_of(check, seed, check.trials), flaw)}


def failing(flaw: Flaw) -> set[str]:
    """The checks that a flaw fails, and does not only leave open."""
    passed = {Outcome.PASS, Outcome.UNDETERMINED}
    return {name for name, check in CHECKS.items() if outcomes(check, flaw) - passed}


class Slip:
    """A model that says nothing of what it is asked, so many times."""

    def __init__(self, times: int) -> None:
        self._left = times

    def __call__(self, _request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        self._left -= 1
        return said if self._left < 0 else ModelOutput("I have done it.")


@pytest.mark.parametrize("flaw", [of for of in FLAWS if of.check in CHECKS], ids=lambda of: of.name)
def test_a_flaw_fails_its_own_check_and_no_other(flaw: Flaw) -> None:
    # What a result tells is carried into a call as well, where arguments are damaged alike.
    carried = {READ} if flaw.check in (VALUES, TOOLS) else set()
    assert failing(flaw) - carried == {flaw.check}


@pytest.mark.parametrize(
    "flaw", [FLAWLESS, *(each for each in FLAWS if each.harmless)], ids=lambda of: of.name
)
def test_the_reference_and_harmless_variants_pass(flaw: Flaw) -> None:
    found = {name: outcomes(check, flaw, seed=5) for name, check in CHECKS.items()}
    assert found == {name: {Outcome.PASS} for name in CHECKS}


@pytest.mark.parametrize("check", [VALUES, TOOLS, READ])
def test_what_fails_once_and_not_with_other_values_is_left_open(check: str) -> None:
    probes = probes_of(CHECKS[check], 4, 3)
    for times, first in ((1, Outcome.UNDETERMINED), (2, Outcome.FAIL)):
        found = scores(CHECKS[check], probes, Flaw("slips", "", change_output=Slip(times)))
        assert [each.outcome for each in found] == [first, Outcome.PASS, Outcome.PASS]


@pytest.mark.parametrize("check", [VALUES, TOOLS, READ])
def test_what_is_asked_again_is_alike_but_for_its_values(check: str) -> None:
    for probe in probes_of(CHECKS[check], 4, 15):
        again = probe.expect["again"]
        assert again.family == probe.family
        assert again.messages != probe.messages
        roles = [[each["role"] for each in of.messages] for of in (probe, again)]
        assert roles[0] == roles[1]


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_probes_are_all_different_and_the_same_in_a_longer_run(check: Check) -> None:
    made, longer = check.probes(1, 12), check.probes(1, 24)
    said = {json.dumps([list(each.messages), dict(each.parameters)]) for each in longer}
    assert (len(said), len({each.id for each in longer})) == (24, 24)
    assert [each.messages for each in longer[:12]] == [each.messages for each in made]


def test_a_long_argument_is_longer_than_buffers_and_asked_for_whole_and_streamed() -> None:
    long = [each for each in CHECKS[VALUES].probes(3, 14) if each.family == "long_text"]
    arguments = [each.expect["calls"][0].arguments for each in long]
    assert sorted("stream" in each.parameters for each in long) == [False, True]
    assert min(len(of["text"]) for of in arguments) > 4_096
    assert [list(of) for of in arguments] == [["text", "title"]] * 2


def test_a_model_slips_in_a_long_text_and_a_server_loses_a_part_of_it() -> None:
    (probe, *_) = [each for each in CHECKS[VALUES].probes(3, 14) if each.family == "long_text"]
    wanted = probe.expect["calls"][0]
    text = wanted.arguments["text"]
    middle = len(text) // 2
    found = {
        name: score_of({**wanted.arguments, "text": said}, probe)
        for name, said in {
            "same": text,
            "another letter": f"{text[:middle]}#{text[middle + 1 :]}",
            "a word less": text[:middle] + text[middle + 8 :],
            "a part less": text[:middle] + text[middle + 200 :],
            "no end": text[:-1],
            "no beginning": text[1:],
        }.items()
    }
    failed = dict.fromkeys(("a part less", "no end", "no beginning"), Outcome.FAIL)
    slipped = dict.fromkeys(("another letter", "a word less"), Outcome.UNDETERMINED)
    assert found == {"same": Outcome.PASS, **slipped, **failed}


def score_of(arguments: Mapping[str, Any], probe: Probe) -> Outcome:
    call = ToolCall("1", "function", "save_report", json.dumps(arguments))
    made = replace(reply("", finish="tool_calls"), tool_calls=(call,))
    return calls([made], probe.expect["calls"], probe.parameters["tools"]).outcome


def test_a_result_is_of_every_kind_and_each_that_is_short_is_asked_for_whole_and_streamed() -> None:
    made = CHECKS[READ].probes(3, 16)
    streamed = {(each.family, "stream" in each.parameters) for each in made}
    long = {"deep", "escaped", "long", "rounds"}
    assert {family for family, _ in streamed} - long == {
        *("array", "table", "lines", "three", "copied", "parts")
    }
    assert len([each for each, _ in streamed if each not in long]) == 12


def test_what_is_asked_for_stands_beyond_what_servers_cut() -> None:
    found = {each.family: text_of(each.messages[-1]) for each in CHECKS[READ].probes(3, 16)}
    assert len(json.loads(found["array"])) > 20
    assert found["table"].count("\n") > 20
    assert found["long"].rindex("operator") > 16_000
    assert "\\u00" in found["escaped"]


def test_the_first_of_several_results_is_asked_about_with_8_000_tokens_behind_it() -> None:
    probe = next(each for each in CHECKS[READ].probes(3, 16) if each.family == "rounds")
    told = [text_of(each) for each in probe.messages if each["role"] == "tool"]
    assert probe.expect["word"] in told[0]
    assert [str(probe.expect["told"][0]) in each for each in told] == [True, *[False] * 5]
    assert sum(map(len, told[1:])) > 32_000


@pytest.mark.parametrize(("window", "most"), [(None, 99_999), (131_072, 99_999), (4_096, 2_500)])
def test_texts_of_results_have_room_in_the_window(window: int | None, most: int) -> None:
    made = [each.within((), window) for each in CHECKS[READ].probes(3, 16)]
    sizes = [prompt_tokens(each.messages) for each in made]
    assert max(sizes) <= most
    assert (max(sizes) > 8_000) is (most == 99_999)
    ids = [(each.id, each.expect["again"].id) for each in CHECKS[READ].probes(3, 16)]
    assert [(each.id, each.expect["again"].id) for each in made] == ids


def test_the_edges_are_those_that_the_requirements_name() -> None:
    made = CHECKS["tool_calling.extreme_tools"].probes(2, 8)
    tools = [each.parameters["tools"] for each in made]
    names = [[tool["function"]["name"] for tool in of] for of in tools]
    assert max(map(len, names)) == 128
    assert {len(name) for of, probe in zip(names, made, strict=True) for name in of
            if probe.family == "long_names"} == {64}  # fmt: skip
    values = [
        value
        for probe in CHECKS["tool_calling.extreme_argument_values"].probes(2, 8)
        for value in probe.expect["calls"][0].arguments.values()
    ]
    assert min(of for of in values if type(of) is int and of > 1000) > 2**53
    assert {repr(of) for of in values} >= {"0", "False", "''", "None"}


def test_a_schema_is_read_without_its_references() -> None:
    part = {"type": "integer"}
    schema = {
        "type": "object",
        "$defs": {"part": part, "list": {"type": "array", "items": {"$ref": "#/$defs/part"}}},
        "properties": {"a": {"$ref": "#/$defs/list"}},
    }
    tools = [
        {"type": "function", "function": {"name": "f", "parameters": schema}},
        {"type": "function", "function": {"name": "g"}},
    ]
    assert parameters_of(tools, "f") == {
        "type": "object",
        "properties": {"a": {"type": "array", "items": part}},
    }
    assert parameters_of(tools, "g") == {"type": "object", "properties": {}}
    assert parameters_of(tools, "h") is None


def called(arguments: str, finish: str, used: int | None = 32) -> Reply:
    made = replace(
        reply("", finish=finish), tool_calls=(ToolCall("c", "function", "f", arguments),)
    )
    return replace(made, usage=None if used is None else Usage(5, used))


@pytest.mark.parametrize(
    ("made", "outcome"),
    [
        (called('{"a": "b', "length"), Outcome.PASS),
        (replace(reply("", finish="length"), usage=Usage(5, 32)), Outcome.PASS),
        (called('{"a": "b', "tool_calls"), Outcome.FAIL),
        (called('{"a": "b', "stop", None), Outcome.FAIL),
        (replace(reply("", finish="stop"), usage=Usage(5, 32)), Outcome.FAIL),
        (called('{"a": "b"}', "tool_calls"), Outcome.UNDETERMINED),
        (replace(reply("No.", finish="stop"), usage=Usage(5, 3)), Outcome.UNDETERMINED),
    ],
)
def test_a_call_that_is_cut_says_length(made: Reply, outcome: Outcome) -> None:
    assert scoring_finish.cut_call(made, 32).outcome is outcome


@pytest.mark.parametrize(
    ("text", "finish", "used", "limit", "outcome"),
    [
        ("1, 2, 3", "length", 5, 5, Outcome.PASS),
        ("1, 2, 3", "length", None, 5, Outcome.PASS),
        ("1, 2, 3", "stop", 5, 5, Outcome.FAIL),
        ("1, 2, 3", "length", 4, 5, Outcome.PASS),
        ("1, 2, 3", "length", 3, 5, Outcome.FAIL),
        ("1, 2, 3", "stop", 4, 5, Outcome.UNDETERMINED),
        ("1, 2, 3", "length", 5, 64, Outcome.FAIL),
        ("1, 2, 3", "length", None, None, Outcome.FAIL),
        ("1, 2, 3", "stop", 5, 64, Outcome.UNDETERMINED),
        ("1, 2, 3, 4", "stop", 7, 64, Outcome.PASS),
        ("1, 2, 3, 4", "stop", 7, None, Outcome.PASS),
        ("1, 2, 3, 4", "length", 7, None, Outcome.FAIL),
        ("1, 2, 3, 4", "length", 7, 64, Outcome.FAIL),
    ],
)
def test_a_text_says_length_where_a_limit_cut_it_and_nowhere_else(
    text: str, finish: str, used: int | None, limit: int | None, outcome: Outcome
) -> None:
    usage = None if used is None else Usage(5, used)
    made = replace(reply(text, finish=finish), usage=usage)
    assert scoring_finish.text(made, "4", limit).outcome is outcome
