"""All surfaces that are made from a record, and can be made from it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from readiness.evidence.run_folder import Record
from readiness.reporters import allure, junit, metrics, page, summary
from readiness.reporters.allure_report import REPORT

Maker = Callable[[Record], str]

MAKERS: Mapping[str, Maker] = {
    "readiness.html": page.page,
    "summary.md": summary.summary,
    "metrics.txt": metrics.metrics,
    "junit.xml": junit.junit,
}


def write(record: Record, run: Path, folder: Path, language: str = "en") -> None:
    """Write every surface of a run, from its record and its evidence alone, into a folder."""
    makers: dict[str, Maker] = {**MAKERS, "readiness.html": partial(page.page, language=language)}
    for name, make in makers.items():
        (folder / name).write_text(make(record), "utf-8")
    allure.write(record, run, folder)


def derived(name: str) -> bool:
    """Whether a file of a run can be made again."""
    return name in MAKERS or name.partition("/")[0] in (allure.FOLDER, REPORT)
