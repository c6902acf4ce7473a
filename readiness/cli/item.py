"""A check, as pytest runs and reports it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from readiness.check import Check, CheckMistake
from readiness.verdict.claim import Gate, Verdict
from readiness.verdict.exit_status import GateFailure, explain

if TYPE_CHECKING:
    from readiness.cli.interrupts import Interrupts
    from readiness.cli.progress import Progress
    from readiness.policy.waiver import Waiver
    from readiness.runner.run import Run
    from readiness.verdict.result import Result

RUN: pytest.StashKey[Run] = pytest.StashKey()
RUNNER = Path(__file__).parents[1] / "runner" / "scheduler.py"
PROGRESS: pytest.StashKey[Progress] = pytest.StashKey()
INTERRUPTS: pytest.StashKey[Interrupts] = pytest.StashKey()


class CheckItem(pytest.Item):
    """A check, as pytest runs and reports it."""

    def __init__(self, *, check: Check, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check

    def runtest(self) -> None:
        """Wait for the result, and apply the gate."""
        self.user_properties.append(("check", self.check.id))
        run = self.config.stash[RUN]
        planned = run.plan.get(self.check.id)
        if planned is None:
            pytest.skip("the policy leaves this check out")
        progress = self.config.stash.get(PROGRESS, None)
        with self.config.stash[INTERRUPTS].waiting():
            if self.check.alone:
                run.start([planned])
            with progress.shown() if progress else nullcontext():
                result = run.result(self.check.id)
        self.user_properties += properties(result)
        waiver = run.settings.waivers.get(self.check.id)
        if waiver:
            self.user_properties.append(("waiver", str(waiver)))
        admit(result, run.where(result), waiver)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the message of a gate failure, and any other exception as pytest does."""
        if isinstance(excinfo.value, GateFailure | CheckMistake):
            return str(excinfo.value)
        # A bug was raised on the run's event loop: frames above the scheduler are irrelevant.
        excinfo.traceback = excinfo.traceback.cut(path=RUNNER)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Point to the check's function."""
        return self.path, self.check.attempt.__code__.co_firstlineno - 1, self.name


def admit(result: Result, where: str, waiver: Waiver | None = None) -> None:
    """Report the result to pytest as passed, skipped, expected failure or failure.

    Raises:
        GateFailure: The check is required, not ready or inconclusive, and not waived.
    """
    if result.verdict is Verdict.READY or result.no_defect:
        return
    if result.verdict is Verdict.NOT_ASSESSED:
        pytest.skip(result.reasons[0].example)
    if waiver:
        pytest.xfail(f"{waiver}\n{explain(result)}")
    if result.claim.gate is Gate.ADVISORY:
        pytest.xfail(explain(result))
    raise GateFailure(f"{explain(result)}\n   evidence: {where}")


def properties(result: Result) -> list[tuple[str, object]]:
    """The properties of a result in pytest's JUnit report."""
    low, high = result.interval
    return [
        ("dimension", result.check.dimension),
        ("verdict", str(result.verdict)),
        ("gate", str(result.claim.gate)),
        ("passed", result.passed),
        ("trials", result.executed),
        ("interval", f"{low:.4f} {high:.4f}"),
        ("at_least", f"{result.rate_lower_bound:.4f}"),
        ("required", result.claim.required),
        ("score", result.score),
        *([("no_defect", True)] if result.no_defect else []),
    ]
