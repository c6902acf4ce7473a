"""The outcome of one trial, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
class Measure:
    """A figure that a trial has measured, for the record.

    Args:
        name: What it is, as in "time to first token".
        value: The figure.
        unit: Its unit, as in "s"; "" for a share or a count.
        at: Under which conditions, as in `{"length": 131072, "depth": 0.5}`.
        of: How many values it is a statistic of, as in a percentile of 96 times; 1 where it is one.
        low: Where its interval begins (95 %); None where it has none.
        high: Where that ends.
    """

    name: str
    value: float
    unit: str = ""
    at: Mapping[str, float | str] = field(default_factory=dict)
    of: int = 1
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """The outcome of one trial.

    Args:
        outcome: What became of it.
        reason: Why, where it did not pass: for people, and nothing is decided by it.
        measures: What it has measured.
        made: Whether it was made; false where it could have changed nothing.
        met_in_reasoning: Whether the reasoning has what the reply should not, as some clients show.
        settled_by: Who has labelled what no rule could settle: "review", or "judge" and its model.
        kind: What the reason has in common with those of trials that failed alike, for counting
            them together; "" where it stands for itself.
    """

    outcome: Outcome
    reason: str = ""
    measures: tuple[Measure, ...] = ()
    made: bool = True
    met_in_reasoning: bool = False
    settled_by: str = ""
    kind: str = field(default="", compare=False)

    @property
    def passed(self) -> bool:
        """Whether the trial met the requirement."""
        return self.outcome is Outcome.PASS

    def measured(self, *measures: Measure) -> Score:
        """The same score, with what the trial has measured besides."""
        return replace(self, measures=(*self.measures, *measures))


PASSED = Score(Outcome.PASS)

#: Of a trial that was not made, for it could have changed nothing.
SETTLED = Score(Outcome.SKIPPED, "not made: the verdict was settled", made=False)


def scored(
    outcome: Outcome, kind: str, came: str | None = None, *, got: str | None = None
) -> Score:
    """Score a trial by why, and by what came or what it got instead, which no two have alike."""
    shown = "" if came is None else f": {came}"
    return Score(outcome, f"{kind}{shown if got is None else f', got {got}'}", kind=kind)


def failed(kind: str, came: str | None = None, *, got: str | None = None) -> Score:
    """Score a trial in which the endpoint did not meet the requirement."""
    return scored(Outcome.FAIL, kind, came, got=got)


class EndpointError(Exception):
    """The endpoint sent no usable reply: the trial ends here, and it counts.

    Args:
        kind: Why, for people.
        outcome: What that makes of the trial.
        came: What came, which no two replies have alike.
        status: The HTTP status, where the endpoint refused.
        message: The endpoint's own words, where it refused.
    """

    def __init__(
        self,
        kind: str,
        outcome: Outcome = Outcome.ENDPOINT_ERROR,
        *,
        came: str | None = None,
        status: int | None = None,
        message: str = "",
    ) -> None:
        self.score = scored(outcome, kind, came)
        super().__init__(self.score.reason)
        self.status = status
        self.message = message
