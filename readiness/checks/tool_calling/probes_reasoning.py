"""Probes of models that reason: a hard question beside a tool, and two turns with a call each."""

from __future__ import annotations

from readiness.checks.tool_calling.probes_unusual_tools import PROMPTS as UNUSUAL
from readiness.checks.tool_calling.prompt_wording import ToolVariation, user
from readiness.checks.tool_calling.scoring import Expected
from readiness.probe import Probe
from readiness.resources import prompts

PROMPTS = prompts("tool_calling_reasoning.yaml")
LANGUAGES = ("en", "zh")
BUDGET = 1024
#: About what the eight requests of a conversation have.
TOKENS = 1400


def conversations(seed: int, trials: int) -> list[Probe]:
    """Conversations, every other one of which is streamed."""
    return [_conversation(ToolVariation("reasoning", seed, at)) for at in range(trials)]


def _conversation(slot: ToolVariation) -> Probe:
    language = LANGUAGES[slot.turn("reasoning", len(LANGUAGES))]
    names = [f"{word}-{slot.at + 1:03}" for word in slot.random.sample(UNUSUAL["words"], 2)]
    turns = [
        {
            "say": f"{said}\n- meter: {name}",
            "call": Expected("read_meter", {"meter": name}),
            "result": {"figure": slot.random.randint(1011, 9899) / 10, "unit": "kWh"},
        }
        for said, name in zip(PROMPTS["turns"][language], names, strict=True)
    ]
    tools = [{"type": "function", "function": UNUSUAL["meter"]["tool"]}]
    return Probe(
        slot.id,
        user(_hard(slot)),
        {"turns": turns, "again": user(_hard(slot))},
        {"tools": tools, **({"stream": True} if slot.at % 2 else {})},
        BUDGET,
        "streamed" if slot.at % 2 else "whole",
        tokens=TOKENS,
        shared=slot.id,
    )


def _hard(slot: ToolVariation) -> str:
    first, second, third = slot.random.sample(range(4, 15), 3)
    numbers = {"a": first, "b": second, "c": third, "minute": slot.random.randint(10, 59)}
    more = {"pause": slot.random.randint(41, 99), "share": slot.random.randint(3, 9)}
    return str(PROMPTS["hard"].format(**numbers, **more))
