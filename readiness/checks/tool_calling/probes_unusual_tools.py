"""Probes with tools that are unusual but allowed, and with many calls before."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from readiness.checks.tool_calling.probes_tool_results import call_id, result_message
from readiness.checks.tool_calling.prompt_wording import ToolVariation, user
from readiness.checks.tool_calling.scoring import Expected
from readiness.forms.apply import SENT, in_forms, neutral_text, whole_and_streamed
from readiness.probe import Message, Probe
from readiness.resources import prompts

FORMS = SENT
PROMPTS = prompts("tool_calling_unusual.yaml")
TOOLS_AT_MOST = 128  # OpenAI's own limit
#: About how many tokens a long argument has, which are 4,096 characters and more; and its budget.
LONG_TEXT, LONG_BUDGET = 1_100, 4_096
#: How many calls a conversation has had before the one that counts.
EARLIER = (10, 3, 11, 14, 9, 19)
Values = Mapping[str, Any]


def minimal(seed: int, trials: int) -> list[Probe]:
    """Tools without a description, without parameters, or without properties."""
    slots = [ToolVariation("minimal", seed, at) for at in range(trials)]
    made = [_drawn("minimal", slot) for slot in slots]
    return whole_and_streamed(made, f"tool_calling.minimal/{seed}")


def extreme_values(seed: int, trials: int) -> list[Probe]:
    """Arguments that are large, below 0, long, look like another type, or are 0, "", [] or null."""
    slots = [ToolVariation("extreme_values", seed, at) for at in range(trials)]
    made = [with_other_values(_extreme, slot) for slot in slots]
    return whole_and_streamed(made, f"tool_calling.extreme_values/{seed}")


def extreme_tools(seed: int, trials: int) -> list[Probe]:
    """Names of 64 letters, 128 tools, and schemas with references, choices, unions and maps."""
    kinds = (_long_named, _one_of_many, _with_references, _with_choices, _with_members)
    slots = [ToolVariation("extreme_tools", seed, at) for at in range(trials)]
    made = [with_other_values(kinds[of.at % len(kinds)], of) for of in slots]
    return whole_and_streamed(made, f"tool_calling.extreme_tools/{seed}")


def with_other_values(make: Callable[[ToolVariation], Probe], slot: ToolVariation) -> Probe:
    """A probe, and another of its kind with other values, to be tried where it fails."""
    probe, other = make(slot), make(replace(slot, series="/again"))
    return replace(probe, expect={**probe.expect, "again": other})


def later_calls(seed: int, trials: int) -> list[Probe]:
    """A question after many calls and results in the same conversation."""
    made = [_later(ToolVariation("later", seed, at)) for at in range(trials)]
    return in_forms(made, FORMS, f"tool_calling.later/{seed}")


def _extreme(slot: ToolVariation) -> Probe:
    probe = _drawn("extreme_values", slot)
    return replace(probe, budget=LONG_BUDGET) if probe.family == "long_text" else probe


def _drawn(group: str, slot: ToolVariation) -> Probe:
    kinds = list(PROMPTS[group])
    family = kinds[slot.turn("family", len(kinds))]
    return _of_kind(slot, PROMPTS[group][family], family)


def _of_kind(slot: ToolVariation, kind: Mapping[str, Any], family: str) -> Probe:
    tool, values = kind["tool"], values_of(slot, kind["values"])
    return asking(slot, [tool], tool["name"], values, family)


def _with_references(slot: ToolVariation) -> Probe:
    return _of_kind(slot, PROMPTS["references"], "references")


def _with_choices(slot: ToolVariation) -> Probe:
    return _of_kind(slot, PROMPTS["choices"], "choices")


def _with_members(slot: ToolVariation) -> Probe:
    return _of_kind(slot, PROMPTS["members"], "members")


def _long_named(slot: ToolVariation) -> Probe:
    names = PROMPTS["long_names"]
    tools = [
        _one_argument(names["stem"] + end, names["description"].format(end=end))
        for end in names["ends"]
    ]
    target = slot.random.choice(tools)["name"]
    return asking(slot, tools, target, {"item": named_word(slot)}, "long_names")


def _one_of_many(slot: ToolVariation) -> Probe:
    of = PROMPTS["many"]
    names = [f"{verb}_{noun}" for noun in of["nouns"] for verb in of["verbs"]][:TOOLS_AT_MOST]
    slot.random.shuffle(names)
    tools = [_one_argument(name, f"To {name.replace('_', ' ')}.") for name in names]
    # By turns at the end, behind the middle, and anywhere.
    places = (TOOLS_AT_MOST - 1, slot.random.randint(65, 100), slot.random.randrange(TOOLS_AT_MOST))
    place = places[slot.at // 5 % 3]
    return asking(slot, tools, names[place], {"item": named_word(slot)}, "128_tools")


def _one_argument(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]}
    return {"name": name, "description": description, "parameters": schema}


def asking(
    slot: ToolVariation,
    tools: Sequence[Mapping[str, Any]],
    name: str,
    values: Values,
    family: str,
    before: Sequence[Message] = (),
) -> Probe:
    """A probe that asks for a call of a tool by its name, with values that are stated in lines."""
    offered = [{"type": "function", "function": tool} for tool in tools]
    messages = [*before, *user(asked(slot, name, values))]
    expect = {"calls": [Expected(name, values)]}
    return Probe(slot.id, messages, expect, {"tools": offered}, family=family)


def asked(slot: ToolVariation, name: str, values: Values) -> str:
    """What the user says to have a tool called with these values."""
    said = slot.random.choice(PROMPTS["asks"][slot.language]).format(tool=name)
    if not values:
        # Nothing else tells two such requests apart.
        return f"{said} (T-{slot.random.randint(10000, 99999)})"
    return "\n".join([said, PROMPTS["values"][slot.language], *_stated(values)])


def _stated(values: Values, path: str = "") -> list[str]:
    lines: list[str] = []
    for name, of in values.items():
        if isinstance(of, Mapping):
            lines += _stated(of, f"{path}{name}.")
        else:
            lines.append(f"- {path}{name}: {_written(of)}")
    return lines


def _written(value: Any) -> str:
    return json.dumps(value) if not isinstance(value, str) or _ambiguous(value) else value


def _ambiguous(text: str) -> bool:
    """Whether a text, written as it is, could be taken for none, for another or another type."""
    try:
        json.loads(text)
    except ValueError:
        return text in ("", "none") or text != text.strip()
    return True


def values_of(slot: ToolVariation, template: Any) -> Any:
    """The values of a template, with what stands in braces drawn."""
    if isinstance(template, Mapping):
        return {key: values_of(slot, of) for key, of in template.items()}
    if isinstance(template, list):
        return [values_of(slot, of) for of in template]
    drawn: dict[str, Callable[[], Any]] = {
        "{word}": lambda: named_word(slot),
        "{small}": lambda: slot.random.randint(1, 99),
        "{above}": lambda: _above(slot),
        "{below}": lambda: -slot.random.randint(1001, 99999) / 100,
        "{minus}": lambda: -slot.random.randint(2, 99),
        "{digits}": lambda: f"00{slot.random.randrange(10**18):018}",
        "{long}": lambda: _long(slot),
    }
    return drawn[template]() if isinstance(template, str) and template in drawn else template


def named_word(slot: ToolVariation) -> str:
    """A word with a number, which no two probes share."""
    return f"{slot.random.choice(PROMPTS['words'])}-{slot.random.randint(100, 999)}"


def _above(slot: ToolVariation) -> int:
    """An odd number between 2**53 and 2**63: no float stands for it."""
    return slot.random.randrange(2**54 + 1, 2**63, 2)


def _long(slot: ToolVariation) -> str:
    """A text of numbered sentences, so that whoever copies it does not lose their place."""
    sentences = re.split(r"(?<=\.)\s+", neutral_text("en", slot.random, LONG_TEXT))
    return " ".join(f"({at}) {said}" for at, said in enumerate(sentences, 1))


def _item(slot: ToolVariation) -> dict[str, Any]:
    return {
        "sku": named_word(slot),
        "quantity": slot.random.randint(2, 900),
        "price": slot.random.randint(101, 9999) / 100,
        "shelf": f"{slot.random.choice('ABCDEF')}{slot.random.randint(1, 40)}",
        "fragile": slot.random.random() < 0.5,
    }


def _later(slot: ToolVariation) -> Probe:
    earlier = EARLIER[slot.at % len(EARLIER)]
    tool = PROMPTS["repeated"]["tool"]
    before: list[Message] = []
    if slot.at % 2:
        return _one_of_list(slot, earlier)
    for _ in range(earlier):
        values = _item(slot)
        before += user(asked(slot, tool["name"], values))
        before += _recorded(slot, values)
        before.append({"role": "assistant", "content": PROMPTS["repeated"]["done"][slot.language]})
    return asking(slot, [tool], tool["name"], _item(slot), f"after_{earlier}_calls", before)


def _one_of_list(slot: ToolVariation, earlier: int) -> Probe:
    """The last item of a list, of which all others have been recorded since the user spoke."""
    of = PROMPTS["repeated"]
    items = [_item(slot) for _ in range(earlier + 1)]
    lines = [f"{at}. {json.dumps(item)}" for at, item in enumerate(items, 1)]
    messages = user("\n".join([of["lists"][slot.language], *lines]))
    for item in items[:-1]:
        messages += _recorded(slot, item)
    expect = {"calls": [Expected(of["tool"]["name"], items[-1])]}
    offered = {"tools": [{"type": "function", "function": of["tool"]}]}
    return Probe(slot.id, messages, expect, offered, family=f"after_{earlier}_in_a_row")


def _recorded(slot: ToolVariation, values: Values) -> list[Message]:
    """The call that records an item, and its result."""
    called = call_id(slot)
    function = {"name": PROMPTS["repeated"]["tool"]["name"], "arguments": json.dumps(values)}
    call = {"id": called, "type": "function", "function": function}
    return [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        result_message(called, {"recorded": values["sku"]}),
    ]
