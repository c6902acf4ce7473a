"""Scoring of answers in Spanish: numbers in figures and in words, dates, names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from readiness.scoring.numerals import LONGEST

_SMALL = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés "
    "veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve"
)
_ROUND = "treinta cuarenta cincuenta sesenta setenta ochenta noventa"
_MANY = (
    "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos "
    "ochocientos novecientos"
)
_UNITS, _TENS, _HUNDREDS = _SMALL.split(), _ROUND.split(), _MANY.split()
_BARE = str.maketrans("áéíóú", "aeiou")
_VALUES = {name: value for value, name in enumerate(_UNITS)}
_VALUES |= {name: 10 * value for value, name in enumerate(_TENS, 3)}
_VALUES |= {name: 100 * value for value, name in enumerate(_HUNDREDS, 1)}
_VALUES |= {f"{name[:-2]}as": value for name, value in _VALUES.items() if name.endswith("tos")}
_VALUES |= {"cien": 100, "un": 1, "una": 1, "veintiun": 21, "veintiuna": 21}
# In one word, as the academies of the language allow.
_VALUES |= {f"{ten}i{one}": _VALUES[ten] + _VALUES[one] for ten in _TENS for one in _UNITS[1:10]}
_VALUES = {name.translate(_BARE): value for name, value in _VALUES.items()}
_NAME = "|".join(sorted((*_VALUES, "mil"), key=len, reverse=True))
_WORDED = re.compile(rf"\b(?:{_NAME})(?:(?: y)? (?:{_NAME}))*+\b")
_FRACTION = re.compile(r"(?<=\d) y (media|medio|cuarto)\b")
_SPOKEN_POINT = re.compile(r"(?<=\d) (?:coma|punto|con) (?=\d)")
_PARTS = {"media": "5", "medio": "5", "cuarto": "25"}


def in_words(number: int) -> str:
    """A number from 0 to 999,999 as it is written in Spanish, in the masculine."""
    if number < 30:
        return _UNITS[number]
    if number < 100:
        ten, one = _TENS[number // 10 - 3], number % 10
        return f"{ten} y {_UNITS[one]}" if one else ten
    if number == 100:
        return "cien"
    if number < 1000:
        return f"{_HUNDREDS[number // 100 - 1]} {_rest(number % 100)}".strip()
    thousands = number // 1000
    count = "" if thousands == 1 else re.sub("ún?uno$|uno$", _short, in_words(thousands))
    return f"{count} mil {_rest(number % 1000)}".strip()


def in_figures(text: str) -> str:
    """A text in lower case, without accents and with its numbers in words written in digits."""
    text = _WORDED.sub(_read, text.translate(_BARE))
    text = _FRACTION.sub(lambda found: f".{_PARTS[found[1]]}", text)
    return _SPOKEN_POINT.sub(".", text)


def _rest(number: int) -> str:
    return in_words(number) if number else ""


def _short(found: re.Match[str]) -> str:
    """Before mil, uno loses its end: treinta y un mil, and veintiún mil."""
    return "ún" if found.string.endswith("veintiuno") else "un"


def _read(found: re.Match[str]) -> str:
    words = found[0].replace(" y ", " ").split()
    value = _value(words) if len(words) <= LONGEST else None
    # Behind a decimal comma, zeros lead: coma cero cinco.
    zeros = next((at for at, word in enumerate(words) if word != "cero"), len(words) - 1)
    return found[0] if value is None else "0" * zeros + str(value)


def _value(words: Sequence[str]) -> int | None:
    """The value of a run of numerals; None where it is none, as in dos tres."""
    total = section = before = 0
    for word in words:
        if word == "mil":
            if total:
                return None
            total, section, before = 1000 * (section or 1), 0, 0
        elif _follows(_VALUES[word], before):
            section, before = section + _VALUES[word], _VALUES[word]
        else:
            return None
    return total + section


def _follows(value: int, before: int) -> bool:
    """Whether a number goes on with that value: less than one hundred, or a digit after a ten."""
    if before % 10:
        return False
    return not before or (before >= 100 > value) or (before >= 30 and 0 < value < 10)


class Kind(StrEnum):
    """What an answer is, and so how it may be written."""

    NUMBER = "number"
    FIGURES = "number in figures"
    LETTERS = "number in letters"
    TEXT = "text"
    LIST = "list"


@dataclass(frozen=True)
class Answer:
    """The one right answer to a task.

    Args:
        value: The answer as a perfect reader gives it.
        kind: What it is.
        forms: Other texts that say the same.
    """

    value: str
    kind: Kind = Kind.TEXT
    forms: Sequence[str] = ()


_DIGIT = re.compile(r"\d")
# Marks of quotation and of Markdown around an answer, and the end of a sentence.
_AROUND = " \t\r\n\"'“”‘’«»*_`.,;:!¡¿()[]"
_SAID = re.compile(r"^(?:la )?(?:respuesta|resultado)(?: es| final)?: *", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:el|la|los|las|un|una) (?=\S)")
_NUMBER = re.compile(r"(?:[€$] ?)?(?P<n>-?\d[\d., ]*)(?: ?[€$%]| ?[a-z]{1,3}| [a-z]+(?: [a-z]+)?)?")
_PLAIN = re.compile(r"(?P<whole>-?\d+)(?:[.,](?P<part>\d+))?")
_PARTED = re.compile(
    r"(?P<whole>-?\d{1,3}(?P<by>[., ])\d{3}(?:(?P=by)\d{3})*)(?:[.,](?P<part>\d+))?"
)
_BREAKS = re.compile(r"\s*(?:[,;\n]| [ye] )\s*(?:[-*•]|\d+[.)])?\s*")
# The tilde of ñ is no accent: año and ano are two words.
_ACCENTS = re.compile("(?<![nN])[\u0300\u0301\u0308]|(?<=[nN])[\u0300\u0301\u0308]")


def is_right(text: str, answer: Answer) -> bool:
    """Whether a reply is the answer: all of it, or its last line."""
    return any(_matches(part, answer) for part in (text, *_lines(text)[-1:]))


def beside(text: str, answer: Answer) -> str:
    """What a right reply says beside the answer; the answer's own words are right in any case."""
    return "" if _matches(text, answer) else "\n".join(_lines(text)[:-1])


