"""The gate: the exit status of a run, and the explanation of a check that fails it."""

from __future__ import annotations

from enum import StrEnum

from readiness.verdict.claim import Verdict
from readiness.verdict.result import Result

#: pytest itself uses 0 to 5; its 1, a failed test, has the same meaning here.
EXIT_STATUS = {
    Verdict.READY: 0,
    Verdict.NOT_READY: 1,
    Verdict.INCONCLUSIVE: 10,
    Verdict.NOT_ASSESSED: 10,
}
INTERNAL_ERROR = 3  # pytest's own status of an internal error
UNSOUND = 11  # The evidence fails its integrity check.
UNTRIED = 12  # The endpoint could not be tried at all.
MAX_REASONS = 5


class FailOn(StrEnum):
    """The mildest verdict for which a run fails."""

    NOT_READY = "not-ready"
    INCONCLUSIVE = "inconclusive"


def exit_status(
    status: int, verdict: Verdict, bugs: bool, fail_on: FailOn = FailOn.INCONCLUSIVE
) -> int:
    """The exit status of a run; pytest's own stays where the run was interrupted or misused."""
    if status not in (0, 1):
        return status
    if bugs:
        return INTERNAL_ERROR
    passes = fail_on is FailOn.NOT_READY and verdict is not Verdict.NOT_READY
    return 0 if passes else EXIT_STATUS[verdict]


class GateFailure(AssertionError):
    """A result that fails the gate."""


def explain(result: Result) -> str:
    """The requirement, what was required and shown, and why trials failed, as text."""
    claim, settled = result.claim, sum(not trial.score.made for trial in result.counted)
    low, high = result.interval
    required = "every trial" if claim.required == 1 else f"{claim.required:.0%} of trials"
    lines = [
        f"{result.check.id} is {result.verdict}",
        f"  -> {result.check.requirement}",
        f"   required: {required}",
        f"      shown: {result.passed} of {result.executed} trials ({low:.1%} to {high:.1%})",
    ]
    if settled:
        lines.append(f"    stopped: {settled} more could not change the verdict")
    lines += [f"   doubtful: {doubt}" for doubt in result.doubts]
    lines += [
        f"    pattern: {pair}" for pair in [result.failing_alone or result.worst_pair] if pair
    ]
    lines += [f"   {each.count:6} × {each.shown}" for each in result.reasons[:MAX_REASONS]]
    if rest := result.reasons[MAX_REASONS:]:
        lines.append(
            f"   {sum(each.count for each in rest):6} × {len(rest)} other kinds of reasons"
        )
    return "\n".join(lines)
