"""Answers in Spanish with the right value in them that say another, and right ones in odd form."""

from __future__ import annotations

import re
from decimal import Decimal

from readiness.mutants.flaw import Flaw
from readiness.mutants.spanish.flaws import Change, answers, says
from readiness.mutants.spanish.reader import WEEKDAYS, SpanishQuestion, plain

_DOES = "spanish.zero_shot_tasks"
_DAY = re.compile(r"(\d\d?) de ([a-z]+)")


def _numbers(form: str) -> Change:
    """Put a number into a form."""

    def changed(asked: SpanishQuestion, text: str) -> str:
        return text if asked.number is None else form.format(_comma(asked.number))

    return changed


def _comma(number: Decimal) -> str:
    return plain(number).replace(".", ",")


def _in_forms(number: str, day: str, other: str) -> Change:
    """Put each answer to a task into the form for what it is; {next} is the number after it."""

    def changed(asked: SpanishQuestion, text: str) -> str:
        if asked.number is not None:
            return number.format(_comma(asked.number), next=_comma(asked.number + 1))
        if not asked.task:
            return text
        is_day = text.lower() in WEEKDAYS or _DAY.fullmatch(text)
        return (day if is_day else other).format(text)

    return changed


def _cents(asked: SpanishQuestion, text: str) -> str:
    """An amount as euros and cents, where it has cents."""
    whole, comma, decimals = text.partition(",")
    if asked.task != "price" or not comma:
        return text
    return f"{whole} euros con {decimals.ljust(2, '0')} céntimos"


def _apostrophe(asked: SpanishQuestion, text: str) -> str:
    """With an apostrophe in place of the decimal comma, as it is written by hand in Spain."""
    parted = re.fullmatch(r"(\d+),(\d\d?)", text)
    return text if asked.number is None or not parted else f"{parted[1]}'{parted[2]}"


def _surname_first(_asked: SpanishQuestion, text: str) -> str:
    named = re.fullmatch(r"([A-ZÁÉÍÓÚÑ]\w+) ([A-ZÁÉÍÓÚÑ]\w+)", text)
    return f"{named[2].upper()}, {named[1]}" if named else text


def _hashed(asked: SpanishQuestion, text: str) -> str:
    return f"#{text}" if asked.task == "label" else text


def _short_month(_asked: SpanishQuestion, text: str) -> str:
    day = _DAY.fullmatch(text)
    return f"{day[1]}-{day[2][:3]}" if day else text


_FLAWS: list[tuple[str, str, Change]] = [
    (
        "spanish_bounds",
        "it gives bounds: más de 801, después del viernes",
        _in_forms("más de {}", "después del {}", "el siguiente a {}"),
    ),
    (
        "spanish_or_more",
        "or bounds behind the value: 801 o más",
        _in_forms("{} o más", "{} o más tarde", "{} o parecido"),
    ),
    (
        "spanish_dozens",
        "numbers are so many dozens, and days are in the week before",
        _in_forms("{} docenas", "la semana anterior al {}", "lo contrario de {}"),
    ),
    (
        "spanish_hedged",
        "it names two answers and chooses none",
        _in_forms("{} o {next}", "{} o el día siguiente", "{} u otra cosa"),
    ),
    (
        "spanish_ranged",
        "it gives ranges",
        _in_forms("entre {} y {next}", "entre el {} y el día siguiente", "entre {} y otra cosa"),
    ),
    (
        "spanish_unfinished_sums",
        "it leaves a sum to be done",
        _in_forms("{} menos 5", "{} más un día", "todo menos {}"),
    ),
    (
        "spanish_relative",
        "it names what stands beside the answer: el día anterior al viernes",
        _in_forms("el doble de {}", "el día anterior al {}", "el anterior a {}"),
    ),
    (
        "spanish_in_the_past",
        "it says what was once, and what is now",
        _in_forms("Antes {}; ahora {next}", "Antes {}; ya no", "Antes {}; ya no"),
    ),
]
_HARMLESS: list[tuple[str, str, Change]] = [
    ("spanish_cents", "94 euros con 60 céntimos is 94,60", _cents),
    ("spanish_apostrophe", "94'60 is 94,60", _apostrophe),
    ("spanish_surname_first", "a surname may come first, before a comma", _surname_first),
    ("spanish_hashed", "a label may have its sign", _hashed),
    ("spanish_short_month", "13-oct is 13 de octubre", _short_month),
    ("spanish_boxed", "an answer may stand in LaTeX", _numbers("$\\boxed{{{}}}$")),
    ("spanish_corrects_itself", "what is taken back is no answer", _numbers("999999. Perdón: {}")),
    (
        "spanish_plainly_asked",
        "an answer may begin politely",
        answers(lambda t: f"La respuesta es {t}"),
    ),
]

FLAWS = [
    *(Flaw(name, about, _DOES, change_output=says(change)) for name, about, change in _FLAWS),
    *(Flaw(name, about, change_output=says(change)) for name, about, change in _HARMLESS),
]
