"""Looking before the end: what may be concluded from trials that are still coming in."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log1p

from readiness.verdict.claim import Verdict


@dataclass(frozen=True)
class Sprt:
    """Wald's sequential test (1945) of one rate against another, ended after so many trials.

    Between the two rates its decision is arbitrary.

    Args:
        bad: The rate that must not be called ready.
        good: The rate that must not be called not ready.
        trials: Where it ends, undecided.
        alpha: The risk of calling the bad rate ready.
        beta: The risk of calling the good rate not ready.
    """

    bad: float
    good: float
    trials: int
    alpha: float = 0.05
    beta: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.bad < self.good < 1:
            raise ValueError(f"takes two rates, the good one higher: {self.bad}, {self.good}")

    def judge(self, passed: int, trials: int) -> Verdict:
        """What the trials so far decide; whoever goes on after a decision throws it away."""
        evidence = passed * log(self.good / self.bad)
        evidence += (trials - passed) * log((1 - self.good) / (1 - self.bad))
        if evidence >= log((1 - self.beta) / self.alpha):
            return Verdict.READY
        if evidence <= log(self.beta / (1 - self.alpha)):
            return Verdict.NOT_READY
        return Verdict.INCONCLUSIVE


def evidence_above(passed: float, trials: float, required: float) -> float:
    """The logarithm of the evidence that the rate is above the required one.

    A bet on every rate above it alike, against the required one. Whenever one looks, however often:
    were the rate no higher, the evidence would reach log(1 / alpha) with a chance of alpha at most
    (Ville 1939; Robbins 1970; Howard et al. 2021, arXiv 1810.08240).
    """
    from scipy.special import betaincc

    share = float(betaincc(passed + 1, trials - passed + 1, required))
    return _mixed(passed, trials, required, share, 1 - required)


def evidence_below(passed: float, trials: float, required: float) -> float:
    """The logarithm of the evidence that the rate is below the required one, in the same way."""
    from scipy.special import betainc

    share = float(betainc(passed + 1, trials - passed + 1, required))
    return _mixed(passed, trials, required, share, required)


def judge_anytime(passed: float, trials: float, required: float, alpha: float) -> Verdict:
    """What the trials so far show, however often one looks and whenever one stops."""
    if evidence_above(passed, trials, required) >= log(1 / alpha):
        return Verdict.READY
    if evidence_below(passed, trials, required) >= log(1 / alpha):
        return Verdict.NOT_READY
    return Verdict.INCONCLUSIVE


def _mixed(passed: float, trials: float, required: float, share: float, width: float) -> float:
    """How much likelier the trials are under a rate drawn from one side than under the required."""
    from scipy.special import betaln

    failed = trials - passed
    if not share:  # Too little for a float: the trials all but rule that side out.
        return -float("inf")
    drawn = float(betaln(passed + 1, failed + 1)) + log(share) - log(width)
    return drawn - passed * log(required) - failed * log1p(-required)
