"""Two runs compared: check by check, over all checks, and what drifted."""

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

#: Noise is slower than this at times: less is not worth a word.
SLOWER = 1.10


@dataclass(frozen=True, slots=True)
class TrialPair:
    """A trial, and the same one of the baseline."""

    trial: Trial
    baseline_trial: RecordedTrial

    @property
    def lost(self) -> bool:
        """Whether it passed, and does not pass now."""
        return _passed(self.baseline_trial.outcome) is True and _passed(self._now) is False

    @property
    def gained(self) -> bool:
        """Whether it did not pass, and passes now."""
        return _passed(self.baseline_trial.outcome) is False and _passed(self._now) is True

    @property
    def conclusive(self) -> bool:
        """Whether it says something in both."""
        return None not in (_passed(self.baseline_trial.outcome), _passed(self._now))

    @property
    def may_be_lost(self) -> bool:
        """Whether it was lost if what is unsettled went the worst way."""
        return _passed(self.baseline_trial.outcome) is not False and _passed(self._now) is not True

    @property
    def may_be_gained(self) -> bool:
        """Whether it was gained if what is unsettled went the best way."""
        return _passed(self.baseline_trial.outcome) is not True and _passed(self._now) is not False

    @property
    def _now(self) -> Outcome:
        return self.trial.score.outcome


def _passed(outcome: Outcome) -> bool | None:
    """Whether a trial passed; None where it says nothing."""
    return None if outcome in UNSETTLED else outcome is Outcome.PASS


@dataclass(frozen=True)
class CheckComparison:
    """A check beside the baseline's.

    Args:
        result: What it has shown.
        pairs: Its trials, each beside the same one of the baseline; none where that has none.
        ratios: How many times as long as before the trials took that passed in both.
        upgrade: What the policy asks of it.
        gates: Whether it counts towards the run.
    """

    result: Result
    pairs: Sequence[TrialPair]
    ratios: Sequence[float]
    upgrade: UpgradeRule
    gates: bool

    @property
    def id(self) -> str:
        """What every report calls the check."""
        return self.result.check.id

    @cached_property
    def lost(self) -> list[TrialPair]:
        """The trials that passed, and do so no more."""
        return [pair for pair in self.pairs if pair.lost]

    @cached_property
    def gained(self) -> list[TrialPair]:
        """The trials that did not pass, and do so now."""
        return [pair for pair in self.pairs if pair.gained]

    @property
    def broken(self) -> bool:
        """Whether a rule that the baseline kept is broken somewhere: no chance excuses that."""
        return self.result.claim.required == 1 and bool(self.lost)

    @cached_property
    def differences(self) -> list[int]:
        """What each cluster has lost, less what it may have gained."""
        return [
            sum(pair.lost - pair.may_be_gained for pair in cluster) for cluster in self._clusters
        ]

    @cached_property
    def effective(self) -> Pairs:
        """As many independent pairs as tell as much, what is unsettled gone the worst way."""
        losses = [sum(pair.may_be_lost for pair in cluster) for cluster in self._clusters]
        kept = [
            Cluster(len(cluster) - lost, len(cluster))
            for lost, cluster in zip(losses, self._clusters, strict=True)
        ]
        found = Pairs(sum(losses), len(self.gained), len(self.pairs))
        return found.over(design_effect(kept))

    @property
    def at_least(self) -> float:
        """How far the rate has changed at the least: Tango's bound, to be shown."""
        return paired.least_difference(self.effective)

    @cached_property
    def non_inferior(self) -> bool:
        """Whether the rate is shown to be no lower than by the margin (exact)."""
        chance = paired.inferior(self.effective, self.upgrade.margin)
        return chance <= self.result.claim.alpha

    @property
    def slowdowns(self) -> list[int]:
        """A loss for each trial that took longer by more than noise, a gain for each other."""
        return [1 if ratio > SLOWER else -1 for ratio in self.ratios]

    @property
    def pace(self) -> float:
        """How many times as long a trial took, as a rule."""
        return median(self.ratios)

    @cached_property
    def _clusters(self) -> list[list[TrialPair]]:
        shared: dict[str, list[TrialPair]] = {}
        for place, pair in enumerate(self.pairs):
            # A trial that shares nothing is a cluster of its own.
            shared.setdefault(pair.trial.cluster or f"\0{place}", []).append(pair)
        return list(shared.values())


