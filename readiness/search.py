"""Search: cases are made up until one fails, which is shrunk, confirmed and kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from readiness.findings import Case, Findings
from readiness.score import PASSED, UNSETTLED, EndpointError, Score, failed

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Attempt = Callable[[Case], Awaitable[Score]]
#: How often what was found is tried once more: a model wavers, and a reader wants to know.
CONFIRMATIONS = 3


@dataclass(frozen=True)
class Finding:
    """The smallest case found that fails.

    Args:
        case: What was tried.
        reason: What came of it.
        again: How often it has failed once more, of three times.
    """

    case: Case
    reason: str
    again: int = 0


def nothing(found: Finding | None, shown: Callable[[Case], str]) -> Score:
    """Score a search that must find nothing; what it finds is shown, to be sent again."""
    if found is None:
        return PASSED
    again = f"and {found.again} of {CONFIRMATIONS} times more"
    return failed(f"{found.reason} ({again}) — {shown(found.case)}")


class Failing(Exception):
    """A case has failed."""


class Spent(BaseException):
    """The budget is spent: Hypothesis, which would go on without end, lets this through."""


@dataclass(frozen=True)
class Search:
    """What is made up, and how much that may cost.

    Args:
        name: The id of the check, under which what is found is kept.
        cases: Makes the strategy by which cases are made up; Hypothesis is slow to import.
        examples: Most cases to make up.
        calls: Most cases to try, those of earlier runs and of shrinking among them.
    """

    name: str
    cases: Callable[[], SearchStrategy[Any]]
    examples: int
    calls: int

    async def smallest(self, attempt: Attempt, seed: int, findings: Findings) -> Finding | None:
        """Try cases, those of earlier runs first, until one fails; None where all pass.

        Raises:
            EndpointError: None has failed, but one could not be tried.
        """
        loop = asyncio.get_running_loop()
        unsettled: list[Score] = []

        async def reason(case: Case) -> str:
            score = await _scored(attempt, case)
            if score.outcome in UNSETTLED:
                unsettled.append(score)
                return ""
            return score.reason

        def tried(case: Case) -> str:
            return asyncio.run_coroutine_threadsafe(reason(case), loop).result()

        # Hypothesis knows no event loop: it has a thread, and asks ours for each answer.
        kept = findings.take(self.name)
        found = await asyncio.to_thread(self.find, tried, seed, kept)
        if found is None and unsettled:
            raise EndpointError(unsettled[0].reason, unsettled[0].outcome)
        if found is None:
            return None
        findings.keep(self.name, found.case)
        again = [bool(await reason(found.case)) for _ in range(CONFIRMATIONS)]
        return Finding(found.case, found.reason, sum(again))

    def find(
        self, tried: Callable[[Case], str], seed: int, kept: Sequence[Case] = ()
    ) -> Finding | None:
        """Find the smallest case for which `tried` gives a reason."""
        known: dict[str, str] = {}
        found: list[Finding] = []

        def attempt(case: Case) -> None:
            text = json.dumps(case, sort_keys=True)
            if text not in known:
                if len(known) == self.calls:
                    raise Spent
                known[text] = tried(case)
            if known[text]:
                found.append(Finding(case, known[text]))
                raise Failing(known[text])

        try:
            for case in kept:
                attempt(case)
            self._made_up(attempt, seed)
        except (Failing, Spent):
            pass
        return min(found, key=lambda finding: len(json.dumps(finding.case)), default=None)

    def _made_up(self, attempt: Callable[[Case], None], start: int) -> None:
        """Attempt cases, and smaller ones where one fails."""
        from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

        generated = settings(
            max_examples=self.examples,
            database=None,
            deadline=None,
            verbosity=Verbosity.quiet,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        seed(start)(generated(given(self.cases())(attempt)))()


async def _scored(attempt: Attempt, case: Case) -> Score:
    try:
        return await attempt(case)
    except EndpointError as error:
        return error.score
