"""The runner: all trials of all checks, on one event loop, as many at a time as there are slots."""

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
from readiness.runner.event_loop import Background
from readiness.runner.sender import Sender
from readiness.runner.settings import Settings
from readiness.score import SETTLED, EndpointError, Outcome, Score
from readiness.verdict.result import Result, Trial, replies_digest


class Scheduler:
    """Starts checks together and hands out their results in turn, as pytest asks for them."""

    def __init__(
        self, background: Background, sender: Sender, context: Context, settings: Settings
    ) -> None:
        self._background = background
        self._sender = sender
        self._evidence = sender.evidence
        self._past = sender.past
        self._review = settings.review
        self._curtails = not settings.keep_going
        self._fast = settings.use_sequential_tests
        self._in_flight: set[asyncio.Task[None]] = set()
        self._context = context
        self._repeat_fetches: dict[Hashable, tuple[Chat, asyncio.Future[Any]]] = {}
        self._beside: Scheduler | None = None
        self.running: dict[str, ActiveCheck] = {}
        self._repeated: dict[str, ActiveCheck] = {}

    def alternate_with(self, other: Scheduler) -> None:
        """Start trials in turn with another runner, each check's one by one."""
        self._beside, other._beside = other, self

    def start(self, planned: Sequence[PlannedCheck], capabilities: Capabilities) -> None:
        """Start checks, the longest first."""
        self._capabilities = capabilities
        fresh = [
            ActiveCheck.after(self._past, each, each.test if self._fast else None)
            for each in sorted(planned, key=lambda each: -each.longest)
            if each.check.id not in self.running
        ]
        self.running |= {each.id: each for each in fresh}
        self._background.start(self._begin(fresh))

    def repeat(self, planned: Sequence[PlannedCheck]) -> None:
        """Make the first trials of checks again, which shows how much of a difference is noise."""
        fresh = [
            ActiveCheck(
                each.repeat_sample, deque(enumerate(each.repeat_sample.probes)), is_repeat=True
            )
            for each in planned
        ]
        self._repeated |= {each.id: each for each in fresh}
        self._background.start(self._begin(fresh))

    def result(self, check_id: str) -> Result:
        """Wait for the result of a check that was started."""
        return self.running[check_id].done.result()

    def repeated_result(self, check_id: str) -> Result:
        """Wait for the result of a check whose trials are made again."""
        return self._repeated[check_id].done.result()

    async def _begin(self, fresh: Sequence[ActiveCheck]) -> None:
        beside = self._beside.running if self._beside else {}
        for running in fresh:
            if not (running.planned.check.alone or running.is_repeat) and running.id in beside:
                running.paired_check, beside[running.id].paired_check = beside[running.id], running
        for running in fresh:
            self._review_past(running)
            if lacking := self._capabilities.unsupported_reason(running.planned.check.needs):
                self._give_up(running, Score(Outcome.UNSUPPORTED, lacking))
            else:
                self._settle(running)
        self._fill()

    def _review_past(self, running: ActiveCheck) -> None:
        """Settle what a label was given for since the run was ended."""
        for trial in list(running.trials.values()):
            score = self._review.settle(running.id, trial.probe, trial.reply_digest, trial.score)
            if score != trial.score:
                self._keep(running, replace(trial, score=score))

    def _give_up(self, running: ActiveCheck, score: Score) -> None:
        """Score the trials that will not be made; those in flight still end by themselves."""
        for trial in running.given_up(score):
            self._keep(running, trial)
        running.waiting.clear()
        self._settle(running)

    def _fill(self) -> None:
        """Start trials while there are slots and something to start, in turn with who is beside."""
        started = True
        while started:
            started = self._start_one()
            if self._beside:
                started = self._beside._start_one() or started

    def _start_one(self) -> bool:
        """Start a trial, if there is a slot and something to start."""
        if len(self._in_flight) >= self._sender.slots.open:
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
        """End a check where no trial is left, or none that could change its verdict."""
        if (self._curtails or running.test) and running.is_decided:
            self._give_up(running, SETTLED)
        elif len(running.trials) == running.total:
            self._finish(running)

    def _finish(self, running: ActiveCheck) -> None:
        if running.done.done():  # Trials may end together, and each then sees that all have.
            return
        planned = running.planned
        trials = [running.trials[number] for number in sorted(running.trials)]
        result = Result(planned.check, planned.claim, trials, running.verdict)
        if not running.extends(result):
            running.done.set_result(result)

    async def _attempt(self, running: ActiveCheck, number: int, probe: Probe) -> None:
        check = running.planned.check
        about = running.about(probe.id, number)
        send = partial(self._sender.send, trial=about, connection=running.connection)
        chat = Chat(send, self._capabilities.dialect, self._context_of(running))
        try:
            score = await check.attempt(chat, probe)
        except EndpointError as error:
            score = error.score
        printable = self._evidence.secrets.printable
        score = replace(score, reason=printable(score.reason), kind=printable(score.kind))
        said = replies_digest(chat.replies)
        score = self._review.settle(check.id, probe.id, said, score)
        self._keep(running, Trial.of(probe, number, score, chat.exchanges, said))

    def _context_of(self, running: ActiveCheck) -> Context:
        context = replace(
            self._context,
            context_window=self._capabilities.window,
            defects_only=running.planned.claim.defects_only,
        )
        return (
            replace(context, shared_fetches=self._repeat_fetches) if running.is_repeat else context
        )

    def _keep(self, running: ActiveCheck, trial: Trial) -> None:
        about = running.about(trial.probe, trial.number)
        self._evidence.trial(about, trial.score, trial.exchanges, trial.reply_digest)
        running.note(trial)


def by_dimension(running: Sequence[ActiveCheck]) -> dict[str, Counter[str]]:
    """How far each dimension has come: trials planned, tried and passed."""
    counts: dict[str, Counter[str]] = {}
    for each in running:
        count = counts.setdefault(each.planned.check.dimension, Counter())
        count.update(planned=each.total, tried=len(each.trials), passed=each.passed)
    return counts
