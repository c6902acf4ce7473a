"""Probes in Spanish: tasks, writing and open questions, with values drawn for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import TypeVar

from readiness.checks.spanish.expected_answers import SOLVES
from readiness.checks.spanish.numerals import in_words
from readiness.checks.spanish.prompt_wording import (
    ENGLISH,
    PROMPTS,
    SPANISH,
    TemplateValues,
    questions,
    table,
    templates,
)
from readiness.checks.spanish.scoring import Talk, Wanted
from readiness.checks.spanish.scoring_answers import Answer, Kind
from readiness.checks.spanish.scoring_constraints import RULES as RULE_OF
from readiness.checks.spanish.writing_tasks import order
from readiness.forms.apply import in_forms
from readiness.forms.factors import (
    TEXT,
    Content,
    Factor,
    Format,
    FormSpace,
    Limit,
    Parameters,
    Reply,
    Sampling,
)
from readiness.probe import Message, Probe
from readiness.resources import filled

#: The same chance draws the same task in either language.
Draw = Callable[[Random, str], TemplateValues]

_FIRST_DAY = date(2027, 1, 4)
_DAYS = 1000
_OFF = (5, 10, 15, 20, 25, 30, 35, 40, 45)
_SORTED = 5  # words to put in order


def _stock(random: Random, language: str) -> TemplateValues:
    # Before a noun, veintiuno is veintiún: no such number comes there.
    first = 10 * random.randint(12, 85) + random.randint(2, 9)
    numbers = {"a": first, "b": random.randint(22, 98), "c": random.randint(22, 98)}
    goods = random.choice(PROMPTS["goods"])
    return {"goods": goods, **{name: in_words(number) for name, number in numbers.items()}}


def _price(random: Random, language: str) -> TemplateValues:
    price, off = random.randint(21, 189), random.choice(_OFF)
    return {"thing": _thing(random, language), "price": str(price), "off": str(off)}


def _units(random: Random, language: str) -> TemplateValues:
    unit = random.choice(PROMPTS["units"])
    # Never a whole number: its digits alone would do.
    parts = unit["per"] // unit["step"]
    count = parts * random.randint(2, 14) + random.randint(1, parts - 1)
    start, end = unit[language]
    return {"from": start, "to": end, "n": str(count * unit["step"])}


def _day(random: Random, language: str) -> TemplateValues:
    today = _FIRST_DAY + timedelta(days=random.randrange(_DAYS))
    names = table("weekdays", language), table("months", language)
    return {
        "weekday": names[0][today.weekday()],
        "day": str(today.day),
        "month": names[1][today.month - 1],
        "year": str(today.year),
        "n": str(random.randint(8, 60)),
    }


def _ticket(random: Random, language: str) -> TemplateValues:
    code, other = (f"KD-{random.randint(31000, 98999)}" for _ in range(2))
    slots = {
        "name": random.choice(PROMPTS["names"]),
        "city": random.choice(PROMPTS["cities"]),
        "weekday": random.choice(table("weekdays", language)),
        "code": code,
        "other": other,
        "thing": _thing(random, language),
        "phone": f"6{random.randint(10, 99)} {random.randint(100, 999)} {random.randint(100, 999)}",
    }
    return {**slots, "question": _question(random, "ticket", language)}


def _text(kind: str) -> Draw:
    def draw(random: Random, language: str) -> TemplateValues:
        name, second = random.sample(PROMPTS["names"], 2)
        numbers = random.sample(range(12, 89), 3)
        return {
            "city": random.choice(PROMPTS["cities"]),
            "name": name,
            "second": second,
            "craft": random.choice(PROMPTS["crafts"]),
            **{slot: str(number) for slot, number in zip("abc", numbers, strict=True)},
            "question": _question(random, kind, language),
        }

    return draw


def _question(random: Random, kind: str, language: str) -> str:
    asked = questions(kind, language)
    return random.choice([each for slot in asked for each in asked[slot]])


def _sort(random: Random, language: str) -> TemplateValues:
    return {"words": ", ".join(random.sample(PROMPTS["sortable"], _SORTED))}


def _verb(random: Random, language: str) -> TemplateValues:
    verb = random.choice([verb for verbs in PROMPTS["verbs"].values() for verb in verbs])
    tense, person = random.choice([*PROMPTS["tenses"]]), random.choice(PROMPTS["persons"])
    return {"verb": verb, "tense": tense, "person": person}


def _word(name: str) -> Draw:
    return lambda random, _language: {"word": random.choice([*PROMPTS[name]])}


def _label(random: Random, language: str) -> TemplateValues:
    labels = random.sample([*PROMPTS["labels"]], len(PROMPTS["labels"]))
    message = random.choice(PROMPTS["labels"][random.choice(labels)])
    message = message.replace("{thing}", _thing(random, language))
    return {"labels": ", ".join(labels), "message": message}


def _thing(random: Random, language: str) -> str:
    return random.choice(table("things", language))


def _in_digits(random: Random, language: str) -> TemplateValues:
    return {"words": in_words(random.randint(1001, 29_999))}


def _in_letters(random: Random, language: str) -> TemplateValues:
    return {"n": str(random.randint(121, 2999))}


DRAWS: Mapping[str, Draw] = {
    "stock": _stock,
    "price": _price,
    "units": _units,
    "weekday": _day,
    "date": _day,
    "ticket": _ticket,
    "sort": _sort,
    "verb": _verb,
    "antonym": _word("antonyms"),
    "plural": _word("plurals"),
    "library": _text("library"),
    "harvest": _text("harvest"),
    "label": _label,
    "in_digits": _in_digits,
    "in_letters": _in_letters,
}


#: Of five probes two have one right answer, two set a rule, and one is an open question.
FAMILIES = ("answer", "order", "answer", "order", "talk")
#: By turns. What a small model finds hard and what it finds easy come mixed, for an early stop.
TASKS = (
    *("stock", "ticket", "weekday", "verb", "price", "library", "sort", "antonym", "in_digits"),
    *("units", "label", "date", "plural", "harvest", "in_letters", "ticket", "units", "price"),
    *("price", "units"),
)
RULES = tuple(RULE_OF)
#: Those that are asked in English as well.
PAIRED = tuple(kind for kind in DRAWS if templates(kind, ENGLISH))
#: Enough for a reply three times as long as was asked for.
BUDGET, SMALL_BUDGET = 512, 256
MANY_TRIES = 1000

#: Zero-shot in Spanish alone: nothing stands around the request, and only how it is sent varies.
ZERO_SHOT = FormSpace(
    {
        Factor.REPLY: [*Reply],
        Factor.FORMAT: [Format.NONE, Format.TEXT],
        Factor.CONTENT: [Content.STRING, Content.USER],
        Factor.SAMPLING: [*Sampling],
        Factor.LIMIT: [*Limit],
        Factor.PARAMETERS: [*Parameters],
    }
)
OTHER_FORMS = FormSpace(TEXT, first=30)
#: Those that a task has in either language.
PAIRED_FORMS = FormSpace(
    {each: of for each, of in ZERO_SHOT.levels.items() if each is not Factor.CONTENT}
)

T = TypeVar("T")


def asked(seed: int, trials: int) -> list[Probe]:
    """Tasks, orders and open questions in Spanish, and five trivial ones in English beside them."""
    seen: set[str] = set()
    probes = [_asked(f"spanish/{seed}", number, seen) for number in range(trials)]
    return [*in_forms(probes, ZERO_SHOT, f"spanish/{seed}"), *_controls()]


def asked_otherwise(seed: int, trials: int) -> list[Probe]:
    """Tasks, orders and open questions like those, with other text around them."""
    key, seen = f"spanish.forms/{seed}", set[str]()
    probes = [_asked(key, number, seen) for number in range(trials)]
    return in_forms(probes, OTHER_FORMS, key)


def talked(seed: int, trials: int) -> list[Probe]:
    """Open questions in Spanish."""
    seen: set[str] = set()
    made = [_fresh(f"spanish.talk/{seed}/{number}", seen, talk) for number in range(trials)]
    probes = [
        Probe(
            f"spanish.talk.{number:03}@v1",
            [_user(text)],
            {"wanted": wanted},
            budget=BUDGET,
            small_budget=SMALL_BUDGET,
        )
        for number, (text, wanted) in enumerate(made, 1)
    ]
    return in_forms(probes, ZERO_SHOT, f"spanish.talk/{seed}")


def paired(seed: int, trials: int) -> list[Probe]:
    """Tasks in Spanish, each with the same task in English to be tried beside it."""
    seen: set[str] = set()
    made = [_paired(seed, number, seen) for number in range(trials)]
    return in_forms(made, PAIRED_FORMS, f"spanish.pair/{seed}")


def task(kind: str, random: Random, language: str = SPANISH) -> tuple[str, Answer]:
    """A task, and the answer to it; the same chance makes the same task in either language."""
    template = random.choice(templates(kind, language))
    slots = DRAWS[kind](random, language)
    text = filled(template, slots)
    return text, replace(SOLVES[kind](slots, language), asked=text)


def talk(random: Random) -> tuple[str, Talk]:
    """An open question, and what it is about."""
    topic = random.choice([*PROMPTS["topics"]])
    slots = {"topic": topic, "many": random.choice(PROMPTS["lengths"])}
    return filled(random.choice(PROMPTS["open_questions"]), slots), Talk(topic)


def _asked(key: str, number: int, seen: set[str]) -> Probe:
    family = FAMILIES[number % len(FAMILIES)]
    before = [FAMILIES[at % len(FAMILIES)] for at in range(number)].count(family)
    kind = {"answer": TASKS, "order": RULES, "talk": ("",)}[family]
    made = partial(_MADE[family], kind[before % len(kind)])
    text, wanted = _fresh(f"{key}/{number}", seen, made)
    name = f"{key.partition('/')[0]}.{family}.{number + 1:03}@v1"
    return Probe(
        name,
        [_user(text)],
        {"wanted": wanted},
        budget=BUDGET,
        small_budget=SMALL_BUDGET,
        family=family,
        labels={"answer": answer_type(wanted)},
    )


def answer_type(wanted: Wanted) -> str:
    """What an answer is, so that a type that is lost in all replies is no small part of a rate."""
    if not isinstance(wanted, Answer):
        return "text"
    if wanted.kind is Kind.NUMBER:
        return "decimal" if "." in wanted.value else "integer"
    return _TYPES.get(wanted.kind) or _type_of_words(wanted.value)


_TYPES = {Kind.FIGURES: "integer", Kind.LETTERS: "number in words", Kind.LIST: "list"}
_DATES = {day.casefold() for of in (SPANISH, ENGLISH) for day in table("weekdays", of)}


def _type_of_words(value: str) -> str:
    if value.casefold() in _DATES or re.match(r"\d+ de ", value):
        return "date"
    if any(map(str.isdigit, value)):
        return "code"
    return "name" if value[:1].isupper() else "word"


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
        small_budget=SMALL_BUDGET,
        family=kind,
        labels={"answer": answer_type(answer)},
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
            small_budget=SMALL_BUDGET,
            family="control",
            control=True,
        )
        for number, each in enumerate(PROMPTS["controls"], 1)
    ]


def _user(text: str) -> Message:
    return {"role": "user", "content": text}
