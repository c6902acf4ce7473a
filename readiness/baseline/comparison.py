"""The comparison of a run with its baseline: by check, over all checks, and drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from readiness.baseline.finished_run import FinishedRun, RecordedTrial
from readiness.baseline.identity import Drift, drift
from readiness.policy.policy import Policy, UpgradeRule
from readiness.score import UNSETTLED, Outcome
from readiness.statistics import paired
from readiness.statistics.paired import Pairs
from readiness.statistics.proportions import Cluster, design_effect
from readiness.verdict.claim import Gate, Verdict
from readiness.verdict.matrix import DimensionRow, Matrix
from readiness.verdict.result import Result, Trial

#: Runs of one endpoint against itself on a busy machine differed by up to this between checks.
SLOWDOWN_THRESHOLD = 2.0
#: Fewer timed checks say nothing about how long a whole run takes.
MIN_TIMED_CHECKS = 5


@dataclass(frozen=True, slots=True)
class TrialPair:
    """A trial and the same trial of the baseline."""

    trial: Trial
    baseline_trial: RecordedTrial

    @property
    def lost(self) -> bool:
        """Whether it passed in the baseline and not now."""
        return _passed(self.baseline_trial.outcome) is True and _passed(self._now) is False

    @property
    def gained(self) -> bool:
        """Whether it passes now and did not in the baseline."""
        return _passed(self.baseline_trial.outcome) is False and _passed(self._now) is True

    @property
    def tried(self) -> bool:
        """Whether it was tried in both runs."""
        return Outcome.SKIPPED not in (self.baseline_trial.outcome, self._now)

    @property
    def conclusive(self) -> bool:
        """Whether it passed or failed in both runs."""
        return None not in (_passed(self.baseline_trial.outcome), _passed(self._now))

    @property
    def may_be_lost(self) -> bool:
        """Whether it is lost if unsettled outcomes count against the candidate."""
        return _passed(self.baseline_trial.outcome) is not False and _passed(self._now) is not True

    @property
    def may_be_gained(self) -> bool:
        """Whether it is gained if unsettled outcomes count for the candidate."""
        return _passed(self.baseline_trial.outcome) is not True and _passed(self._now) is not False

    @property
    def _now(self) -> Outcome:
        return self.trial.score.outcome


def _passed(outcome: Outcome) -> bool | None:
    """Whether a trial passed; None where it is unsettled."""
    return None if outcome in UNSETTLED else outcome is Outcome.PASS


@dataclass(frozen=True)
class CheckComparison:
    """A check compared with the baseline's.

    Args:
        result: Its result.
        pairs: Its trials paired with the baseline's; empty where the baseline did not try it.
        ratios: The ratios of durations, now to baseline, of trials that passed in both.
        upgrade: The policy's rule for upgrades.
        gates: Whether it counts towards the verdict of the run.
    """

    result: Result
    pairs: Sequence[TrialPair]
    ratios: Sequence[float]
    upgrade: UpgradeRule
    gates: bool

    @property
    def id(self) -> str:
        """The id of the check."""
        return self.result.check.id

    @cached_property
    def tried(self) -> list[TrialPair]:
        """The pairs that were tried in both runs."""
        return [pair for pair in self.pairs if pair.tried]

    @cached_property
    def lost(self) -> list[TrialPair]:
        """The pairs that passed in the baseline and not now."""
        return [pair for pair in self.pairs if pair.lost]

    @cached_property
    def gained(self) -> list[TrialPair]:
        """The pairs that pass now and did not in the baseline."""
        return [pair for pair in self.pairs if pair.gained]

    @property
    def broken(self) -> bool:
        """Whether a zero-defect rule is violated that the baseline satisfied in every pair."""
        kept = not any(_passed(pair.baseline_trial.outcome) is False for pair in self.pairs)
        return self.result.claim.required == 1 and kept and bool(self.lost)

    @cached_property
    def differences(self) -> list[int]:
        """The losses of each cluster minus its possible gains."""
        return [
            sum(pair.lost - pair.may_be_gained for pair in cluster)
            for cluster in _clusters(self.pairs)
        ]

    @cached_property
    def effective(self) -> Pairs:
        """The effective counts of all pairs; trials that were not tried are unsettled."""
        return _effective(self.pairs)

    @property
    def at_least(self) -> float:
        """The lower bound of the change in the rate of tried trials (Tango), for display."""
        return paired.least_difference(_effective(self.tried))

    @cached_property
    def non_inferior(self) -> bool:
        """Whether the rate is shown to be non-inferior within the margin (exact test)."""
        p_value = paired.inferior(self.effective, self.upgrade.margin)
        return p_value <= self.result.claim.alpha

    def slowdowns(self, run: float) -> list[int]:
        """For each timed trial, 1 where it is slower than the run by more than noise, else -1."""
        return [1 if ratio > SLOWDOWN_THRESHOLD * run else -1 for ratio in self.ratios]

    @property
    def pace(self) -> float:
        """The median ratio of durations."""
        return median(self.ratios)


def _effective(pairs: Sequence[TrialPair]) -> Pairs:
    """The effective pair counts, with unsettled outcomes counted against the candidate."""
    clusters = _clusters(pairs)
    losses = [sum(pair.may_be_lost for pair in cluster) for cluster in clusters]
    kept = [
        Cluster(len(cluster) - lost, len(cluster))
        for lost, cluster in zip(losses, clusters, strict=True)
    ]
    found = Pairs(sum(losses), sum(pair.gained for pair in pairs), len(pairs))
    return found.over(design_effect(kept))


def _clusters(pairs: Sequence[TrialPair]) -> list[list[TrialPair]]:
    shared: dict[str, list[TrialPair]] = {}
    for index, pair in enumerate(pairs):
        # A trial without a cluster is its own.
        shared.setdefault(pair.trial.cluster or f"\0{index}", []).append(pair)
    return list(shared.values())


@dataclass(frozen=True)
class RunComparison:
    """A run compared with its baseline.

    Args:
        baseline: The baseline.
        now: The candidate.
        checks: The comparisons of its checks.
        drift: The changes in what the endpoint reports about itself.
        identity: Whether such changes gate.
        alpha: The family-wise risk of a false alarm.
    """

    baseline: FinishedRun
    now: FinishedRun
    checks: Sequence[CheckComparison]
    drift: Sequence[Drift]
    identity: Gate
    alpha: float

    @cached_property
    def adjusted_p_values(self) -> dict[str, float]:
        """The p-value of each check's losses by id, adjusted for the number of checks (Holm)."""
        adjusted = paired.family_wise_p_values(
            [each.differences for each in self.checks], self.alpha
        )
        return {each.id: p_value for each, p_value in zip(self.checks, adjusted, strict=True)}

    @cached_property
    def regressed(self) -> list[CheckComparison]:
        """The checks that are worse: significantly many losses, or a zero-defect rule violated."""
        return [
            each
            for each in self.checks
            if each.broken or self.adjusted_p_values[each.id] <= self.alpha
        ]

    @property
    def pace(self) -> float | None:
        """The median of its checks' ratios of durations; None where too few were timed."""
        timed = [each.pace for each in self.checks if each.ratios]
        return median(timed) if len(timed) >= MIN_TIMED_CHECKS else None

    @cached_property
    def slower(self) -> list[CheckComparison]:
        """The checks whose trials are significantly slower than the run as a whole (sign test)."""
        slowdowns = [each.slowdowns(self.pace or 1.0) for each in self.checks]
        adjusted = paired.family_wise_p_values(slowdowns, self.alpha)
        pairs = zip(self.checks, adjusted, strict=True)
        return [each for each, p_value in pairs if p_value <= self.alpha]

    @property
    def not_shown(self) -> list[CheckComparison]:
        """The checks that must be shown to be non-inferior, and are not."""
        return [
            each
            for each in self.checks
            if each.upgrade.non_inferiority is Gate.REQUIRED and not each.non_inferior
        ]

    @property
    def unpaired(self) -> list[str]:
        """The ids of the checks that the baseline did not try."""
        return [each.id for each in self.checks if not each.pairs]

    @property
    def pairs(self) -> int:
        """The number of conclusive pairs of all checks."""
        return sum(pair.conclusive for each in self.checks for pair in each.pairs)

    @property
    def agree(self) -> int:
        """The number of conclusive pairs that are neither lost nor gained."""
        changed = sum(len(each.lost) + len(each.gained) for each in self.checks)
        return self.pairs - changed

    @property
    def verdict(self) -> Verdict:
        """The verdict on the candidate: not ready where it is worse, or its identity drifted."""
        drifted = self.drift and self.identity is Gate.REQUIRED
        if drifted or any(each.gates for each in self.regressed):
            return Verdict.NOT_READY
        missing = any(each.gates for each in self.not_shown)
        return Verdict.INCONCLUSIVE if missing else Verdict.READY


