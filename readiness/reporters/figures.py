"""Figures as people read them."""

from __future__ import annotations

from readiness.evidence.run_folder import Record

LONGEST = 300  # Characters of a text of the endpoint's; the record has all of it.


def percent(rate: float, digits: int = 1) -> str:
    """A rate; one below 1 never reads as 100 %."""
    most = 100 if rate >= 1 else 100 - 10**-digits
    return f"{min(round(rate * 100, digits), most):g} %"


def seconds(value: float) -> str:
    """Seconds with three digits that count."""
    return f"{value:.3g} s" if value < 1000 else f"{value:,.0f} s"


def interval(check: Record) -> str:
    """The rates that a check's trials are compatible with."""
    return f"{percent(check['low'])} – {percent(check['high'])}"


def needs(check: Record) -> str:
    """The rate that a check requires."""
    return "every trial" if check["required"] == 1 else f"≥ {percent(check['required'])}"


def excerpt(text: object) -> str:
    """A text that may be long, cut."""
    whole = str(text)
    return whole if len(whole) <= LONGEST else f"{whole[:LONGEST]}…"
