"""Values as they are written: one form for each, whichever way a text has it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal

from readiness.scoring.numerals import in_digits, plain

WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_NAMES = (
    "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug"
    "|september sept sep|october oct|november nov|december dec"
)
_MONTHS = {
    name: month for month, names in enumerate(_NAMES.split("|"), 1) for name in names.split()
}
_MONTH = rf"(?P<name>{'|'.join(_MONTHS)})\b\.?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?(?!\d)"
_YEAR = r"(?P<y>\d{4})(?!\d)"
_DATES = [
    re.compile(rf"(?<![\d.]){each}")
    for each in (
        r"(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})(?![\d.-]\d|\d)",
        r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})(?!\d)",
        r"(?<![a-z\d.,:/-])(?P<m>[01]\d)-(?P<d>[0-3]\d)(?![\w:/-])(?!\.\d)",
        r"(?:(?P<y>\d{4}) ?年 ?)?(?P<m>\d{1,2}) ?月 ?(?P<d>\d{1,2}) ?[日号]",
        rf"{_DAY} (?:of )?{_MONTH}(?:,? {_YEAR})?",
        rf"(?<![a-z]){_MONTH} {_DAY}(?:,? {_YEAR})?",
    )
]
_AT = r"(?P<of>凌晨|早上|上午|中午|下午|傍晚|晚上)? ?(?<!\d)(?P<h>\d{1,2})"
_TIMES = [
    re.compile(each)
    for each in (
        rf"{_AT}:(?P<m>\d\d)(?::\d\d)?(?![\d:])(?: ?(?P<half>[ap])\.?m\b\.?)?",
        r"(?<![\d:.])(?P<of>)(?P<h>\d{1,2})(?P<m>) ?(?P<half>[ap])\.?m\b\.?",
        rf"{_AT}[点时](?P<m>\d{{1,2}}分?|半|[13]刻|整)(?P<half>)",
    )
]
_MINUTES = {"": 0, "半": 30, "1刻": 15, "3刻": 45, "整": 0}
# Possessive, as all runs of digits here: a reply may repeat one for thousands of characters.
_NUMBER = r"-?\d++(?:\.\d++)?+"
#: Units and currencies, each with the other ways to write it after a number.
_UNITS = {
    "cny": "元人民币|人民币|元|块钱?|rmb|yuan",
    "eur": "欧元|€|euros?",
    "usd": r"美元|美金|\$|(?:us )?dollars?",
    "gbp": "英镑|£|pounds? sterling",
    "jpy": "日元|円|yen",
    "kg": "公斤|千克|kilograms?|kilos?",
    "g": "克|grams?",
    "km": "公里|千米|kilomet(?:er|re)s?",
    "min": "分钟|minutes?|mins?",
    "h": "个?小时|hours?",
    "days": "天|day",
    "people": "人|名|位|persons?",
    "gb": "gigabytes?",
    "mb": "megabytes?",
    "ms": "毫秒|milliseconds?",
    "%": " percent|百分点",
}
_BEFORE = {
    "cny": r"¥|rmb|cny|人民币",
    "eur": "€|eur|欧元",
    "usd": r"(?:us)?\$|usd|美元",
    "gbp": "£|gbp",
    "jpy": "jpy",
}
_NAMES_OF = {f"u{at}": name for at, name in enumerate(_UNITS)}
_BEHIND = re.compile(
    rf"(?<![a-z0-9.-])(?P<n>{_NUMBER}) ?(?:"
    + "|".join(rf"(?P<{key}>{_UNITS[name]}|{name})" for key, name in _NAMES_OF.items())
    + rf")(?![a-z点]|(?<=[{WIDE}])[们员])"
)
_IN_FRONT = re.compile(
    "(?<![a-z])(?:"
    + "|".join(f"(?P<u{at}>{ways})" for at, ways in enumerate(_BEFORE.values()))
    + rf") ?(?P<n>{_NUMBER})(?! ?(?:{'|'.join(_UNITS[name] for name in _BEFORE)}))"
)
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:[,']\d{3})+(?![\d,]\d|\d)")
_SPACED = re.compile(r"(?<![a-z\d.,:/-])(?<!\d )\d{1,3}(?: \d{3})+(?![\d:/-])(?![ .,]\d)")
# Before a decimal comma, or in an amount of euros, which has no three decimals.
_CONTINENTAL = re.compile(
    r"(?<![\d.,])\d{1,3}(?:\.\d{3})+(?:,\d{1,2}(?!\d)|(?= ?(?:€|euros?\b|eur\b|欧元))"
    r"|(?<=€.....)(?!\d))"
)
_DECIMAL = re.compile(r"(?<![a-z0-9_.])\d++\.\d++(?![a-z_]|\.\d)")
_ISO = r"(?:\d{4}|-)-\d\d-\d\d|\d\d:\d\d"
_TOKEN = re.compile(
    rf"{_ISO}|(?<![a-z0-9_.)-])-?\d++(?:\.\d++)*+%?+(?![a-z])|\d++(?:\.\d++)*+%?+(?![a-z])"
    rf"|(?:(?![{WIDE}])\w)++(?:\.\d++)*+|[{WIDE}]++"
)


def normalise(text: str) -> str:
    """One form of a text for all the ways to write it.

    Lower case, half width, no punctuation; numbers in plain digits, units after them; dates as
    2027-03-05, or --03-05 without a year; times as 15:20; codes as inv4821k.
    """
    text = " ".join(_TOKEN.findall(in_one_form(text)))
    return re.sub(rf"(?<=[{WIDE}]) (?=[{WIDE}])", "", text)


def in_one_form(text: str) -> str:
    """The same, with its punctuation."""
    text = _SPACED.sub(lambda found: found[0].replace(" ", ""), _folded(text))
    text = _CONTINENTAL.sub(lambda found: found[0].replace(".", "").replace(",", "."), text)
    text = _THOUSANDS.sub(lambda found: re.sub("[,']", "", found[0]), text)
    text = re.sub(rf"百分之 ?({_NUMBER})", r"\1%", in_digits(text))
    for pattern in _DATES:
        text = pattern.sub(_iso_date, text)
    for pattern in _TIMES:
        text = pattern.sub(_iso_time, text)
    text = _DECIMAL.sub(lambda found: plain(Decimal(found[0])), text)
    text = _BEHIND.sub(_with_unit, _IN_FRONT.sub(_with_unit, text))
    return re.sub(r"(?<=[a-z])[-_](?=[a-z\d])|(?<=\d)[-_](?=[a-z])", "", text)


def numbers(text: str) -> list[str]:
    """The numbers of a text in plain digits, apart from those in dates, times and codes."""
    return [each.rstrip("%") for each in normalise(text).split() if _is_number(each)]


def dates(text: str) -> list[str]:
    """The dates of a text: 2027-03-05, or --03-05 where it names no year."""
    return re.findall(r"(?<!\S)(?:\d{4}|-)-\d\d-\d\d(?!\S)", normalise(text))


def holds(text: str, value: str) -> bool:
    """Whether a normalised text has a normalised value in it, and not as part of another."""
    return bool(value) and bool(pattern_of(value).search(text))


def pattern_of(value: str) -> re.Pattern[str]:
    """What finds a normalised value in a normalised text."""
    start = "(?<![a-z0-9.:-])" if value[0].isascii() else ""
    end = r"(?![a-z0-9:%]|\.\d|-\d)" if value[-1].isascii() else ""
    return re.compile(start + re.escape(value) + end)


_is_number: Callable[[str], object] = re.compile(rf"{_NUMBER}%?").fullmatch


def _folded(text: str) -> str:
    # Between digits of full width their comma parts thousands; after others it ends a clause.
    text = re.sub("(?<=[０-９])，(?=[０-９]{3})", ",", text).replace("，", "、")
    text = re.sub("(?<=[0-9])[\u00a0\u2009\u202f](?=[0-9]{3}(?![0-9]))", "", text)
    text = unicodedata.normalize("NFKC", text.replace("\u2212", "-").replace("’", "'"))
    return " ".join(text.casefold().split())


def _with_unit(found: re.Match[str]) -> str:
    """A number with its unit behind it; the currencies are the first of the units."""
    groups = found.groupdict().items()
    unit = next(_NAMES_OF[key] for key, said in groups if said and key != "n")
    return found["n"] + (f"{unit} " if unit == "%" else f" {unit} ")


def _iso_date(found: re.Match[str]) -> str:
    parts = found.groupdict()
    month = _MONTHS[parts["name"]] if parts.get("name") else int(parts["m"])
    day, year = int(parts["d"]), parts.get("y")
    if found[0].count("/") == 2 and found[0].endswith(str(year)):
        # Of 3/17/2027 and 17/3/2027 each has one reading, of 3/5/2027 nobody knows which.
        month, day = (day, month) if month > 12 else (month, day)
        if day <= 12 and day != month:
            return found[0]
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return found[0]
    return f" {year or '-'}-{month:02}-{day:02} "


def _iso_time(found: re.Match[str]) -> str:
    hour, minutes = int(found["h"]), found["m"].rstrip("分")
    minute = _MINUTES[minutes] if minutes in _MINUTES else int(minutes)
    late = found["of"] in ("下午", "傍晚", "晚上") or found["half"] == "p"
    hour = hour + 12 if late and hour < 12 else hour
    hour = 0 if hour == 12 and found["half"] == "a" else hour
    return f" {hour:02}:{minute:02} " if hour < 24 and minute < 60 else found[0]
