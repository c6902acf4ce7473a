"""How prompts in Spanish are worded, and in English those that are asked in pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readiness.resources import prompts

PROMPTS: Mapping[str, Any] = prompts("spanish.yaml")
SPANISH, ENGLISH = "es", "en"

#: What fills the places of a template, as the prompt has it.
TemplateValues = Mapping[str, str]


def templates(kind: str, language: str = SPANISH) -> list[str]:
    """The ways to word a kind of task; none where it is not asked in that language."""
    found: list[str] = PROMPTS["tasks"][kind].get(language, [])
    return found


def table(name: str, language: str = SPANISH) -> list[str]:
    """A table of words, each in the same place in either language."""
    found: list[str] = PROMPTS[name][language]
    return found


def questions(kind: str, language: str = SPANISH) -> dict[str, list[str]]:
    """What may be asked about a text of that kind, by the slot that is the answer."""
    return {slot: asked.get(language, []) for slot, asked in PROMPTS["questions"][kind].items()}
