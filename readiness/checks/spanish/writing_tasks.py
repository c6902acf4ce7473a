"""Orders to write a text that keeps a rule: what the rule is about, and how it is put."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from readiness.checks.spanish.numerals import in_words
from readiness.checks.spanish.prompt_wording import PROMPTS
from readiness.checks.spanish.scoring import Order
from readiness.resources import filled

Wanted = Mapping[str, Any]


def _count(least: int, most: int) -> Callable[[Random, str], Wanted]:
    return lambda random, _keyword: {"n": random.randint(least, most)}


def _two_of(name: str) -> Callable[[Random, str], Wanted]:
    return lambda random, _keyword: dict(
        zip(("first", "second"), random.sample(PROMPTS[name], 2), strict=True)
    )


def _one_of(name: str) -> Callable[[Random, str], Wanted]:
    return lambda random, _keyword: {"phrase": random.choice(PROMPTS[name])}


def _span(random: Random, _keyword: str) -> Wanted:
    least = 5 * random.randint(5, 9)
    return {"least": least, "most": least + 25}


def _times(random: Random, keyword: str) -> Wanted:
    return {"word": keyword, "times": random.randint(2, 4)}


def _nothing(_random: Random, _keyword: str) -> Wanted:
    return {}


#: What is drawn for a rule, where it leaves anything open.
_DRAWS: Mapping[str, Callable[[Random, str], Wanted]] = {
    "includes": _two_of("extra_words"),
    "avoids": _two_of("avoided_words"),
    "repeats": _times,
    "sentences": _count(2, 5),
    "words": _span,
    "bullets": _count(3, 5),
    "paragraphs": _count(2, 4),
    "starts": _one_of("first_phrases"),
    "ends": _one_of("last_phrases"),
    "blanks": _count(2, 4),
    "enye": _count(2, 3),
    "accents": _count(3, 6),
}
# Numbers that are spelled out, as a writer does with small ones.
_SPELLED = ("n", "times")


def order(rule: str, random: Random) -> tuple[str, Order]:
    """An order to keep a rule, and what a reply to it must be."""
    topic = random.choice([*PROMPTS["topics"]])
    keyword = PROMPTS["topics"][topic]
    wanted = _DRAWS.get(rule, _nothing)(random, keyword)
    slots = {name: _said(name, value) for name, value in wanted.items()}
    parts = [
        filled(random.choice(PROMPTS["write"]), {"topic": topic}),
        filled(PROMPTS["mention"], {"keyword": keyword}),
        filled(random.choice(PROMPTS["rules"][rule]), slots),
    ]
    return " ".join(parts), Order(keyword, rule, wanted)


def _said(name: str, value: Any) -> str:
    return in_words(value) if name in _SPELLED else str(value)
