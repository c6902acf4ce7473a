"""The runner: all trials of all checks, on one event loop, as many at a time as there are slots."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from readiness.background import Background
from readiness.capability import Capabilities
from readiness.chat import Chat, Scope
from readiness.evidence import Evidence
from readiness.plan import Planned
from readiness.probe import Probe
from readiness.result import Result, Trial
from readiness.running import SETTLED, Running
from readiness.score import EndpointError, Outcome, Score
from readiness.sender import Sender
from readiness.slots import Slots


class Runner:
    """Starts checks together and hands out their results in turn, as pytest asks for them."""

    def __init__(
        self, background: Background, sender: Sender, evidence: Evidence, slots: Slots
    ) -> None:
        self._background = background
        self._sender = sender
        self._evidence = evidence
        self._slots = slots
        self._in_flight: set[asyncio.Task[None]] = set()
        self._scope = Scope()
        self.running: dict[str, Running] = {}

    def start(self, planned: Sequence[Planned], capabilities: Capabilities) -> None:
        """Start checks, the longest first."""
        self._capabilities = capabilities
        fresh = [
            Running(each, deque(enumerate(each.probes)))
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
        self._fill()

    def _give_up(self, running: Running, score: Score) -> None:
        """Score the trials that will not be made; those in flight still end by themselves."""
        for trial in running.given_up(score):
            self._keep(running, trial.number, trial)
        running.waiting.clear()
        if len(running.trials) == running.total:
            self._finish(running)

    def _fill(self) -> None:
        """Start trials while there are slots and something to start."""
        for running in self.running.values():
            while running.startable and len(self._in_flight) < self._slots.open:
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
        elif running.settled:
            self._give_up(running, SETTLED)
        elif len(running.trials) == running.total:
            self._finish(running)
        self._fill()

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
        trial = Trial(
            probe=probe.id,
            number=number,
            score=score,
            exchanges=tuple(chat.exchanges),
            slices=probe.slices,
            cluster=probe.cluster,
            control=probe.control,
            said=_digest([(each.content, each.tool_calls) for each in chat.replies]),
            wanted=_digest(probe.expect),
        )
        self._keep(running, number, trial)

    def _scope_of(self, running: Running) -> Scope:
        defects_only = running.planned.claim.defects_only
        return replace(self._scope, window=self._capabilities.window, defects_only=defects_only)

    def _keep(self, running: Running, number: int, trial: Trial) -> None:
        about = {"check": running.planned.check.id, "probe": trial.probe, "trial": number}
        self._evidence.trial(about, trial.score, list(trial.exchanges))
        running.trials[number] = trial
        running.passed += trial.score.passed


def _digest(value: object) -> str:
    if not value:
        return ""
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def by_dimension(running: Sequence[Running]) -> dict[str, Counter[str]]:
    """How far each dimension has come: trials planned, tried and passed."""
    counts: dict[str, Counter[str]] = {}
    for each in running:
        count = counts.setdefault(each.planned.check.dimension, Counter())
        count.update(planned=each.total, tried=len(each.trials), passed=each.passed)
    return counts
