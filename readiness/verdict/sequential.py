"""Sequential tests: verdicts from trials that are still arriving, at a controlled risk."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log1p
from sys import float_info

from readiness.verdict.claim import Verdict


@dataclass(frozen=True)
class Sprt:
    """Wald's sequential probability ratio test (1945) of two rates, truncated at `trials`.

    For true rates between the two, either decision is acceptable.

    Args:
        bad: The rate that must not be called ready.
        good: The rate that must not be called not ready.
        trials: The number of trials at which it ends inconclusive.
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
        """The decision after the trials so far; the first decision is final."""
        evidence = passed * log(self.good / self.bad)
        evidence += (trials - passed) * log((1 - self.good) / (1 - self.bad))
        if evidence >= log((1 - self.beta) / self.alpha):
            return Verdict.READY
        if evidence <= log(self.beta / (1 - self.alpha)):
            return Verdict.NOT_READY
        return Verdict.INCONCLUSIVE


def evidence_above(passed: float, trials: float, required: float) -> float:
    """The log of the e-value that the rate is above the required one.

    A mixture likelihood ratio, uniform over the rates above the required one. If the rate is not
    higher, it ever reaches log(1 / alpha) with a probability of at most alpha, however often one
    looks (Ville 1939; Robbins 1970; Howard et al. 2021, arXiv 1810.08240).
    """
    from scipy.special import betaincc

    share = float(betaincc(passed + 1, trials - passed + 1, required))
    return _mixed(passed, trials, required, share, 1 - required)


def evidence_below(passed: float, trials: float, required: float) -> float:
    """The log of the e-value that the rate is below the required one, likewise."""
    from scipy.special import betainc

    share = float(betainc(passed + 1, trials - passed + 1, required))
    return _mixed(passed, trials, required, share, required)


def judge_anytime(passed: float, trials: float, required: float, alpha: float) -> Verdict:
    """The anytime-valid verdict of the trials so far, at risk `alpha` on either side."""
    if evidence_above(passed, trials, required) >= log(1 / alpha):
        return Verdict.READY
    if evidence_below(passed, trials, required) >= log(1 / alpha):
        return Verdict.NOT_READY
    return Verdict.INCONCLUSIVE


def _mixed(passed: float, trials: float, required: float, share: float, width: float) -> float:
    """The log likelihood ratio of a uniform mixture over one side and the required rate."""
    from scipy.special import betaln

    failed = trials - passed
    if share < float_info.min:  # Underflow: the trials all but exclude that side.
        return -float("inf")
    mixture = float(betaln(passed + 1, failed + 1)) + log(share) - log(width)
    return mixture - passed * log(required) - failed * log1p(-required)
