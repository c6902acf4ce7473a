"""The runner: all trials of all checks, on one event loop, as many at a time as there are slots."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial

from readiness.background import Background
from readiness.capability import Capabilities
from readiness.chat import Chat, Scope
from readiness.evidence import Evidence
from readiness.plan import Planned
from readiness.probe import Probe
from readiness.result import Result, Trial
from readiness.score import EndpointError, Outcome, Score
from readiness.sender import Sender
from readiness.verdict import Verdict

SETTLED = Score(Outcome.SKIPPED, "the verdict was settled before")


@dataclass(eq=False)
class Running:
    """A check under way."""

    planned: Planned
    waiting: deque[tuple[int, Probe]]
    done: Future[Result] = field(default_factory=Future)
    trials: dict[int, Trial] = field(default_factory=dict)
    in_flight: int = 0
    passed: int = 0

    @property
    def startable(self) -> bool:
        """Whether a trial may start now."""
        return bool(self.waiting) and not (self.planned.check.in_order and self.in_flight)

    @property
    def settled(self) -> bool:
        """Whether a check that can show defects only has shown one, whatever else may come."""
        claim = self.planned.claim
        if not (claim.defects_only and self.waiting):
            return False
        all_of_them = [*self.trials.values(), *self.given_up(SETTLED)]
        return Result(self.planned.check, claim, all_of_them).verdict is Verdict.NOT_READY

    def given_up(self, score: Score) -> list[Trial]:
        """What becomes of the trials that are not made."""
        return [
            Trial(each.id, number, score, (), each.slices, each.cluster, each.control)
            for number, each in self.waiting
        ]

    @property
    def total(self) -> int:
        """How many trials there are."""
        return len(self.planned.probes)


class Runner:
    """Starts checks together and hands out their results in turn, as pytest asks for them."""

    def __init__(
        self, background: Background, sender: Sender, evidence: Evidence, scope: Scope
    ) -> None:
        self._background = background
        self._sender = sender
        self._evidence = evidence
        self._slots = sender.slots
        self._in_flight: set[asyncio.Task[None]] = set()
        self._scope = scope
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
                task = asyncio.ensure_future(self._attempt(running, *running.waiting.popleft()))
                running.in_flight += 1
                self._in_flight.add(task)
                task.add_done_callback(partial(self._ended, running))

    def _ended(self, running: Running, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        running.in_flight -= 1
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
        running.done.set_result(Result(planned.check, planned.claim, trials))

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
