"""Probes of what tools' results may hold, and of the forms that they may have."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from readiness.checks.tool_calling.probes_tool_results import call_id, result_message
from readiness.checks.tool_calling.probes_unusual_tools import named_word, with_other_values
from readiness.checks.tool_calling.prompt_wording import ToolVariation, user
from readiness.checks.tool_calling.scoring import Expected
from readiness.forms.apply import neutral_text, whole_and_streamed
from readiness.probe import Message, Probe, prompt_tokens
from readiness.resources import prompts

PROMPTS = prompts("tool_calling_results.yaml")
TOOLS = PROMPTS["tools"]
#: How many meters a list, a table and a few lines have.
ITEMS, ROWS, LINES, FEW = 26, 24, 8, 4
#: About how many tokens of text stand before what is asked for: some 17,000 characters.
LONG_TEXT = 4_200
#: How many results come one after another, the first of which is asked about, and their tokens.
ROUNDS, ROUND_TEXT = 6, 1_500
#: The tokens of text where the window has no room for more.
SHORT_TEXT = 100
BANDS = 24

Records = Sequence[Mapping[str, Any]]


def results(seed: int, trials: int) -> list[Probe]:
    """Questions whose answer stands at the end of a tool's result, deep inside, or in an early one.

    Where the window has no room for a long text, it is shorter.
    """
    usual, short = (_results(seed, trials, most) for most in (LONG_TEXT, SHORT_TEXT))
    sizes = [[prompt_tokens(each.messages) for each in made] for made in (usual, short)]
    adds = [most - least for most, least in zip(*sizes, strict=True)]
    return [
        replace(probe, adds=more, plain=plain) if more else probe
        for probe, plain, more in zip(usual, short, adds, strict=True)
    ]


def _results(seed: int, trials: int, most: int) -> list[Probe]:
    slots = [ToolVariation("contents", seed, at) for at in range(trials)]
    made = [with_other_values(partial(_probe, most=most), slot) for slot in slots]
    return whole_and_streamed(made, f"tool_calling.contents/{seed}")


def _probe(slot: ToolVariation, most: int) -> Probe:
    """The probe of a slot, whose texts have so many tokens at most."""
    kind = KINDS[slot.turn("kind", len(KINDS))]
    if kind in ("long", "rounds"):
        return (_long if kind == "long" else _rounds)(slot, kind, most)
    return {"parts": _in_parts, "three": _three, "copied": _copied}.get(kind, _one)(slot, kind)


def _long(slot: ToolVariation, kind: str, most: int) -> Probe:
    """A question about the end of a long text."""
    site, (record,) = named_word(slot), _records(slot, 1)
    return _asking(slot, kind, site, record, _log(slot, site, record, most, 0))


def _rounds(slot: ToolVariation, kind: str, most: int) -> Probe:
    """A question about the middle of the first of several results, each of a call of its own."""
    records = _records(slot, ROUNDS)
    sites = [f"{named_word(slot).partition('-')[0]}-{number}" for number in range(21, 21 + ROUNDS)]
    asked = PROMPTS["asks"]["rounds"][slot.language].format(
        sites=", ".join(sites), site=sites[0], meter=records[0]["meter"]
    )
    messages = [*user(asked)]
    for site, record in zip(sites, records, strict=True):
        log = _log(slot, site, record, *[min(ROUND_TEXT, most) // 2] * 2)
        messages += _called(slot, "read_meters", [{"site": site}], [log])
    expect = {"told": [records[0]["figure"]], "word": records[0]["operator"]}
    return Probe(slot.id, messages, expect, _offered("meters"), family=kind)


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


def _log(
    slot: ToolVariation, site: str, record: Mapping[str, Any], before: int, behind: int
) -> str:
    """A text with a meter, before and behind which there are so many tokens."""
    said = [neutral_text("en", slot.random, tokens) for tokens in (before, behind)]
    log = "\n\n".join([said[0], PROMPTS["line"].format(**record), said[1]]).strip()
    return json.dumps({"site": site, "log": log}, ensure_ascii=False)


_WRITTEN: Mapping[str, Callable[[ToolVariation, str, Records], str]] = {
    "array": _array,
    "deep": _deep,
    "escaped": _escaped,
    "table": _table,
    "lines": _lines,
}
COUNTS = {"array": ITEMS, "deep": FEW, "escaped": FEW, "table": ROWS, "lines": LINES}
#: What costs little comes twice, so that it is asked for whole and streamed.
KINDS = [
    *["array", "table", "lines", "three", "copied", "parts"] * 2,
    *["deep", "escaped", "long", "rounds"],
]
