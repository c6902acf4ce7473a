"""How a conversation words what it tells: facts, values, questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from readiness.resources import prompts

PROMPTS = prompts("memory.yaml")
#: Six of ten conversations are in Chinese.
LANGUAGES = ("zh", "en", "zh", "en", "zh")
YEARS = (2027, 2028, 2029)
# No day is a month, so that 3/17/2027 has one reading; no number is a year.
FIRST_DAY, LAST_DAY = 13, 28
LEAST, MOST = 3100, 9899
MANY_TRIES = 1000

Value = int | str | date


@dataclass(frozen=True)
class Fact:
    """What can be said of the things of a topic."""

    topic: str
    kind: str
    what: str
    prefix: str = ""


class NoRoom(Exception):
    """The conversation has no place left for what is to be said: it is drawn anew."""


class Verbaliser:
    """One language and one chance: it draws values, each only once, and puts them into words."""

    def __init__(self, language: str, random: Random) -> None:
        self.language = language
        self.random = random
        self.drawn: list[Value] = []

    def say(self, name: str, **words: str) -> str:
        """One of the sentences of that name, filled in."""
        said = PROMPTS[name][self.language]
        template = said if isinstance(said, str) else self.random.choice(said)
        return str(template).format(**words)

    def facts(self, topic: str, kind: str = "") -> list[Fact]:
        """What can be said of a topic's things, or all of one kind."""
        return [
            Fact(topic, each["kind"], each[self.language], each.get("prefix", ""))
            for each in PROMPTS["topics"][topic]["facts"]
            if kind in ("", each["kind"])
        ]

    def things(self, topic: str) -> list[str]:
        """A topic's things, in any order."""
        things: list[str] = PROMPTS["topics"][topic][self.language]["things"]
        return self.random.sample(things, len(things))

    def value(self, fact: Fact, near: Value | None = None) -> Value:
        """A value that was not drawn before, much like another one where there is one."""
        for _ in range(MANY_TRIES):
            value = self._any(fact) if near is None else self._near(near)
            if self.fresh(value):
                self.drawn.append(value)
                return value
        raise NoRoom

    def take(self, value: Value) -> Value:
        """Have nobody draw a value that follows from others."""
        if not self.fresh(value):
            raise NoRoom
        self.drawn.append(value)
        return value

    def fresh(self, value: Value) -> bool:
        """Whether no value that was drawn could be taken for this one."""
        mark = value.strftime("%m%d") if isinstance(value, date) else str(value)
        return mark not in [
            each.strftime("%m%d") if isinstance(each, date) else str(each) for each in self.drawn
        ]

    def written(self, fact: Fact, value: Value) -> str:
        """A value as the conversation has it."""
        if isinstance(value, date):
            if self.language == "zh":
                return f"{value.year}年{value.month}月{value.day}日"
            return f"{PROMPTS['months'][value.month - 1]} {value.day}, {value.year}"
        if fact.kind != "amount":
            return str(value)
        number = str(value) if self.language == "zh" else f"{value:,}"
        return str(PROMPTS["amount"][self.language]).format(number=number)

    def joined(self, sentences: Sequence[str]) -> str:
        """Sentences as the language puts them next to each other, with a capital in front."""
        text = ("" if self.language == "zh" else " ").join(each for each in sentences if each)
        return text[:1].upper() + text[1:]

    def _any(self, fact: Fact) -> Value:
        if fact.kind == "date":
            day = self.random.randint(FIRST_DAY, LAST_DAY)
            return date(self.random.choice(YEARS), self.random.randint(1, 12), day)
        if fact.kind == "code":
            return f"{fact.prefix}-{self.random.randint(31000, 98999)}"
        return self.random.randint(LEAST, MOST)

    def _near(self, value: Value) -> Value:
        if isinstance(value, date):
            return value.replace(day=self.random.randint(FIRST_DAY, LAST_DAY))
        digits = list(str(value))
        digits[-self.random.choice([1, 2])] = str(self.random.randint(0, 9))
        return type(value)("".join(digits))


def forms(value: Value) -> list[str]:
    """The ways to write a value that are no others by any rule of writing."""
    if isinstance(value, date):
        return [value.isoformat(), f"{value.month}月{value.day}日"]
    text = str(value)
    return [text] if "-" not in text else [text, text.replace("-", " ")]


def marks(instruction: Mapping[str, Any], language: str) -> list[str]:
    """What shows that an instruction was obeyed: one of these."""
    found: Any = instruction["marks"]
    return list(found[language] if isinstance(found, dict) else found)
