"""What the trials of a check show about its requirement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from readiness.statistics.proportions import Cluster, design_effect, lower, upper


class Verdict(StrEnum):
    """What the trials show about a requirement: each member is worse than those above it."""

    READY = "ready"
    NOT_ASSESSED = "not assessed"
    INCONCLUSIVE = "inconclusive"
    NOT_READY = "not ready"

    @property
    def badness(self) -> int:
        """The rank by which one verdict outranks another."""
        return list(Verdict).index(self)


class Gate(StrEnum):
    """Whether a verdict counts: towards the verdict above it, for information, or not at all."""

    REQUIRED = "required"
    ADVISORY = "advisory"
    OFF = "off"


class Unsupported(StrEnum):
    """What it means that the endpoint does not support a feature."""

    NOT_READY = "not ready"
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class Claim:
    """What a check's trials have to show.

    Args:
        required: The rate of passed trials; 1 where none may fail.
        margin: How much less than required the rate may truly be.
        alpha: The risk of a wrong verdict that is run, on either side.
        trials: How many are planned; those that were not tried count as lost.
        defects_only: Whether the trials can show defects, but are too few for readiness.
        gate: Whether the check counts towards its dimension.
        unsupported: What it means that the endpoint lacks a feature that the check needs.
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
        """The rate that has to be shown."""
        return self.required - self.margin


@dataclass(frozen=True)
class Tally:
    """The trials of a check, by what became of them.

    Args:
        passed: Those that met the requirement.
        failed: Those that did not.
        unsettled: Those that say nothing: skipped, undetermined, lost.
        clusters: The same trials once more, by what they share; empty where they share nothing.
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
        """Add clusters up, and keep them."""
        parts = tuple(each for each in clusters if each.planned)
        return cls(*_totals(parts), parts)

    @property
    def planned(self) -> int:
        """All trials: the denominator never shrinks."""
        return self.passed + self.failed + self.unsettled

    @property
    def design_effect(self) -> float:
        """How many of these trials tell as much as one independent trial.

        Unsettled ones go the way that tells least: they may all have failed, or all have passed.
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
    """The verdict that holds whichever way the unsettled trials would have gone."""
    trials = max(tally.planned, claim.trials)
    by_rule = claim.required == 1
    shown = _judge_rule(tally, trials) if by_rule else _judge_rate(tally, claim, trials)
    if shown is Verdict.READY and claim.defects_only:
        return Verdict.INCONCLUSIVE
    return shown


def _judge_rule(tally: Tally, trials: int) -> Verdict:
    """A rule is judged by count: no number of trials proves it, and one failure breaks it."""
    if tally.failed:
        return Verdict.NOT_READY
    return Verdict.READY if tally.passed == trials else Verdict.INCONCLUSIVE


def _judge_rate(tally: Tally, claim: Claim, trials: int) -> Verdict:
    """Ready where the rate is met and shown within the margin; not ready where it is excluded."""
    effect = tally.design_effect
    at_worst, at_best = tally.passed, trials - tally.failed
    # The quotient of two counts is rounded as the literal of the rate is: 90 / 100 >= 0.9 holds.
    met = at_worst / trials >= claim.required
    if met and lower(at_worst / effect, trials / effect, claim.alpha) >= claim.at_least:
        return Verdict.READY
    if upper(at_best / effect, trials / effect, claim.alpha) < claim.required:
        return Verdict.NOT_READY
    return Verdict.INCONCLUSIVE


def worst(verdicts: Iterable[Verdict], default: Verdict = Verdict.NOT_ASSESSED) -> Verdict:
    """The verdict that outranks the others; where there is none, nothing was assessed."""
    return max(verdicts, key=lambda each: each.badness, default=default)


#: The score that each verdict allows.
MOST_SCORE = {
    Verdict.READY: 100,
    Verdict.INCONCLUSIVE: 89,
    Verdict.NOT_READY: 59,
    Verdict.NOT_ASSESSED: 0,
}


def score(verdict: Verdict, met: float) -> int:
    """From 0 to 100: how much of what is required was met, within what the verdict allows."""
    percent = round(100 * met)
    return max(90, percent) if verdict is Verdict.READY else min(MOST_SCORE[verdict], percent)
