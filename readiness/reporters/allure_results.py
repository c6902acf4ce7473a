"""Allure: one result per check. It is a view for people who drill down, and never the gate."""

from __future__ import annotations

import csv
import io

import allure

from readiness.gate import explain
from readiness.result import Result
from readiness.run import Run
from readiness.verdict import Gate

SEVERITY = {
    Gate.REQUIRED: allure.severity_level.CRITICAL,
    Gate.ADVISORY: allure.severity_level.MINOR,
    Gate.OFF: allure.severity_level.TRIVIAL,
}


def describe(result: Result, run: Run) -> None:
    """Tell Allure of a result, in the test that is running."""
    allure.dynamic.title(result.check.id)
    allure.dynamic.epic("readiness")
    allure.dynamic.feature(result.check.dimension)
    allure.dynamic.story(result.check.id.partition(".")[2])
    allure.dynamic.severity(SEVERITY[result.claim.gate])
    waiver = run.settings.waivers.get(result.check.id)
    told = f"\n\n{waiver}" if waiver else ""
    allure.dynamic.description(f"{result.check.requirement}{told}")
    redact = run.settings.secrets.redact
    allure.attach(redact(explain(result)), "result", allure.attachment_type.TEXT)
    allure.attach(redact(_trials(result)), "trials", allure.attachment_type.CSV)


def _trials(result: Result) -> str:
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["probe", "outcome", "reason", "exchanges"])
    for trial in result.trials:
        exchanges = " ".join(map(str, trial.exchanges))
        rows.writerow([trial.probe, trial.score.outcome, _cell(trial.score.reason), exchanges])
    return table.getvalue()


def _cell(text: str) -> str:
    # A spreadsheet takes a cell that begins like this for a formula.
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
