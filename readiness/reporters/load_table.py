"""The steps of a load test as a table: what so many clients met; times are in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from readiness.evidence.run_folder import Record
from readiness.reporters.charts import percent

#: The columns, by what the page calls them, and the measure that each shows.
COLUMNS = {
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
    """One step: what it was, and a figure for each column."""

    name: str
    figures: Sequence[str]


def steps(checks: Iterable[Record]) -> list[StepRow]:
    """The steps that checks have made, each once."""
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
                _name(told["at"]), tuple(_figure(name, told) for name in COLUMNS.values())
            )


def _name(at: Record) -> str:
    crowd = f"{at['clients']:g} clients" if "clients" in at else f"{at['rate']:.3g}/s"
    return f"{at['scenario']}, {crowd}"


def _figure(name: str, told: Record) -> str:
    if name not in told:
        return UNKNOWN
    value = told[name]
    if name == "requests":
        return f"{value:,.0f}"
    if name == "throughput":
        return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
    return f"≤ {percent(value)}" if name == "error rate at most" else f"{value:.2g}"
