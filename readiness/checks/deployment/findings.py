"""Findings: what is wrong where, what is true of that program, and the line to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from readiness.checks.deployment.facts import Service
from readiness.score import PASSED, Outcome, Score

MAX_NAMED = 20  # findings of one check


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or that may be.

    Args:
        place: The file and line, or the URL.
        fault: What is there, and what is true of that program.
        instead: The line to write instead; "" where there is none.
        certain: Whether it is wrong for certain: it may be right where the files do not show all.
    """

    place: str
    fault: str
    instead: str = ""
    certain: bool = True

    def __str__(self) -> str:
        remedy = f"; instead: {self.instead}" if self.instead else ""
        return f"{self.place}: {self.fault}{remedy}"


def open_unless(shown: bool, finding: Finding) -> Finding:
    """The finding, as an open question unless the files show all that decides it."""
    return (
        finding if shown else Finding(finding.place, finding.fault, finding.instead, certain=False)
    )


def of_each(
    services: Iterable[Service], audit: Callable[[Service], Iterable[Finding]]
) -> Iterator[Finding]:
    """The findings on each service, open where not all of it was shown."""
    for service in services:
        for finding in audit(service):
            yield open_unless(not service.partial, finding)


def conclude(findings: Iterable[Finding], *, audited: bool, absent: str) -> Score:
    """The score of one check of a deployment.

    Args:
        findings: What is wrong.
        audited: Whether there was anything to audit.
        absent: What was not there, if nothing was.
    """
    found = sorted(findings, key=lambda each: not each.certain)
    if not found:
        return PASSED if audited else Score(Outcome.UNSUPPORTED, absent)
    outcome = Outcome.FAIL if found[0].certain else Outcome.UNDETERMINED
    more = [f"and {len(found) - MAX_NAMED} more"] if len(found) > MAX_NAMED else []
    return Score(outcome, " · ".join([*map(str, found[:MAX_NAMED]), *more]))
