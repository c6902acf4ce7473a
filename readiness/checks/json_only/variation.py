"""A probe's place in the plan, and all that follows from it: chance, language, stream."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from readiness.checks.json_only.prompt_wording import Words
from readiness.checks.json_only.record_spec import Source, Spec, value_of
from readiness.resources import prompts

PROMPTS = prompts("json_only.yaml")
#: Languages of the instruction and of the data.
LANGUAGES = [("zh", "zh"), ("en", "en"), ("es", "es"), ("zh", "zh"), ("en", "en"), ("ja", "ja")]
LANGUAGES += [("zh", "zh"), ("en", "en"), ("", "")]
MIXED = [("en", "zh"), ("zh", "en"), ("ja", "es"), ("es", "ja")]


@dataclass(frozen=True)
class Slot:
    """A place in the plan of probes: all that a probe depends on.

    Args:
        series: What the probe is for, with the seed: two series share no probe.
        family: Its family.
        number: Its number within the family, from 0.
        turn: Its number among all, by which languages, phrasings and streams take turns.
    """

    series: str
    family: str
    number: int
    turn: int

    @cached_property
    def random(self) -> Random:
        """The slot's own chance, the same in every process."""
        return Random(f"{self.series}/{self.family}/{self.number}")

    @property
    def languages(self) -> tuple[str, str]:
        """The languages of the instruction and of the data; one time in nine they differ."""
        own = LANGUAGES[self.turn % len(LANGUAGES)]
        return own if own[0] else MIXED[self.turn // len(LANGUAGES) % len(MIXED)]

    @property
    def words(self) -> Words:
        """The words of the instruction's language."""
        words: Words = PROMPTS["words"][self.languages[0]]
        return words

    @property
    def streamed(self) -> bool:
        """Whether the reply is to be streamed: one in four."""
        return self.turn % 4 == 3

    def choice(self, of: str) -> str:
        """One of the sentences of that name, in the instruction's language."""
        return str(self.random.choice(PROMPTS[of][self.languages[0]]))

    def value(self, spec: Spec) -> Any:
        """A value of a spec, in the data's language."""
        return value_of(spec, Source(PROMPTS["texts"][self.languages[1]], self.random))

    def fields(self, group: str, least: int, most: int) -> dict[str, Spec]:
        """Some of the fields of a group."""
        count = self.random.randint(least, most)
        keys = self.random.sample(sorted(PROMPTS[group]), count)
        return {key: PROMPTS[group][key] for key in keys}
