"""The values that a line of Spanish states: numbers, days, codes and telephone numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise, product

from readiness.checks.spanish.numerals import WORDED, in_figures, in_words
from readiness.checks.spanish.prompt_wording import ENGLISH, SPANISH, table
from readiness.scoring.units import parts_of, unit_at


@dataclass(frozen=True)
class Stated:
    """A value that a text states.

    Args:
        meant: All that it may mean: 1.250 is 1250 in Spain, and not quite in Mexico.
        start: Where it begins.
        end: Where it ends.
        written: How it is written.
        unit: What a number counts (`readiness.scoring.units`); "" where it says nothing.
    """

    meant: Collection[object]
    start: int
    end: int
    written: str
    unit: str = ""


#: The values that a line in lower case states, of the form that an answer has.
Reader = Callable[[str], list[Stated]]


# The tilde of ñ is no accent: año and ano are two words.
_ACCENTS = re.compile("(?<![nN])[\u0300\u0301\u0308]|(?<=[nN])[\u0300\u0301\u0308]")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_LATEX = re.compile(r"\\(?:boxed|text|mathrm|mathbf|,|;|!| |\(|\)|\[|\])|\$\$")
_FORMULA = re.compile(r"\$([^$]*)\$")


def simplified(text: str) -> str:
    """A line in lower case and half width, without accents, markup and marks of quotation."""
    text = re.sub(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}", r" \1/\2 ", text)
    text = re.sub(r"^\s*>\s+", "", text)
    text = _FORMULA.sub(r" \1 ", _LATEX.sub(" ", text)).replace("\\%", "%").replace("’", "'")
    text = re.sub(r"\\(?:times|cdot)", "×", re.sub("~~(.+?)~~", r"(antes \1)", text))
    text = re.sub("[{}]", "", text)
    text = re.sub("[⁰¹²³⁴-⁹⁻]+", lambda found: "^" + found[0].translate(_RAISED), text)
    text = re.sub("[½¼¾]", lambda found: f" {unicodedata.normalize('NFKC', found[0])} ", text)
    text = unicodedata.normalize("NFKC", _DASHES.sub("-", text)).replace("\u2044", "/").casefold()
    text = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))
    return " ".join(re.sub('["“”«»*_`]', " ", text).split())


# Numbers

_DIGITS = r"(?:\d{1,3}(?:[ ']\d{3})+(?:[.,]\d+)?|\d+'\d{1,2}|\d+(?:[.,]\d+)*)(?!\d)"
_NUMBER = re.compile(
    rf"(?P<minus>(?<!\d )(?<!\bo )\bmenos |(?<![\w)])(?<![\d)] )-)?"
    rf"(?P<plain>(?<![\w/^])(?:{_DIGITS}|{WORDED})"
    rf"(?: (?:coma|punto|con) (?:\d+|{WORDED}))?(?: y (?:media|medio|cuarto)\b)?)"
    r"(?:(?P<over>(?: \d+)? ?/ ?\d+)|(?P<power> ?[x×*·] ?10 ?\^? ?-?\d+|e[+-]?\d+)"
    r"|(?P<scale> ?(?:mil|millon|millones|k)\b))?"
    r"(?P<share> ?%| por ciento)?"
)
LONGEST_UNIT = 24  # letters
_SCALES = {"mil": 1000, "k": 1000, "millon": 10**6, "millones": 10**6}
_PLAIN = re.compile(r"(?P<whole>\d+)(?:(?:[.,]|'(?!\d{3}))(?P<part>\d+))?")
_PARTED = re.compile(
    r"(?P<whole>\d{1,3}(?P<by>[., '])\d{3}(?:(?P=by)\d{3})*)(?:[.,](?P<part>\d+))?"
)
_STEP = re.compile(r"(?:\d{1,2}[.)]|[-•]|paso \d+ ?:) (?=.*\d)")
_OPERATOR = re.compile(r"[+×*÷·/-]|\b(?:x|mas|menos|por|entre)\b")
_RESULT = re.compile(r"=|\b(?:son|es|da|dan|suman|hacen|igual a|equivalen? a|quedan?)\b")


def numbers(line: str, *, share: bool) -> list[Stated]:
    """The numbers that a line states, and not what it has reckoned them from."""
    step = _STEP.match(line)
    found = [*_NUMBER.finditer(line, step.end() if step else 0)]
    amounts = [each for each in found if not each["share"]] or (found if share else [])
    lost = [] if amounts or not found else [Stated((), *found[0].span(), found[0][0])]
    read = [
        Stated(_readings(e), *e.span(), e["plain"], "percent" if e["share"] else "")
        for e in amounts
    ]
    return lost or _results(line, _in_parts([_measured(line, each) for each in read], line))


_AND_HALF = re.compile(r" y (?P<of>medi[oa]|cuarto)\b")
_SHARES = {"medio": Decimal("0.5"), "media": Decimal("0.5"), "cuarto": Decimal("0.25")}


def _measured(line: str, stated: Stated) -> Stated:
    """A number with its unit, and with the half of one: 2 minutos y medio."""
    unit = unit_at(line, stated.start, stated.end)
    half = _AND_HALF.match(line, unit.end) if unit.name and unit.end > stated.end else None
    if not half:
        return replace(stated, unit=stated.unit or unit.name)
    meant = {each + _SHARES[half["of"]] for each in stated.meant if isinstance(each, Decimal)}
    return replace(stated, meant=meant, end=half.end(), unit=unit.name)


def _in_parts(stated: list[Stated], line: str) -> list[Stated]:
    """Numbers of which some are told in two units: 94 euros con 60 centimos."""
    joined: list[Stated] = []
    for each in stated:
        last = joined[-1] if joined else None
        part = parts_of(last.unit, each.unit) if last else None
        if (
            last
            and part
            and _AND.fullmatch(line[unit_at(line, last.start, last.end).end : each.start])
        ):
            sums = product(last.meant, each.meant)
            meant = {
                a + b * part for a, b in sums if isinstance(a, Decimal) and isinstance(b, Decimal)
            }
            end = unit_at(line, each.start, each.end).end
            joined[-1] = replace(last, meant=meant, end=end, written=line[last.start : end])
        else:
            joined.append(each)
    return joined


_AND = re.compile(r"[ ,]*(?:y|con)? ?")


def _results(line: str, stated: list[Stated]) -> list[Stated]:
    """Of 800 + 450 = 1250 the sum alone, of 2500 g = 2,5 kg the kilograms; of others all."""
    sides = [stated[:1]]
    reckoned = [False]
    for one, other in pairwise(stated):
        between = line[one.end : other.start]
        result = _RESULT.search(between)
        before = between[: result.start()] if result else between
        reckoned[-1] |= bool(_OPERATOR.search(before))
        if result:
            reckoned[-1] |= _is_converted(before, line[other.end : other.end + LONGEST_UNIT])
            sides.append([])
            reckoned.append(False)
        sides[-1].append(other)
    kept = [each for side, by in zip(sides, reckoned, strict=True) if not by for each in side]
    return kept or stated


def _is_converted(before: str, behind: str) -> bool:
    """Whether a number has a unit behind it, and nothing else, and the next has another one."""
    unit, other = (re.match(r" ?([a-z]+)\b", each) for each in (before, behind))
    alone = unit and not before[unit.end() :].strip(" .")
    return bool(alone and unit and other and unit[1] != other[1])


def _readings(found: re.Match[str]) -> set[Decimal]:
    """What a number may mean."""
    text = in_figures(found["plain"])
    written = [form.fullmatch(text) for form in (_PLAIN, _PARTED)]
    values = {
        Decimal(f"{re.sub('[^0-9]', '', each['whole'])}.{each['part'] or 0}")
        for each in written
        if each
    }
    return {_scaled(value, found) for value in values}


def _scaled(value: Decimal, found: re.Match[str]) -> Decimal:
    if over := found["over"]:
        *parts, below = map(Decimal, re.findall(r"\d+", over))
        value = value + parts[0] / (below or 1) if parts else value / (below or 1)
    if power := found["power"]:
        value = value.scaleb(int(re.findall(r"-?\d+", power)[-1][-3:]))
    value *= _SCALES.get((found["scale"] or "").strip(), 1)
    return -value if found["minus"] else value


# Days


@dataclass(frozen=True)
class Day:
    """A day of the year, with its year and its weekday where they are told."""

    month: int
    day: int
    year: int = 0
    weekday: str = ""

    def is_part_of(self, other: object) -> bool:
        """Whether all that is told of it holds of another day, whose year may be known."""
        if not isinstance(other, Day) or (self.month, self.day) != (other.month, other.day):
            return False
        if self.year and other.year and self.year != other.year:
            return False
        return not (self.weekday and other.year) or self.weekday == other.name

    @property
    def name(self) -> str:
        """The weekday, which follows from the year."""
        return WEEKDAYS[SPANISH][date(self.year, self.month, self.day).weekday()]


WEEKDAYS = {of: [simplified(each) for each in table("weekdays", of)] for of in (SPANISH, ENGLISH)}
_MONTHS = {simplified(name): at for at, name in enumerate(table("months"), 1)} | {"setiembre": 9}
_MONTHS |= {name[:3]: at for name, at in _MONTHS.items()}
_MONTH = rf"(?P<m>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_YEAR = r"(?:,? (?:de |del )?(?P<y>\d{4}))?(?!\d)"
_NAMED = rf"(?:(?P<w>{'|'.join(WEEKDAYS[SPANISH])}),? (?:el )?)?(?:dia )?"
_DAYS = "|".join(simplified(in_words(day)) for day in range(31, 0, -1))
DAY_OF_MONTH = rf"{_NAMED}\b(?P<d>1\.?[o°]|primero|\d\d?|{_DAYS})(?: (?:de )?|[-/])?{_MONTH}{_YEAR}"
_DATES = [
    re.compile(each)
    for each in (
        r"(?<!\d)(?P<y>\d{4})([-/.])(?P<m>\d\d?)\2(?P<d>\d\d?)(?!\d)",
        DAY_OF_MONTH,
        rf"{_NAMED}{_MONTH} (?P<d>\d\d?)\b{_YEAR}",
        r"(?<![\d/.-])(?P<d>\d\d?)([-/.])(?P<m>\d\d?)(?:\2(?P<y>\d{4}|\d\d))?(?![\d/-])",
    )
]


def dates(line: str) -> list[Stated]:
    """The days that a line names."""
    found: dict[int, Stated] = {}
    for pattern in _DATES:
        for each in pattern.finditer(line):
            # A date begins where it ends only once: of 5.3.2027 the end is no date of its own.
            found.setdefault(each.end(), Stated((_day(each),), *each.span(), each[0]))
    return sorted(found.values(), key=lambda each: each.start)


def _day(found: re.Match[str]) -> Day:
    parts = found.groupdict()
    written = "1" if parts["d"][0] == "p" or parts["d"][1:] in ("o", "°", ".o") else parts["d"]
    number = in_figures(written)
    month = _MONTHS.get(parts["m"]) or int(parts["m"])
    day = int(number) if number.isdecimal() else 0
    year = int(parts["y"] or 0)
    return Day(month, day, year + 2000 * (0 < year < 100), parts.get("w") or "")


def weekdays(line: str, *, names: Sequence[str]) -> list[Stated]:
    """The weekdays that a line names."""
    found = re.finditer(rf"\b(?:{'|'.join(names)})\b", line)
    return [Stated((each[0],), *each.span(), each[0]) for each in found]


# Codes and telephone numbers


def codes(line: str, *, prefix: str) -> list[Stated]:
    """The codes that a line names, with their letters or by their digits alone."""
    pattern = rf"(?<![\w-])(?:(?P<by>[a-z]{{1,4}}) ?- ?|{prefix} ?)?(?P<n>\d{{3,}})(?!\w|-\w)"
    return [
        Stated((f"{each['by'] or prefix}-{each['n']}",), *each.span(), each[0])
        for each in re.finditer(pattern, line)
    ]


def phones(line: str, *, digits: int) -> list[Stated]:
    """The telephone numbers that a line names, however they are grouped; +34 is of Spain."""
    return [
        Stated((_national(each[0], digits),), *each.span(), each[0])
        for each in re.finditer(r"[+(]*\d(?:[\d ().+-]*\d)?(?!\w)", line)
    ]


def _national(written: str, digits: int) -> str:
    number = re.sub(r"\D", "", written)
    abroad = re.match("(?:00)?34", number)
    return number[abroad.end() :] if abroad and len(number) - abroad.end() == digits else number
