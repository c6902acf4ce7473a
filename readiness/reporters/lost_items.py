"""The trials that were lost, each with what came before and what comes now."""

from __future__ import annotations

from dataclasses import dataclass

from readiness.baseline.comparison import RunComparison, TrialPair
from readiness.evidence.redaction import Secrets

MOST_ITEMS = 10
MOST_REPLY = 240  # characters


@dataclass(frozen=True)
class LostTrial:
    """A trial that was lost.

    Args:
        check: The check's id.
        pair: The trial, and the same one of the baseline.
        before: The end of what came then, cut.
        now: The end of what came now, cut.
    """

    check: str
    pair: TrialPair
    before: str
    now: str

    @property
    def why(self) -> str:
        """Why it did not pass."""
        return self.pair.trial.score.reason or str(self.pair.trial.score.outcome)


def lost_items(found: RunComparison, secrets: Secrets) -> list[LostTrial]:
    """The first few trials that were lost by checks that have become worse."""
    lost = [(each.id, pair) for each in found.regressed for pair in each.lost][:MOST_ITEMS]
    before = found.baseline.replies([_last(pair.baseline_trial.exchanges) for _, pair in lost])
    now = found.now.replies([_last(pair.trial.exchanges) for _, pair in lost])

    def said(exchanges: tuple[int, ...], replies: dict[int, str]) -> str:
        if not exchanges:
            return "(nothing was sent)"
        text = secrets.printable(replies[_last(exchanges)])[:MOST_REPLY]
        return f"(exchange {_last(exchanges)}) {text}"

    return [
        LostTrial(
            check,
            pair,
            said(pair.baseline_trial.exchanges, before),
            said(pair.trial.exchanges, now),
        )
        for check, pair in lost
    ]


def left_out(found: RunComparison) -> int:
    """How many more there are."""
    return max(0, sum(len(each.lost) for each in found.regressed) - MOST_ITEMS)


def _last(exchanges: tuple[int, ...]) -> int:
    return exchanges[-1] if exchanges else -1
