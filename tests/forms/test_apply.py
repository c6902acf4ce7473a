"""Forms: what a request looks like in each, and that what it asks for stays."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.check import Check
from readiness.checks.json_only import checks as json_only
from readiness.checks.memory import checks as memory
from readiness.checks.multilingual import checks as multilingual
from readiness.checks.refusal import checks as refusal
from readiness.checks.spanish import checks as spanish
from readiness.checks.tool_calling import checks as tool_calling
from readiness.forms.apply import LONG_SYSTEM, TEMPERATURES, TOKENS, in_form
from readiness.forms.factors import (
    LEVELS,
    PLAIN,
    Content,
    Factor,
    Format,
    FormSpace,
    Insistence,
    Language,
    Length,
    Limit,
    Load,
    Parameters,
    Reply,
    Sampling,
    System,
    Tools,
    Turns,
)
from readiness.mutants.endpoint.conversation import check_messages, text_of
from readiness.mutants.endpoint.surroundings import core
from readiness.probe import BUDGET, OMIT, Probe, SamplingValue, tokens_of
from readiness.protocol.dialect import Dialect
from readiness.resources import prompts

#: A schema is that of the JSON that is asked for, which these probes do not ask for.
EVERYTHING = FormSpace(
    {
        **{
            factor: [*levels]
            for factor, levels in LEVELS.items()
            if factor is not Factor.INSISTENCE
        },
        Factor.FORMAT: [Format.NONE, Format.TEXT],
    }
)
INSISTED = FormSpace({Factor.INSISTENCE: [*Insistence], Factor.PARAMETERS: [*Parameters]})
ASKED = Probe("any.001@v1", [{"role": "user", "content": "¿Qué hora es?"}], budget=64)
TOLD = Probe("any.002@v1", [{"role": "system", "content": "JSON only."}, *ASKED.messages])
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
OFFERED = Probe("any.003@v1", ASKED.messages, parameters={"tools": [TOOL], "tool_choice": "auto"})
CHECKS = {
    check.id: check
    for module in (json_only, tool_calling, spanish, multilingual, refusal, memory)
    for check in vars(module).values()
    if isinstance(check, Check) and check.forms
}
LANGUAGES = [each for each in Language if each is not Language.NONE]


def put(probe: Probe, levels: Mapping[Factor, str], seed: int = 0) -> Probe:
    return in_form(probe, {**PLAIN, **levels}, EVERYTHING, Random(seed))


def request(probe: Probe, dialect: Dialect | None = None) -> dict[str, Any]:
    made = dialect or Dialect("any")
    return made.request(probe.messages, probe.budget, probe.parameters)


# How it is sent


def test_the_plain_form_adds_labels_alone() -> None:
    made = put(ASKED, {Factor.LOAD: Load.EIGHT})
    assert request(made) == request(ASKED)
    named = {factor.value: level for factor, level in PLAIN.items()}
    assert made.labels == {name: of for name, of in named.items() if name != "insistence"}
    assert EVERYTHING.form_of(made.labels) == PLAIN


@pytest.mark.parametrize(
    ("level", "sent"),
    [
        (Reply.WHOLE, {}),
        (Reply.STREAMED, {"stream": True, "stream_options": {"include_usage": True}}),
        (Reply.NO_OPTIONS, {"stream": True}),
    ],
)
def test_a_reply_comes_whole_or_streamed(level: Reply, sent: dict[str, Any]) -> None:
    made = request(put(ASKED, {Factor.REPLY: level}))
    assert {key: of for key, of in made.items() if key.startswith("stream")} == sent


@pytest.mark.parametrize("prefers", ["max_completion_tokens", "max_tokens"])
@pytest.mark.parametrize(
    ("level", "names"), [(Limit.USUAL, None), (Limit.OLD_NAME, ["max_tokens"]), (Limit.NONE, [])]
)
def test_a_reply_is_limited_by_either_name_or_not_at_all(
    prefers: str, level: Limit, names: list[str] | None
) -> None:
    made = request(put(ASKED, {Factor.LIMIT: level}), Dialect("any", prefers))
    found = {key: of for key, of in made.items() if "tokens" in key}
    assert found == dict.fromkeys([prefers] if names is None else names, 64)


def test_sampling_is_greedy_or_not_sent_or_drawn_by_a_seed() -> None:
    greedy, none, seeded = (request(put(ASKED, {Factor.SAMPLING: level})) for level in Sampling)
    assert [each.get("temperature") for each in (greedy, none)] == [0, None]
    assert seeded["temperature"] in TEMPERATURES
    assert ["seed" in each for each in (greedy, none, seeded)] == [False, False, True]


@pytest.mark.parametrize("level", Sampling)
def test_an_endpoint_that_is_sent_no_temperature_is_sent_none_in_any_form(level: Sampling) -> None:
    made = request(put(ASKED, {Factor.SAMPLING: level}), Dialect("any", sampling={}))
    assert made.keys() & {"temperature", "seed", "top_p", "frequency_penalty"} == set()


def test_what_a_user_adds_to_every_body_outranks_a_form() -> None:
    dialect = Dialect("any", extra_body={"max_tokens": 9, "temperature": 1})
    form = {Factor.LIMIT: Limit.NONE, Factor.SAMPLING: Sampling.SEEDED}
    made = request(put(ASKED, form), dialect)
    assert (made["max_tokens"], made["temperature"]) == (9, 1)


def test_a_rule_of_a_field_is_never_sent_itself() -> None:
    probe = Probe("any", [], parameters={"stop": OMIT, "n": BUDGET, "top_p": SamplingValue(0.5)})
    made = request(probe)
    assert ("stop" in made, made["n"], made["top_p"]) == (False, 512, 0.5)


def test_tools_are_offered_that_have_nothing_to_do_with_it() -> None:
    made = request(put(ASKED, {Factor.TOOLS: Tools.IRRELEVANT}))
    assert (made["tools"], "tool_choice" in made) == (prompts("forms.yaml")["tools"], False)


def test_a_schema_is_that_of_the_json_that_is_asked_for() -> None:
    asked = Probe("any", ASKED.messages, {"schema": {"type": "object"}})
    space = FormSpace({Factor.FORMAT: [*Format]})
    made = in_form(asked, {**PLAIN, Factor.FORMAT: Format.JSON_SCHEMA}, space, Random(0))
    assert (request(made)["response_format"]["json_schema"], made.needs) == (
        {"name": "reply", "schema": {"type": "object"}},
        frozenset({"json_schema"}),
    )


def test_the_probes_own_tools_stay_and_their_choice_may_be_left_out() -> None:
    for level, choice in ((Tools.AUTO, "auto"), (Tools.NO_CHOICE, None)):
        made = request(put(OFFERED, {Factor.TOOLS: level}))
        assert (made["tools"], made.get("tool_choice")) == ([TOOL], choice)
    called = {
        Factor.TOOLS: Tools.AUTO,
        Factor.TURNS: Turns.TOOL_RESULT,
        Factor.LANGUAGE: Language.ENGLISH,
    }
    names = [tool["function"]["name"] for tool in request(put(OFFERED, called))["tools"]]
    assert names == ["get_weather", "get_locker_status"]


@pytest.mark.parametrize("level", Parameters)
def test_what_else_is_sent_is_declined_with_nothing_else(level: Parameters) -> None:
    made = put(ASKED, {Factor.PARAMETERS: level, Factor.REPLY: Reply.STREAMED})
    extra = request(made).keys() - request(ASKED).keys() - {"stream", "stream_options"}
    notes = {"store", "service_tier", "metadata", "seed"}
    sent = {
        Parameters.NONE: set(),
        Parameters.STOP: {"stop"},
        Parameters.LOGPROBS: {"logprobs", "top_logprobs"},
        Parameters.CLIENT: {"user"},
        Parameters.TWO: {"n"},
    }
    assert extra - notes == sent[level]
    assert bool(made.fallback) is (level is not Parameters.NONE)
    without = made.fallback or made
    assert EVERYTHING.form_of(without.labels) == {**PLAIN, Factor.REPLY: Reply.STREAMED}
    assert request(without).keys() - request(ASKED).keys() == {"stream", "stream_options"}


def test_calls_at_once_are_allowed_where_no_choice_of_the_probe_s_own_is_changed() -> None:
    client = {Factor.PARAMETERS: Parameters.CLIENT, Factor.TOOLS: Tools.OWN}
    alone = {**OFFERED.parameters, "parallel_tool_calls": False}
    never = {**OFFERED.parameters, "tool_choice": "none"}
    made = [put(replace(OFFERED, parameters=each), client) for each in (alone, never)]
    assert request(put(OFFERED, client))["parallel_tool_calls"] is True
    assert [request(each).get("parallel_tool_calls") for each in made] == [False, None]


@pytest.mark.parametrize("seed", range(9))
def test_no_text_has_a_stop_sequence_that_is_made_up(seed: int) -> None:
    stop = request(put(ASKED, {Factor.PARAMETERS: Parameters.STOP}, seed))["stop"]
    stops = [stop] if isinstance(stop, str) else stop
    assert [each for each in stops if not re.search("[0-9a-f]{8}", each)] == []


def test_what_a_developer_says_comes_after_the_system_and_is_its_own_where_declined() -> None:
    form = {Factor.SYSTEM: System.DEVELOPER, Factor.LANGUAGE: Language.ENGLISH}
    made = put(TOLD, form)
    assert [each["role"] for each in made.messages] == ["system", "developer", "user"]
    assert made.fallback is not None
    assert [each["role"] for each in made.fallback.messages] == ["system", "user"]
    assert made.fallback.labels["system message"] == System.NEUTRAL


def insisted(level: Insistence, text: str = "¿Qué hora es?") -> Probe:
    asked = replace(ASKED, messages=[{"role": "user", "content": text}])
    return in_form(asked, {**PLAIN, Factor.INSISTENCE: level}, INSISTED, Random(0))


@pytest.mark.parametrize(
    ("level", "roles", "sent"),
    [
        (Insistence.PREFILL, ["user", "assistant"], set()),
        (Insistence.AGAIN, ["user", "assistant", "user"], set()),
        (Insistence.JSON_OBJECT, ["user"], {"response_format"}),
        (Insistence.JSON_SCHEMA, ["user"], {"response_format"}),
        (Insistence.TOOL, ["user"], {"tools", "tool_choice"}),
    ],
)
def test_who_insists_adds_a_message_a_format_or_a_tool(
    level: Insistence, roles: list[str], sent: set[str]
) -> None:
    made = insisted(level)
    assert [each["role"] for each in made.messages] == roles
    assert request(made).keys() - request(ASKED).keys() == sent
    assert made.messages[0]["content"].startswith("¿Qué hora es?")
    assert made.fallback is not None
    assert request(made.fallback) == request(ASKED)


@pytest.mark.parametrize(("text", "says"), [("What time?", "Sure, "), ("几点了？", "好的，")])
def test_who_insists_does_so_in_the_language_of_the_request(text: str, says: str) -> None:
    assert insisted(Insistence.PREFILL, text).messages[-1]["content"].startswith(says)


def test_a_position_under_load_is_a_field_of_the_probe() -> None:
    made = [put(ASKED, {Factor.LOAD: level}).in_flight for level in Load]
    assert (made, ASKED.in_flight) == ([8, 1, 32], 0)


# What stands around


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", [System.NEUTRAL, System.LONG, System.PERSONA])
def test_a_system_message_comes_first_and_keeps_the_probes_own(
    level: System, language: Language
) -> None:
    form = {Factor.SYSTEM: level, Factor.LANGUAGE: language}
    told, asked = put(TOLD, form), put(ASKED, form)
    assert [each["role"] for each in told.messages] == ["system", "user"]
    first, *rest = told.messages[0]["content"].rsplit("\n\n", 1)
    assert (bool(first), rest, told.messages[1:]) == (True, ["JSON only."], ASKED.messages)
    assert [each["role"] for each in asked.messages] == ["system", "user"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_long_texts_are_as_long_as_they_say_and_no_two_are_alike(language: Language) -> None:
    long = {Factor.SYSTEM: System.LONG, Factor.LANGUAGE: language}
    assert tokens_of(put(ASKED, long).messages[0]["content"]) == pytest.approx(
        LONG_SYSTEM, rel=0.05
    )
    for level, tokens in TOKENS.items():
        form = {Factor.LENGTH: level, Factor.LANGUAGE: language}
        one, other = (put(ASKED, form, seed).messages[0]["content"] for seed in (0, 1))
        assert tokens_of(one) == pytest.approx(tokens, rel=0.13)  # a paragraph more
        # Its number comes early, so that no cache has more of it than a line.
        assert (
            next(at for at, pair in enumerate(zip(one, other, strict=False)) if len({*pair}) == 2)
            < 80
        )
        assert one.endswith("\n\n¿Qué hora es?")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("level", "roles"),
    [
        (Turns.THREE, ["user", "assistant"] * 3),
        (Turns.THIRTY, ["user", "assistant"] * 30),
        (Turns.TOOL_RESULT, ["user", "assistant", "tool", "assistant"]),
    ],
)
def test_earlier_turns_go_before_and_after_the_system(
    level: Turns, roles: list[str], language: Language
) -> None:
    tools = {Factor.TOOLS: Tools.IRRELEVANT}
    made = put(TOLD, {Factor.TURNS: level, Factor.LANGUAGE: language, **tools})
    assert [each["role"] for each in made.messages] == ["system", *roles, "user"]
    check_messages(made.messages)


def test_content_is_a_string_or_parts_in_some_messages_or_all() -> None:
    around: dict[Factor, str] = {Factor.TURNS: Turns.TOOL_RESULT, Factor.TOOLS: Tools.IRRELEVANT}
    around |= {Factor.LENGTH: Length.TOKENS_2K, Factor.LANGUAGE: Language.SPANISH}
    made = {level: put(TOLD, {**around, Factor.CONTENT: level}).messages for level in Content}
    parts = {
        level: {each["role"] for each in said if isinstance(each["content"], list)}
        for level, said in made.items()
    }
    assert parts == {
        Content.STRING: set(),
        Content.USER: {"user"},
        Content.EVERY: {"system", "user", "assistant", "tool"},
    }
    texts = [[text_of(each) for each in said] for said in made.values()]
    assert texts[0] == texts[1] == texts[2]
    # The text before a request is a part of its own.
    assert made[Content.USER][-1]["content"][-1] == {"type": "text", "text": "¿Qué hora es?"}


# Where an endpoint lacks what a form takes


@pytest.mark.parametrize(
    ("levels", "lacking", "window", "kept"),
    [
        ({Factor.TOOLS: Tools.IRRELEVANT}, [], None, True),
        ({Factor.TOOLS: Tools.IRRELEVANT}, ["tools"], None, False),
        ({Factor.TOOLS: Tools.IRRELEVANT}, ["json_schema"], 4096, True),
        ({Factor.REPLY: Reply.NO_OPTIONS}, ["stream"], None, False),
        ({Factor.LENGTH: Length.TOKENS_16K, Factor.LANGUAGE: "en"}, [], 131_072, True),
        ({Factor.LENGTH: Length.TOKENS_16K, Factor.LANGUAGE: "en"}, [], 16_384, False),
        ({}, ["tools", "stream"], 512, True),
    ],
)
def test_a_form_that_an_endpoint_has_nothing_for_is_replaced_by_the_plain_one(
    levels: Mapping[Factor, str], lacking: list[str], window: int | None, kept: bool
) -> None:
    probe = put(ASKED, levels)
    sent = probe.within(lacking, window)
    assert (sent == probe, sent.id) == (kept, ASKED.id)
    # Its labels say what was sent.
    assert EVERYTHING.form_of(sent.labels) == {**PLAIN, **(levels if kept else {})}


def test_tools_that_a_probe_is_about_are_no_feature_of_its_form() -> None:
    made = put(OFFERED, {Factor.TOOLS: Tools.NO_CHOICE, Factor.REPLY: Reply.STREAMED})
    assert made.needs == {"stream"}


# What it asks for


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([ASKED, TOLD]), st.data(), st.integers(0, 99))
def test_a_reader_finds_the_same_request_in_every_form(
    probe: Probe, data: st.DataObject, seed: int
) -> None:
    drawn: dict[Factor, str] = {
        factor: data.draw(st.sampled_from([*levels]), factor.value)
        for factor, levels in EVERYTHING.levels.items()
        if factor not in (Factor.LOAD, Factor.TOOLS)
    }
    drawn[Factor.TOOLS] = data.draw(st.sampled_from([Tools.NONE, Tools.IRRELEVANT]))
    form: dict[Factor, str] = {**PLAIN, **drawn}
    if not EVERYTHING.allows(form):
        return
    found = core(request(in_form(probe, form, EVERYTHING, Random(seed))))
    own = [each for each in found["messages"] if each["role"] != "system"]
    assert (own, found.get("tools", []), found.get("response_format")) == (ASKED.messages, [], None)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_the_labels_of_a_check_name_a_form_of_its_space(check: Check) -> None:
    assert check.forms is not None
    counted = [probe for probe in check.probes(3, check.trials) if not probe.control]
    made = [check.forms.form_of(probe.labels) for probe in counted]
    assert [form for form in made if not check.forms.allows(form)] == []
    levels = {level for form in made for level in form.items()}
    named = {(each, level) for each, of in check.forms.levels.items() for level in of}
    plain = {(each, PLAIN[each]) for each in LEVELS if each not in check.forms.levels}
    assert levels <= named | plain
    assert [probe.id for probe in counted if not json.dumps(dict(probe.parameters))] == []


def test_zero_shot_has_nothing_around_it() -> None:
    core_checks = (spanish.zero_shot_tasks, spanish.reply_in_spanish, spanish.parity_with_english)
    made = [probe for check in core_checks for probe in check.probes(0, 40)]
    assert {(len(probe.messages), probe.messages[0]["role"]) for probe in made} == {(1, "user")}
    assert [probe.id for probe in made if "tools" in probe.parameters] == []


def test_the_articles_own_request_stays_as_it_is() -> None:
    first = next(p for p in json_only.prompted_json.probes(0, 100) if ".F1.001@" in p.id)
    assert [each["content"] for each in first.messages] == [
        "只返回纯JSON，不要任何其他文字",
        "返回JSON，字段：name,age,city",
    ]
    assert (first.parameters, first.labels["system message"]) == ({}, "none")


def test_no_text_around_has_what_a_reader_of_json_would_take_for_its_shape() -> None:
    form: dict[Factor, str] = {Factor.SYSTEM: System.LONG, Factor.LENGTH: Length.TOKENS_2K}
    texts = [
        text_of(message)
        for language, seed in product(LANGUAGES, range(5))
        for message in put(ASKED, {**form, Factor.LANGUAGE: language}, seed).messages
    ]
    assert [text for text in texts if {*"[]{}|"} & {*text}] == []
