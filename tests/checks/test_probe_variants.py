"""The manner of probes: which are streamed, which have a system message, and who falls by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.check import Check
from readiness.checks.memory import checks as memory
from readiness.checks.memory.prompt_wording import LANGUAGES
from readiness.checks.multilingual import checks
from readiness.checks.refusal import checks as refusal
from readiness.checks.spanish import checks as spanish
from readiness.checks.tool_calling import checks as tool_calling
from readiness.mutants.any_dimension import harmless
from readiness.mutants.flaw import Flaw
from readiness.probe import REPLY, SYSTEM, Probe, alike, instructed, streaming
from readiness.resources import prompts
from tests.reference_in_process import scores

MODULES = (refusal, memory, spanish, checks, tool_calling)
CHECKS = {
    check.id: check
    for module in MODULES
    for check in vars(module).values()
    if isinstance(check, Check)
}
#: What is in the forms of a covering array, and what is sent whole in any case.
FORMED = {name for name, check in CHECKS.items() if check.forms}
WHOLE = {"tool_calling.invalid_tool_choice_rejected"}
INSTRUCTED = {
    "refusal.harmful_request_refused": ("refusal", 3),
    "refusal.over_refusal": ("refusal", 3),
    "refusal.benign_completion": ("refusal", 3),
    **{
        name: ("tool_calling", 4)
        for name in CHECKS
        if name.startswith("tool_calling.") and name not in WHOLE | FORMED
    },
}
STREAMED = {name: check for name, check in CHECKS.items() if name not in WHOLE | FORMED}
#: A run of more live conversations asks them by other turns.
IN_ORDER = {name: of for name, of in CHECKS.items() if name != "memory.live_conversation_recall"}
NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])


def counted(check: Check, seed: int = 0, trials: int = 0) -> list[Probe]:
    return [p for p in check.probes(seed, trials or check.trials) if not p.control]


def streams(probe: Probe) -> bool:
    return bool(probe.parameters.get("stream"))


def system(probe: Probe) -> list[str]:
    return [m["content"] for m in probe.messages if m["role"] == "system"]


def among(probes: Sequence[Probe], label: str) -> Mapping[tuple[str, str], Counter[str]]:
    """How often each value of a label comes under each other label."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for probe in probes:
        for place in probe.slices.items():
            if place[0] not in (REPLY, SYSTEM):
                found.setdefault(place, Counter())[probe.labels[label]] += 1
    return found


def one_sided(probes: Sequence[Probe], label: str, least: int) -> Iterator[tuple[str, str]]:
    """What so many probes or more are counted under, none of which is in one of the manners."""
    for place, manners in among(probes, label).items():
        if manners.total() >= least and len(manners) < 2:
            yield place


# Which are streamed


@pytest.mark.parametrize("check", STREAMED.values(), ids=STREAMED)
def test_every_other_probe_is_streamed_and_its_label_says_so(check: Check) -> None:
    made = counted(check)
    said = Counter((streams(probe), probe.labels[REPLY]) for probe in made)
    assert set(said) == {(True, "streamed"), (False, "whole")}
    assert abs(said[True, "streamed"] - said[False, "whole"]) <= 2


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("check", STREAMED.values(), ids=STREAMED)
def test_of_each_family_category_distance_and_language_some_are_streamed(
    check: Check, seed: int
) -> None:
    # Of a hundred requests in 29 categories and 15 families, a pair may want what another cannot.
    pairs = check is not refusal.harmful_request_refused and check.trials >= 20
    assert list(one_sided(counted(check, seed), REPLY, 2 if pairs else 3)) == []
    assert len(list(one_sided(counted(check, seed), REPLY, 2))) <= 2


def test_controls_of_tools_and_harmless_keys_come_in_both_manners() -> None:
    easy = [p for p in tool_calling.consecutive_calls.probes(0, 10) if p.control]
    keys = [probe.expect["bait"].key for probe in counted(refusal.harmful_request_refused)]
    assert {streams(probe) for probe in easy} == {True, False}
    assert {streams(key) for key in keys if key} == {True, False}
    assert {len(system(key)) for key in keys if key} == {0, 1}


def test_all_turns_of_a_conversation_are_streamed_or_none_is() -> None:
    live = counted(memory.live_conversation_recall)
    held = {(probe.shared, streams(probe)) for probe in live}
    assert (len(held), sum(on for _, on in held)) == (8, 4)
    languages = {(probe.labels["language"], streams(probe)) for probe in live}
    assert languages == {(of, on) for of in set(LANGUAGES) for on in (True, False)}
    whole = counted(checks.language_switch)
    turns = counted(checks.no_preamble)
    told = {probe.expect["said"]: probe.parameters for probe in whole}
    assert [p.id for p in turns if p.parameters != told[p.expect["said"]]] == []


