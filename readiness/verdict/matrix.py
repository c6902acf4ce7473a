"""The readiness matrix: a row per dimension, and the verdict of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from readiness.verdict.claim import Gate, Verdict, score, worst
from readiness.verdict.result import Result


@dataclass(frozen=True)
class DimensionRow:
    """One dimension's row of the matrix.

    Args:
        id: The dimension's id.
        gate: Whether the dimension counts towards the verdict of the run.
        results: The results of its checks.
        missing: The ids of required checks that have no result.
        advice: The share of advisory checks in the score; None where the score is the lowest of
            the gating checks.
        waived: The ids of the checks that have a waiver.
    """

    id: str
    gate: Gate
    results: Sequence[Result]
    missing: Sequence[str] = ()
    advice: float | None = None
    waived: frozenset[str] = frozenset()

    @property
    def gating(self) -> list[Result]:
        """The results that count: those of required checks that were assessed."""
        return self._assessed(Gate.REQUIRED)

    def _assessed(self, gate: Gate) -> list[Result]:
        return [
            result
            for result in self.results
            if result.claim.gate is gate and result.verdict is not Verdict.NOT_ASSESSED
        ]

    @property
    def verdict(self) -> Verdict:
        """The worst of the gating checks; never ready while one of them is missing."""
        if not self.gating:
            return Verdict.NOT_ASSESSED
        found = worst(result.verdict for result in self.gating)
        return worst([found, Verdict.INCONCLUSIVE]) if self.missing else found

    @property
    def verdict_after_waivers(self) -> Verdict:
        """The verdict towards the run, without waived checks; a missing check is never waived."""
        if self.verdict is Verdict.NOT_ASSESSED:
            return self.verdict
        held = [each.verdict for each in self.gating if each.check.id not in self.waived]
        missing = [Verdict.INCONCLUSIVE] if self.missing else []
        return worst([*held, *missing], default=Verdict.READY)

    @property
    def score(self) -> int | None:
        """0 to 100: the lowest of the gating checks, or a mean of gating and advisory ones.

        The verdict limits the mean, so that it rescues no failed check. None where nothing was
        assessed.
        """
        if self.verdict is Verdict.NOT_ASSESSED:
            return None
        if self.advice is None:
            lowest = min(result.score for result in self.gating)
            return min(lowest, 89) if self.missing else lowest
        must = [result.met for result in self.gating] + [0.0 for _ in self.missing]
        should = [result.met for result in self._assessed(Gate.ADVISORY)] or must
        met = (1 - self.advice) * fmean(must) + self.advice * fmean(should)
        return score(self.verdict, met)


@dataclass(frozen=True)
class Matrix:
    """The readiness matrix of a run."""

    rows: Sequence[DimensionRow]

    @property
    def gating(self) -> list[DimensionRow]:
        """The dimensions that count towards the verdict of the run."""
        return [row for row in self.rows if row.gate is Gate.REQUIRED]

    @property
    def verdict(self) -> Verdict:
        """The worst of the required dimensions; one that was not assessed makes it inconclusive."""
        found = worst(
            (row.verdict_after_waivers for row in self.gating), default=Verdict.NOT_ASSESSED
        )
        return Verdict.INCONCLUSIVE if found is Verdict.NOT_ASSESSED else found

    @property
    def deciding(self) -> list[DimensionRow]:
        """The required dimensions that decide: those not ready, or else those inconclusive."""
        lacking = [row for row in self.gating if row.verdict_after_waivers is not Verdict.READY]
        failed = [row for row in lacking if row.verdict_after_waivers is Verdict.NOT_READY]
        return failed or lacking

    @property
    def score(self) -> int:
        """0 to 100: the lowest of the required dimensions that were assessed; 0 where none was."""
        return min((row.score for row in self.gating if row.score is not None), default=0)

    @property
    def worst_first(self) -> list[DimensionRow]:
        """The rows in the order of reports: most severe verdict first, then lowest score.

        Last come those that only advise and were not assessed.
        """

        def place(row: DimensionRow) -> tuple[bool, int, int, str]:
            untried = row.gate is not Gate.REQUIRED and row.verdict is Verdict.NOT_ASSESSED
            return untried, -row.verdict.severity, row.score or 0, row.id

        return sorted(self.rows, key=place)


def matrix(
    results: Iterable[Result],
    gates: Mapping[str, Gate],
    expected: Mapping[str, Sequence[str]],
    advice: Mapping[str, float | None],
    waived: Iterable[str] = (),
) -> Matrix:
    """Build the matrix of results.

    Args:
        results: The results of all checks.
        gates: The gate of each dimension; a user's own that is not named is required.
        expected: The ids of the required checks of each dimension.
        advice: The share of advisory checks in the score of each dimension, if any.
        waived: The ids of the checks that have a waiver.
    """
    waived_ids = frozenset(waived)
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
        share = advice.get(dimension)
        rows.append(DimensionRow(dimension, gate, found, missing, share, waived_ids))
    return Matrix(rows)
