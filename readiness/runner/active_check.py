"""A check in progress: which of its trials may start, and whether it needs more."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Self

from readiness.evidence.log import REPEAT
from readiness.policy.plan import PlannedCheck
from readiness.probe import Probe
from readiness.protocol.capability import Capabilities
from readiness.runner.resume import ResumeState
from readiness.score import SETTLED, UNSETTLED, Score
from readiness.verdict.claim import Unsupported, Verdict
from readiness.verdict.result import Result, Trial
from readiness.verdict.sequential import Sprt

#: The number of failures after which a check that can no longer be ready ends early.
ENOUGH_FAILURES = 3

#: Whether a trial with this probe may start, as far as its load is concerned.
Wanted = Callable[[Probe], bool]


def _any(_probe: Probe) -> bool:
    return True


@dataclass(eq=False)
class ActiveCheck:
    """A check in progress.

    Of the trials in a cluster, the first runs alone: the others use what it fetched, or what the
    endpoint cached.

    Args:
        is_repeat: Whether it repeats trials of another, to measure noise.
        paired_check: The same check of the baseline endpoint or of the candidate: the trials of
            both alternate, so that they run under the same conditions.
        test: The sequential test that may end it early; None where its trials are judged by count.
        decided: The decision of the sequential test; None until there is one.
    """

    planned: PlannedCheck
    waiting: deque[tuple[int, Probe]]
    done: Future[Result] = field(default_factory=Future)
    trials: dict[int, Trial] = field(default_factory=dict)
    extended: bool = False
    in_flight: int = 0
    passed: int = 0
    failed: int = 0
    is_repeat: bool = False
    paired_check: ActiveCheck | None = None
    test: Sprt | None = None
    decided: Verdict | None = None
    _seen_clusters: set[str] = field(default_factory=set)
    _first_in_flight: set[str] = field(default_factory=set)

    @classmethod
    def resumed(
        cls,
        state: ResumeState,
        planned: PlannedCheck,
        offers: Capabilities,
        test: Sprt | None = None,
    ) -> Self:
        """A check resumed from an interrupted run: only its unfinished trials wait."""
        # A check of the whole run judges what was sent since, too.
        ended = [] if planned.check.whole_run else state.of(planned, offers)
        known = {trial.number for trial in ended}
        extended = any(number >= len(planned.probes) for number in known)
        probes = [*planned.probes, *(planned.extension if extended else ())]
        waiting = deque(each for each in enumerate(probes) if each[0] not in known)
        running = cls(planned, waiting, extended=extended, test=test)
        for trial in ended:
            running.note(trial)
        return running

    @property
    def id(self) -> str:
        """The id of the check."""
        return self.planned.check.id

    @property
    def connection(self) -> str:
        """The dedicated connection of its trials where they run in order; "" otherwise.

        Repeated trials have a connection of their own.
        """
        if not self.planned.check.in_order:
            return ""
        return f"{self.id}, repeated" if self.is_repeat else self.id

    def about(self, probe: str, number: int) -> dict[str, Any]:
        """The fields that identify one of its trials in the evidence."""
        fields: dict[str, Any] = {"check": self.id, "probe": probe, "trial": number}
        return {**fields, REPEAT: True} if self.is_repeat else fields

    def startable(self, wanted: Wanted = _any) -> bool:
        """Whether a trial with such a probe may start now.

        Where its first failure ends a check, no trial is begun beside one that may fail.
        """
        one_by_one = self.planned.check.in_order or self.planned.claim.defects_only
        waits = one_by_one and self.in_flight
        return self._next(wanted) is not None and not waits and not self._ahead

    @property
    def _ahead(self) -> bool:
        """Whether it has started more trials than its paired check, which is not done."""
        paired = self.paired_check
        return paired is not None and not paired.done.done() and self.started > paired.started

    @property
    def started(self) -> int:
        """The number of started trials."""
        return len(self.trials) + self.in_flight

    def _next(self, wanted: Wanted) -> int | None:
        """The position in the queue of the next trial that may start; None where none may."""
        positions = enumerate(self.waiting)
        return next(
            (
                at
                for at, (_, each) in positions
                if each.cluster not in self._first_in_flight and wanted(each)
            ),
            None,
        )

    def take(self, wanted: Wanted = _any) -> tuple[int, Probe]:
        """Remove the next trial with such a probe from the queue, and count it as in flight."""
        position = self._next(wanted)
        assert position is not None
        number, probe = self.waiting[position]
        del self.waiting[position]
        if probe.cluster and probe.cluster not in self._seen_clusters:
            self._seen_clusters.add(probe.cluster)
            self._first_in_flight.add(probe.cluster)
        self.in_flight += 1
        return number, probe

    def give_back(self, probe: Probe) -> None:
        """Count a trial as no longer in flight."""
        self.in_flight -= 1
        self._first_in_flight.discard(probe.cluster)

    @property
    def is_decided(self) -> bool:
        """Whether the remaining trials cannot change the verdict, and enough failures are shown."""
        if self.test:
            return bool(self.waiting) and self.decided is not None
        claim = self.planned.claim
        if not self.waiting or self.failed < (1 if claim.defects_only else ENOUGH_FAILURES):
            return False
        trials = [*self.trials.values(), *self.skipped_trials(SETTLED)]
        return Result(self.planned.check, claim, trials).verdict_of_all is Verdict.NOT_READY

    def skipped_trials(self, score: Score) -> list[Trial]:
        """The trials that are still waiting, with this score."""
        return [Trial.of(probe, number, score) for number, probe in self.waiting]

    def missing_trials(self, score: Score) -> list[Trial]:
        """The trials that have not ended, with this score."""
        probes = [*self.planned.probes, *self.planned.extension][: self.total]
        return [
            Trial.of(probe, number, score)
            for number, probe in enumerate(probes)
            if number not in self.trials
        ]

    def note(self, trial: Trial) -> None:
        """Count a trial that has ended."""
        self.trials[trial.number] = trial
        self.passed += trial.score.passed
        if not (trial.control or trial.score.passed or trial.score.outcome in UNSETTLED):
            self.failed += 1
        if self.test and self.decided is None and trial.score.made:
            self.decided = self._decision(self.test)

    def _decision(self, test: Sprt) -> Verdict | None:
        """The decision of the sequential test, with unsettled trials counted against it.

        Trials are taken in the order in which they started. In the order in which they end, quick
        ones come first, and an endpoint whose failures are slow would be ready.
        """
        if self._may_be_unsupported:
            return None
        passed = unsettled = executed = 0
        for number in range(self.total):
            if (trial := self.trials.get(number)) is None:
                return None
            if trial.control:
                continue
            executed += 1
            passed += trial.score.passed
            unsettled += trial.score.outcome in UNSETTLED
            if test.judge(passed, executed) is Verdict.READY:
                return Verdict.READY
            if test.judge(passed + unsettled, executed) is Verdict.NOT_READY:
                return Verdict.NOT_READY
        return None

    @property
    def _may_be_unsupported(self) -> bool:
        """Whether the check may turn out not to be assessed, once all of its trials have ended."""
        if self.planned.claim.unsupported is not Unsupported.ACCEPTED:
            return False
        return Result(
            self.planned.check, self.planned.claim, [*self.trials.values()]
        ).only_unsupported

    @property
    def verdict(self) -> Verdict | None:
        """The verdict of the sequential test; None where there is none."""
        return (self.decided or Verdict.INCONCLUSIVE) if self.test else None

    @property
    def total(self) -> int:
        """The number of trials, including an extension."""
        planned = self.planned
        return len(planned.probes) + (len(planned.extension) if self.extended else 0)

    def extends(self, result: Result) -> bool:
        """Add the extension's trials where the verdict is inconclusive; return whether any were."""
        inconclusive = result.verdict is Verdict.INCONCLUSIVE and not result.doubts
        if self.extended or not inconclusive or result.tally.unsettled:
            return False  # More trials would not help.
        self.waiting.extend(enumerate(self.planned.extension, self.total))
        self.extended = True
        return bool(self.waiting)
