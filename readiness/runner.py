"""The runner: all trials of all checks, on one event loop, as many at a time as there are slots."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from readiness.background import Background
from readiness.capability import Capabilities
from readiness.chat import Chat, Scope
from readiness.evidence import Evidence
from readiness.past import Past
from readiness.plan import Planned
from readiness.probe import Probe
from readiness.result import Result, Trial, digest
from readiness.review import Review
from readiness.running import Running
from readiness.score import SETTLED, EndpointError, Outcome, Score
from readiness.sender import Sender


class Runner:
    """Starts checks together and hands out their results in turn, as pytest asks for them."""

    def __init__(
        self,
        background: Background,
        sender: Sender,
        evidence: Evidence,
        scope: Scope,
        past: Past,
        review: Review,
        *,
        curtails: bool = True,
    ) -> None:
        self._background = background
        self._sender = sender
        self._evidence = evidence
        self._past = past
        self._review = review
        self._curtails = curtails
        self._in_flight: set[asyncio.Task[None]] = set()
        self._scope = scope
        self.running: dict[str, Running] = {}

    def start(self, planned: Sequence[Planned], capabilities: Capabilities) -> None:
        """Start checks, the longest first."""
        self._capabilities = capabilities
        fresh = [
            Running.after(self._past, each)
            for each in sorted(planned, key=lambda each: -each.longest)
            if each.check.id not in self.running
        ]
        self.running |= {each.planned.check.id: each for each in fresh}
        self._background.start(self._begin(fresh))

    def result(self, check_id: str) -> Result:
        """Wait for the result of a check that was started."""
        return self.running[check_id].done.result()

    async def _begin(self, fresh: Sequence[Running]) -> None:
        for running in fresh:
            if lacking := self._capabilities.lacks(running.planned.check.needs):
                self._give_up(running, Score(Outcome.UNSUPPORTED, lacking))
            else:
                self._settle(running)
        self._fill()

    def _give_up(self, running: Running, score: Score) -> None:
        """Score the trials that will not be made; those in flight still end by themselves."""
        for trial in running.given_up(score):
            self._keep(running, trial)
        running.waiting.clear()
        self._settle(running)

    def _fill(self) -> None:
        """Start trials while there are slots and something to start."""
        for running in self.running.values():
            while running.startable and len(self._in_flight) < self._sender.slots.open:
                number, probe = running.take()
                task = asyncio.ensure_future(self._attempt(running, number, probe))
                self._in_flight.add(task)
                task.add_done_callback(partial(self._ended, running, probe))

    def _ended(self, running: Running, probe: Probe, task: asyncio.Task[None]) -> None:
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

    def _settle(self, running: Running) -> None:
        """End a check where no trial is left, or none that could change its verdict."""
        if self._curtails and running.settled:
            self._give_up(running, SETTLED)
        elif len(running.trials) == running.total:
            self._finish(running)

    def _finish(self, running: Running) -> None:
        if running.done.done():  # Trials may end together, and each then sees that all have.
            return
        planned = running.planned
        trials = [running.trials[number] for number in sorted(running.trials)]
        result = Result(planned.check, planned.claim, trials)
        if not running.extends(result):
            running.done.set_result(result)

    async def _attempt(self, running: Running, number: int, probe: Probe) -> None:
        check = running.planned.check
        about = {"check": check.id, "probe": probe.id, "trial": number}
        lane = check.id if check.in_order else ""
        send = partial(self._sender.send, trial=about, lane=lane)
        chat = Chat(send, self._capabilities.dialect, self._scope_of(running))
        try:
            score = await check.attempt(chat, probe)
        except EndpointError as error:
            score = error.score
        score = replace(score, reason=self._evidence.secrets.printable(score.reason))
        said = digest([(each.content, each.tool_calls) for each in chat.replies])
        score = self._review.settle(check.id, probe.id, said, score)
        self._keep(running, Trial.of(probe, number, score, chat.exchanges, said))

    def _scope_of(self, running: Running) -> Scope:
        defects_only = running.planned.claim.defects_only
        return replace(self._scope, window=self._capabilities.window, defects_only=defects_only)

    def _keep(self, running: Running, trial: Trial) -> None:
        about = {"check": running.planned.check.id, "probe": trial.probe, "trial": trial.number}
        self._evidence.trial(about, trial.score, trial.exchanges, trial.said)
        running.note(trial)


def by_dimension(running: Sequence[Running]) -> dict[str, Counter[str]]:
    """How far each dimension has come: trials planned, tried and passed."""
    counts: dict[str, Counter[str]] = {}
    for each in running:
        count = counts.setdefault(each.planned.check.dimension, Counter())
        count.update(planned=each.total, tried=len(each.trials), passed=each.passed)
    return counts
