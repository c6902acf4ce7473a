"""Probes in Spanish alone: no system message, no example, no word of another language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import TypeVar

from readiness.checks.spanish.expected_answers import SOLVES
from readiness.checks.spanish.prompt_wording import ENGLISH, PROMPTS, SPANISH, filled, templates
from readiness.checks.spanish.scoring import Talk, Wanted
from readiness.checks.spanish.scoring_answers import Answer
from readiness.checks.spanish.scoring_constraints import RULES as RULE_OF
from readiness.checks.spanish.template_values import DRAWS
from readiness.checks.spanish.writing_tasks import order
from readiness.probe import Message, Probe, streaming

#: Of five probes two have one right answer, two set a rule, and one is an open question.
FAMILIES = ("answer", "order", "answer", "order", "talk")
#: By turns. What a small model finds hard and what it finds easy come mixed, for an early stop.
TASKS = (
    *("stock", "ticket", "weekday", "verb", "price", "library", "sort", "antonym", "in_digits"),
    *("units", "label", "date", "plural", "harvest", "in_letters", "ticket", "label", "price"),
    *("verb", "units"),
)
RULES = tuple(RULE_OF)
#: Those that are asked in English as well.
PAIRED = tuple(kind for kind in DRAWS if templates(kind, ENGLISH))
#: Enough for a reply three times as long as was asked for.
BUDGET = 512
MANY_TRIES = 1000

T = TypeVar("T")


def asked(seed: int, trials: int) -> list[Probe]:
    """Tasks, orders and open questions in Spanish, and five trivial ones in English beside them."""
    seen: set[str] = set()
    probes = [_asked(seed, number, seen) for number in range(trials)]
    return [*streaming(probes, f"spanish/{seed}"), *_controls()]


def talked(seed: int, trials: int) -> list[Probe]:
    """Open questions in Spanish."""
    seen: set[str] = set()
    made = [_fresh(f"spanish.talk/{seed}/{number}", seen, talk) for number in range(trials)]
    probes = [
        Probe(f"spanish.talk.{number:03}@v1", [_user(text)], {"wanted": wanted}, budget=BUDGET)
        for number, (text, wanted) in enumerate(made, 1)
    ]
    return streaming(probes, f"spanish.talk/{seed}")


def paired(seed: int, trials: int) -> list[Probe]:
    """Tasks in Spanish, each with the same task in English to be tried beside it."""
    seen: set[str] = set()
    made = [_paired(seed, number, seen) for number in range(trials)]
    return streaming(made, f"spanish.pair/{seed}")


def task(kind: str, random: Random, language: str = SPANISH) -> tuple[str, Answer]:
    """A task, and the answer to it; the same chance makes the same task in either language."""
    template = random.choice(templates(kind, language))
    slots = DRAWS[kind](random, language)
    return filled(template, slots), SOLVES[kind](slots, language)


def talk(random: Random) -> tuple[str, Talk]:
    """An open question, and what it is about."""
    topic = random.choice([*PROMPTS["topics"]])
    slots = {"topic": topic, "many": random.choice(PROMPTS["lengths"])}
    return filled(random.choice(PROMPTS["open_questions"]), slots), Talk(topic)


def _asked(seed: int, number: int, seen: set[str]) -> Probe:
    family = FAMILIES[number % len(FAMILIES)]
    before = [FAMILIES[at % len(FAMILIES)] for at in range(number)].count(family)
    kind = {"answer": TASKS, "order": RULES, "talk": ("",)}[family]
    made = partial(_MADE[family], kind[before % len(kind)])
    text, wanted = _fresh(f"spanish/{seed}/{number}", seen, made)
    name = f"spanish.{family}.{number + 1:03}@v1"
    return Probe(name, [_user(text)], {"wanted": wanted}, budget=BUDGET, family=family)


_MADE: Mapping[str, Callable[[str, Random], tuple[str, Wanted]]] = {
    "answer": task,
    "order": order,
    "talk": lambda _kind, random: talk(random),
}


def _paired(seed: int, number: int, seen: set[str]) -> Probe:
    kind = PAIRED[number % len(PAIRED)]

    def both(random: Random) -> tuple[str, tuple[Answer, str, Answer]]:
        chance = random.getrandbits(64)
        spanish, english = (task(kind, Random(chance), each) for each in (SPANISH, ENGLISH))
        return spanish[0], (spanish[1], *english)

    text, (answer, other, same) = _fresh(f"spanish.pair/{seed}/{number}", seen, both)
    return Probe(
        f"spanish.pair.{number + 1:03}@v1",
        [_user(text)],
        {"wanted": answer, "english": {"messages": [_user(other)], "wanted": same}},
        budget=BUDGET,
        family=kind,
    )


def _fresh(key: str, seen: set[str], draw: Callable[[Random], tuple[str, T]]) -> tuple[str, T]:
    """A text that was not drawn before, and what belongs to it."""
    random = Random(key)
    for _ in range(MANY_TRIES):
        text, rest = draw(random)
        if text not in seen:
            seen.add(text)
            return text, rest
    raise ValueError(f"no more than {len(seen)} different prompts in Spanish: try fewer")


def _controls() -> list[Probe]:
    return [
        Probe(
            f"spanish.control.{number}@v1",
            [_user(each["ask"])],
            {"wanted": Answer(each["answer"])},
            budget=BUDGET,
            family="control",
            control=True,
        )
        for number, each in enumerate(PROMPTS["controls"], 1)
    ]


def _user(text: str) -> Message:
    return {"role": "user", "content": text}