@dataclass(frozen=True)
class RunComparison:
    """A run held against its baseline.

    Args:
        baseline: The run that it is held against.
        now: The run itself.
        checks: Its checks, beside the baseline's.
        drift: What the endpoint says of itself otherwise than before.
        identity: Whether it must say the same.
        alpha: The risk that any alarm is false.
    """

    baseline: FinishedRun
    now: FinishedRun
    checks: Sequence[CheckComparison]
    drift: Sequence[Drift]
    identity: Gate
    alpha: float

    @cached_property
    def adjusted_p_values(self) -> dict[str, float]:
        """How likely each check's losses are if nothing has changed, raised for their number."""
        raised = paired.family_wise_p_values([each.differences for each in self.checks], self.alpha)
        return {each.id: chance for each, chance in zip(self.checks, raised, strict=True)}

    @cached_property
    def regressed(self) -> list[CheckComparison]:
        """The checks that have become worse: too many losses for chance, or a rule broken."""
        return [
            each
            for each in self.checks
            if each.broken or self.adjusted_p_values[each.id] <= self.alpha
        ]

    @cached_property
    def slower(self) -> list[CheckComparison]:
        """The checks whose trials take longer, by more than noise."""
        raised = paired.family_wise_p_values([each.slowdowns for each in self.checks], self.alpha)
        told = zip(self.checks, raised, strict=True)
        return [each for each, chance in told if chance <= self.alpha]

    @property
    def not_shown(self) -> list[CheckComparison]:
        """The checks that must be shown to be no worse, and are not."""
        return [
            each
            for each in self.checks
            if each.upgrade.non_inferiority is Gate.REQUIRED and not each.non_inferior
        ]

    @property
    def unpaired(self) -> list[str]:
        """The ids of the checks that the baseline has not tried."""
        return [each.id for each in self.checks if not each.pairs]

    @property
    def pairs(self) -> int:
        """How many trials say something on both sides, of all checks."""
        return sum(pair.conclusive for each in self.checks for pair in each.pairs)

    @property
    def agree(self) -> int:
        """Of how many of those neither was lost nor gained."""
        changed = sum(len(each.lost) + len(each.gained) for each in self.checks)
        return self.pairs - changed

    @property
    def verdict(self) -> Verdict:
        """What this shows of the candidate: what is worse outranks what is not shown."""
        drifted = self.drift and self.identity is Gate.REQUIRED
        if drifted or any(each.gates for each in self.regressed):
            return Verdict.NOT_READY
        missing = any(each.gates for each in self.not_shown)
        return Verdict.INCONCLUSIVE if missing else Verdict.READY


def compare(
    baseline: FinishedRun, now: FinishedRun, matrix: Matrix, policy: Policy
) -> RunComparison:
    """Hold a run against its baseline."""
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
    # A baseline that was interrupted has not made them all: what is missing says nothing.
    return [
        TrialPair(
            trial,
            baseline.trials.get((check, trial.number), RecordedTrial(trial.probe, Outcome.SKIPPED)),
        )
        for trial in result.counted
    ]


def _ratios(baseline: FinishedRun, now: FinishedRun, pairs: Sequence[TrialPair]) -> list[float]:
    """How many times as long trials took; none where the load was not the same.

    What several trials have fetched once is counted once.
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
    took = ((now.took(after), baseline.took(before)) for after, before in once.items())
    return [after / before for after, before in took if before]


def _never_offered(compared: CheckComparison) -> bool:
    """Whether the feature was lacking before, and is now."""
    return bool(compared.pairs) and all(
        {pair.baseline_trial.outcome, pair.trial.score.outcome} == {Outcome.UNSUPPORTED}
        for pair in compared.pairs
    )
