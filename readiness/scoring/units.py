"""Units as a text writes them behind or before a number, in Chinese, English and Spanish."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_WIDE = "\u3400-\u9fff"
#: By dimension, the units with their size in it and the ways to write them, without accents.
_TABLE: dict[str, dict[str, tuple[str, str]]] = {
    "euro": {
        "euro": ("1", "€|eur|euros?|欧元"),
        "cent": ("0.01", r"centimos?|cents?|cts?\b\.?|欧分|美分"),
    },
    "dollar": {"dollar": ("1", r"us\$|\$|usd|(?:us )?dollars?|dolar(?:es)?|美元|美金")},
    "pound": {"pound": ("1", "£|gbp|pounds?|libras?|英镑")},
    "yen": {"yen": ("1", "jpy|yen(?:es)?|日元|円")},
    "yuan": {"yuan": ("1", "¥|cny|rmb|yuan(?:es)?|人民币|元|块钱?")},
    "peso": {"peso": ("1", "pesos?")},
    "other money": {
        "other money": (
            "1",
            "francos?|francs?|rupias?|rupees?|rublos?|roubles?|coronas|reales|won|法郎|卢布|卢比"
            "|韩元|港[元币]",
        )
    },
    "time": {
        "second": ("1", r"seconds?|secs?\b\.?|segundos?|segs?\b\.?|s|秒钟?"),
        "minute": ("60", r"minutes?|mins?\b\.?|minutos?|分钟"),
        "hour": ("3600", "hours?|hrs?|h|horas?|个?小时|个?钟头"),
        "day": ("86400", "days?|dias?|天|日"),
        "week": ("604800", "weeks?|semanas?|wks?|周|个?星期|个?礼拜"),
        "month": ("2629800", "months?|mes(?:es)?|个月"),
        "year": ("31557600", r"years?|anos?|años?|年"),
    },
    "length": {
        "millimetre": ("0.001", "mm|milimetros?|millimet(?:re|er)s?|毫米"),
        "centimetre": ("0.01", "cm|centimetros?|centimet(?:re|er)s?|厘米"),
        "metre": ("1", "m|metros?|met(?:re|er)s?|米"),
        "kilometre": ("1000", "km|kilometros?|kilomet(?:re|er)s?|公里|千米"),
        "inch": ("0.0254", "inch(?:es)?|pulgadas?|英寸"),
        "foot": ("0.3048", "feet|foot|ft|pies?|英尺"),
        "mile": ("1609.344", "miles?|millas?|英里"),
    },
    "mass": {
        "milligram": ("0.001", "mg|miligramos?|milligrams?|毫克"),
        "gram": ("1", "g|gramos?|grams?|克"),
        "kilogram": ("1000", "kg|kilo(?:gramo)?s?|kilograms?|公斤|千克"),
        "tonne": ("1000000", "t|toneladas?|ton(?:ne)?s?|吨"),
    },
    "volume": {
        "millilitre": ("0.001", "ml|mililitros?|millilit(?:re|er)s?|毫升"),
        "centilitre": ("0.01", "cl|centilitros?|centilit(?:re|er)s?"),
        "litre": ("1", "l|litros?|lit(?:re|er)s?|升"),
    },
    "many": {
        "pair": ("2", "pair(?:s of)?|pairs|pares|双|对"),
        "ten": ("10", "decenas?"),
        "dozen": ("12", "dozens?|docenas?|打"),
        "hundred": ("100", "centenas?|centenares|hundreds"),
        "thousand": ("1000", "millares|thousands?|k"),
        "million": ("1000000", "millon(?:es)?|millions?|mn"),
        "ten thousand": ("10000", "万|萬"),
    },
    "share": {"percent": ("0.01", "%|percent|per cent|por ciento|‰")},
    "data": {"byte": ("1", "[kmgt]b|bytes?")},
}
_SIZES = {
    unit: (dimension, Decimal(size))
    for dimension, units in _TABLE.items()
    for unit, (size, _) in units.items()
}
_WAYS = {unit: ways for units in _TABLE.values() for unit, (_, ways) in units.items()}
_NAMES = {f"u{at}": unit for at, unit in enumerate(_WAYS)}
_NAMED = "|".join(f"(?P<{key}>{_WAYS[unit]})" for key, unit in _NAMES.items())
_BEHIND = re.compile(
    rf"\s*(?:{_NAMED})(?![a-zñ])(?P<raised>\s*\^\s*-?\d| (?:cuadrad|cubic)[a-z]*)?"
)
_MONEY = ("euro", "dollar", "pound", "yen", "yuan")
_BEFORE = re.compile(
    rf"(?<![a-z])(?:{'|'.join(f'(?P<{unit}>{_WAYS[unit]})' for unit in _MONEY)})\s*$"
)
_CURRENCY = re.compile(
    rf"(?<![a-z])(?:{'|'.join(f'(?P<{unit}>{_WAYS[unit]})' for unit in _MONEY)})(?![a-zñ])"
)
#: So many of another thing: no unit that may be left out.
MULTIPLES = frozenset(_TABLE["many"])
REACH = 12  # characters before a number that may hold its currency
RAISED = "raised"  # a unit to a power, which is none of these


@dataclass(frozen=True)
class Unit:
    """A unit of a number in a text: its name, "" where there is none, and where it ends."""

    name: str
    end: int


def unit_at(text: str, start: int, end: int) -> Unit:
    """The unit of the number at a place of a text in lower case."""
    if found := _BEHIND.match(text, end):
        said = next(key for key, way in found.groupdict().items() if way and key != "raised")
        return Unit(RAISED if found["raised"] else _NAMES[said], found.end())
    before = _BEFORE.search(text[max(0, start - REACH) : start])
    return Unit(before.lastgroup or "" if before else "", end)


def currencies(text: str) -> set[str]:
    """The currencies that a text in lower case names, wherever it does."""
    return {found.lastgroup or "" for found in _CURRENCY.finditer(text)}


def unit_named(name: str) -> str:
    """The unit that has a name; "" where none has, as sacks."""
    found = _BEHIND.fullmatch(name)
    return next((_NAMES[key] for key, way in found.groupdict().items() if way), "") if found else ""


def parts_of(unit: str, other: str) -> Decimal | None:
    """How much one of the other is of a unit, where both measure the same and it is smaller."""
    if not {unit, other} <= _SIZES.keys():
        return None
    (measured, size), (as_well, small) = _SIZES[unit], _SIZES[other]
    return small / size if measured == as_well and small < size else None


def is_unit(found: str, wanted: str | None) -> bool:
    """Whether a number with that unit may be an answer in the wanted one; None is not known."""
    if not found or found == wanted:
        return True
    return wanted is None and found not in MULTIPLES
