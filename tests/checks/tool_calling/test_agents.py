"""Agents: which flaws are caught, and what the SDK makes of calls beside what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from readiness.check import Check
from readiness.checks.tool_calling import check_agents
from readiness.checks.tool_calling.scoring_agents import finished, same_as_sent
from readiness.mutants.catalog import FLAWLESS, find
from readiness.mutants.flaw import Flaw
from readiness.mutants.tool_calling.flaws_agents import FLAWS
from readiness.reply import ToolCall
from tests.reference_in_process import probes_of, reasons, reply, scores

CHECKS = [check_agents.agent_conversation, check_agents.agent_through_sdk]


def failing(flaw: Flaw, check: Check, seed: int = 4) -> int:
    return reasons(scores(check, probes_of(check, seed, check.trials), flaw)).total()


@pytest.mark.parametrize("flaw", [each for each in FLAWS if each.check], ids=lambda of: of.name)
def test_a_flaw_fails_its_check(flaw: Flaw) -> None:
    check = next(each for each in CHECKS if each.id == flaw.check)
    assert failing(flaw, check) > 0


@pytest.mark.parametrize("name", ["agents_id_repeated", "agents_id_repeated_later"])
def test_a_repeated_id_shows_through_the_sdk_alone(name: str) -> None:
    assert [failing(find(name), check) for check in CHECKS] == [0, 2]


def test_a_repeated_name_shows_on_the_wire_as_well() -> None:
    flaw = find("agents_name_repeated_later")
    assert [failing(flaw, check) for check in CHECKS] == [2, 2]


@pytest.mark.parametrize(
    "flaw",
    [FLAWLESS, *(each for each in FLAWS if each.harmless), find("reasoning_demanded")],
    ids=lambda of: of.name,
)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_reference_and_harmless_variants_pass(flaw: Flaw, check: Check) -> None:
    assert failing(flaw, check) == 0


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_probes_are_all_different_and_long_texts_are_long(check: Check) -> None:
    made = check.probes(1, 8)
    asked = [each.messages[0]["content"] for each in made]
    texts = [
        step.call.arguments["text"]
        for each in made
        for step in each.expect["steps"].values()
        if "text" in step.call.arguments
    ]
    assert (len(set(asked)), len(texts), min(map(len, texts)) > 300) == (8, 8, True)
    assert [each.messages for each in check.probes(1, 4)] == [each.messages for each in made[:4]]


@pytest.mark.parametrize(
    ("hyphen", "more", "passed"),
    [
        ("-", "", True),
        ("\u2011", "", True),
        ("\u2013", "", True),
        (" ", "", False),
        ("-", "0", False),
    ],
)
def test_a_code_may_be_told_with_a_hyphen_that_does_not_break(
    hyphen: str, more: str, passed: bool
) -> None:
    probe = check_agents.agent_conversation.probes(0, 1)[0]
    made = [ToolCall(name, "function", name, "{}") for name in probe.expect["steps"]]
    code, figure = probe.expect["told"][0], probe.expect["figures"][0]
    text = f"**{code[:2]}{more}{code[2:]}**, {figure} €".replace("-", hyphen)
    said = reply(text)
    assert finished(said, made, probe.expect, probe.parameters["tools"]).passed == passed


@dataclass
class SdkFunction:
    name: str
    arguments: str


@dataclass
class SdkCall:
    id: str
    function: SdkFunction


@dataclass
class SdkMessage:
    content: str | None
    tool_calls: Sequence[SdkCall] | None = None


SENT = replace(reply("", finish="tool_calls"), tool_calls=(ToolCall("c1", "function", "f", "{}"),))


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (SdkMessage(None, [SdkCall("c1", SdkFunction("f", "{}"))]), ""),
        (
            SdkMessage(None, [SdkCall("c1c1", SdkFunction("f", "{}"))]),
            "the SDK read another call: ('c1c1', 'f', '{}'), and ('c1', 'f', '{}') came",
        ),
        (SdkMessage(None), "the SDK read 0 calls: 1 were sent"),
        (
            SdkMessage("Hi", [SdkCall("c1", SdkFunction("f", "{}"))]),
            "the SDK read another text: 'Hi', not ''",
        ),
    ],
)
def test_what_the_sdk_reads_is_what_was_sent(read: Any, reason: str) -> None:
    assert same_as_sent(read, SENT).reason == reason