def compare(
    baseline: FinishedRun, now: FinishedRun, matrix: Matrix, policy: Policy
) -> RunComparison:
    """Compare a run with its baseline."""
    compared = [
        _compared(baseline, now, result, policy, gates=_gates(row, result))
        for row in matrix.rows
        for result in row.results
    ]
    found = [each for each in compared if not _never_offered(each)]
    changed = drift(baseline.target, now.target)
    return RunComparison(baseline, now, found, changed, policy.upgrade().identity, policy.alpha)


def _gates(row: DimensionRow, result: Result) -> bool:
    counts = row.gate is Gate.REQUIRED and result.claim.gate is Gate.REQUIRED
    return counts and result.check.id not in row.waived


def _compared(
    baseline: FinishedRun, now: FinishedRun, result: Result, policy: Policy, *, gates: bool
) -> CheckComparison:
    pairs = _pairs(baseline, result)
    ratios = _ratios(baseline, now, pairs)
    return CheckComparison(result, pairs, ratios, policy.upgrade(result.check), gates)


def _pairs(baseline: FinishedRun, result: Result) -> list[TrialPair]:
    check = result.check.id
    if not any(name == check for name, _ in baseline.trials):
        return []
    # An interrupted baseline lacks some trials, which count as skipped.
    return [
        TrialPair(
            trial,
            baseline.trials.get((check, trial.number), RecordedTrial(trial.probe, Outcome.SKIPPED)),
        )
        for trial in result.counted
    ]


def _ratios(baseline: FinishedRun, now: FinishedRun, pairs: Sequence[TrialPair]) -> list[float]:
    """The ratios of durations; empty where the concurrency was different.

    Exchanges that several trials share are counted once.
    """
    if baseline.concurrency != now.concurrency:
        return []
    both = [
        pair
        for pair in pairs
        if pair.trial.score.passed
        and pair.baseline_trial.outcome is Outcome.PASS
        and pair.trial.exchanges
    ]
    once = {pair.trial.exchanges: pair.baseline_trial.exchanges for pair in both}
    took = ((now.duration(after), baseline.duration(before)) for after, before in once.items())
    return [after / before for after, before in took if before]


def _never_offered(compared: CheckComparison) -> bool:
    """Whether the feature is unsupported in both runs."""
    return bool(compared.pairs) and all(
        {pair.baseline_trial.outcome, pair.trial.score.outcome} == {Outcome.UNSUPPORTED}
        for pair in compared.pairs
    )
