"""The readiness matrix: a row per dimension, and the verdict of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from readiness.result import Result
from readiness.verdict import Gate, Verdict, worst


@dataclass(frozen=True)
class Row:
    """One dimension.

    Args:
        id: The dimension's id.
        gate: Whether the dimension counts towards the verdict of the run.
        results: What its checks showed.
        missing: The checks that the policy gates by and that have no result.
        waived: The checks whose verdicts someone has answered for.
    """

    id: str
    gate: Gate
    results: Sequence[Result]
    missing: Sequence[str] = ()
    waived: frozenset[str] = frozenset()

    @property
    def gating(self) -> list[Result]:
        """The results that count: a check that is advisory, or not assessed, does not."""
        return [
            result
            for result in self.results
            if result.claim.gate is Gate.REQUIRED and result.verdict is not Verdict.NOT_ASSESSED
        ]

    @property
    def verdict(self) -> Verdict:
        """The worst of the gating checks; never ready while one of them is missing."""
        if not self.gating:
            return Verdict.NOT_ASSESSED
        found = worst(result.verdict for result in self.gating)
        return worst([found, Verdict.INCONCLUSIVE]) if self.missing else found

    @property
    def admitted(self) -> Verdict:
        """The verdict that counts towards the run: what is waived, and has a result, is let be."""
        if self.verdict is Verdict.NOT_ASSESSED:
            return self.verdict
        held = [each.verdict for each in self.gating if each.check.id not in self.waived]
        missing = [Verdict.INCONCLUSIVE] if self.missing else []
        return worst([*held, *missing], default=Verdict.READY)

    @property
    def score(self) -> int:
        """0 to 100: the lowest of the gating checks, for a mean would rescue a failed one."""
        lowest = min((result.score for result in self.gating), default=0)
        return min(lowest, 89) if self.missing else lowest


@dataclass(frozen=True)
class Matrix:
    """What a run showed."""

    rows: Sequence[Row]

    @property
    def gating(self) -> list[Row]:
        """The dimensions that count towards the verdict of the run."""
        return [row for row in self.rows if row.gate is Gate.REQUIRED]

    @property
    def verdict(self) -> Verdict:
        """The worst of the required dimensions; what was not assessed is not known to be ready."""
        found = worst((row.admitted for row in self.gating), default=Verdict.NOT_ASSESSED)
        return Verdict.INCONCLUSIVE if found is Verdict.NOT_ASSESSED else found

    @property
    def score(self) -> int:
        """0 to 100: the lowest of the required dimensions."""
        return min((row.score for row in self.gating), default=0)

    @property
    def worst_first(self) -> list[Row]:
        """The rows as people should read them."""
        return sorted(self.rows, key=lambda row: (-row.verdict.badness, row.score, row.id))


def matrix(
    results: Iterable[Result],
    gates: Mapping[str, Gate],
    expected: Mapping[str, Sequence[str]],
    waived: Iterable[str] = (),
) -> Matrix:
    """Put results in rows.

    Args:
        results: What the checks showed.
        gates: How each dimension counts; one that is not named is a user's own, and required.
        expected: The ids of the checks by which each dimension is gated.
        waived: The ids of the checks whose verdicts someone has answered for.
    """
    let_be = frozenset(waived)
    by_dimension: dict[str, list[Result]] = {
        dimension: [] for dimension, gate in gates.items() if gate is not Gate.OFF
    }
    for result in results:
        by_dimension.setdefault(result.check.dimension, []).append(result)
    rows = []
    for dimension, found in by_dimension.items():
        ids = {result.check.id for result in found}
        missing = tuple(each for each in expected.get(dimension, ()) if each not in ids)
        gate = gates.get(dimension, Gate.REQUIRED)
        rows.append(Row(dimension, gate, found, missing, let_be))
    return Matrix(rows)
