"""A check under way: which of its trials may start, and whether it needs more of them."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Self

from readiness.evidence.log import REPEAT
from readiness.policy.plan import PlannedCheck
from readiness.probe import Probe
from readiness.runner.resume import ResumeState
from readiness.score import SETTLED, UNSETTLED, Score
from readiness.verdict.claim import Verdict
from readiness.verdict.result import Result, Trial
from readiness.verdict.sequential import Sprt

#: Failures that a report should have to show, before a check that cannot be ready any more ends.
ENOUGH_FAILURES = 3


@dataclass(eq=False)
class ActiveCheck:
    """A check under way.

    Of the trials that share a document or a conversation, the first is tried alone: the others find
    what it has fetched, or what the endpoint has cached.

    Args:
        is_repeat: Whether its trials have been made once, and are made again to see how much is
            noise.
        paired_check: The same check of the endpoint beside this one: trial by trial they keep
            step, so that both meet what the machine and the network are like.
        test: The sequential test that may end it early; None where its trials are counted.
        decided: What that has decided; None until it has.
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
    _met: set[str] = field(default_factory=set)
    _opening: set[str] = field(default_factory=set)

    @classmethod
    def after(cls, past: ResumeState, planned: PlannedCheck, test: Sprt | None = None) -> Self:
        """Go on where a run was ended: at the trials that had not."""
        ended = past.of(planned.check.id, [*planned.probes, *planned.extension])
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
        """The connection that its trials share, where one waits for the other; "" where none does.

        Those that are made again do not wait for the first ones.
        """
        if not self.planned.check.in_order:
            return ""
        return f"{self.id}, repeated" if self.is_repeat else self.id

    def about(self, probe: str, number: int) -> dict[str, Any]:
        """What the evidence says of one of its trials."""
        said: dict[str, Any] = {"check": self.id, "probe": probe, "trial": number}
        return {**said, REPEAT: True} if self.is_repeat else said

    @property
    def startable(self) -> bool:
        """Whether a trial may start now."""
        waits = self.planned.check.in_order and self.in_flight
        return self._next is not None and not waits and not self._ahead

    @property
    def _ahead(self) -> bool:
        """Whether it has started more trials than its partner, which is not done."""
        partner = self.paired_check
        return partner is not None and not partner.done.done() and self.begun > partner.begun

    @property
    def begun(self) -> int:
        """How many trials have been started."""
        return len(self.trials) + self.in_flight

    @property
    def _next(self) -> int | None:
        """The place of the next trial that may start."""
        places = enumerate(self.waiting)
        return next((at for at, (_, each) in places if each.cluster not in self._opening), None)

    def take(self) -> tuple[int, Probe]:
        """Take the next trial, which starts."""
        place = self._next
        assert place is not None
        number, probe = self.waiting[place]
        del self.waiting[place]
        if probe.cluster and probe.cluster not in self._met:
            self._met.add(probe.cluster)
            self._opening.add(probe.cluster)
        self.in_flight += 1
        return number, probe

    def give_back(self, probe: Probe) -> None:
        """Note that a trial has ended."""
        self.in_flight -= 1
        self._opening.discard(probe.cluster)

    @property
    def is_decided(self) -> bool:
        """Whether the check is not ready, whatever else may come, and has enough to show for it."""
        if self.test:
            return bool(self.waiting) and self.decided is not None
        claim = self.planned.claim
        if not self.waiting or self.failed < (1 if claim.defects_only else ENOUGH_FAILURES):
            return False
        all_of_them = [*self.trials.values(), *self.given_up(SETTLED)]
        return Result(self.planned.check, claim, all_of_them).verdict is Verdict.NOT_READY

    def given_up(self, score: Score) -> list[Trial]:
        """What becomes of the trials that are not made."""
        return [Trial.of(probe, number, score) for number, probe in self.waiting]

    def note(self, trial: Trial) -> None:
        """Count a trial that has ended."""
        self.trials[trial.number] = trial
        self.passed += trial.score.passed
        if not (trial.control or trial.score.passed or trial.score.outcome in UNSETTLED):
            self.failed += 1
        if self.test and self.decided is None and trial.score.made:
            self.decided = self._decision(self.test)

    def _decision(self, test: Sprt) -> Verdict | None:
        """What the trials decide, those that say nothing taken as would hinder it most.

        They are looked at in the order in which they started. In that in which they end, whatever
        is quick comes first: with failures that are slow, a bad endpoint would be ready.
        """
        passed = unsettled = made = 0
        for number in range(self.total):
            if (trial := self.trials.get(number)) is None:
                return None
            if trial.control:
                continue
            made += 1
            passed += trial.score.passed
            unsettled += trial.score.outcome in UNSETTLED
            if test.judge(passed, made) is Verdict.READY:
                return Verdict.READY
            if test.judge(passed + unsettled, made) is Verdict.NOT_READY:
                return Verdict.NOT_READY
        return None

    @property
    def verdict(self) -> Verdict | None:
        """What a sequential test makes of the trials; None where there is none."""
        return (self.decided or Verdict.INCONCLUSIVE) if self.test else None

    @property
    def total(self) -> int:
        """How many trials there are."""
        planned = self.planned
        return len(planned.probes) + (len(planned.extension) if self.extended else 0)

    def extends(self, result: Result) -> bool:
        """Add the trials that are kept for a verdict which is left open, where it is."""
        left_open = result.verdict is Verdict.INCONCLUSIVE and not result.doubts
        if self.extended or not left_open or result.tally.unsettled:
            return False  # More trials answer none of these.
        self.waiting.extend(enumerate(self.planned.extension, self.total))
        self.extended = True
        return bool(self.waiting)
