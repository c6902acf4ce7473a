"""Controls: the clauses of standards that checks are evidence for, and the gaps."""

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
    """A clause of a standard or law.

    Args:
        source: The standard or law.
        edition: Its edition.
        name: The number of the clause.
        about: What it requires, summarised.
        evidence: The dimensions and checks that are evidence for it.
        gap: What they do not show.
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
    """A run's evidence for a clause.

    Args:
        clause: The clause.
        dimensions: The number of relevant checks by dimension.
        verdicts: The number of relevant checks by verdict, the most severe first.
        absent: Relevant dimensions and checks that are not in the run.
    """

    clause: Clause
    dimensions: Mapping[str, int]
    verdicts: Mapping[Verdict, int]
    absent: Sequence[str]


@cache
def clauses() -> Sequence[Clause]:
    """All clauses, in the order of the file."""
    document = yaml.load((BUILT_IN / f"{CONTROLS}.yaml").read_text("utf-8"), LOADER)
    return [
        Clause(
            source["name"],
            source["edition"],
            each["clause"],
            each["about"],
            each["evidence"],
            each["gap"],
        )
        for source in document["sources"]
        for each in source["clauses"]
    ]


def coverage(record: Record) -> list[Coverage]:
    """A run's evidence for each clause."""
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
    """The ids of the checks of a run that no clause names."""
    ids = [check["id"] for dimension in record["dimensions"] for check in dimension["checks"]]
    return [each for each in ids if not any(clause.covers(each) for clause in clauses())]


def clauses_for(check: str) -> list[Clause]:
    """The clauses that a check is evidence for."""
    return [clause for clause in clauses() if clause.covers(check)]
