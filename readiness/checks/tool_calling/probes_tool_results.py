"""Probes in which results count: one to be told, an error, one that leads on, one of two."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from string import ascii_lowercase, digits
from typing import Any

from readiness.checks.tool_calling.prompt_wording import (
    PROMPTS,
    ToolVariation,
    cities,
    expected,
    joined,
    sentences,
    user,
    weather,
    weather_and_air,
)
from readiness.forms.apply import neutral_text
from readiness.probe import Message, Probe, prompt_tokens

TURNS = 30
#: Of fifteen probes six tell a result, two of them in a long text; three have none, one of them an
#: empty text for it; three each have a further call and two results.
FAMILIES = ["told"] * 4 + ["long"] * 2 + ["error"] * 2 + ["empty"]
FAMILIES += ["onward"] * 3 + ["paired"] * 3
#: About how many tokens of text stand around the figures of a long result.
LONG_RESULT = 4_000


def result(slot: ToolVariation, values: Mapping[str, Any]) -> dict[str, Any]:
    """A result that no model can guess; every figure has two decimals, and no two are the same."""
    low, high = (1010, 4990) if values["unit"] == "celsius" else (5010, 9890)
    hundredths = [each for each in range(low, high) if each % 10]
    coldest, hottest, humidity, wind = slot.random.sample(hundredths, 4)
    return {
        "temperature_max": max(hottest, coldest) / 100,
        "temperature_min": min(hottest, coldest) / 100,
        "humidity_percent": humidity / 100,
        "wind_kmh": wind / 100,
    }


def long_result(slot: ToolVariation, values: Mapping[str, Any]) -> dict[str, Any]:
    """A result in a long text: one of the figures asked for in its middle, the other at an end."""
    figures = result(slot, values)
    texts = [neutral_text(slot.language, slot.random, LONG_RESULT // 2) for _ in range(2)]
    end = slot.random.choice(["temperature_max", "humidity_percent"])
    inside = {key: of for key, of in figures.items() if key != end}
    found = {"log": texts[0], **inside, "more": texts[1]}
    at_end = {end: figures[end]}
    return {**at_end, **found} if slot.random.random() < 0.5 else {**found, **at_end}


def result_message(call_id: str, found: Mapping[str, Any] | str) -> Message:
    """The message that brings a result back; a text stands as it is."""
    content = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def probe(slot: ToolVariation) -> Probe:
    """The probe of a slot."""
    family = FAMILIES[slot.turn("family", len(FAMILIES))]
    if family == "paired":
        return _paired(slot)
    return _onward(slot) if family == "onward" else _told(slot, family)


def _told(slot: ToolVariation, family: str) -> Probe:
    values = weather(slot, slot.city, days=1)
    found = _found(slot, family, values)
    text = joined(slot, [*sentences(slot, values), PROMPTS["results"]["values"][slot.language]])
    expect = {
        "calls": [expected("get_weather", values, slot.language)],
        "results": [found],
        **_figures(found),
    }
    return _probe(slot, family, user(text), expect, "get_weather")


def _found(slot: ToolVariation, family: str, values: Mapping[str, Any]) -> dict[str, Any] | str:
    match family:
        case "error":
            return {"error": PROMPTS["error"]}
        case "empty":
            return ""
        case "long":
            return long_result(slot, values)
    return result(slot, values)


def _onward(slot: ToolVariation) -> Probe:
    values = weather(slot, slot.city, days=1)
    order = f"SO-{slot.random.randint(10000, 99999)}"
    template = PROMPTS["results"]["order"][slot.language]
    said = [slot.say(part, {**values, "order": order}) for part in template]
    delivery = {"city": values["city"].names[slot.language], "date": values["date"].isoformat()}
    found = result(slot, values)
    expect = {
        "calls": [
            expected("get_order", {"order": order}, slot.language),
            expected("get_weather", values, slot.language),
        ],
        "results": [{"order": order, **delivery}, found],
        **_figures(found),
    }
    text = joined(slot, [*said, PROMPTS["results"]["values"][slot.language]])
    return _probe(slot, "onward", user(text), expect, "get_order", "get_weather")


def _paired(slot: ToolVariation) -> Probe:
    """Two results, which come in the other order than the calls: their ids tell whose they are.

    Words stand beside the calls, as many models say them first.
    """
    pair = [slot.city, slot.random.choice([city for city in cities() if city != slot.city])]
    asked = slot.random.choice(pair)
    values = weather(slot, pair[0], days=1)
    both = [{**values, "city": city} for city in pair]
    found = [result(slot, each) for each in both]
    while {*found[0].values()} & {*found[1].values()}:
        found = [result(slot, each) for each in both]
    ids = [call_id(slot), call_id(slot)]
    only = slot.say(PROMPTS["results"]["only"][slot.language], {"city": asked})
    messages = [
        *user("\n".join([several(slot, both), only])),
        {
            "role": "assistant",
            "content": PROMPTS["results"]["says"][slot.language],
            "tool_calls": [
                _call(name, each, slot.language) for name, each in zip(ids, both, strict=True)
            ],
        },
        *[result_message(name, each) for name, each in zip(ids[::-1], found[::-1], strict=True)],
    ]
    mine, other = found if asked is pair[0] else found[::-1]
    figures = {"told": [mine["temperature_max"]], "untold": sorted(other.values())}
    expect = {"calls": [], "results": [], **figures}
    return _probe(slot, "paired", messages, expect, "get_weather")


def several(slot: ToolVariation, each: list[dict[str, Any]]) -> str:
    """The question about the weather in several cities."""
    words = PROMPTS["parallel"][slot.language]
    items = [slot.say(words["item"], values) for values in each]
    return "\n".join([words["intro"], *items, slot.say(words["outro"], each[0])])


def history(slot: ToolVariation) -> list[Message]:
    """Thirty questions about the weather, each with its call, its result and its answer."""
    messages: list[Message] = []
    for at in range(TURNS):
        turn = ToolVariation(f"{slot.suite}/{slot.at}", slot.seed, at)
        values = weather_and_air(turn, days=1)
        found = result(turn, values)
        called = call_id(turn)
        answer = ", ".join(f"{key} {of}" for key, of in found.items())
        messages += user(joined(turn, sentences(turn, values)))
        messages.append(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [_call(called, values, turn.language)],
            }
        )
        messages.append(result_message(called, found))
        messages.append({"role": "assistant", "content": answer})
    return messages


def call_id(slot: ToolVariation) -> str:
    """An id for a call of the history: Mistral's templates take nine letters or digits only."""
    return "".join(slot.random.choices(ascii_lowercase + digits, k=9))


def _call(name: str, values: Mapping[str, Any], language: str) -> dict[str, Any]:
    arguments = json.dumps(expected("get_weather", values, language).arguments, ensure_ascii=False)
    function = {"name": "get_weather", "arguments": arguments}
    return {"id": name, "type": "function", "function": function}


def _figures(found: Mapping[str, Any] | str) -> dict[str, Any]:
    """What the answer has to say of a result; of none, nothing that looks like a figure."""
    if isinstance(found, str) or "error" in found:
        return {"figures": PROMPTS["figures"]}
    percent = [found["humidity_percent"]]
    return {"told": [found["temperature_max"], *percent], "percent": percent}


def _probe(
    slot: ToolVariation,
    family: str,
    messages: list[Message],
    expect: Mapping[str, Any],
    *tools: str,
) -> Probe:
    parameters = slot.parameters(*tools)
    made = Probe(slot.id, messages, expect, parameters, family=family, cluster=slot.wording)
    return (
        replace(made, tokens=LONG_RESULT + 2 * prompt_tokens(messages, parameters["tools"]))
        if family == "long"
        else made
    )
