"""Annotations for GitHub: lines of the log that it shows beside the change."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import pytest

from readiness.runner.run import Run
from readiness.verdict.claim import Verdict
from readiness.verdict.result import Result

MOST = 10  # of a step's that GitHub shows
LEVELS = {Verdict.NOT_READY: "error", Verdict.INCONCLUSIVE: "warning"}
#: What a command's text may not hold as it is; the colon and the comma end a property.
ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
PROPERTY = {**ESCAPES, ":": "%3A", ",": "%2C"}


def print_annotations(reporter: pytest.TerminalReporter, run: Run) -> None:
    """Print a few, where GitHub reads them."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in list(commands(run))[:MOST]:
            reporter.write_line(line)


def commands(run: Run) -> Iterator[str]:
    """What stands in the way of readiness, and what is waived."""
    printable = run.settings.secrets.printable
    if run.problem:
        yield _command("warning", "cannot be tried", printable(run.problem))
    regressed = run.comparison.regressed if run.comparison else []
    for each in [each for each in regressed if each.gates]:
        told = f"{len(each.lost)} of {len(each.pairs)} trials were lost since the baseline"
        yield _command("error", f"{each.id} has become worse", told)
    gating = [each for row in run.matrix.gating for each in row.gating]
    for result in sorted(gating, key=lambda each: -each.verdict.badness):
        if result.verdict in LEVELS and result.check.id not in run.settings.waivers:
            title = f"{result.check.id} is {result.verdict}"
            yield _command(LEVELS[result.verdict], title, printable(_told(result)))
    for waiver in run.settings.waivers.values():
        yield _command("notice", f"{waiver.check} is waived", printable(str(waiver)))


def _told(result: Result) -> str:
    reason = f": {result.reasons[0].shown}" if result.reasons else ""
    return f"{result.passed} of {result.executed} trials passed{reason}"


def _command(level: str, title: str, text: str) -> str:
    return f"::{level} title={_escaped(title, PROPERTY)}::{_escaped(text, ESCAPES)}"


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(char, char) for char in text)
