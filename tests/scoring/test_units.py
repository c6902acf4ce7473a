"""Units behind and before a number, and what they measure."""

from __future__ import annotations

from decimal import Decimal

import pytest

from readiness.scoring.units import (
    RAISED,
    Unit,
    currencies,
    is_unit,
    parts_of,
    unit_at,
    unit_named,
)


def unit_of(text: str, number: str = "48") -> Unit:
    """The unit of a number in a text."""
    start = text.index(number)
    return unit_at(text, start, start + len(number))


@pytest.mark.parametrize(
    ("text", "name", "behind"),
    [
        ("48 euros mas", "euro", " mas"),
        ("48€", "euro", ""),
        ("48 kg", "kilogram", ""),
        ("48分钟", "minute", ""),
        ("48 m^2 mas", RAISED, " mas"),
        ("48 metros cuadrados", RAISED, ""),
        ("$48", "dollar", ""),
        ("us$ 48", "dollar", ""),
        ("the price in euros: 48", "", ""),
        ("ausd 48", "", ""),
        ("$48 euros", "euro", ""),
        ("48 gatos", "", " gatos"),
        ("48", "", ""),
    ],
)
def test_a_unit_stands_behind_its_number_or_a_currency_before_it(
    text: str, name: str, behind: str
) -> None:
    found = unit_of(text)
    assert (found.name, text[found.end :]) == (name, behind)


def test_a_currency_stands_next_to_its_number() -> None:
    assert unit_of("euros" + " " * 7 + "48").name == "euro"
    assert unit_of("euros 7 48").name == ""


def test_the_currencies_of_a_text_are_found_wherever_they_stand() -> None:
    assert currencies("48 euros or $50, in yuan") == {"euro", "dollar", "yuan"}
    assert currencies("48 dollarized europeans") == set()


@pytest.mark.parametrize(
    ("name", "unit"), [("kilos", "kilogram"), ("€", "euro"), ("sacks", ""), ("kilos of", "")]
)
def test_a_name_is_of_a_unit_or_of_none(name: str, unit: str) -> None:
    assert unit_named(name) == unit


@pytest.mark.parametrize(
    ("unit", "other", "parts"),
    [
        ("euro", "cent", Decimal("0.01")),
        ("hour", "minute", Decimal(60) / Decimal(3600)),
        ("kilogram", "gram", Decimal("0.001")),
        ("cent", "euro", None),
        ("euro", "euro", None),
        ("euro", "minute", None),
        ("", "", None),
        ("", "cent", None),
        ("euro", "", None),
        ("sacks", "cent", None),
    ],
)
def test_a_smaller_unit_is_part_of_one_that_measures_the_same(
    unit: str, other: str, parts: Decimal | None
) -> None:
    assert parts_of(unit, other) == parts


@pytest.mark.parametrize(
    ("found", "wanted", "may_be"),
    [
        ("", "euro", True),
        ("euro", "euro", True),
        ("dollar", "euro", False),
        ("dollar", "", False),
        ("dollar", None, True),
        ("dozen", None, False),
        ("dozen", "dozen", True),
        ("", None, True),
    ],
)
def test_a_number_may_leave_out_its_unit_and_may_have_no_other(
    found: str, wanted: str | None, may_be: bool
) -> None:
    assert is_unit(found, wanted) is may_be
