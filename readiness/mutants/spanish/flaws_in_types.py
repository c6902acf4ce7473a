"""Flaws of one type of answer in Spanish, too rare to fall below a rate, and harmless variants."""

from __future__ import annotations

import re
from collections.abc import Callable

from readiness.mutants.endpoint.request_form import Where, only, streamed
from readiness.mutants.flaw import Flaw
from readiness.mutants.spanish.flaws import Change, says
from readiness.mutants.spanish.reader import WEEKDAYS, SpanishQuestion

_DOES = "spanish.zero_shot_tasks"
_MARK = re.compile(r"(?<=\d)[.,](?=\d)")
_DAY = re.compile(r"\d+(?= de )")


def _shown(change: Callable[[str], str]) -> Change:
    """Change whatever is replied in Spanish."""

    def changed(_asked: SpanishQuestion, text: str) -> str:
        return change(text)

    return changed


def _next_day(text: str) -> str:
    if text.lower() in WEEKDAYS:
        return WEEKDAYS[(WEEKDAYS.index(text.lower()) + 1) % len(WEEKDAYS)]
    return _DAY.sub(lambda found: str(int(found[0]) % 28 + 1), text)


def _always(_request: object) -> bool:
    return True


_TYPES: list[tuple[str, str, str, Where, Callable[[str], str]]] = [
    (
        "spanish_streams_lose_decimal_mark",
        "in streams a mark between two figures is lost",
        _DOES,
        streamed,
        lambda text: _MARK.sub("", text),
    ),
    (
        "spanish_decimals_cut",
        "what follows a decimal mark is lost",
        _DOES,
        _always,
        lambda text: re.sub(r"(?<=\d)[.,]\d+", "", text),
    ),
    ("spanish_days_wrong", "days and dates are a day late", _DOES, _always, _next_day),
    (
        "spanish_streams_have_points",
        "in streams a point parts decimals",
        "",
        streamed,
        lambda text: _MARK.sub(".", text),
    ),
    (
        "spanish_article_before_dates",
        "a date may have its article",
        "",
        _always,
        lambda text: f"el {text}" if _DAY.match(text) else text,
    ),
]
FLAWS = [
    Flaw(name, about, check, change_output=only(where, says(_shown(change))))
    for name, about, check, where, change in _TYPES
]