def _lines(text: str) -> list[str]:
    return [line for line in text.strip().splitlines() if line.strip()]


def folded(text: str) -> str:
    """A text in lower case, with neither accents nor what may stand around it."""
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    text = unicodedata.normalize("NFC", _ACCENTS.sub("", text))
    return _SAID.sub("", " ".join(text.split()).strip(_AROUND)).strip(_AROUND)


def _matches(text: str, answer: Answer) -> bool:
    match answer.kind:
        case Kind.LIST:
            return _items(text) == _items(answer.value)
        case Kind.TEXT:
            said = _bare(text)
            return any(said == _bare(form) for form in (answer.value, *answer.forms))
        case Kind.FIGURES if not _DIGIT.search(text):
            return False
        case Kind.LETTERS if _DIGIT.search(text):
            return False
    return Decimal(answer.value) in _readings(folded(text))


def _bare(text: str) -> str:
    return _ARTICLE.sub("", folded(text).replace(",", ""))


def _items(text: str) -> list[str]:
    parts = _BREAKS.split("\n" + text.strip(_AROUND))
    return [folded(part) for part in parts if part.strip(_AROUND)]


def _readings(text: str) -> set[Decimal]:
    """What a number may mean: 1.250 is 1250 in Spain, and not quite in Mexico."""
    found = _NUMBER.fullmatch(in_figures(text))
    if not found:
        return set()
    written = [form.fullmatch(found["n"].strip(" .,")) for form in (_PLAIN, _PARTED)]
    return {
        Decimal(f"{re.sub('[., ]', '', each['whole'])}.{each['part'] or 0}")
        for each in written
        if each
    }