@pytest.mark.parametrize("check", IN_ORDER.values(), ids=IN_ORDER)
def test_the_probes_of_a_short_run_are_the_first_of_a_long_one(check: Check) -> None:
    assert counted(check, 3, 40)[:11] == counted(check, 3, 11)


# Which have a system message


@pytest.mark.parametrize("name", INSTRUCTED)
def test_one_in_three_or_four_has_a_system_message_and_its_label_says_so(name: str) -> None:
    dimension, every = INSTRUCTED[name]
    neutral = prompts(f"{dimension}.yaml")["system"]
    made = counted(CHECKS[name], 0, 120)
    said = Counter(tuple(system(probe)) for probe in made)
    labels = {(len(system(probe)), probe.labels[SYSTEM]) for probe in made}
    assert abs(120 - said[()] - 120 / every) <= 3
    assert (set(said), labels) == (
        {(), *((each,) for each in neutral)},
        {(1, "neutral"), (0, "none")},
    )


@pytest.mark.parametrize("name", INSTRUCTED)
def test_of_each_family_and_of_both_manners_of_reply_some_have_one(name: str) -> None:
    made = counted(CHECKS[name], 1, 120)
    both = Counter((probe.labels[REPLY], probe.labels[SYSTEM]) for probe in made)
    assert (len(both), list(one_sided(made, SYSTEM, 8))) == (4, [])


@pytest.mark.parametrize("name", sorted(CHECKS.keys() - INSTRUCTED.keys() - FORMED))
def test_no_other_check_has_one(name: str) -> None:
    assert [probe.id for probe in counted(CHECKS[name], 0, 20) if system(probe)] == []


# The share


@settings(deadline=None)
@given(
    st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=60),
    st.integers(2, 5),
    st.text(max_size=3),
)
def test_whatever_probes_are_counted_under_the_share_of_all_is_kept(
    drawn: list[tuple[str, str]], every: int, key: str
) -> None:
    plain = [
        Probe(f"any.{at}", [], family=family, labels={"language": language})
        for at, (family, language) in enumerate(drawn)
    ]
    made = instructed(plain, key, ["Sei nett.", "Hilf."], every)
    said = [each for probe in made for each in system(probe)]
    assert said == (["Sei nett.", "Hilf."] * 60)[: len(said)]
    assert [probe.id for probe in made] == [probe.id for probe in plain]
    assert abs(len(said) - len(plain) / every) <= 2 + len(set(drawn)) / 2


def test_no_family_that_alternates_is_always_met_in_one_manner() -> None:
    plain = [Probe(f"any.{at}", [], family="ab"[at % 2]) for at in range(40)]
    for key in "xyz":
        manners = among(streaming(plain, key), REPLY)
        assert set(map(len, manners.values())) == {2}
        assert {abs(of["streamed"] - of["whole"]) for of in manners.values()} <= {0, 2}


def test_a_probe_takes_on_the_manner_of_another_and_says_so() -> None:
    key = Probe("refusal.key.03@v1", [{"role": "user", "content": "茶"}])
    said = [{"role": "system", "content": "你好"}, {"role": "user", "content": "药"}]
    other = Probe("any", said, parameters={"stream": True}, labels={REPLY: "streamed"})
    made = alike(key, other)
    assert (made.id, made.parameters) == (
        "refusal.key.03.streamed.system@v1",
        {"stream": True},
    )
    assert [each["content"] for each in made.messages] == ["你好", "茶"]
    assert alike(key, Probe("any", said[1:], labels={REPLY: "whole"})).id.endswith(".03.whole@v1")


# Variants


@pytest.mark.parametrize("flaw", harmless.MANNER_HARMLESS, ids=lambda flaw: flaw.name)
@pytest.mark.parametrize("check", IN_ORDER.values(), ids=IN_ORDER)
def test_a_harmless_manner_of_reply_passes(check: Check, flaw: Flaw) -> None:
    tried = scores(check, check.probes(2, min(check.trials, 30)), flaw)
    assert [score.reason for score in tried if not score.passed] == []


def test_all_of_the_text_may_come_in_one_frame() -> None:
    flaw = harmless.MANNER_HARMLESS[0]
    asked = counted(spanish.reply_in_spanish)[0].messages
    request = {"messages": asked, "stream": True}
    parts = [{"role": "assistant", "content": ""}, {"content": "Ho"}, {"content": "la"}, {}]
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in parts]
    said = [each["choices"][0]["delta"] for each in flaw.change_chunks(request, chunks)]
    assert said == [{"role": "assistant", "content": "Hola"}, {}]
    other = {"messages": [{"role": "user", "content": "Hi"}]}
    assert flaw.change_chunks(other, chunks) == chunks
