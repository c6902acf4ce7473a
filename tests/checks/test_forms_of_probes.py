"""Forms of the checks' probes: what shares requests shares its form; harmless flaws pass."""

from __future__ import annotations

from collections import Counter

import pytest

from readiness.check import Check
from readiness.checks.json_only import checks as json_only
from readiness.checks.memory import checks as memory
from readiness.checks.memory.prompt_wording import LANGUAGES
from readiness.checks.multilingual import checks as multilingual
from readiness.checks.refusal import checks as refusal
from readiness.checks.spanish import checks as spanish
from readiness.checks.tool_calling import checks as tool_calling
from readiness.forms.factors import Factor, Reply
from readiness.mutants.any_dimension import harmless
from readiness.mutants.flaw import Flaw
from readiness.probe import Probe
from tests.reference_in_process import probes_of, scores

MODULES = (json_only, refusal, memory, spanish, multilingual, tool_calling)
CHECKS = {
    check.id: check
    for module in MODULES
    for check in vars(module).values()
    if isinstance(check, Check)
}
#: What must be rejected is sent whole: a stream may have begun before it is looked at.
WHOLE = {
    "tool_calling.invalid_tool_choice_rejected",
    "json_only.invalid_format_rejected",
    "json_only.property_based_json",
}
FORMED = {name: check for name, check in CHECKS.items() if name not in WHOLE}
#: A run of more live conversations asks them by other turns.
IN_ORDER = {name: of for name, of in FORMED.items() if name != "memory.live_conversation_recall"}
STREAMED = (Reply.STREAMED, Reply.NO_OPTIONS)


def counted(check: Check, seed: int = 0, trials: int = 0) -> list[Probe]:
    return [p for p in check.probes(seed, trials or check.trials) if not p.control]


def streams(probe: Probe) -> bool:
    return bool(probe.parameters.get("stream"))


def test_every_check_of_content_has_forms() -> None:
    assert {name for name, check in CHECKS.items() if check.forms is None} == WHOLE


@pytest.mark.parametrize("name", [n for n, check in FORMED.items() if check.trials >= 20])
def test_of_each_family_category_and_language_some_replies_are_streamed(name: str) -> None:
    found: dict[tuple[str, str], Counter[bool]] = {}
    for probe in counted(CHECKS[name]):
        assert (probe.labels["reply"] in STREAMED) == streams(probe)
        for place in probe.slices.items():
            if place[0] not in {*Factor}:
                found.setdefault(place, Counter())[streams(probe)] += 1
    assert [of for of, each in found.items() if each.total() >= 8 and len(each) < 2] == []


def test_controls_and_harmless_keys_come_streamed_and_whole() -> None:
    easy = [p for p in tool_calling.consecutive_calls.probes(0, 10) if p.control]
    baits = [probe.expect["bait"] for probe in counted(refusal.harmful_request_refused)]
    keys = [bait.key for bait in baits if bait.key]
    assert {streams(probe) for probe in easy} == {True, False}
    assert {streams(key) for key in keys} == {True, False}
    assert len({key.id for key in keys}) == len(keys)


def test_all_turns_of_a_conversation_have_one_form() -> None:
    live = counted(memory.live_conversation_recall)
    space = memory.live_conversation_recall.forms
    assert space is not None
    forms = {(p.shared, *space.form_of(p.labels).items()) for p in live}
    assert len(forms) == 8
    held = {(probe.labels["language"], streams(probe)) for probe in live}
    assert held == {(of, on) for of in set(LANGUAGES) for on in (True, False)}
    told = {p.expect["said"]: p.parameters for p in counted(multilingual.language_switch)}
    turns = counted(multilingual.no_preamble)
    assert [p.id for p in turns if p.parameters != told[p.expect["said"]]] == []


def test_a_growing_conversation_has_one_form_at_every_stage() -> None:
    for probe in counted(memory.history_not_truncated):
        stages = [*probe.expect["before"], probe.messages]
        systems = [[each for each in said if each["role"] == "system"] for said in stages]
        assert systems == [systems[0]] * 4


@pytest.mark.parametrize("check", IN_ORDER.values(), ids=IN_ORDER)
def test_the_probes_of_a_short_run_are_the_first_of_a_long_one(check: Check) -> None:
    # The shares of JSON's families depend on the number of trials.
    if not check.id.startswith("json_only."):
        assert counted(check, 3, 40)[:11] == counted(check, 3, 11)


@pytest.mark.parametrize("flaw", harmless.FORM_HARMLESS, ids=lambda flaw: flaw.name)
@pytest.mark.parametrize("check", IN_ORDER.values(), ids=IN_ORDER)
def test_a_harmless_difference_between_forms_passes(check: Check, flaw: Flaw) -> None:
    tried = scores(check, probes_of(check, 2, min(check.trials, 30)), flaw)
    assert [score.reason for score in tried if not score.passed] == []


def test_all_of_the_text_may_come_in_one_frame() -> None:
    flaw = harmless.FORM_HARMLESS[0]
    asked = counted(spanish.reply_in_spanish)[0].messages
    request = {"messages": asked, "stream": True}
    parts = [{"role": "assistant", "content": ""}, {"content": "Ho"}, {"content": "la"}, {}]
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in parts]
    said = [each["choices"][0]["delta"] for each in flaw.change_chunks(request, chunks)]
    assert said == [{"role": "assistant", "content": "Hola"}, {}]
    other = {"messages": [{"role": "user", "content": "Hi"}]}
    assert flaw.change_chunks(other, chunks) == chunks
