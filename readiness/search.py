"""Search: cases are made up until one fails, which is shrunk, confirmed and kept for later runs."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from readiness.resources import schema, violation
from readiness.score import PASSED, UNSETTLED, EndpointError, Score, failed

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

#: What a search tries: JSON that this program has made up, and no word of an endpoint's.
GeneratedCase = Mapping[str, Any]

SCHEMA = "readiness-findings/1"
MOST_KEPT = 10  # of one search, the newest first; each costs a request of every run


class FindingsStore:
    """A file beside the runs: what searches have found, for later runs to try first.

    Raises:
        LookupError: The file is none of ours; the message says which.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting = self._read()

    def take(self, search: str) -> list[GeneratedCase]:
        """Hand out what a search has found in earlier runs, once in each run."""
        return self._waiting.pop(search, [])

    def keep(self, search: str, case: GeneratedCase) -> None:
        """Add what a search has found."""
        kept = self._read()  # Another run may have added to it meanwhile.
        others = [each for each in kept.get(search, []) if each != case]
        kept[search] = [case, *others][:MOST_KEPT]
        text = json.dumps({"schema": SCHEMA, "findings": kept}, ensure_ascii=False, indent=2)
        fresh = self._path.with_name(f".{self._path.name}-{os.getpid()}")
        fresh.write_text(f"{text}\n", "utf-8", "backslashreplace")
        fresh.replace(self._path)

    def _read(self) -> dict[str, list[GeneratedCase]]:
        if not self._path.exists():
            return {}
        try:
            found = json.loads(self._path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise LookupError(f"{self._path} is no JSON: mend it or remove it") from error
        if violation(found, schema("findings")):
            raise LookupError(f"{self._path} is no list of findings: mend it or remove it")
        kept: dict[str, list[GeneratedCase]] = found["findings"]
        return kept


Attempt = Callable[[GeneratedCase], Awaitable[Score]]
#: How often what was found is tried once more: a model wavers, and a reader wants to know.
CONFIRMATIONS = 3


@dataclass(frozen=True)
class Counterexample:
    """The smallest case found that fails.

    Args:
        case: What was tried.
        reason: What came of it.
        reproductions: How often it has failed once more, of three times.
    """

    case: GeneratedCase
    reason: str
    reproductions: int = 0


def nothing(found: Counterexample | None, shown: Callable[[GeneratedCase], str]) -> Score:
    """Score a search that must find nothing; what it finds is shown, to be sent again."""
    if found is None:
        return PASSED
    again = f"and {found.reproductions} of {CONFIRMATIONS} times more"
    return failed(f"{found.reason} ({again}) — {shown(found.case)}")


class CaseFailed(Exception):
    """A case has failed."""


class SearchBudgetSpent(BaseException):
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

    async def smallest(
        self, attempt: Attempt, seed: int, findings: FindingsStore | None
    ) -> Counterexample | None:
        """Try cases, those of earlier runs first, until one fails; None where all pass.

        Raises:
            EndpointError: None has failed, but one could not be tried.
        """
        loop = asyncio.get_running_loop()
        unsettled: list[Score] = []

        async def reason(case: GeneratedCase) -> str:
            score = await _scored(attempt, case)
            if score.outcome in UNSETTLED:
                unsettled.append(score)
                return ""
            return score.reason

        def tried(case: GeneratedCase) -> str:
            return asyncio.run_coroutine_threadsafe(reason(case), loop).result()

        # Hypothesis knows no event loop: it has a thread, and asks ours for each answer.
        kept = findings.take(self.name) if findings else []
        found = await asyncio.to_thread(self.find, tried, seed, kept)
        if found is None and unsettled:
            raise EndpointError(unsettled[0].reason, unsettled[0].outcome)
        if found is None:
            return None
        if findings:
            findings.keep(self.name, found.case)
        again = [bool(await reason(found.case)) for _ in range(CONFIRMATIONS)]
        return Counterexample(found.case, found.reason, sum(again))

    def find(
        self, tried: Callable[[GeneratedCase], str], seed: int, kept: Sequence[GeneratedCase] = ()
    ) -> Counterexample | None:
        """Find the smallest case for which `tried` gives a reason."""
        known: dict[str, str] = {}
        found: list[Counterexample] = []

        def attempt(case: GeneratedCase) -> None:
            text = json.dumps(case, sort_keys=True)
            if text not in known:
                if len(known) == self.calls:
                    raise SearchBudgetSpent
                known[text] = tried(case)
            if known[text]:
                found.append(Counterexample(case, known[text]))
                raise CaseFailed(known[text])

        try:
            for case in kept:
                attempt(case)
            self._made_up(attempt, seed)
        except (CaseFailed, SearchBudgetSpent):
            pass
        return min(found, key=lambda finding: len(json.dumps(finding.case)), default=None)

    def _made_up(self, attempt: Callable[[GeneratedCase], None], start: int) -> None:
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


async def _scored(attempt: Attempt, case: GeneratedCase) -> Score:
    try:
        return await attempt(case)
    except EndpointError as error:
        return error.score
