"""The figures of a record: its charts, the steps of its load tests, and how numbers are written."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from readiness.evidence.run_folder import Record
from readiness.reporters import baseline_table

#: Where an axis of rates may begin: most rates crowd at its end.
BEGINNINGS = (0.9, 0.8, 0.5, 0.0)
BINS = 40
FEWEST_FOR_P95, FEWEST_FOR_P99 = 20, 100
LEVELS = 5


@dataclass(frozen=True)
class Bar:
    """An interval against its requirement; places are shares of the axis, from 0 to 1."""

    begins: float
    low: float
    high: float
    value: float
    shown: float
    needed: float
    allowed: float
    before: float | None  # The baseline's rate.


def bar(check: Record, compared: Record | None = None) -> Bar:
    """The bar of a check that was tried, and what its baseline showed where there is one."""
    allowed = check["required"] if check["required"] == 1 else check["required"] - check["margin"]
    before = baseline_table.rate(check, compared) if compared else None
    least = min(check["low"], check["at_least"], allowed, 1 if before is None else before)
    begins = next(each for each in BEGINNINGS if each <= least)

    def place(rate: float) -> float:
        return (rate - begins) / (1 - begins)

    return Bar(
        begins,
        low=place(check["low"]),
        high=place(check["high"]),
        value=place(check["passed"] / check["made"]),
        shown=place(check["at_least"]),
        needed=place(check["required"]),
        allowed=place(allowed),
        before=None if before is None else place(before),
    )


@dataclass(frozen=True)
class Slice:
    """How many trials of a check passed, by the values of one label."""

    check: str
    label: str
    parts: Sequence[tuple[str, int, int]]  # The value, how many passed, and of how many.


def slices(check: Record) -> list[Slice]:
    """What a check shows under each label that tells its trials apart, where not all passed."""
    return [
        Slice(
            check["id"],
            label,
            [
                (value, parts[value]["passed"], parts[value]["trials"])
                for value in sorted(parts, key=_natural)
            ],
        )
        for label, parts in check["slices"].items()
        if len(parts) > 1 and check["passed"] < check["trials"]
    ]


def _natural(text: str) -> list[tuple[bool, float, str]]:
    """By the numbers in a text, as in 6-10 before 11-20."""
    parts = re.split(r"([0-9]+)", text)
    return [(each.isdecimal(), float(each) if each.isdecimal() else 0.0, each) for each in parts]


@dataclass(frozen=True)
class Grid:
    """What was found at each length and depth."""

    check: str
    depths: Sequence[float]
    rows: Sequence[tuple[float, Sequence[tuple[float, int] | None]]]  # Found, of how many.


def grid(check: Record) -> Grid | None:
    """The grid of a check that has looked for things at lengths and depths."""
    cells: dict[tuple[float, float], list[float]] = {}
    for measure in check["measures"]:
        if measure["name"] == "found" and {"length", "depth"} <= measure["at"].keys():
            place = float(measure["at"]["length"]), float(measure["at"]["depth"])
            cells.setdefault(place, []).append(measure["value"])
    if not cells:
        return None
    lengths, depths = ({place[axis] for place in cells} for axis in (0, 1))
    across = sorted(depths)
    rows = [
        (length, [_cell(cells.get((length, depth))) for depth in across])
        for length in sorted(lengths, reverse=True)
    ]
    return Grid(check["id"], across, rows)


def _cell(found: Sequence[float] | None) -> tuple[float, int] | None:
    return (sum(found), len(found)) if found else None


def level(found: float, of: int) -> int:
    """A share as one of a few levels; the highest is all, the lowest nothing."""
    share = max(0.0, min(1.0, found / of))
    return LEVELS - 1 if share == 1 else min(ceil(share * (LEVELS - 2)), LEVELS - 2)


@dataclass(frozen=True)
class Spread:
    """How long something took: a histogram, and the order statistics that n allows."""

    check: str
    name: str
    seconds: Sequence[float]

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.seconds)

    @property
    def top(self) -> tuple[str, float]:
        """The highest percentile that so many figures can tell, by its word, and its value."""
        n = len(self.seconds)
        if n < FEWEST_FOR_P95:
            return "greatest", max(self.seconds)
        name, share = ("p99", 0.99) if n >= FEWEST_FOR_P99 else ("p95", 0.95)
        return name, sorted(self.seconds)[ceil(share * n) - 1]

    @property
    def bins(self) -> list[tuple[int, float]]:
        """The bins that are not empty: which, and how high beside the highest."""
        end = max(self.seconds) or 1.0
        counts = [0] * BINS
        for each in self.seconds:
            counts[min(int(each / end * BINS), BINS - 1)] += 1
        return [(place, count / max(counts)) for place, count in enumerate(counts) if count]


def spreads(check: Record) -> Iterator[Spread]:
    """What a check has timed, apart by the conditions that it was timed under."""
    groups: dict[str, list[float]] = {}
    for measure in check["measures"]:
        if measure["unit"] == "s" and measure["value"] >= 0 and "of" not in measure:
            groups.setdefault(_under(measure), []).append(measure["value"])
    return (Spread(check["id"], name, groups[name]) for name in sorted(groups, key=_natural))


def _under(measure: Record) -> str:
    conditions: Iterable[tuple[str, Any]] = measure["at"].items()
    said = (f"{key} {_figure(value)}" for key, value in conditions)
    return " · ".join([measure["name"], *said])


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.15g}"


#: The columns of the steps of load tests, by what the page calls them, and what each shows; times
#: are in seconds.
LOAD_COLUMNS = {
    "load_requests": "requests",
    "load_errors": "error rate at most",
    "load_throughput": "throughput",
    "load_first_p50": "time to first token p50",
    "load_first_p95": "time to first token p95",
    "load_end_p50": "end to end p50",
    "load_end_p95": "end to end p95",
}
UNKNOWN = "–"


@dataclass(frozen=True)
class StepRow:
    """One step of a load test: what it was, and a figure for each column."""

    name: str
    figures: Sequence[str]


def load_steps(checks: Iterable[Record]) -> list[StepRow]:
    """The steps of load tests that checks have made, each once."""
    return list(dict.fromkeys(step for check in checks for step in _steps(check)))


def _steps(check: Record) -> Iterator[StepRow]:
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for measure in check["measures"]:
        if "scenario" in measure["at"]:
            place = (measure["probe"], *map(str, measure["at"].values()))
            found.setdefault(place, {"at": measure["at"]})[measure["name"]] = measure["value"]
    for told in found.values():
        if "requests" in told:
            yield StepRow(
                _step_name(told["at"]),
                tuple(_step_figure(name, told) for name in LOAD_COLUMNS.values()),
            )


def _step_name(at: Record) -> str:
    crowd = f"{at['clients']:g} clients" if "clients" in at else f"{at['rate']:.3g}/s"
    return f"{at['scenario']}, {crowd}"


def _step_figure(name: str, told: Record) -> str:
    if name not in told:
        return UNKNOWN
    value = told[name]
    if name == "requests":
        return f"{value:,.0f}"
    if name == "throughput":
        return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
    return f"≤ {percent(value)}" if name == "error rate at most" else f"{value:.2g}"


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
