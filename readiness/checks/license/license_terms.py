"""What a licence's name stands for: free, conditional, forbidden, or nothing that is known."""

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
#: A shorter name is a word that prose uses for more than the licence.
SHORTEST_SPELLING = 8  # letters
#: The categories of license-expression's index under which a business may use the work.
_FREE = ("Permissive", "Public Domain")


class Standing(IntEnum):
    """What a licence means to a business: each member is worse than those above it."""

    FREE = 0
    CONDITIONAL = 1
    UNKNOWN = 2
    FORBIDDEN = 3


@dataclass(frozen=True)
class Terms:
    """What a licence, or an expression of several, asks for.

    Args:
        names: The licences that it names.
        standing: What it means to a business.
        conditions: The ids of what one has to agree to.
        why: Why it is forbidden or unknown.
    """

    names: frozenset[str]
    standing: Standing
    conditions: frozenset[str] = frozenset()
    why: str = ""


def terms(said: str) -> Terms:
    """What a card, a header or a file means by the name or SPDX expression of a licence."""
    if known := named(said):
        return known
    try:
        expression = get_spdx_licensing().parse(said, validate=False, simple=True)
    except ExpressionError:
        return _unknown(said)
    return _unknown(said) if expression is None else _of(expression)


def named(said: str) -> Terms | None:
    """The licence of that name; None where no single one is meant that is known."""
    key = _key(said)
    name = _names().get(key)
    if name is None:
        if forbidding := [word for word in licenses()["forbidding"] if word in key]:
            why = f"{said!r:.60} says {forbidding[0]}"
            return Terms(frozenset({said}), Standing.FORBIDDEN, why=why)
        return None
    entry = licenses()["licenses"][name]
    if forbids := entry.get("forbids"):
        return Terms(frozenset({name}), Standing.FORBIDDEN, why=f"{name}: {forbids}")
    conditions = frozenset(entry.get("conditions", ()))
    standing = Standing.CONDITIONAL if conditions else Standing.FREE
    return Terms(frozenset({name}), standing, conditions)


def marked(text: str) -> str:
    """The licence whose mark a text has, the longest of them; "" where it has none."""
    said = _plain(text)
    found = {
        entry["mark"]: name
        for name, entry in licenses()["licenses"].items()
        if f" {entry.get('mark', chr(0))} " in said
    }
    return found[max(found, key=len)] if found else ""


def spellings(name: str) -> tuple[str, ...]:
    """How prose may spell a licence that is not free, letters and digits alone."""
    entry = licenses()["licenses"].get(name, {})
    spelt = (name, *entry.get("names", ()), entry.get("mark", "")) if len(entry) > 1 else ()
    return tuple(key for each in spelt if len(key := _key(each)) >= SHORTEST_SPELLING)


def all_of(several: Sequence[Terms]) -> Terms:
    """What holds where all of the licences do."""
    worst = max(several, key=lambda each: each.standing)
    return Terms(
        frozenset().union(*(each.names for each in several)),
        worst.standing,
        frozenset().union(*(each.conditions for each in several)),
        worst.why,
    )


def _any_of(several: Sequence[Terms]) -> Terms:
    """What holds where one may choose: the best, but all of the names."""
    best = min(several, key=lambda each: (each.standing, len(each.conditions)))
    names = frozenset().union(*(each.names for each in several))
    return Terms(names, best.standing, best.conditions, best.why)


def _of(expression: Any) -> Terms:
    """The terms of a parsed expression: a symbol, an AND or an OR."""
    if isinstance(expression, LicenseWithExceptionSymbol):
        return _of(expression.license_symbol)  # An exception only ever permits more.
    if isinstance(expression, LicenseSymbol):
        return named(expression.key) or _indexed(expression.key)
    parts = [_of(each) for each in expression.args]
    return all_of(parts) if expression.operator.strip() == "AND" else _any_of(parts)


def _indexed(key: str) -> Terms:
    """The terms of a licence that only the index knows."""
    spdx, category = _index().get(key.casefold(), ("", ""))
    if _SPDX_NC.search(key):
        name = spdx or key
        return Terms(frozenset({name}), Standing.FORBIDDEN, why=f"{name}: no commercial use")
    if category in _FREE:
        return Terms(frozenset({spdx}), Standing.FREE)
    if category.startswith("Copyleft"):
        return Terms(frozenset({spdx}), Standing.CONDITIONAL, frozenset({"copyleft"}))
    return _unknown(key)


def _unknown(said: str) -> Terms:
    name = said.strip()
    return Terms(frozenset({name}), Standing.UNKNOWN, why=f"{name!r:.60} is no licence known here")


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
