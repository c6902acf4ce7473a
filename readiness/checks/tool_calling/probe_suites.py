"""The suites: what each puts to the test, as the probe of a slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from readiness.checks.tool_calling import (
    probe_questions,
    probes_described,
    probes_tool_results,
)
from readiness.checks.tool_calling.prompt_wording import (
    PROMPTS,
    TOOLS,
    ToolVariation,
    cities,
    expected,
    joined,
    sentences,
    user,
    weather,
    weather_and_air,
)
from readiness.checks.tool_calling.scoring import Tool
from readiness.probe import Message, Probe

TOLD_BUDGET = 512
NOTE_BUDGET = 4096
#: What a forced choice names: tools that the question is not about.
OTHERS = ("get_sunrise_time", "get_local_time", "get_population", "get_air_quality")
NO_TOOL: list[Any] = []
#: Bad choices, each with the tools that are offered along with it.
BAD_CHOICES: Sequence[tuple[str, Any, Sequence[str] | None]] = (
    ("bogus", "bogus", ["get_weather"]),
    ("unknown", {"type": "function", "function": {"name": "get_nothing"}}, ["get_weather"]),
    ("no_tools", "required", None),
    ("empty_tools", "auto", NO_TOOL),
)


def easy(slot: ToolVariation, language: str) -> Probe:
    """A trivially easy probe, with a tool at hand."""
    word = PROMPTS["control_word"]
    messages = user(PROMPTS["controls"][language].format(word=word))
    return Probe(slot.id, messages, {"word": word}, slot.parameters("get_weather"), control=True)


def asking(
    slot: ToolVariation,
    parameters: Mapping[str, Any],
    more: Sequence[str] = (),
    before: Sequence[Message] = (),
) -> Probe:
    """A probe that asks about the weather, whatever the rest of the request says."""
    values = weather_and_air(slot)
    text = joined(slot, [*sentences(slot, values), *more])
    expect = {"calls": [expected("get_weather", values, slot.language)]}
    return Probe(slot.id, [*before, *user(text)], expect, parameters, TOLD_BUDGET)


def core(slot: ToolVariation) -> Probe:
    """A plain question; two of ten are buried in a long message, one of ten names a decoy."""
    values = weather_and_air(slot)
    said = sentences(slot, values)
    buried, decoy = slot.turn("buried") < 2, slot.turn("decoy") < 1
    if decoy:
        template = slot.random.choice(PROMPTS["decoys"][slot.language])
        other = slot.random.choice([city for city in cities() if city is not values["city"]])
        said.insert(slot.random.choice([0, len(said)]), slot.say(template, {"decoy": other}))
    text = _buried(slot, said) if buried else joined(slot, said)
    expect = {"calls": [expected("get_weather", values, slot.language)]}
    family = "_".join([slot.language, *["buried"] * buried, *["decoy"] * decoy])
    return Probe(slot.id, user(text), expect, slot.parameters("get_weather"), family=family)


def _buried(slot: ToolVariation, said: list[str]) -> str:
    """The sentences between paragraphs about other things: about 300 words."""
    first, *rest = slot.random.sample(PROMPTS["padding"][slot.language], 4)
    half = (len(said) + 1) // 2
    parts = [joined(slot, said[:half]), joined(slot, said[half:])]
    return "\n".join([first, parts[0], *rest[:2], parts[1], rest[2]])


def forbidden(slot: ToolVariation) -> Probe:
    """A question, and no tool may be called."""
    return asking(slot, slot.parameters("get_weather", choice="none"))


def required(slot: ToolVariation) -> Probe:
    """Small talk, or a question that plays down the need of a tool: some tool must be called."""
    parameters = slot.parameters("get_weather", "get_local_time", choice="required")
    if slot.at % 2 == 0:
        text = slot.random.choice(list(PROMPTS["irrelevant"]["off_topic"][slot.language]))
        return Probe(slot.id, user(text), {}, parameters, TOLD_BUDGET, "small_talk")
    more = slot.random.choice(PROMPTS["discouraged"][slot.language])
    return asking(slot, parameters, [more])


def named(slot: ToolVariation) -> Probe:
    """A question, and another tool must be called."""
    name = OTHERS[slot.at % len(OTHERS)]
    choice = {"type": "function", "function": {"name": name}}
    return asking(slot, slot.parameters("get_weather", *OTHERS, choice=choice))


def bad_choice(slot: ToolVariation) -> Probe:
    """A question, and a choice that no request may have."""
    family, choice, names = BAD_CHOICES[slot.at % len(BAD_CHOICES)]
    offered = {} if names is None else {"tools": [TOOLS[name] for name in names]}
    parameters = {**offered, "tool_choice": choice}
    text = joined(slot, sentences(slot, weather_and_air(slot)))
    return Probe(slot.id, user(text), {}, parameters, family=family)


def irrelevant(slot: ToolVariation) -> Probe:
    """A request that no tool can help with, far from the tools' subject or close to it."""
    family = ("off_topic", "close")[slot.at % 2]
    texts = [(of, text) for of, each in PROMPTS["irrelevant"][family].items() for text in each]
    lap = slot.at // 2 // len(texts)
    language, text = texts[
        ToolVariation(slot.suite, slot.seed, slot.at // 2).turn(family, len(texts))
    ]
    about = PROMPTS["irrelevant"][family][language][text]
    # The texts are used up at twice their number; from there on they come with a greeting.
    greetings = PROMPTS["greetings"][language]
    text = f"{greetings[lap % len(greetings)]} {text}".strip()
    parameters = slot.parameters("get_weather", "get_air_quality", "get_local_time")
    return Probe(
        slot.id,
        user(text),
        {"about": about},
        parameters,
        TOLD_BUDGET,
        family=family,
        cluster=text[-40:],
    )


def _several(slot: ToolVariation, count: int, parameters: Mapping[str, Any]) -> Probe:
    one = weather(slot, slot.city)
    asked = [
        {**one, "city": city, "date": slot.day(), "days": slot.random.randint(1, 7)}
        for city in slot.random.sample(cities(), count)
    ]
    calls = [expected("get_weather", values, slot.language) for values in asked]
    found = [probes_tool_results.result(slot, values) for values in asked]
    text = probes_tool_results.several(slot, asked)
    expect = {"calls": calls, "results": found}
    return Probe(slot.id, user(text), expect, parameters, TOLD_BUDGET, f"{count}_cities")


#: How many cities one of the questions about several is about; 0 for two different tools.
CITIES = (2, 0, 3, 5, 0)


def parallel(slot: ToolVariation) -> Probe:
    """A question about two to five cities, or for two different tools."""
    count = CITIES[slot.turn("cities", len(CITIES))]
    return _several(slot, count, slot.parameters("get_weather")) if count else _different(slot)


def _different(slot: ToolVariation) -> Probe:
    """Two questions at once, each for a tool of its own."""
    asked = slot.random.sample(list(probe_questions.SIMILAR), 2)
    texts, calls = zip(*(probe_questions.ask(slot, each) for each in asked), strict=True)
    expect = {"calls": list(calls), "results": [{"state": "found"}] * len(asked)}
    parameters = slot.parameters("get_weather", *asked)
    return Probe(slot.id, user("\n".join(texts)), expect, parameters, TOLD_BUDGET, "2_tools")


def one_at_a_time(slot: ToolVariation) -> Probe:
    """The same, and only one call may be made at a time."""
    parameters = {**slot.parameters("get_weather"), "parallel_tool_calls": False}
    return _several(slot, 2 + slot.at % 3, parameters)


def many_tools(slot: ToolVariation) -> Probe:
    """A question for one of 8 to 20 tools that are much alike, by their names or but for a word."""
    targets = ["get_weather", *probe_questions.SIMILAR, *[probes_described.FAMILY] * 3]
    target = targets[slot.turn("tool", len(targets))]
    if target == probes_described.FAMILY:
        return _told_by_description(slot)
    alike = [name for name in TOOLS if name not in (target, "get_order", *probe_questions.HARD)]
    names = [target, *slot.random.sample(alike, slot.random.randint(7, len(alike)))]
    slot.random.shuffle(names)
    if target == "get_weather":
        return replace(asking(slot, slot.parameters(*names)), family=target)
    text, call = probe_questions.ask(slot, target)
    return Probe(slot.id, user(text), {"calls": [call]}, slot.parameters(*names), family=target)


def _told_by_description(slot: ToolVariation) -> Probe:
    text, call, told = probes_described.search(slot)
    parameters = slot.parameters(
        "get_weather", *slot.random.sample(list(probe_questions.SIMILAR), 3)
    )
    offered = slot.random.sample([*parameters["tools"], *told], len(told) + 4)
    parameters = {**parameters, "tools": offered}
    return Probe(slot.id, user(text), {"calls": [call]}, parameters, family=probes_described.FAMILY)


def hard(slot: ToolVariation) -> Probe:
    """A request whose arguments are nested, long, absent or codes, or its tool not in English."""
    names = list(probe_questions.HARD)
    target = [*names, probes_described.FAMILY][slot.turn("tool", len(names) + 1)]
    parameters = slot.parameters("get_weather", *names)
    if target == probes_described.FAMILY:
        text, call, tool = probes_described.register(slot)
        parameters = {**parameters, "tools": [*parameters["tools"], tool]}
    else:
        text, call = probe_questions.ask(slot, target)
    if slot.at // (len(names) + 1) % 2:
        parameters = {**parameters, "tools": [_strict(each) for each in parameters["tools"]]}
    budget = NOTE_BUDGET if target == "save_note" else TOLD_BUDGET
    return Probe(slot.id, user(text), {"calls": [call]}, parameters, budget, target)


def _strict(tool: Tool) -> Tool:
    """A tool whose schema is to be kept to, where all of its arguments are required."""
    function = tool["function"]
    schema = function["parameters"]
    if set(schema["properties"]) != set(schema.get("required", ())):
        return tool
    return {**tool, "function": {**function, "strict": True}}


def after_history(slot: ToolVariation) -> Probe:
    """A question after thirty others."""
    return asking(slot, slot.parameters("get_weather"), before=probes_tool_results.history(slot))
