"""A line on the terminal for each check, as its result comes in."""

from __future__ import annotations

import pytest

from readiness.reporters.terminal import LOOK
from readiness.verdict.claim import Verdict

COLOURS = {"blue": {"blue": True}, "bold red": {"red": True}, "yellow": {"yellow": True}}


class CheckLines:
    """Prints the line of each check that ends; pytest's own letters are switched off."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter
        reporter.showfspath = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print the line."""
        found = dict(report.user_properties)
        if report.when == "call" and "verdict" in found and self._reporter.verbosity == 0:
            mark, style = LOOK[Verdict(str(found["verdict"]))]
            counts = f"{found['passed']}/{found['trials']}"
            told = "waived" if "waiver" in found else found["gate"]
            gate = "" if told == "required" else f" ({told})"
            line = f"{mark} {found['verdict']:<13}{found['check']:<38}{counts:>8}{gate}"
            self._reporter.write_line(line, **COLOURS.get(style, {}))
