"""Tools and arguments that only the ends of long descriptions tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from readiness.checks.tool_calling.prompt_wording import ToolVariation, expected
from readiness.checks.tool_calling.scoring import Expected, Tool
from readiness.resources import prompts

PROMPTS = prompts("tool_calling_described.yaml")
SEARCH, REGISTER = PROMPTS["search"], PROMPTS["register"]
#: About how many characters of a description stand before what tells; OpenAI takes 1,024 in all.
BEFORE = (120, 250, 400, 550, 700, 850)
MOST_CHARACTERS = 1_000
SEARCHES = (8, 14)
ITEMS = 3
#: What a probe with such tools is counted under.
FAMILY = "told_by_description"

Codes = Mapping[str, Mapping[str, str]]


def search(slot: ToolVariation) -> tuple[str, Expected, Sequence[Tool]]:
    """A question for one of many tools that only the ends of their descriptions tell apart.

    Returns:
        The question, the call that it takes, and the tools, in any order.
    """
    sites = slot.random.sample(SEARCH["sites"], slot.random.randint(*SEARCHES))
    names = [f"search_records_{at}" for at in slot.random.sample(range(100, 999), len(sites))]
    tools = [_searching(slot, *each) for each in zip(names, sites, strict=True)]
    wanted = slot.random.randrange(len(sites))
    values = {"site": sites[wanted], "reference": f"RF-{slot.random.randint(10000, 99999)}"}
    called = Expected(names[wanted], {"reference": values["reference"]})
    return SEARCH["asks"][slot.language].format(**values), called, tools


def register(slot: ToolVariation) -> tuple[str, Expected, Tool]:
    """A request for a tool whose arguments are codes that only their descriptions explain.

    Returns:
        The request, the call that it takes, and the tool.
    """
    reasons, conditions = _codes(slot, "reason"), _codes(slot, "condition")
    values = {"order": f"RT-{slot.random.randint(10000, 99999)}", "reason": _late(slot, reasons)}
    items = [
        {"sku": f"K{slot.random.randint(1000, 9999)}", "condition": _late(slot, conditions)}
        for _ in range(slot.random.randint(1, ITEMS))
    ]
    said = {
        **values,
        "reason": reasons[values["reason"]][slot.language],
        "items": ", ".join(
            f"{each['sku']} ({conditions[each['condition']][slot.language]})" for each in items
        ),
    }
    text = REGISTER["asks"][slot.language].format(**said)
    called = expected("register_return", {**values, "items": items}, slot.language)
    return text, called, _registering(slot, reasons, conditions)


def _described_in(slot: ToolVariation) -> str:
    """The language of descriptions: most are in English."""
    return "zh" if slot.turn("described", 3) == 0 else "en"


def _searching(slot: ToolVariation, name: str, site: str) -> Tool:
    language = _described_in(slot)
    first = SEARCH["description"][language]
    last = SEARCH["only"][language].format(site=site)
    schema = {"reference": {"type": "string", "description": "The reference, as in RF-12345"}}
    return _tool(name, _described(slot, first, last), schema)


def _registering(slot: ToolVariation, reasons: Codes, conditions: Codes) -> Tool:
    item = {"sku": {"type": "string"}, "condition": _coded(slot, "condition", conditions)}
    properties = {
        "order": {"type": "string", "description": "Number of the order"},
        "reason": _coded(slot, "reason", reasons),
        "items": {"type": "array", "items": _object(item)},
    }
    description = REGISTER["description"][_described_in(slot)]
    return _tool("register_return", description, properties)


def _tool(name: str, description: str, properties: Mapping[str, Any]) -> Tool:
    function = {"name": name, "description": description, "parameters": _object(properties)}
    return {"type": "function", "function": function}


def _object(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _coded(slot: ToolVariation, name: str, codes: Codes) -> Mapping[str, Any]:
    """The schema of a code, whose description ends with what each stands for."""
    language = _described_in(slot)
    meant = "; ".join(f"{code} = {of[language]}" for code, of in codes.items())
    last = f"{REGISTER['stands'][language]} {meant}."
    first = REGISTER["codes"][name][language] + (". " if language == "en" else "。")
    return {
        "type": "string",
        "enum": list(codes),
        "description": _described(slot, first.strip(), last),
    }


def _codes(slot: ToolVariation, name: str) -> Codes:
    """What each of some codes stands for, in every language."""
    meanings = slot.random.sample(REGISTER[name], len(REGISTER[name]))
    numbers = slot.random.sample(range(10, 99), len(meanings))
    return {f"{name[0].upper()}{of}": each for of, each in zip(numbers, meanings, strict=True)}


def _late(slot: ToolVariation, codes: Codes) -> str:
    """One of the last third of the codes."""
    return slot.random.choice(list(codes)[-(len(codes) // 3) :])


def _described(slot: ToolVariation, first: str, last: str) -> str:
    """A description of so many characters before its last words."""
    joint = "" if _described_in(slot) == "zh" else " "
    said = PROMPTS["sentences"][_described_in(slot)]
    before = min(BEFORE[slot.turn("length", len(BEFORE))], MOST_CHARACTERS - len(last))
    text = first
    for sentence in slot.random.sample(said, len(said)):
        if len(text) + len(joint) + len(sentence) >= before:
            break
        text += joint + sentence
    return joint.join([text, last])
