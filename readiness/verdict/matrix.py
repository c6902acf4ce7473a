"""The readiness matrix: a row per dimension, and the verdict of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from readiness.verdict.claim import Gate, Verdict, score, worst
from readiness.verdict.result import Result


@dataclass(frozen=True)
class DimensionRow:
    """One dimension.

    Args:
        id: The dimension's id.
        gate: Whether the dimension counts towards the verdict of the run.
        results: What its checks showed.
        missing: The checks that the policy gates by and that have no result.
        advice: The share of the score that advisory checks have; None where it is the lowest.
        waived: The checks whose verdicts someone has answered for.
    """

    id: str
    gate: Gate
    results: Sequence[Result]
    missing: Sequence[str] = ()
    advice: float | None = None
    waived: frozenset[str] = frozenset()

    @property
    def gating(self) -> list[Result]:
        """The results that count: a check that is advisory, or not assessed, does not."""
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
    def admitted(self) -> Verdict:
        """The verdict that counts towards the run: what is waived, and has a result, is let be."""
        if self.verdict is Verdict.NOT_ASSESSED:
            return self.verdict
        held = [each.verdict for each in self.gating if each.check.id not in self.waived]
        missing = [Verdict.INCONCLUSIVE] if self.missing else []
        return worst([*held, *missing], default=Verdict.READY)

    @property
    def score(self) -> int:
        """0 to 100: the lowest of the gating checks, or else their mean, and that of advice.

        A mean rescues nothing, for the verdict caps it.
        """
        if self.advice is None:
            lowest = min((result.score for result in self.gating), default=0)
            return min(lowest, 89) if self.missing else lowest
        must = [result.met for result in self.gating] + [0.0 for _ in self.missing]
        should = [result.met for result in self._assessed(Gate.ADVISORY)] or must
        met = (1 - self.advice) * fmean(must or [0.0]) + self.advice * fmean(should or [0.0])
        return score(self.verdict, met)


@dataclass(frozen=True)
class Matrix:
    """What a run showed."""

    rows: Sequence[DimensionRow]

    @property
    def gating(self) -> list[DimensionRow]:
        """The dimensions that count towards the verdict of the run."""
        return [row for row in self.rows if row.gate is Gate.REQUIRED]

    @property
    def verdict(self) -> Verdict:
        """The worst of the required dimensions; what was not assessed is not known to be ready."""
        found = worst((row.admitted for row in self.gating), default=Verdict.NOT_ASSESSED)
        return Verdict.INCONCLUSIVE if found is Verdict.NOT_ASSESSED else found

    @property
    def deciding(self) -> list[DimensionRow]:
        """The required dimensions that keep the run from being ready; the failed outrank others."""
        lacking = [row for row in self.gating if row.admitted is not Verdict.READY]
        failed = [row for row in lacking if row.admitted is Verdict.NOT_READY]
        return failed or lacking

    @property
    def score(self) -> int:
        """0 to 100: the lowest of the required dimensions."""
        return min((row.score for row in self.gating), default=0)

    @property
    def worst_first(self) -> list[DimensionRow]:
        """The rows as people should read them."""
        return sorted(self.rows, key=lambda row: (-row.verdict.badness, row.score, row.id))


def matrix(
    results: Iterable[Result],
    gates: Mapping[str, Gate],
    expected: Mapping[str, Sequence[str]],
    advice: Mapping[str, float | None],
    waived: Iterable[str] = (),
) -> Matrix:
    """Put results in rows.

    Args:
        results: What the checks showed.
        gates: How each dimension counts; one that is not named is a user's own, and required.
        expected: The ids of the checks by which each dimension is gated.
        advice: The share that advisory checks have of the score of each dimension, if any.
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
        share = advice.get(dimension)
        rows.append(DimensionRow(dimension, gate, found, missing, share, let_be))
    return Matrix(rows)
