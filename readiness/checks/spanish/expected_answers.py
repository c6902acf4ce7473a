"""The one right answer to a task, from what stands in its prompt."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from readiness.checks.spanish.numerals import in_figures, in_words
from readiness.checks.spanish.prompt_wording import (
    PROMPTS,
    SPANISH,
    TemplateValues,
    questions,
    table,
)
from readiness.checks.spanish.scoring_answers import Answer, Kind
from readiness.scoring.numerals import plain

Solve = Callable[[TemplateValues, str], Answer]

# Among accents the tilde alone makes another letter, which comes after n.
_ORDER = str.maketrans({"á": "a", "é": "e", "í": "i", "ó": "o", "ú": "u", "ñ": "n\uffff"})


def _stock(slots: TemplateValues, language: str) -> Answer:
    a, b, c = (int(in_figures(slots[name])) for name in "abc")
    return _number(Decimal(a + b - c), language, slots.get("goods"), a, b, c)


def _price(slots: TemplateValues, language: str) -> Answer:
    price = Decimal(slots["price"])
    return _number(price * (100 - int(slots["off"])) / 100, language, "euros", price, slots["off"])


def _units(slots: TemplateValues, language: str) -> Answer:
    named = [slots["from"], slots["to"]]
    per = next(unit["per"] for unit in PROMPTS["units"] if unit[language] == named)
    return _number(Decimal(slots["n"]) / per, language, slots["to"], slots["n"])


def _number(
    value: Decimal, language: str, unit: str | None = None, *given: Decimal | int | str
) -> Answer:
    repeated = tuple(map(str, given))
    return Answer(plain(value), Kind.NUMBER, language=language, unit=unit, given=repeated)


def _weekday(slots: TemplateValues, language: str) -> Answer:
    days = table("weekdays", language)
    return Answer(
        days[(days.index(slots["weekday"]) + int(slots["n"])) % len(days)], language=language
    )


def _date(slots: TemplateValues, language: str) -> Answer:
    months = table("months", language)
    today = date(int(slots["year"]), months.index(slots["month"]) + 1, int(slots["day"]))
    due = today + timedelta(days=int(slots["n"]))
    return Answer(f"{due.day} de {months[due.month - 1]}", forms=(due.isoformat(),))


def _asked(kind: str) -> Solve:
    """The answer is one of the slots: the one that the question is about."""

    def solve(slots: TemplateValues, language: str) -> Answer:
        asked = questions(kind, language)
        slot = next(name for name in asked if slots["question"] in asked[name])
        value = slots[slot]
        if value.isdecimal():
            counted = re.match(r"\W*(?:en )?cu[áa]nt[oa]s (\w+)", slots["question"].lower())
            return _number(Decimal(value), language, counted[1] if counted else None)
        return Answer(value, language=language)

    return solve


def _sort(slots: TemplateValues, language: str) -> Answer:
    words = slots["words"].split(", ")
    ordered = sorted(words, key=lambda word: word.translate(_ORDER))
    return Answer(", ".join(ordered), Kind.LIST)


def _verb(slots: TemplateValues, language: str) -> Answer:
    verb, person = slots["verb"], slots["person"]
    endings, at = PROMPTS["tenses"][slots["tense"]], PROMPTS["persons"].index(person)
    whole = endings.get("whole")
    form = verb + whole[at] if whole else verb[:-2] + endings[verb[-2:]][at]
    # As tables of conjugation have it.
    with_que = [f"que {form}", f"que {person} {form}"] if "subjuntivo" in slots["tense"] else []
    return Answer(form, forms=[f"{person} {form}", *with_que])


def _antonym(slots: TemplateValues, language: str) -> Answer:
    first, *others = PROMPTS["antonyms"][slots["word"]]
    # Adjectives may come in the feminine: both are the word.
    feminine = (f"{word[:-1]}a" for word in (first, *others) if word.endswith("o"))
    return Answer(first, forms=(*others, *feminine))


def _plural(slots: TemplateValues, language: str) -> Answer:
    return Answer(PROMPTS["plurals"][slots["word"]])


def _label(slots: TemplateValues, language: str) -> Answer:
    for label, messages in PROMPTS["labels"].items():
        for message in messages:
            if re.fullmatch(re.escape(message).replace(r"\{thing\}", r"\w+"), slots["message"]):
                return Answer(label)
    raise ValueError(f"a message of no label: {slots['message']!r}")


def _in_digits(slots: TemplateValues, language: str) -> Answer:
    return Answer(in_figures(slots["words"]), Kind.FIGURES)


def _in_letters(slots: TemplateValues, language: str) -> Answer:
    return Answer(slots["n"], Kind.LETTERS)


SOLVES: Mapping[str, Solve] = {
    "stock": _stock,
    "price": _price,
    "units": _units,
    "weekday": _weekday,
    "date": _date,
    "ticket": _asked("ticket"),
    "sort": _sort,
    "verb": _verb,
    "antonym": _antonym,
    "plural": _plural,
    "library": _asked("library"),
    "harvest": _asked("harvest"),
    "label": _label,
    "in_digits": _in_digits,
    "in_letters": _in_letters,
}


def written(answer: Answer, language: str = SPANISH) -> str:
    """An answer as a writer of that language has it."""
    if answer.kind is Kind.LETTERS:
        return in_words(int(answer.value))
    decimal = answer.kind is Kind.NUMBER and language == SPANISH
    return answer.value.replace(".", ",") if decimal else answer.value
