"""The scheduler: runs the trials of all checks on one event loop, within the concurrency limit."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

from readiness.chat import Chat
from readiness.context import Context
from readiness.policy.plan import PlannedCheck
from readiness.probe import Probe
from readiness.protocol.capability import Capabilities
from readiness.runner.active_check import ActiveCheck
from readiness.runner.event_loop import BackgroundEventLoop
from readiness.runner.sender import Sender
from readiness.runner.settings import Settings
from readiness.score import SETTLED, EndpointError, Outcome, Score
from readiness.verdict.result import Result, Trial, replies_digest


class Scheduler:
    """Starts all checks, and returns each result when pytest asks for it."""

    def __init__(
        self, background: BackgroundEventLoop, sender: Sender, context: Context, settings: Settings
    ) -> None:
        self._background = background
        self._sender = sender
        self._evidence = sender.evidence
        self._resume_state = sender.resume_state
        self._review = settings.review
        self._ends_early = not settings.keep_going
        self._fast = settings.use_sequential_tests
        self._in_flight: set[asyncio.Task[None]] = set()
        self._context = context
        self._repeat_fetches: dict[Hashable, tuple[Chat, asyncio.Future[Any]]] = {}
        self._paired: Scheduler | None = None
        self.running: dict[str, ActiveCheck] = {}
        self._repeated: dict[str, ActiveCheck] = {}

    def alternate_with(self, other: Scheduler) -> None:
        """Alternate trials with another scheduler, check by check."""
        self._paired, other._paired = other, self

    def start(self, planned: Sequence[PlannedCheck], capabilities: Capabilities) -> None:
        """Start checks, the longest first."""
        self._capabilities = capabilities
        fresh = [
            ActiveCheck.resumed(self._resume_state, each, each.test if self._fast else None)
            for each in sorted(planned, key=lambda each: -each.longest)
            if each.check.id not in self.running
        ]
        self.running |= {each.id: each for each in fresh}
        self._background.submit(self._begin(fresh))

    def repeat(self, planned: Sequence[PlannedCheck]) -> None:
        """Repeat the first trials of checks, which measures noise."""
        fresh = [
            ActiveCheck(
                each.repeat_sample, deque(enumerate(each.repeat_sample.probes)), is_repeat=True
            )
            for each in planned
        ]
        self._repeated |= {each.id: each for each in fresh}
        self._background.submit(self._begin(fresh))

    def result(self, check_id: str) -> Result:
        """Wait for the result of a check that was started."""
        return self.running[check_id].done.result()

    def repeated_result(self, check_id: str) -> Result:
        """Wait for the result of a check's repeated trials."""
        return self._repeated[check_id].done.result()

    async def _begin(self, fresh: Sequence[ActiveCheck]) -> None:
        paired_checks = self._paired.running if self._paired else {}
        for running in fresh:
            if (
                not (running.planned.check.alone or running.is_repeat)
                and running.id in paired_checks
            ):
                running.paired_check, paired_checks[running.id].paired_check = (
                    paired_checks[running.id],
                    running,
                )
        for running in fresh:
            self._apply_new_labels(running)
            if reason := self._capabilities.unsupported_reason(running.planned.check.needs):
                self._skip_waiting(running, Score(Outcome.UNSUPPORTED, reason))
            else:
                self._settle(running)
        self._fill()

    def _apply_new_labels(self, running: ActiveCheck) -> None:
        """Apply labels that were added since the run was interrupted."""
        for trial in list(running.trials.values()):
            score = self._review.settle(running.id, trial.probe, trial.reply_digest, trial.score)
            if score != trial.score:
                self._record(running, replace(trial, score=score))

    def _skip_waiting(self, running: ActiveCheck, score: Score) -> None:
        """Score the waiting trials, which are not executed; those in flight finish."""
        for trial in running.skipped_trials(score):
            self._record(running, trial)
        running.waiting.clear()
        self._settle(running)

    def _fill(self) -> None:
        """Start trials while the limit allows, alternating with the paired scheduler."""
        started = True
        while started:
            started = self._start_one()
            if self._paired:
                started = self._paired._start_one() or started

    def _start_one(self) -> bool:
        """Start one trial, if the limit allows and one is waiting; return whether it did."""
        if len(self._in_flight) >= self._sender.slots.limit:
            return False
        running = next((each for each in self._active if each.startable), None)
        if running is None:
            return False
        number, probe = running.take()
        task = asyncio.ensure_future(self._attempt(running, number, probe))
        self._in_flight.add(task)
        task.add_done_callback(partial(self._ended, running, probe))
        return True

    @property
    def _active(self) -> Iterator[ActiveCheck]:
        return chain(self.running.values(), self._repeated.values())

    def _ended(self, running: ActiveCheck, probe: Probe, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        running.give_back(probe)
        if task.cancelled():
            return
        if bug := task.exception():
            running.waiting.clear()
            if not running.done.done():
                running.done.set_exception(bug)
        else:
            self._settle(running)
        self._fill()

    def _settle(self, running: ActiveCheck) -> None:
        """End a check where no trial is left, or none could change its verdict."""
        if (self._ends_early or running.test) and running.is_decided:
            self._skip_waiting(running, SETTLED)
        elif len(running.trials) == running.total:
            self._finish(running)

    def _finish(self, running: ActiveCheck) -> None:
        if running.done.done():  # Several trials may end in the same iteration of the loop.
            return
        planned = running.planned
        trials = [running.trials[number] for number in sorted(running.trials)]
        result = Result(planned.check, planned.claim, trials, running.verdict)
        if not running.extends(result):
            running.done.set_result(result)

    async def _attempt(self, running: ActiveCheck, number: int, probe: Probe) -> None:
        check, offers = running.planned.check, self._capabilities
        probe = probe.within(offers.unsupported, offers.window)
        about = running.about(probe.id, number)
        send = partial(self._sender.send, trial=about, connection=running.connection)
        chat = Chat(send, offers.dialect, self._context_of(running))
        try:
            score = await check.attempt(chat, probe)
        except EndpointError as error:
            score = error.score
        printable = self._evidence.secrets.printable
        score = replace(score, reason=printable(score.reason), kind=printable(score.kind))
        digest = replies_digest(chat.replies)
        score = self._review.settle(check.id, probe.id, digest, score)
        self._record(running, Trial.of(probe, number, score, chat.exchanges, digest))

    def _context_of(self, running: ActiveCheck) -> Context:
        context = replace(
            self._context,
            context_window=self._capabilities.window,
            defects_only=running.planned.claim.defects_only,
        )
        return (
            replace(context, shared_fetches=self._repeat_fetches) if running.is_repeat else context
        )

    def _record(self, running: ActiveCheck, trial: Trial) -> None:
        about = running.about(trial.probe, trial.number)
        self._evidence.trial(about, trial.score, trial.exchanges, trial.reply_digest)
        running.note(trial)


def by_dimension(running: Sequence[ActiveCheck]) -> dict[str, Counter[str]]:
    """The progress of each dimension: trials planned, tried and passed."""
    counts: dict[str, Counter[str]] = {}
    for each in running:
        count = counts.setdefault(each.planned.check.dimension, Counter())
        count.update(planned=each.total, tried=len(each.trials), passed=each.passed)
    return counts
