"""A run of all planned checks against one endpoint, and its results."""

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
from readiness.evidence.log import Evidence, EvidenceIntegrityError, chain_end
from readiness.policy.plan import PlannedCheck
from readiness.protocol.capability import Capabilities
from readiness.runner.resume import ResumeState
from readiness.runner.scheduler import Scheduler
from readiness.runner.settings import Settings
from readiness.transport.budget import UsageBudget
from readiness.verdict.claim import MAX_SCORE, Verdict, worst
from readiness.verdict.exit_status import EXIT_STATUS, UNSOUND
from readiness.verdict.matrix import Matrix, matrix
from readiness.verdict.result import Result

MAX_LISTED = 10


@dataclass
class Run:
    """A run against one endpoint.

    Args:
        settings: The user's settings.
        plan: The planned checks, by id.
        started: When the run began.
        model: The model under test.
        folder: The run's folder.
        evidence: The evidence log.
        ledger: The usage so far, and the budget.
        scheduler: The scheduler of the trials; None where the run has ended.
        resume_state: The state from before the run was resumed.
        capabilities: What the endpoint supports; None where it cannot be tried.
        problem: Why the endpoint cannot be tried, or an empty string.
        unsound: Why the evidence is not as it was written, or an empty string.
        results: The results so far.
        bugs: Whether a check raised an unexpected exception.
        comparison: The comparison with the baseline; None before the run ends, or without one.
        same_build: Other runs of the same build that were found beside it.
        baseline_run: The concurrent run against the baseline endpoint; None where the baseline is
            a finished run, or there is none.
    """

    settings: Settings
    plan: Mapping[str, PlannedCheck]
    started: datetime
    model: str
    folder: Path
    evidence: Evidence
    budget: UsageBudget
    scheduler: Scheduler | None
    resume_state: ResumeState
    capabilities: Capabilities | None = None
    problem: str = ""
    unsound: str = ""
    results: list[Result] = field(default_factory=list)
    bugs: bool = False
    comparison: RunComparison | None = None
    baseline_run: Run | None = None
    same_build: Sequence[FinishedRun] = ()

    @property
    def runner(self) -> Scheduler:
        """The scheduler of a run that has not ended."""
        assert self.scheduler is not None
        return self.scheduler

    def start(self, planned: Sequence[PlannedCheck]) -> None:
        """Start checks; those that run alone start after the baseline's have finished."""
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
        """Wait for the result of a check, including the baseline's and its repeated trials."""
        if self.baseline_run and not self.plan[check_id].check.alone:
            self.baseline_run.result(check_id)
            self.baseline_run.runner.repeated_result(check_id)
        try:
            unpooled = self.runner.result(check_id)
        except Exception:
            self.bugs = True
            raise
        result = self.pooled(unpooled)
        self.results.append(result)
        return result

    def end(self) -> None:
        """End the checks that were started, and have no result yet, by the trials they have."""
        known = {each.check.id for each in self.results}
        self.results += [
            self.pooled(each) for each in self.runner.end() if each.check.id not in known
        ]

    def pooled(self, result: Result) -> Result:
        """A result, pooled with the earlier runs that the user names and those that are found."""
        planned = self.plan[result.check.id]
        named = earlier_runs.pool_earlier_runs(self.settings.earlier, planned, result)
        return earlier_runs.held_against(self.same_build, planned, named)

    def where(self, result: Result) -> str:
        """The evidence file, with the numbers of the exchanges of trials that did not pass."""
        seqs = [seq for each in result.counted if not each.score.passed for seq in each.exchanges]
        listed = ", ".join(map(str, seqs[:MAX_LISTED]))
        numbers = f", exchanges {listed}{', …' if seqs[MAX_LISTED:] else ''}" if seqs else ""
        return f"{self.evidence.path}{numbers}"

    @property
    def matrix(self) -> Matrix:
        """The readiness matrix of the results so far."""
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
        """The worse of the verdicts of the matrix and of the comparison with the baseline."""
        compared = [self.comparison.verdict] if self.comparison else []
        unsound = [Verdict.INCONCLUSIVE] if self.unsound else []
        return worst([self.matrix.verdict, *compared, *unsound])

    @property
    def score(self) -> int:
        """0 to 100: the score of the matrix, limited by the verdict."""
        return min(self.matrix.score, MAX_SCORE[self.verdict])

    @property
    def cost(self) -> float:
        """The cost of the tokens that the endpoint reported; 0 where the policy has no prices."""
        prices, spent = self.settings.policy.prices, self.budget
        return prices.cost(spent.prompt_tokens, spent.completion_tokens) if prices else 0.0

    @property
    def identity(self) -> dict[str, Any]:
        """What the endpoint reports about itself."""
        return identity(self.model, self.capabilities)

    @property
    def exit_status(self) -> int:
        """The exit status that its verdict asks for; another where its evidence is unsound."""
        return UNSOUND if self.unsound else EXIT_STATUS[self.verdict]

    def verify_evidence(self) -> None:
        """Note whether the evidence was changed since it was written, or could not be written."""
        self.unsound = self.evidence.broken
        if self.unsound:
            return
        try:
            if chain_end(self.evidence.path) != self.evidence.head:
                self.unsound = f"{self.evidence.path.name} was changed while it was written"
        except (EvidenceIntegrityError, OSError) as error:
            self.unsound = str(error)

    def compare(self) -> None:
        """Compare the run with its baseline, where it has one and the endpoint could be tried."""
        baseline = self.settings.baseline_run
        if self.baseline_run and self.baseline_run.results:
            baseline = self.baseline_run.finished()
        if baseline is not None and not (self.problem or self.unsound):
            self.comparison = compare(baseline, self.finished(), self.matrix, self.settings.policy)

    def finished(self) -> FinishedRun:
        """The run as a finished run, once its evidence is complete."""
        return replace(
            finished_run.read(self.evidence.path),
            target=self.identity,
            concurrency=self.settings.concurrency,
            verdict=self.verdict,
            head=self.evidence.head,
            doubtful=frozenset(each.check.id for each in self.results if each.doubts),
        )
