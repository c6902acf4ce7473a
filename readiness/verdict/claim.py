"""A check's claim, and the verdict that its trials support."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from readiness.statistics.proportions import Cluster, design_effect, lower, upper


class Verdict(StrEnum):
    """The verdict on a requirement, in order of severity: each is worse than those above it."""

    READY = "ready"
    NOT_ASSESSED = "not assessed"
    INCONCLUSIVE = "inconclusive"
    NOT_READY = "not ready"

    @property
    def severity(self) -> int:
        """The rank by which the worst verdict is chosen."""
        return list(Verdict).index(self)


class Gate(StrEnum):
    """Whether a verdict counts: for the verdict above it, for information only, or not at all."""

    REQUIRED = "required"
    ADVISORY = "advisory"
    OFF = "off"


class Unsupported(StrEnum):
    """The verdict on a check whose feature the endpoint does not support."""

    NOT_READY = "not ready"
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class Claim:
    """What a check's trials must show.

    Args:
        required: The required pass rate; 1 where no trial may fail.
        margin: How far below the required rate the true rate may be.
        alpha: The one-sided risk of a wrong verdict.
        trials: The number of planned trials; those not tried count as unsettled.
        defects_only: Whether the trials can show defects, but are too few to show readiness.
        gate: Whether the check counts towards its dimension.
        unsupported: The verdict where the endpoint does not support a feature it needs.
    """

    required: float
    margin: float
    alpha: float
    trials: int
    defects_only: bool = False
    gate: Gate = Gate.REQUIRED
    unsupported: Unsupported = Unsupported.NOT_READY

    def __post_init__(self) -> None:
        if not 0 < self.required <= 1:
            raise ValueError(f"requires {self.required}: choose a rate above 0, up to 1")
        if not 0 <= self.margin < self.required:
            raise ValueError(
                f"has a margin of {self.margin}: choose one from 0, below {self.required}"
            )
        if not 0 < self.alpha < 0.5:
            raise ValueError(f"has an alpha of {self.alpha}: choose a risk above 0, below 0.5")
        if self.trials < 1:
            raise ValueError(f"has {self.trials} trials: choose 1 or more")

    @property
    def at_least(self) -> float:
        """The rate that must be shown: the required rate less the margin."""
        return self.required - self.margin


@dataclass(frozen=True)
class Tally:
    """The counts of a check's trials by outcome.

    Args:
        passed: Those that satisfied the requirement.
        failed: Those that did not.
        unsettled: Those that show nothing: skipped, undetermined or not tried.
        clusters: The same trials by cluster; empty where all are independent.
    """

    passed: int = 0
    failed: int = 0
    unsettled: int = 0
    clusters: tuple[Tally, ...] = ()

    def __post_init__(self) -> None:
        counts = (self.passed, self.failed, self.unsettled)
        if min(counts) < 0:
            raise ValueError(f"fewer than no trials: {counts}")
        if self.clusters and counts != _totals(self.clusters):
            raise ValueError(f"{counts} trials, but {_totals(self.clusters)} in clusters")

    @classmethod
    def of(cls, clusters: Iterable[Tally]) -> Tally:
        """The sum of clusters, which are kept for the design effect."""
        parts = tuple(each for each in clusters if each.planned)
        return cls(*_totals(parts), parts)

    @property
    def planned(self) -> int:
        """The number of all trials: the denominator never shrinks."""
        return self.passed + self.failed + self.unsettled

    @property
    def design_effect(self) -> float:
        """How many of these trials are worth one independent trial.

        Unsettled trials count as all failed or as all passed, whichever gives the larger effect.
        """
        return max(
            design_effect([Cluster(each.passed, each.planned) for each in self.clusters]),
            design_effect(
                [Cluster(each.planned - each.failed, each.planned) for each in self.clusters]
            ),
        )


def _totals(tallies: Sequence[Tally]) -> tuple[int, int, int]:
    return (
        sum(each.passed for each in tallies),
        sum(each.failed for each in tallies),
        sum(each.unsettled for each in tallies),
    )


def judge(tally: Tally, claim: Claim) -> Verdict:
    """The verdict that holds whether unsettled trials count as passed or as failed."""
    trials = max(tally.planned, claim.trials)
    by_rule = claim.required == 1
    shown = _judge_rule(tally, trials) if by_rule else _judge_rate(tally, claim, trials)
    if shown is Verdict.READY and claim.defects_only:
        return Verdict.INCONCLUSIVE
    return shown


def _judge_rule(tally: Tally, trials: int) -> Verdict:
    """Judge a zero-defect rule by count: no number of trials proves it, one failure breaks it."""
    if tally.failed:
        return Verdict.NOT_READY
    return Verdict.READY if tally.passed == trials else Verdict.INCONCLUSIVE


def _judge_rate(tally: Tally, claim: Claim, trials: int) -> Verdict:
    """Ready where the lower bound (Clopper-Pearson) is within the margin of the required rate.

    Not ready where the upper bound is below the required rate; otherwise inconclusive.
    """
    effect = tally.design_effect
    at_worst, at_best = tally.passed, trials - tally.failed
    # The quotient of two counts rounds like the literal of the rate: 90 / 100 >= 0.9 holds.
    met = at_worst / trials >= claim.required
    if met and lower(at_worst / effect, trials / effect, claim.alpha) >= claim.at_least:
        return Verdict.READY
    if upper(at_best / effect, trials / effect, claim.alpha) < claim.required:
        return Verdict.NOT_READY
    return Verdict.INCONCLUSIVE


def worst(verdicts: Iterable[Verdict], default: Verdict = Verdict.NOT_ASSESSED) -> Verdict:
    """The most severe verdict; the default where there is none."""
    return max(verdicts, key=lambda each: each.severity, default=default)


#: The maximum score of each verdict.
MAX_SCORE = {
    Verdict.READY: 100,
    Verdict.INCONCLUSIVE: 89,
    Verdict.NOT_READY: 59,
    Verdict.NOT_ASSESSED: 0,
}


def score(verdict: Verdict, met: float) -> int:
    """The score, 0 to 100: the share of the required rate, limited by the verdict."""
    percent = round(100 * met)
    return max(90, percent) if verdict is Verdict.READY else min(MAX_SCORE[verdict], percent)
