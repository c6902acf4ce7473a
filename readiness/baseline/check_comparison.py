"""A check beside the baseline's: which of its trials were lost or gained, and what that shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from readiness.baseline.finished_run import Tried
from readiness.policy.upgrade_rule import Upgrade
from readiness.score import UNSETTLED, Outcome
from readiness.statistics import paired
from readiness.statistics.paired import Pairs
from readiness.statistics.proportions import Cluster, design_effect
from readiness.verdict.result import Result, Trial

#: Noise is slower than this at times: less is not worth a word.
SLOWER = 1.10


@dataclass(frozen=True, slots=True)
class Pair:
    """A trial, and the same one of the baseline."""

    trial: Trial
    before: Tried

    @property
    def lost(self) -> bool:
        """Whether it passed, and does not pass now."""
        return _passed(self.before.outcome) is True and _passed(self._now) is False

    @property
    def gained(self) -> bool:
        """Whether it did not pass, and passes now."""
        return _passed(self.before.outcome) is False and _passed(self._now) is True

    @property
    def told(self) -> bool:
        """Whether it says something in both."""
        return None not in (_passed(self.before.outcome), _passed(self._now))

    @property
    def may_be_lost(self) -> bool:
        """Whether it was lost if what is unsettled went the worst way."""
        return _passed(self.before.outcome) is not False and _passed(self._now) is not True

    @property
    def may_be_gained(self) -> bool:
        """Whether it was gained if what is unsettled went the best way."""
        return _passed(self.before.outcome) is not True and _passed(self._now) is not False

    @property
    def _now(self) -> Outcome:
        return self.trial.score.outcome


def _passed(outcome: Outcome) -> bool | None:
    """Whether a trial passed; None where it says nothing."""
    return None if outcome in UNSETTLED else outcome is Outcome.PASS


@dataclass(frozen=True)
class Compared:
    """A check beside the baseline's.

    Args:
        result: What it has shown.
        pairs: Its trials, each beside the same one of the baseline; none where that has none.
        ratios: How many times as long as before the trials took that passed in both.
        upgrade: What the policy asks of it.
        gates: Whether it counts towards the run.
    """

    result: Result
    pairs: Sequence[Pair]
    ratios: Sequence[float]
    upgrade: Upgrade
    gates: bool

    @property
    def id(self) -> str:
        """What every report calls the check."""
        return self.result.check.id

    @cached_property
    def lost(self) -> list[Pair]:
        """The trials that passed, and do so no more."""
        return [pair for pair in self.pairs if pair.lost]

    @cached_property
    def gained(self) -> list[Pair]:
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
    def shown(self) -> bool:
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
    def _clusters(self) -> list[list[Pair]]:
        shared: dict[str, list[Pair]] = {}
        for place, pair in enumerate(self.pairs):
            # A trial that shares nothing is a cluster of its own.
            shared.setdefault(pair.trial.cluster or f"\0{place}", []).append(pair)
        return list(shared.values())
