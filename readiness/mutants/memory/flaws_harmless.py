"""Harmless variants of recalled values: other ways to write the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.flaw import Flaw
from readiness.mutants.memory.reader import (
    WORDS,
    day_in,
    each_answer,
    language_asked,
    memory_of,
    question_in,
    recall,
)

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千", "万")
_NUMBER = re.compile(r"(?<![\w-])\d+(?:,\d{3})*(?![\d年月日,]| [A-Z])|(?<=[A-Z€] )\d+")
_MONTHS = "|".join(WORDS["months"])
_DATE = re.compile(rf"\d+年\d+月\d+日|(?:{_MONTHS}) \d+, \d+")


def _chinese(number: int) -> str:
    """A number below 100,000 as it is read out in Chinese."""
    digits = str(number)
    said = "".join(
        _DIGITS[int(digit)] + (_PLACES[len(digits) - at] if digit != "0" else "")
        for at, digit in enumerate(digits, 1)
    )
    return re.sub("零+", "零", said).rstrip("零") or _DIGITS[0]


def _in_numerals(text: str) -> str:
    if _DATE.search(text):
        return text
    return _NUMBER.sub(lambda found: _chinese(int(found[0].replace(",", ""))), text)


def _each_date(write: Callable[[date], str]) -> Callable[[str], str]:
    return lambda text: _DATE.sub(lambda found: write(day_in(found[0])), text)


def _spoken(day: date) -> str:
    return f"{day.day}th of {WORDS['months'][day.month - 1]}, {day.year}"


def _in_characters(day: date) -> str:
    year = "".join("〇一二三四五六七八九"[int(digit)] for digit in str(day.year))
    return f"{year}年{_ten(day.month)}月{_ten(day.day)}号"


def _ten(number: int) -> str:
    """Ten itself has no one before it."""
    return _chinese(number).removeprefix("一") if 10 <= number < 20 else _chinese(number)


def _full_width(text: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


def _parted(text: str) -> str:
    """Thousands with separators, where a number is an amount."""
    if _DATE.search(text):
        return text
    return re.sub(r"(?<![\d-])(\d{1,2})(\d{3})(?!\d)", r"\1,\2", text)


def _wrapped(text: str, language: str) -> str:
    if language == "zh":
        return f"根据前面的对话，答案是{text}。"
    return f"As you told me before, the answer is {text}."


def _not_but(request: Request, said: str) -> str:
    """The answer after a denial of another value, where there is one that may be denied."""
    language = language_asked(request)
    question = question_in(text_of(request["messages"][-1]), language)
    memory = memory_of(request["messages"], language)
    if question is None or not recall(memory, question):
        return said
    told = [values[0] for key, values in memory.facts.items() if key[1] == question.key[1]]
    wrong = next((value for value in reversed(told) if value not in said), "")
    if not wrong or _digits(wrong) == _digits(said):
        return said
    return f"不是{wrong}，而是{said}" if language == "zh" else f"not {wrong} but {said}"


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _variant(name: str, about: str, change: Callable[[Request, str], str]) -> Flaw:
    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        return ModelOutput(change(request, said.content or "")) if language_asked(request) else said

    return Flaw(name, about, change_output=each_answer(says))


FLAWS = [
    _variant("memory_numerals", "一千二 is 1200", lambda _request, text: _in_numerals(text)),
    _variant("memory_full_width", "１ is 1", lambda _request, text: _full_width(text)),
    _variant("memory_parted", "1,200 is 1200", lambda _request, text: _parted(text)),
    _variant(
        "memory_iso_dates",
        "a date may come in ISO form",
        lambda _request, text: _each_date(date.isoformat)(text),
    ),
    _variant(
        "memory_dates_spoken",
        "as it is spoken in English",
        lambda _request, text: _each_date(_spoken)(text),
    ),
    _variant(
        "memory_dates_in_characters",
        "or in Chinese characters",
        lambda _request, text: _each_date(_in_characters)(text),
    ),
    _variant(
        "memory_sentence",
        "an answer may come in a sentence",
        lambda request, text: _wrapped(text, language_asked(request)),
    ),
    _variant("memory_not_but", "不是X，而是Y means Y", _not_but),
]
