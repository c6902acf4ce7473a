"""How a prompt words the values that a tool is to be called with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from random import Random
from typing import Any

from readiness.checks.tool_calling.scoring import Expected
from readiness.probe import Message
from readiness.resources import document, prompts

PROMPTS = prompts("tool_calling.yaml")
TOOLS: Mapping[str, Mapping[str, Any]] = {
    tool["function"]["name"]: tool for tool in document("tools.json")
}
#: Six of ten probes are in Chinese, two in English, one each in Spanish and Japanese.
LANGUAGES = ("zh", "zh", "zh", "zh", "zh", "zh", "en", "en", "es", "ja")
#: Years that no test set and no memory of a model is full of, written out: nothing is "tomorrow".
FIRST, SPAN = date(2027, 1, 1), 1000


@dataclass(frozen=True)
class City:
    """A city under its names in each language, and further spellings."""

    names: Mapping[str, str]
    also: tuple[str, ...]

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every way to write it."""
        return tuple(dict.fromkeys((*self.names.values(), *self.also)))


@cache
def cities() -> tuple[City, ...]:
    """The cities that probes ask about."""
    return tuple(
        City({of: city[of] for of in ("zh", "en", "es", "ja")}, tuple(city["also"]))
        for city in PROMPTS["cities"]
    )


@dataclass(frozen=True)
class ToolVariation:
    """A place in a suite of probes: all that a probe depends on.

    Args:
        suite: The suite.
        seed: The seed of its run.
        at: The place, from 0.
        series: "" for the values of the probe; another one has others, and is alike in the rest.
    """

    suite: str
    seed: int
    at: int
    series: str = ""

    @property
    def id(self) -> str:
        """The probe's id."""
        return f"tool_calling.{self.suite}.{self.at + 1:03}@v1"

    @cached_property
    def random(self) -> Random:
        """The slot's own chance, the same in every process."""
        return Random(f"tool_calling/{self.suite}/{self.seed}/{self.at}{self.series}")

    def turn(self, of: str, length: int = 10) -> int:
        """The slot's number from 0 in its block of that length, in which each number comes once."""
        block, place = divmod(self.at, length)
        order = list(range(length))
        Random(f"tool_calling/{self.suite}/{self.seed}/{of}/{block}").shuffle(order)
        return order[place]

    @property
    def language(self) -> str:
        """The language of the prompt."""
        return LANGUAGES[self.turn("language")]

    @property
    def city(self) -> City:
        """The city: each of the fifty comes up before any comes up again."""
        return cities()[self.turn("city", len(cities()))]

    @property
    def wording(self) -> str:
        """The name of the wording, which the slot shares with others."""
        return f"{self.language}.{self.turn('wording', len(PROMPTS['weather'][self.language]))}"

    def day(self, first: date = FIRST) -> date:
        """Some day of the years from the first one on."""
        return first + timedelta(days=self.random.randrange(SPAN))

    def parameters(self, *names: str, choice: Any = "auto") -> dict[str, Any]:
        """What the request holds besides messages."""
        return {"tools": [TOOLS[name] for name in names], "tool_choice": choice}

    def say(self, template: str, values: Mapping[str, Any]) -> str:
        """Fill a template in."""
        written = self.random.random() < 0.5
        words = {key: spoken(key, value, self.language) for key, value in values.items()}
        if written:
            words |= {key: str(of) for key, of in values.items() if isinstance(of, date)}
        return template.format(**words)


def weather(slot: ToolVariation, city: City, days: int = 0) -> dict[str, Any]:
    """Values to call get_weather with."""
    return {
        "city": city,
        "date": slot.day(),
        "days": days or slot.random.randint(1, 7),
        "unit": slot.random.choice(list(PROMPTS["units"])),
        "lang": slot.random.choice(list(PROMPTS["languages"])),
    }


def weather_and_air(slot: ToolVariation, days: int = 0) -> dict[str, Any]:
    """The same for the slot's city; three of ten say whether to tell the air quality, too."""
    values = weather(slot, slot.city, days)
    aqi = {0: True, 1: True, 2: False}.get(slot.turn("aqi"))
    return values if aqi is None else {**values, "include_aqi": aqi}


def sentences(slot: ToolVariation, values: Mapping[str, Any]) -> list[str]:
    """The question about the weather, in two or three sentences."""
    wordings = PROMPTS["weather"][slot.language]
    said = [slot.say(part, values) for part in wordings[slot.turn("wording", len(wordings))]]
    if "include_aqi" in values:
        said.append(PROMPTS["aqi"]["yes" if values["include_aqi"] else "no"][slot.language])
    return said


def joined(slot: ToolVariation, said: list[str]) -> str:
    """Sentences as the language puts them next to each other."""
    return ("" if slot.language in ("zh", "ja") else " ").join(said)


def expected(name: str, values: Mapping[str, Any], language: str) -> Expected:
    """The call that the values are for."""
    aliases = {key: of.spellings for key, of in values.items() if isinstance(of, City)}
    return Expected(name, {key: _meant(of, language) for key, of in values.items()}, aliases)


def user(text: str) -> list[Message]:
    """A conversation that begins with that text."""
    return [{"role": "user", "content": text}]


def spoken(key: str, value: Any, language: str) -> str:
    """A value in the words of a language."""
    if isinstance(value, City):
        return value.names[language]
    if isinstance(value, date):
        return _spoken_date(value, language)
    if key in ("unit", "source", "target"):
        return str(PROMPTS["units"][value][language])
    if key == "lang":
        return str(PROMPTS["languages"][value][language])
    if key == "days":
        return str(PROMPTS["days"][language]["one" if value == 1 else "many"]).format(days=value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _spoken_date(day: date, language: str) -> str:
    names = PROMPTS["months"].get(language)
    name = names[day.month - 1] if names else ""
    template = str(PROMPTS["dates"][language])
    return template.format(year=day.year, month=day.month, day=day.day, name=name)


def _meant(value: Any, language: str) -> Any:
    if isinstance(value, City):
        return value.names[language]
    return value.isoformat() if isinstance(value, date) else value
