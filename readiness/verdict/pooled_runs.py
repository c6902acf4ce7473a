"""What several runs of the same build show together, where one of them leaves it open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from readiness.verdict.claim import Claim, Tally, Verdict
from readiness.verdict.sequential import judge_anytime


@dataclass(frozen=True)
class Pooled:
    """The trials of a check in several runs of the same build.

    Args:
        claim: What they have to show.
        tally: The trials of all the runs, by the probes that they have in common.
        runs: How many runs they are of.
        fallen: How many trials of a rule have failed in the earlier ones.
    """

    claim: Claim
    tally: Tally
    runs: int
    fallen: int = 0

    @cached_property
    def verdict(self) -> Verdict:
        """What they show, however often one looks: what one run shows, at the same risk.

        What says nothing is taken as would hinder the verdict most. Topics that come again in other
        words are no new topics, so that trials of the same name count as a cluster.
        """
        claim, tally = self.claim, self.tally
        if claim.required == 1:
            return Verdict.INCONCLUSIVE  # A rule is judged by the count of one run.
        effect, trials = tally.design_effect, tally.planned
        worst, best = tally.passed / effect, (trials - tally.failed) / effect
        below = judge_anytime(best, trials / effect, claim.required, claim.alpha)
        if below is Verdict.NOT_READY:
            return Verdict.NOT_READY
        above = judge_anytime(worst, trials / effect, claim.at_least, claim.alpha)
        met = tally.passed / trials >= claim.required and not claim.defects_only
        return Verdict.READY if met and above is Verdict.READY else Verdict.INCONCLUSIVE

    @property
    def doubt(self) -> str:
        """Why a rule that one run has kept is not shown to hold; "" where there is no reason."""
        return f"{self.fallen} trials failed in earlier runs of this build" if self.fallen else ""

    def __str__(self) -> str:
        return f"{self.tally.passed} of {self.tally.planned} trials in {self.runs} runs"
