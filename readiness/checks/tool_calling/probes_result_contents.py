"""Probes of what tools' results may hold, and of the forms that they may have."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from readiness.checks.tool_calling.probes_tool_results import call_id, result_message
from readiness.checks.tool_calling.probes_unusual_tools import named_word, with_other_values
from readiness.checks.tool_calling.prompt_wording import ToolVariation, user
from readiness.checks.tool_calling.scoring import Expected
from readiness.forms.apply import neutral_text, whole_and_streamed
from readiness.probe import Message, Probe
from readiness.resources import prompts

PROMPTS = prompts("tool_calling_results.yaml")
TOOLS = PROMPTS["tools"]
#: How many meters a list, a table and a few lines have.
ITEMS, ROWS, LINES, FEW = 26, 24, 8, 4
#: About how many tokens of text stand before what is asked for: some 17,000 characters.
LONG_TEXT = 4_200
BANDS = 24

Records = Sequence[Mapping[str, Any]]


def results(seed: int, trials: int) -> list[Probe]:
    """Questions whose answer stands at the end of a tool's result, or deep inside."""
    slots = [ToolVariation("contents", seed, at) for at in range(trials)]
    made = [with_other_values(_probe, slot) for slot in slots]
    return whole_and_streamed(made, f"tool_calling.contents/{seed}")


def _probe(slot: ToolVariation) -> Probe:
    kind = KINDS[slot.turn("kind", len(KINDS))]
    return {"parts": _in_parts, "three": _three, "copied": _copied}.get(kind, _one)(slot, kind)


def _one(slot: ToolVariation, kind: str) -> Probe:
    """A question about the last of several meters."""
    site = named_word(slot)
    records = _records(slot, COUNTS[kind])
    told = _WRITTEN[kind](slot, site, records)
    return _asking(slot, kind, site, records[-1], told)


def _in_parts(slot: ToolVariation, kind: str) -> Probe:
    """The same, told in parts; it stands in the last of them."""
    site, records = named_word(slot), _records(slot, 1)
    told = json.dumps({"site": site, "unit": "kWh", **records[0]}, ensure_ascii=False)
    parts = [{"type": "text", "text": text} for text in re.split(r"(?<=, )", told)]
    return _asking(slot, kind, site, records[0], parts)


def _asking(
    slot: ToolVariation, kind: str, site: str, wanted: Mapping[str, Any], told: Any
) -> Probe:
    asked = PROMPTS["asks"]["one"][slot.language].format(site=site, meter=wanted["meter"])
    messages = [*user(asked), *_called(slot, "read_meters", [{"site": site}], [told])]
    expect = {"told": [wanted["figure"]], "word": wanted["operator"]}
    return Probe(slot.id, messages, expect, _offered("meters"), family=kind)


def _three(slot: ToolVariation, kind: str) -> Probe:
    """Three results in a row, each of which is a number and nothing else."""
    records = _records(slot, 3)
    meters = [each["meter"] for each in records]
    figures = [each["figure"] for each in records]
    asked = PROMPTS["asks"]["three"][slot.language].format(meters=", ".join(meters))
    calls = [{"meter": meter} for meter in meters]
    messages = [*user(asked), *_called(slot, "read_meter", calls, list(map(json.dumps, figures)))]
    return Probe(slot.id, messages, {"told": figures}, _offered("meter"), family=kind)


def _copied(slot: ToolVariation, kind: str) -> Probe:
    """A result all of whose values another tool is to be called with."""
    first, other = named_word(slot), named_word(slot)
    values = {
        "volume": 0,
        "muted": False,
        "nickname": "",
        "group": None,
        "presets": [],
        "power": slot.random.randrange(100_000_001, 999_999_999, 2) / 1000,
        "bands": [slot.random.randint(1, 9) for _ in range(BANDS)],
        "place": {
            "room": named_word(slot),
            "rack": {"row": slot.random.randint(2, 40), "slot": named_word(slot)},
        },
    }
    asked = PROMPTS["asks"]["copied"][slot.language].replace("{from}", first)
    told = json.dumps(values, ensure_ascii=False)
    messages = [
        *user(asked.replace("{to}", other)),
        *_called(slot, "read_settings", [{"speaker": first}], [told]),
    ]
    expect = {"calls": [Expected("apply_settings", {"speaker": other, **values})]}
    return Probe(slot.id, messages, expect, _offered("settings", "apply"), family=kind)


def _records(slot: ToolVariation, count: int) -> list[dict[str, Any]]:
    """Meters, of which no two have the same name or figure."""
    numbers = slot.random.sample(range(100, 1000), count)
    figures = slot.random.sample(range(10011, 98989), count)
    operators = PROMPTS["operators"]
    return [
        {
            "meter": f"{named_word(slot).partition('-')[0]}-{number}",
            "figure": figure / 100,
            "operator": slot.random.choice(operators),
        }
        for number, figure in zip(numbers, figures, strict=True)
    ]


def _called(
    slot: ToolVariation, name: str, calls: Sequence[Mapping[str, Any]], told: Sequence[Any]
) -> list[Message]:
    """The calls of a tool, and their results."""
    ids = [call_id(slot) for _ in calls]
    made = [
        {
            "id": called,
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for called, arguments in zip(ids, calls, strict=True)
    ]
    messages: list[Message] = [{"role": "assistant", "content": None, "tool_calls": made}]
    results = zip(ids, told, strict=True)
    return [*messages, *({**result_message(of, ""), "content": each} for of, each in results)]


def _offered(*names: str) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": TOOLS[name]} for name in names]}


def _array(_slot: ToolVariation, _site: str, records: Records) -> str:
    return json.dumps(records, ensure_ascii=False)


def _deep(_slot: ToolVariation, site: str, records: Records) -> str:
    meters = [
        {"meter": each["meter"], "operator": each["operator"],
         "reading": {"unit": "kWh", "value": {"figure": each["figure"]}}}
        for each in records
    ]  # fmt: skip
    found = {"site": site, "building": {"level": 2, "room": {"cabinet": {"meters": meters}}}}
    return json.dumps(found, ensure_ascii=False)


def _escaped(_slot: ToolVariation, site: str, records: Records) -> str:
    return json.dumps({"site": site, "meters": records})


def _table(_slot: ToolVariation, _site: str, records: Records) -> str:
    rows = [",".join(map(str, each.values())) for each in records]
    return "\n".join([",".join(records[0]), *rows])


def _lines(_slot: ToolVariation, site: str, records: Records) -> str:
    lists = {
        name: "\n".join(PROMPTS[of].format(**each) for each in records)
        for name, of in (("figures", "figure"), ("operators", "operator"))
    }
    return str(PROMPTS["lines"].format(site=site, count=len(records), **lists))


def _long(slot: ToolVariation, site: str, records: Records) -> str:
    text = neutral_text("en", slot.random, LONG_TEXT)
    last = PROMPTS["line"].format(**records[-1])
    return json.dumps({"site": site, "log": f"{text}\n\n{last}"}, ensure_ascii=False)


_WRITTEN: Mapping[str, Callable[[ToolVariation, str, Records], str]] = {
    "array": _array,
    "deep": _deep,
    "escaped": _escaped,
    "table": _table,
    "lines": _lines,
    "long": _long,
}
COUNTS = {"array": ITEMS, "deep": FEW, "escaped": FEW, "table": ROWS, "lines": LINES, "long": 1}
#: What costs little comes twice, so that it is asked for whole and streamed.
KINDS = [*["array", "table", "lines", "three", "copied", "parts"] * 2, "deep", "escaped", "long"]
