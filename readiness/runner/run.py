"""A run: one endpoint tried once, and what that has shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from readiness.baseline import earlier_runs, finished_run
from readiness.baseline.comparison import RunComparison, compare
from readiness.baseline.finished_run import FinishedRun
from readiness.baseline.identity import identity
from readiness.evidence.log import Evidence
from readiness.policy.plan import PlannedCheck
from readiness.protocol.capability import Capabilities
from readiness.runner.resume import ResumeState
from readiness.runner.scheduler import Scheduler
from readiness.runner.settings import Settings
from readiness.transport.budget import UsageBudget
from readiness.verdict.claim import MOST_SCORE, Verdict, worst
from readiness.verdict.matrix import Matrix, matrix
from readiness.verdict.result import Result

MOST_LISTED = 10


@dataclass
class Run:
    """One endpoint, tried once.

    Args:
        settings: What the user asked for.
        plan: What is to be tried, by the ids of the checks.
        started: When the run began.
        model: The model under test.
        folder: Where the run is written.
        evidence: What has been seen so far.
        ledger: What has been sent so far.
        runner: What makes the trials.
        resume_state: What was known before the run was resumed.
        capabilities: What the endpoint offers; None where it cannot be tried.
        problem: Why the endpoint cannot be tried; "" where it can.
        results: What has been shown so far.
        bugs: Whether a check raised what no check may raise.
        comparison: What it shows beside its baseline; None before it ends, or without one.
        baseline_run: The run of the endpoint that is the baseline; None where that is over, or not
            given.
    """

    settings: Settings
    plan: Mapping[str, PlannedCheck]
    started: datetime
    model: str
    folder: Path
    evidence: Evidence
    ledger: UsageBudget
    runner: Scheduler
    resume_state: ResumeState
    capabilities: Capabilities | None = None
    problem: str = ""
    results: list[Result] = field(default_factory=list)
    bugs: bool = False
    comparison: RunComparison | None = None
    baseline_run: Run | None = None

    def start(self, planned: Sequence[PlannedCheck]) -> None:
        """Start checks; beside a rival, those that run alone after the rival has made them."""
        assert self.capabilities is not None
        if self.baseline_run:
            self.baseline_run.start(planned)
            together = [each for each in planned if not each.check.alone]
            self.baseline_run.runner.repeat(together)
            for each in planned:
                if each.check.alone:
                    self.baseline_run.result(each.check.id)
        self.runner.start(planned, self.capabilities)

    def result(self, check_id: str) -> Result:
        """Wait for the result of a check, the rival's and what it has made again with it."""
        if self.baseline_run and not self.plan[check_id].check.alone:
            self.baseline_run.result(check_id)
            self.baseline_run.runner.repeated_result(check_id)
        try:
            alone = self.runner.result(check_id)
        except Exception:
            self.bugs = True
            raise
        result = earlier_runs.pool_earlier_runs(self.settings.earlier, self.plan[check_id], alone)
        self.results.append(result)
        return result

    def where(self, result: Result) -> str:
        """Where the evidence is of the trials that did not pass."""
        seqs = [seq for each in result.counted if not each.score.passed for seq in each.exchanges]
        listed = ", ".join(map(str, seqs[:MOST_LISTED]))
        numbers = f", exchanges {listed}{', …' if seqs[MOST_LISTED:] else ''}" if seqs else ""
        return f"{self.evidence.path}{numbers}"

    @property
    def matrix(self) -> Matrix:
        """What the run has shown so far."""
        policy, profile = self.settings.policy, self.settings.profile
        gates = {each: policy.gate(each) for each in policy.dimensions}
        expected = {each: policy.expected(each, profile) for each in policy.dimensions}
        for planned in self.plan.values():
            if planned.check.dimension not in gates:
                ids = expected.get(planned.check.dimension, ())
                expected[planned.check.dimension] = (*ids, planned.check.id)
        advice = {name: each.advice for name, each in policy.dimensions.items()}
        return matrix(self.results, gates, expected, advice, self.settings.waivers)

    @property
    def verdict(self) -> Verdict:
        """The worse of what the run shows by itself and beside its baseline."""
        compared = [self.comparison.verdict] if self.comparison else []
        return worst([self.matrix.verdict, *compared])

    @property
    def score(self) -> int:
        """0 to 100: that of the matrix, so far as the verdict allows it."""
        return min(self.matrix.score, MOST_SCORE[self.verdict])

    @property
    def bill(self) -> float:
        """What the tokens cost that the endpoint has counted; 0 where the policy has no prices."""
        prices, spent = self.settings.policy.prices, self.ledger
        return prices.bill(spent.prompt_tokens, spent.completion_tokens) if prices else 0.0

    @property
    def identity(self) -> dict[str, Any]:
        """What the endpoint says of itself."""
        return identity(self.model, self.capabilities)

    def compare(self) -> None:
        """Hold the run against its baseline, where it has one, and something was tried."""
        baseline = self.settings.baseline_run
        if self.baseline_run and self.baseline_run.results:
            baseline = self.baseline_run.finished()
        if baseline is not None and not self.problem:
            self.comparison = compare(baseline, self.finished(), self.matrix, self.settings.policy)

    def finished(self) -> FinishedRun:
        """The run, once nothing is added to it, as runs are compared."""
        return replace(
            finished_run.read(self.evidence.path),
            target=self.identity,
            concurrency=self.settings.concurrency,
            verdict=self.verdict,
            head=self.evidence.head,
            doubtful=frozenset(each.check.id for each in self.results if each.doubts),
        )
