"""Probes of an agent: errands that take several tools, each called with what another has told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readiness.checks.tool_calling.prompt_wording import ToolVariation, user
from readiness.checks.tool_calling.scoring import Expected
from readiness.checks.tool_calling.scoring_agents import Step
from readiness.probe import Probe
from readiness.resources import prompts

PROMPTS = prompts("tool_calling_agents.yaml")
LANGUAGES = ("en", "zh")
BUDGET = 1024
#: About what the seven requests of an errand have.
TOKENS = 6000


def conversations(seed: int, trials: int) -> list[Probe]:
    """Errands, every other one of which is streamed."""
    slots = [ToolVariation("agent", seed, at) for at in range(trials)]
    return [_errand(slot, streamed=slot.at // 2 % 2 == 1) for slot in slots]


def through_sdk(seed: int, trials: int) -> list[Probe]:
    """Errands that the official SDK's stream helper reads."""
    return [_errand(ToolVariation("agent.sdk", seed, at), streamed=False) for at in range(trials)]


def _errand(slot: ToolVariation, *, streamed: bool) -> Probe:
    names = list(PROMPTS["errands"])
    family = names[slot.at % len(names)]
    errand, language = PROMPTS["errands"][family], LANGUAGES[slot.turn("agent", len(LANGUAGES))]
    values = _values(slot, errand, language)
    steps = {
        name: Step(Expected(name, _filled(step["with"], values)), _filled(step["tells"], values))
        for name, step in errand["steps"].items()
    }
    told = [values[name] for name in errand["told"]]
    figures = [values[name] for name in errand["amounts"]]
    tools = [{"type": "function", "function": tool} for tool in errand["tools"]]
    return Probe(
        slot.id,
        user(errand["asks"][language].format(**values)),
        {"steps": steps, "told": told, "figures": figures},
        {"tools": tools, **({"stream": True} if streamed else {})},
        BUDGET,
        family,
        tokens=TOKENS,
    )


def _values(slot: ToolVariation, errand: Mapping[str, Any], language: str) -> dict[str, Any]:
    digits = (
        "".join(str(slot.random.randrange(10)) if mark == "#" else mark for mark in pattern)
        for pattern in errand["values"].values()
    )
    # Chinese says the same in a third of the letters.
    laps = 2 if language == "zh" else 1
    sentences = slot.random.sample(PROMPTS["sentences"][language], 6) * laps
    text = ("" if language == "zh" else " ").join(sentences)
    amounts = {name: slot.random.randint(1011, 9899) / 10 for name in errand["amounts"]}
    large = {name: slot.random.randrange(2**54 + 1, 2**57, 2) for name in errand["large"]}
    codes = dict(zip(errand["values"], digits, strict=True))
    return {**codes, **amounts, **large, "text": text}


def _filled(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A template with each value that is a name in braces."""
    named = {f"{{{name}}}": of for name, of in values.items()}
    return {key: named.get(of, of) if isinstance(of, str) else of for key, of in template.items()}
