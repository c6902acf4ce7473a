"""Controls: the clauses that checks are relevant evidence for, and what is not shown of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import yaml

from readiness.evidence.run_folder import Record
from readiness.policy.policy_file import BUILT_IN, CONTROLS
from readiness.resources import LOADER
from readiness.verdict.claim import Verdict


@dataclass(frozen=True)
class Clause:
    """What a source asks for in one place.

    Args:
        source: Which standard or law.
        edition: Of when it is.
        name: Where in it.
        about: What it asks for.
        evidence: The dimensions and checks that are relevant to it.
        gap: What they do not show of it.
    """

    source: str
    edition: str
    name: str
    about: str
    evidence: Sequence[str]
    gap: str

    def covers(self, check: str) -> bool:
        """Whether a check is relevant to it."""
        return check in self.evidence or check.partition(".")[0] in self.evidence


@dataclass(frozen=True)
class Coverage:
    """What a run has for a clause.

    Args:
        clause: The clause.
        dimensions: How many checks of each dimension of the run are relevant.
        verdicts: How many of them have which verdict, the worst first.
        absent: What is relevant, and not in the run.
    """

    clause: Clause
    dimensions: Mapping[str, int]
    verdicts: Mapping[Verdict, int]
    absent: Sequence[str]


@cache
def clauses() -> Sequence[Clause]:
    """All clauses, in their order."""
    said = yaml.load((BUILT_IN / f"{CONTROLS}.yaml").read_text("utf-8"), LOADER)
    return [
        Clause(
            source["name"],
            source["edition"],
            each["clause"],
            each["about"],
            each["evidence"],
            each["gap"],
        )
        for source in said["sources"]
        for each in source["clauses"]
    ]


def coverage(record: Record) -> list[Coverage]:
    """What a run has for each clause."""
    tried = {
        check["id"]: Verdict(check["verdict"])
        for dimension in record["dimensions"]
        for check in dimension["checks"]
    }
    return [_coverage(clause, tried) for clause in clauses()]


def _coverage(clause: Clause, tried: Mapping[str, Verdict]) -> Coverage:
    relevant = {check: verdict for check, verdict in tried.items() if clause.covers(check)}
    dimensions = Counter(check.partition(".")[0] for check in relevant)
    found = Counter(relevant.values())
    verdicts = {each: found[each] for each in reversed(Verdict) if found[each]}
    absent = [each for each in clause.evidence if not {each} & {*relevant, *dimensions}]
    return Coverage(clause, dimensions, verdicts, absent)


def unmapped(record: Record) -> list[str]:
    """The checks of a run that no clause is mapped to."""
    ids = [check["id"] for dimension in record["dimensions"] for check in dimension["checks"]]
    return [each for each in ids if not any(clause.covers(each) for clause in clauses())]


def of(check: str) -> list[Clause]:
    """The clauses that a check is relevant evidence for."""
    return [clause for clause in clauses() if clause.covers(check)]
