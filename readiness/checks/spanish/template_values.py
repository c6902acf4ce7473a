"""What is drawn for a task: the words and numbers that its template has places for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from random import Random

from readiness.checks.spanish.numerals import in_words
from readiness.checks.spanish.prompt_wording import PROMPTS, Slots, questions, table

#: The same chance draws the same task in either language.
Draw = Callable[[Random, str], Slots]

_FIRST_DAY = date(2027, 1, 4)
_DAYS = 1000
_OFF = (5, 10, 15, 20, 25, 30, 35, 40, 45)
_SORTED = 5  # words to put in order


def _stock(random: Random, language: str) -> Slots:
    # Before a noun, veintiuno is veintiún: no such number comes there.
    first = 10 * random.randint(12, 85) + random.randint(2, 9)
    numbers = {"a": first, "b": random.randint(22, 98), "c": random.randint(22, 98)}
    goods = random.choice(PROMPTS["goods"])
    return {"goods": goods, **{name: in_words(number) for name, number in numbers.items()}}


def _price(random: Random, language: str) -> Slots:
    price, off = random.randint(21, 189), random.choice(_OFF)
    return {"thing": _thing(random, language), "price": str(price), "off": str(off)}


def _units(random: Random, language: str) -> Slots:
    unit = random.choice(PROMPTS["units"])
    # Never a whole number: its digits alone would do.
    parts = unit["per"] // unit["step"]
    count = parts * random.randint(2, 14) + random.randint(1, parts - 1)
    start, end = unit[language]
    return {"from": start, "to": end, "n": str(count * unit["step"])}


def _day(random: Random, language: str) -> Slots:
    today = _FIRST_DAY + timedelta(days=random.randrange(_DAYS))
    names = table("weekdays", language), table("months", language)
    return {
        "weekday": names[0][today.weekday()],
        "day": str(today.day),
        "month": names[1][today.month - 1],
        "year": str(today.year),
        "n": str(random.randint(8, 60)),
    }


def _ticket(random: Random, language: str) -> Slots:
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
    def draw(random: Random, language: str) -> Slots:
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


def _sort(random: Random, language: str) -> Slots:
    return {"words": ", ".join(random.sample(PROMPTS["sortable"], _SORTED))}


def _verb(random: Random, language: str) -> Slots:
    verb = random.choice([verb for verbs in PROMPTS["verbs"].values() for verb in verbs])
    tense, person = random.choice([*PROMPTS["tenses"]]), random.choice(PROMPTS["persons"])
    return {"verb": verb, "tense": tense, "person": person}


def _word(name: str) -> Draw:
    return lambda random, _language: {"word": random.choice([*PROMPTS[name]])}


def _label(random: Random, language: str) -> Slots:
    labels = random.sample([*PROMPTS["labels"]], len(PROMPTS["labels"]))
    message = random.choice(PROMPTS["labels"][random.choice(labels)])
    message = message.replace("{thing}", _thing(random, language))
    return {"labels": ", ".join(labels), "message": message}


def _thing(random: Random, language: str) -> str:
    return random.choice(table("things", language))


def _in_digits(random: Random, language: str) -> Slots:
    return {"words": in_words(random.randint(1001, 29_999))}


def _in_letters(random: Random, language: str) -> Slots:
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
