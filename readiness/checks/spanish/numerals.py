"""Numbers in Spanish words, read and written."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
_MILLIONS = ("millon", "millones")
_NAME = "|".join(sorted((*_VALUES, "mil", *_MILLIONS), key=len, reverse=True))
#: A run of numerals, in a text without accents.
WORDED = rf"\b(?:{_NAME})\b(?:(?: y)? (?:{_NAME})\b)*+"
_WORDED = re.compile(WORDED)
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
    if found := next((at for at, word in enumerate(words) if word in _MILLIONS), None):
        millions, rest = (
            _value(words[:found]),
            _value(words[found + 1 :]) if words[found + 1 :] else 0,
        )
        return None if millions is None or rest is None else millions * 10**6 + rest
    total = section = before = 0
    for word in words:
        if word == "mil":
            if total:
                return None
            total, section, before = 1000 * (section or 1), 0, 0
        elif word in _VALUES and _follows(_VALUES[word], before):
            section, before = section + _VALUES[word], _VALUES[word]
        else:
            return None
    return total + section


def _follows(value: int, before: int) -> bool:
    """Whether a number goes on with that value: less than one hundred, or a digit after a ten."""
    if before % 10:
        return False
    return not before or (before >= 100 > value) or (before >= 30 and 0 < value < 10)
