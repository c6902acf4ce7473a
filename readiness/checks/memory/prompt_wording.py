"""The wording of conversations: facts, values, questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from readiness.resources import prompts

PROMPTS = prompts("memory.yaml")
#: The languages of conversations in rotation: three of five are in Chinese.
LANGUAGES = ("zh", "en", "zh", "en", "zh")
YEARS = (2027, 2028, 2029)
# A day is never a valid month, so that 3/17/2027 has one reading; a number is never a year.
FIRST_DAY, LAST_DAY = 13, 28
MIN_NUMBER, MAX_NUMBER = 3100, 9899
MAX_ATTEMPTS = 1000

Value = int | str | date


@dataclass(frozen=True)
class Fact:
    """An attribute of the things of a topic."""

    topic: str
    kind: str
    what: str
    prefix: str = ""


class DoesNotFit(Exception):
    """A conversation has no room for what is to be placed: it is sampled again."""


class Verbaliser:
    """Samples values, each only once, and words them in one language."""

    def __init__(self, language: str, random: Random) -> None:
        self.language = language
        self.random = random
        self.used: list[Value] = []

    def say(self, name: str, **words: str) -> str:
        """One of the templates of this name, filled in."""
        templates = PROMPTS[name][self.language]
        template = templates if isinstance(templates, str) else self.random.choice(templates)
        return str(template).format(**words)

    def facts(self, topic: str, kind: str = "") -> list[Fact]:
        """The facts of a topic's things, or those of one kind."""
        return [
            Fact(topic, each["kind"], each[self.language], each.get("prefix", ""))
            for each in PROMPTS["topics"][topic]["facts"]
            if kind in ("", each["kind"])
        ]

    def things(self, topic: str) -> list[str]:
        """A topic's things, in random order."""
        things: list[str] = PROMPTS["topics"][topic][self.language]["things"]
        return self.random.sample(things, len(things))

    def value(self, fact: Fact, near: Value | None = None) -> Value:
        """Sample a value that was not used before, similar to `near` if given."""
        for _ in range(MAX_ATTEMPTS):
            value = self._any(fact) if near is None else self._near(near)
            if self.is_unused(value):
                self.used.append(value)
                return value
        raise DoesNotFit

    def reserve(self, value: Value) -> Value:
        """Keep a value that follows from others from being sampled."""
        if not self.is_unused(value):
            raise DoesNotFit
        self.used.append(value)
        return value

    def is_unused(self, value: Value) -> bool:
        """Whether no used value could be confused with this one."""
        mark = value.strftime("%m%d") if isinstance(value, date) else str(value)
        return mark not in [
            each.strftime("%m%d") if isinstance(each, date) else str(each) for each in self.used
        ]

    def written(self, fact: Fact, value: Value) -> str:
        """A value as the conversation writes it."""
        if isinstance(value, date):
            if self.language == "zh":
                return f"{value.year}年{value.month}月{value.day}日"
            return f"{PROMPTS['months'][value.month - 1]} {value.day}, {value.year}"
        if fact.kind != "amount":
            return str(value)
        number = str(value) if self.language == "zh" else f"{value:,}"
        return str(PROMPTS["amount"][self.language]).format(number=number)

    def joined(self, sentences: Sequence[str]) -> str:
        """Sentences joined as the language does, starting with a capital."""
        text = ("" if self.language == "zh" else " ").join(each for each in sentences if each)
        return text[:1].upper() + text[1:]

    def _any(self, fact: Fact) -> Value:
        if fact.kind == "date":
            day = self.random.randint(FIRST_DAY, LAST_DAY)
            return date(self.random.choice(YEARS), self.random.randint(1, 12), day)
        if fact.kind == "code":
            return f"{fact.prefix}-{self.random.randint(31000, 98999)}"
        return self.random.randint(MIN_NUMBER, MAX_NUMBER)

    def _near(self, value: Value) -> Value:
        if isinstance(value, date):
            return value.replace(day=self.random.randint(FIRST_DAY, LAST_DAY))
        digits = list(str(value))
        digits[-self.random.choice([1, 2])] = str(self.random.randint(0, 9))
        return type(value)("".join(digits))


def forms(value: Value) -> list[str]:
    """The ways to write a value that normalisation does not make equal."""
    if isinstance(value, date):
        return [value.isoformat(), f"{value.month}月{value.day}日"]
    text = str(value)
    return [text] if "-" not in text else [text, text.replace("-", " ")]


def marks(instruction: Mapping[str, Any], language: str) -> list[str]:
    """Texts one of which shows that an instruction was followed."""
    found: Any = instruction["marks"]
    return list(found[language] if isinstance(found, dict) else found)
