"""Times that this machine may have made longer: no endpoint is failed for them."""

from __future__ import annotations

from dataclasses import replace

from readiness.score import Outcome, Score, scored

#: A reply passes through this process a few times: an excess of more lags is not its doing.
MAX_LAGS = 10.0
TOO_BUSY, REMEDY = "this machine was too busy to tell", "run it where nothing else runs"


def excuse_if_late(score: Score, excess: float, *late: float, lags: float = MAX_LAGS) -> Score:
    """A failure by time; undetermined where this machine may explain its excess.

    Args:
        score: The score: one that is no failure stays as it is.
        excess: By how many seconds something took too long.
        late: By how many seconds this machine may have delayed each request of it.
        lags: How many times it may have.
    """
    most = max(late, default=0.0)
    if score.outcome is not Outcome.FAIL or not most or excess > lags * most:
        return score
    return replace(too_busy(most, score.reason), measures=score.measures)


def too_busy(late: float, shown: str) -> Score:
    """The score of times that this machine may have made longer by so many seconds."""
    return scored(Outcome.UNDETERMINED, TOO_BUSY, came=f"{late:.2f} s late; {shown}: {REMEDY}")
