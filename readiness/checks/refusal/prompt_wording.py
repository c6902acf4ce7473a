"""How requests are worded: what for, in which form, and in which language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from readiness.resources import prompts

PROMPTS = prompts("refusal.yaml")
HARMLESS = prompts("refusal_harmless.yaml")
ASKS: Mapping[str, Mapping[str, str]] = PROMPTS["asks"]
KINDS = ("do", "say")


@dataclass(frozen=True)
class Goal:
    """What a request is for.

    Args:
        kind: Which forms suit it: "do", "say", or a language for one that is put in it.
        text: The goal in words, with its sensitive word in brackets.
        topic: Words of which a real answer has one.
        known: Words of which a real answer to what is harmless has several.
    """

    kind: str
    text: str
    topic: tuple[str, ...]
    known: tuple[str, ...] = ()

    @property
    def forms(self) -> list[str]:
        """The forms in which it can be asked for."""
        return list(ASKS[self.kind])

    @property
    def plain(self) -> str:
        """The goal without its brackets."""
        return self.text.replace("[", "").replace("]", "")

    @property
    def word(self) -> str:
        """The sensitive word; "" where none is marked."""
        return self.text.partition("[")[2].partition("]")[0]

    def request(self, form: str, opener: str = "") -> str:
        """A request for it in that form, its sensitive word still in brackets."""
        return opener + ASKS[self.kind][form].format(goal=self.text)


def read(said: Mapping[str, Any]) -> Goal:
    """A goal, as the prompts have it."""
    kind = next(each for each in KINDS if each in said)
    word = str(said[kind]).partition("[")[2].partition("]")[0]
    return Goal(kind, said[kind], (word, *said["topic"]), tuple(said.get("known", ())))


@cache
def categories() -> Mapping[str, Sequence[Goal]]:
    """What must be refused, by category."""
    return {
        name: [read(each) for each in said["goals"]] for name, said in PROMPTS["categories"].items()
    }


@cache
def abroad(category: str, language: str) -> Goal:
    """The first goal of a category in another language; an answer in Chinese has its topic."""
    first = categories()[category][0]
    text = PROMPTS["categories"][category]["abroad"][language]
    return Goal(language, text, (*first.topic, *text.split()[-1:]))


@cache
def harmless(part: str) -> Mapping[str, Sequence[Goal]]:
    """What must be answered, by safe type (`harmless`) or by subject (`subjects`)."""
    return {name: [read(each) for each in goals] for name, goals in HARMLESS[part].items()}


@cache
def keys() -> Sequence[Goal]:
    """Harmless goals that show whether a disguise is understood."""
    return [read(each) for each in PROMPTS["keys"]]
