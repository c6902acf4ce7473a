"""The terms of a licence by its name: free, conditional, forbidden, or unknown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any

from license_expression import (
    ExpressionError,
    LicenseSymbol,
    LicenseWithExceptionSymbol,
    get_license_index,
    get_spdx_licensing,
)

from readiness.resources import licenses

_WORD = re.compile(r"[^\W_]+")
_SPDX_NC = re.compile(r"CC-BY-NC", re.IGNORECASE)
#: A shorter name is a common word in prose.
MIN_SPELLING = 8  # letters
#: The categories of license-expression's index that permit commercial use.
_FREE = ("Permissive", "Public Domain")


class LicensePermission(IntEnum):
    """Whether a licence permits commercial use, from best to worst."""

    FREE = 0
    CONDITIONAL = 1
    UNKNOWN = 2
    FORBIDDEN = 3


@dataclass(frozen=True)
class LicenseTerms:
    """The terms of a licence, or of an expression of several.

    Args:
        names: The licences that it names.
        permission: Whether it permits commercial use.
        conditions: The ids of its conditions.
        why: Why it is forbidden or unknown.
    """

    names: frozenset[str]
    permission: LicensePermission
    conditions: frozenset[str] = frozenset()
    why: str = ""


def terms(expression: str) -> LicenseTerms:
    """The terms of a licence's name or SPDX expression."""
    if known := named(expression):
        return known
    try:
        parsed = get_spdx_licensing().parse(expression, validate=False, simple=True)
    except ExpressionError:
        return _unknown(expression)
    return _unknown(expression) if parsed is None else _of(parsed)


def named(said: str) -> LicenseTerms | None:
    """The terms of a single known licence by its name; None if it is no such name."""
    key = _key(said)
    name = _names().get(key)
    if name is None:
        if forbidding := [word for word in licenses()["forbidding"] if word in key]:
            why = f"{said!r:.60} says {forbidding[0]}"
            return LicenseTerms(frozenset({said}), LicensePermission.FORBIDDEN, why=why)
        return None
    entry = licenses()["licenses"][name]
    if forbids := entry.get("forbids"):
        return LicenseTerms(
            frozenset({name}), LicensePermission.FORBIDDEN, why=f"{name}: {forbids}"
        )
    conditions = frozenset(entry.get("conditions", ()))
    permission = LicensePermission.CONDITIONAL if conditions else LicensePermission.FREE
    return LicenseTerms(frozenset({name}), permission, conditions)


def marked(text: str) -> str:
    """The licence whose distinctive phrase a text contains, the longest first; "" if none."""
    plain = _plain(text)
    found = {
        entry["mark"]: name
        for name, entry in licenses()["licenses"].items()
        if f" {entry.get('mark', chr(0))} " in plain
    }
    return found[max(found, key=len)] if found else ""


def spellings(name: str) -> tuple[str, ...]:
    """The spellings of a licence that is not free, as letters and digits only."""
    entry = licenses()["licenses"].get(name, {})
    names = (name, *entry.get("names", ()), entry.get("mark", "")) if len(entry) > 1 else ()
    return tuple(key for each in names if len(key := _key(each)) >= MIN_SPELLING)


def combined_terms(several: Sequence[LicenseTerms]) -> LicenseTerms:
    """The terms where all of the licences apply (AND)."""
    worst = max(several, key=lambda each: each.permission)
    return LicenseTerms(
        frozenset().union(*(each.names for each in several)),
        worst.permission,
        frozenset().union(*(each.conditions for each in several)),
        worst.why,
    )


def _any_of(several: Sequence[LicenseTerms]) -> LicenseTerms:
    """The terms where one may choose (OR): the best permission, and all names."""
    best = min(several, key=lambda each: (each.permission, len(each.conditions)))
    names = frozenset().union(*(each.names for each in several))
    return LicenseTerms(names, best.permission, best.conditions, best.why)


def _of(expression: Any) -> LicenseTerms:
    """The terms of a parsed expression: a symbol, an AND or an OR."""
    if isinstance(expression, LicenseWithExceptionSymbol):
        return _of(expression.license_symbol)  # An exception only grants more.
    if isinstance(expression, LicenseSymbol):
        return named(expression.key) or _indexed(expression.key)
    parts = [_of(each) for each in expression.args]
    return combined_terms(parts) if expression.operator.strip() == "AND" else _any_of(parts)


def _indexed(key: str) -> LicenseTerms:
    """The terms of a licence by its category in the index."""
    spdx, category = _index().get(key.casefold(), ("", ""))
    if _SPDX_NC.search(key):
        name = spdx or key
        return LicenseTerms(
            frozenset({name}), LicensePermission.FORBIDDEN, why=f"{name}: no commercial use"
        )
    if category in _FREE:
        return LicenseTerms(frozenset({spdx}), LicensePermission.FREE)
    if category.startswith("Copyleft"):
        return LicenseTerms(
            frozenset({spdx}), LicensePermission.CONDITIONAL, frozenset({"copyleft"})
        )
    return _unknown(key)


def _unknown(said: str) -> LicenseTerms:
    name = said.strip()
    return LicenseTerms(
        frozenset({name}), LicensePermission.UNKNOWN, why=f"{name!r:.60} is no known licence"
    )


@cache
def _index() -> dict[str, tuple[str, str]]:
    """The SPDX spelling and the category of each licence, by any of its keys in lower case."""
    return {
        str(key).casefold(): (each["spdx_license_key"], each.get("category") or "")
        for each in get_license_index()
        if not each.get("is_deprecated") and each.get("spdx_license_key")
        for key in (each["spdx_license_key"], *each.get("other_spdx_license_keys", ()))
    }


@cache
def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, entry in licenses()["licenses"].items():
        found |= {_key(each): name for each in (name, *entry.get("names", ()))}
    return found


def _plain(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.casefold())
