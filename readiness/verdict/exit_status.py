"""The gate: the exit status of a run, and what is said of a check that does not pass it."""

from __future__ import annotations

from readiness.verdict.claim import Verdict
from readiness.verdict.result import Result

#: pytest takes 0 to 5 for itself, and 1 means to it what it means here: something failed.
EXIT_STATUS = {
    Verdict.READY: 0,
    Verdict.NOT_READY: 1,
    Verdict.INCONCLUSIVE: 10,
    Verdict.NOT_ASSESSED: 10,
}
A_BUG = 3  # pytest's own status of an internal error
UNSOUND = 11  # The evidence does not hold together: nothing can be built on it.
MOST_REASONS = 5


def exit_status(status: int, verdict: Verdict, bugs: bool) -> int:
    """The exit status of a run, from pytest's own and the verdict: interruptions stay."""
    if status not in (0, 1):
        return status
    return A_BUG if bugs else EXIT_STATUS[verdict]


class NotAdmitted(AssertionError):
    """A result that the gate does not admit."""


def explain(result: Result) -> str:
    """Say what was required, what was shown, and why trials failed."""
    claim, planned = result.claim, len(result.counted)
    low, high = result.interval
    required = "every trial" if claim.required == 1 else f"{claim.required:.0%} of trials"
    lines = [
        f"{result.check.id} is {result.verdict}",
        f"  -> {result.check.requirement}",
        f"   required: {required}",
        f"      shown: {result.passed} of {result.executed} trials ({low:.1%} to {high:.1%})",
    ]
    if result.executed < planned:
        lines.append(f"    stopped: {planned - result.executed} more could not change the verdict")
    lines += [f"   doubtful: {doubt}" for doubt in result.doubts]
    lines += [f"   {each.count:6} × {each.shown}" for each in result.reasons[:MOST_REASONS]]
    if rest := result.reasons[MOST_REASONS:]:
        lines.append(
            f"   {sum(each.count for each in rest):6} × {len(rest)} other kinds of reasons"
        )
    return "\n".join(lines)
