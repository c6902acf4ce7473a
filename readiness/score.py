"""The outcome of one trial, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of a trial: a closed set, each counted separately and never merged."""

    PASS = "pass"
    FAIL = "fail"
    ENDPOINT_ERROR = "endpoint error"
    BUDGET = "budget exhausted"
    UNSUPPORTED = "unsupported"
    BLOCKED = "blocked by filter"
    UNDETERMINED = "undetermined"
    SKIPPED = "skipped"


#: Outcomes that show nothing about the endpoint: a verdict must hold whether they count as passes
#: or as failures.
UNSETTLED = frozenset({Outcome.UNDETERMINED, Outcome.SKIPPED})


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that a trial has measured, for the record.

    Args:
        name: Its name, as in "time to first token".
        value: The figure.
        unit: Its unit, as in "s"; "" for a share or a count.
        at: The conditions, as in `{"length": 131072, "depth": 0.5}`.
        of: The number of values it is a statistic of, as in a percentile of 96 times; 1 for a
            single value.
        low: The lower end of its 95 % interval; None where it has none.
        high: The upper end of the interval.
        implausible: Whether it contradicts other figures, which marks them and changes no verdict.
    """

    name: str
    value: float
    unit: str = ""
    at: Mapping[str, float | str] = field(default_factory=dict)
    of: int = 1
    low: float | None = None
    high: float | None = None
    implausible: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """The outcome of one trial.

    Args:
        outcome: The trial's outcome.
        reason: Why it did not pass: for people, no code decides by it.
        measures: The figures it measured.
        made: Whether the trial was executed; false where the verdict was already settled.
        met_in_reasoning: Whether the reasoning text has what the reply must not: some clients
            show it.
        settled_by: Who labelled a reply that no rule could score: "review", or "judge" and its
            model.
        kind: The part of the reason that similar failures share, by which they are counted
            together; "" where there is none.
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
        """Whether the trial satisfied the requirement."""
        return self.outcome is Outcome.PASS

    @property
    def tried(self) -> bool:
        """Whether it was tried: a skipped trial shows no more than one that is still to come."""
        return self.outcome is not Outcome.SKIPPED

    def measured(self, *measures: Measure) -> Score:
        """The same score, with further measures."""
        return replace(self, measures=(*self.measures, *measures))


PASSED = Score(Outcome.PASS)

#: The score of a trial that was not executed, because it could no longer change the verdict.
SETTLED = Score(Outcome.SKIPPED, "not made: the verdict was settled", made=False)
INTERRUPTED = Score(Outcome.SKIPPED, "the run was interrupted")


def scored(
    outcome: Outcome, kind: str, came: str | None = None, *, got: str | None = None
) -> Score:
    """Score a trial: `kind` is shared by similar failures, `came` and `got` show this response."""
    shown = "" if came is None else f": {came}"
    return Score(outcome, f"{kind}{shown if got is None else f', got {got}'}", kind=kind)


def failed(kind: str, came: str | None = None, *, got: str | None = None) -> Score:
    """Score a trial in which the endpoint did not satisfy the requirement."""
    return scored(Outcome.FAIL, kind, came, got=got)


def failed_once(first: Score) -> Score:
    """Score a trial that failed, and was made again and did not."""
    once = "it failed once, and then not again"
    return scored(Outcome.UNDETERMINED, once, came=first.reason)


class EndpointError(Exception):
    """The endpoint sent no usable reply: the trial ends, and is counted with this outcome.

    Args:
        kind: Why, for people.
        outcome: The outcome of the trial.
        came: An excerpt of this response.
        status: The HTTP status of an error response.
        message: The endpoint's own error message.
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
