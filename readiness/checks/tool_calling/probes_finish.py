"""Probes of the finish_reason beside tools: of calls and texts that are cut, and of whole texts."""

from __future__ import annotations

from dataclasses import replace

from readiness.checks.tool_calling.probes_tool_results import call_id, result_message
from readiness.checks.tool_calling.probes_unusual_tools import FORMS, PROMPTS, asking
from readiness.checks.tool_calling.prompt_wording import PROMPTS as NOTES
from readiness.checks.tool_calling.prompt_wording import ToolVariation, user
from readiness.forms.apply import in_forms
from readiness.probe import Message, Probe

#: Token limits: one that a text or a call exceeds many times over, and one that it never reaches.
TIGHT, WIDE = 32, 1024
#: How a text is limited, and the last number of its list.
LIMITS = {"tight": 150, "wide": 40, "none": 40}
LONG_TEXT = 900


def cut_calls(seed: int, trials: int) -> list[Probe]:
    """Calls with a text that exceeds the token limit; every other one is required."""
    made = [_cut_call(ToolVariation("cut_call", seed, at)) for at in range(trials)]
    return in_forms(made, FORMS, f"tool_calling.cut_call/{seed}")


def texts(seed: int, trials: int) -> list[Probe]:
    """Texts beside a tool: cut, within a wide limit, and without any."""
    made = [_text(ToolVariation("finish", seed, at)) for at in range(trials)]
    return in_forms(made, FORMS, f"tool_calling.finish/{seed}")


def _cut_call(slot: ToolVariation) -> Probe:
    tool = PROMPTS["long_call"]["tool"]
    notes = [note for note in NOTES["notes"] if "\n" not in note]
    slot.random.shuffle(notes)
    text = " ".join(notes * 2)[:LONG_TEXT].strip()
    values = {"title": slot.random.choice(PROMPTS["words"]), "text": text}
    made = asking(slot, [tool], tool["name"], values, "auto")
    if slot.at // 2 % 2 == 0:
        return made
    return replace(
        made, parameters={**made.parameters, "tool_choice": "required"}, family="required"
    )


def _text(slot: ToolVariation) -> Probe:
    limit = list(LIMITS)[slot.at % len(LIMITS)]
    tool = PROMPTS["meter"]["tool"]
    before = _used(slot, tool["name"]) if slot.at // len(LIMITS) % 2 else []
    messages = [*before, *user(PROMPTS["lists"].format(last=LIMITS[limit] + slot.at))]
    offered = {"tools": [{"type": "function", "function": tool}]}
    expect = {"last": str(LIMITS[limit] + slot.at)}
    return Probe(slot.id, messages, expect, offered, WIDE, limit)


def _used(slot: ToolVariation, name: str) -> list[Message]:
    """A turn in which the tool was used."""
    called = call_id(slot)
    function = {"name": name, "arguments": '{"meter": "M-1"}'}
    call = {"id": called, "type": "function", "function": function}
    return [
        *user("M-1?"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        result_message(called, {"figure": slot.random.randint(100, 999)}),
        {"role": "assistant", "content": "OK."},
    ]
