"""The outcome of one trial, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a trial: a closed set, counted apart and never merged."""

    PASS = "pass"
    FAIL = "fail"
    ENDPOINT_ERROR = "endpoint error"
    BUDGET = "budget exhausted"
    UNSUPPORTED = "unsupported"
    BLOCKED = "blocked by filter"
    UNDETERMINED = "undetermined"
    SKIPPED = "skipped"


#: Outcomes that say nothing of the endpoint: a verdict must hold whichever way they had gone.
UNSETTLED = frozenset({Outcome.UNDETERMINED, Outcome.SKIPPED})


@dataclass(frozen=True, slots=True)
class Score:
    """The outcome of one trial and, where it did not pass, why."""

    outcome: Outcome
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether the trial met the requirement."""
        return self.outcome is Outcome.PASS


PASSED = Score(Outcome.PASS)


def failed(reason: str) -> Score:
    """Score a trial in which the endpoint did not meet the requirement."""
    return Score(Outcome.FAIL, reason)


class EndpointError(Exception):
    """The endpoint sent no usable reply: the trial ends here, and it counts."""

    def __init__(self, reason: str, outcome: Outcome = Outcome.ENDPOINT_ERROR) -> None:
        super().__init__(reason)
        self.score = Score(outcome, reason)
