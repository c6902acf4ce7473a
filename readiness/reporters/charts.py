"""The figures of a record: charts, steps of load tests, and the format of numbers."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from readiness.evidence.run_folder import Record
from readiness.reporters import baseline_table
from readiness.verdict.claim import Verdict

#: Where an axis of rates may begin, since most rates are near 1.
BEGINNINGS = (0.9, 0.8, 0.5, 0.0)
BINS = 40
MIN_FOR_P95, MIN_FOR_P99 = 20, 100
LEVELS = 5


@dataclass(frozen=True)
class Bar:
    """An interval and its requirement; positions are shares of the axis, from 0 to 1."""

    begins: float
    low: float
    high: float
    value: float
    shown: float
    needed: float
    allowed: float
    before: float | None  # The baseline's rate.


def bar(check: Record, compared: Record | None = None) -> Bar:
    """The bar of a check, with the baseline's rate where there is one."""
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
    """The passed trials of a check by the values of one label."""

    check: str
    label: str
    parts: Sequence[tuple[str, int, int]]  # The value, the passed and all trials.


def slices(check: Record) -> list[Slice]:
    """The slices of a check by each label with several values, where not all trials passed.

    A check that was not assessed has none.
    """
    if check["verdict"] == Verdict.NOT_ASSESSED:
        return []
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
        if len(parts) > 1 and check["passed"] < check["made"]
    ]


def _natural(text: str) -> list[tuple[bool, float, str]]:
    """The sort key of natural order, as in 6-10 before 11-20."""
    parts = re.split(r"([0-9]+)", text)
    return [(each.isdecimal(), float(each) if each.isdecimal() else 0.0, each) for each in parts]


@dataclass(frozen=True)
class Grid:
    """The retrieval results at each length and depth."""

    check: str
    depths: Sequence[float]
    rows: Sequence[tuple[float, Sequence[tuple[float, int] | None]]]  # Found, and of how many.


def grid(check: Record) -> Grid | None:
    """The grid of a check that measured retrieval by length and depth; None for any other."""
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
    """A share as one of 5 levels; the highest is all, the lowest none."""
    share = max(0.0, min(1.0, found / of))
    return LEVELS - 1 if share == 1 else min(ceil(share * (LEVELS - 2)), LEVELS - 2)


@dataclass(frozen=True)
class Spread:
    """The distribution of a duration: a histogram, and the percentiles that n allows."""

    check: str
    name: str
    seconds: Sequence[float]

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.seconds)

    @property
    def top(self) -> tuple[str, float]:
        """The highest percentile that n values support, with its name in translations."""
        n = len(self.seconds)
        if n < MIN_FOR_P95:
            return "greatest", max(self.seconds)
        name, share = ("p99", 0.99) if n >= MIN_FOR_P99 else ("p95", 0.95)
        return name, sorted(self.seconds)[ceil(share * n) - 1]

    @property
    def bins(self) -> list[tuple[int, float]]:
        """The bins that are not empty: the index, and the height relative to the highest."""
        end = max(self.seconds) or 1.0
        counts = [0] * BINS
        for each in self.seconds:
            counts[min(int(each / end * BINS), BINS - 1)] += 1
        return [(place, count / max(counts)) for place, count in enumerate(counts) if count]


def spreads(check: Record) -> Iterator[Spread]:
    """The durations that a check measured more than once, by condition."""
    groups: dict[str, list[float]] = {}
    for measure in check["measures"]:
        if measure["unit"] == "s" and measure["value"] >= 0 and "of" not in measure:
            groups.setdefault(_under(measure), []).append(measure["value"])
    several = sorted((name for name, seconds in groups.items() if len(seconds) > 1), key=_natural)
    return (Spread(check["id"], name, groups[name]) for name in several)


def _under(measure: Record) -> str:
    conditions: Iterable[tuple[str, Any]] = measure["at"].items()
    parts = (f"{key} {_figure(value)}" for key, value in conditions)
    return " · ".join([measure["name"], *parts])


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.15g}"


#: The columns of the load test table: the name of the translation, and the measure; times are in
#: seconds.
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
    """One step of a load test: its name, a figure for each column, and what is implausible."""

    name: str
    figures: Sequence[str]
    marks: Sequence[str] = ()


def load_steps(checks: Iterable[Record]) -> list[StepRow]:
    """The distinct steps of the checks' load tests."""
    return list(dict.fromkeys(step for check in checks for step in _steps(check)))


def _steps(check: Record) -> Iterator[StepRow]:
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for measure in check["measures"]:
        if "scenario" in measure["at"]:
            place = (measure["probe"], *map(str, measure["at"].values()))
            step = found.setdefault(place, {"at": measure["at"], "marks": ()})
            step[measure["name"]] = measure["value"]
            step["marks"] += (_mark(measure),) if measure.get("implausible") else ()
    for measures in found.values():
        if "requests" in measures:
            yield StepRow(
                _step_name(measures["at"]),
                tuple(_step_figure(name, measures) for name in LOAD_COLUMNS.values()),
                measures["marks"],
            )


def implausible(checks: Iterable[Record]) -> list[str]:
    """The distinct figures that contradict others, with the conditions of each."""
    marked = (each for check in checks for each in check["measures"] if each.get("implausible"))
    found = (f"{_step_name(each['at'])}: {_mark(each)}" for each in marked)
    return list(dict.fromkeys(found))


def _mark(measure: Record) -> str:
    return f"{measure['name']} {measure['value']:.2g}"


def _step_name(at: Record) -> str:
    load = f"{at['clients']:g} clients" if "clients" in at else f"{at['rate']:.3g}/s"
    return f"{at['scenario']}, {load}"


def _step_figure(name: str, measures: Record) -> str:
    if name not in measures:
        return UNKNOWN
    value = measures[name]
    if name == "requests":
        return f"{value:,.0f}"
    if name == "throughput":
        return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
    return f"≤ {percent(value)}" if name == "error rate at most" else f"{value:.2g}"


MAX_EXCERPT = 300  # Characters of a text of the endpoint; the record has all of it.


def percent(rate: float, digits: int = 1) -> str:
    """A rate in per cent; a rate below 1 is never rounded to 100 %."""
    limit = 100 if rate >= 1 else 100 - 10**-digits
    return f"{min(round(rate * 100, digits), limit):g} %"


def seconds(value: float) -> str:
    """Seconds with three significant digits."""
    return f"{value:.3g} s" if value < 1000 else f"{value:,.0f} s"


def interval(check: Record) -> str:
    """The 95 % interval of a check's pass rate."""
    return f"{percent(check['low'])} – {percent(check['high'])}"


def shown(check: Record) -> str:
    """The verdict of a check, by what its trials have shown of what it needs."""
    if check["verdict"] == Verdict.NOT_ASSESSED:
        return str(check["verdict"])
    counts = f"{check['passed']} of {check['made']} passed"
    return f"{check['verdict']}: {counts} ({interval(check)}), needs {needs(check)}"


def needs(check: Record) -> str:
    """The required pass rate of a check."""
    return "every trial" if check["required"] == 1 else f"≥ {percent(check['required'])}"


def excerpt(text: object) -> str:
    """A text, truncated to 300 characters."""
    whole = str(text)
    return whole if len(whole) <= MAX_EXCERPT else f"{whole[:MAX_EXCERPT]}…"
