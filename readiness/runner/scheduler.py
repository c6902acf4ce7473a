"""The scheduler: runs the trials of all checks on one event loop, within the concurrency limit."""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter, deque
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

from readiness.chat import Chat
from readiness.check import Check, CheckMistake
from readiness.context import Context
from readiness.evidence.log import FALLBACK, recorded_exchanges
from readiness.evidence.redaction import Secrets
from readiness.policy.plan import PlannedCheck
from readiness.probe import Probe
from readiness.protocol.capability import Capabilities
from readiness.runner.active_check import ActiveCheck
from readiness.runner.concurrency import ACCOMPANYING, LoadKind, LoadPlan, as_made
from readiness.runner.event_loop import BackgroundEventLoop
from readiness.runner.measurements import KeptMeasurements, to_json
from readiness.runner.sender import Sender
from readiness.runner.settings import Settings
from readiness.score import INTERRUPTED, SETTLED, EndpointError, Outcome, Score
from readiness.verdict.result import Result, Trial, replies_digest

#: Marks what is fetched for several trials whose first form was declined.
DECLINED = "declined"
#: What a check is to do instead.
SCORES = "return PASSED, or failed('why'), so that the trial counts"
#: In so many seconds the trials that were started have come to their first requests.
AT_ONCE = 0.01


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
        self._load = LoadPlan(settings, sender.slots, sender.in_flight)
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
            ActiveCheck.resumed(
                self._resume_state, each, capabilities, each.test if self._fast else None
            )
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

    @property
    def stopped(self) -> str:
        """Why nothing more is sent, or an empty string."""
        return self._sender.stopped

    def result(self, check_id: str) -> Result:
        """Wait for the result of a check that was started."""
        return self.running[check_id].done.result()

    def repeated_result(self, check_id: str) -> Result:
        """Wait for the result of a check's repeated trials."""
        return self._repeated[check_id].done.result()

    def stop(self) -> None:
        """Begin no more trials: one that ends would begin the next."""
        self._background.submit(self._stop()).result()

    async def _stop(self) -> None:
        for running in self._active:
            running.waiting.clear()

    def end(self) -> list[Result]:
        """The results of all checks that were tried, as far as they were, once no task runs."""
        self._background.submit(self._skip_rest()).result()
        ended = [each.done for each in self.running.values() if each.done.done()]
        return [done.result() for done in ended if not done.exception()]

    async def _skip_rest(self) -> None:
        for running in self._active:
            tried = any(trial.score.tried for trial in running.trials.values())
            if tried and not running.done.done():
                for trial in running.missing_trials(INTERRUPTED):
                    self._record(running, trial)
                self._finish(running)

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
        for each in (self, self._paired):
            if each:
                asyncio.get_running_loop().call_later(AT_ONCE, each._accompany)

    def _start_one(self) -> bool:
        """Start one trial, if the limit allows and one is waiting; return whether it did.

        Those that are to meet many others start once no other can, and those alone at the end.
        """
        for load in LoadKind:
            wanted = partial(self._load.is_of, load)
            running = next((each for each in self._active if each.startable(wanted)), None)
            if running:
                free = self._load.allows(load, len(self._in_flight))
                return free and self._start_trial(running, load)
        return False

    def _start_trial(self, running: ActiveCheck, load: LoadKind) -> bool:
        number, probe = running.take(partial(self._load.is_of, load))
        self._load.started(load)
        task = asyncio.ensure_future(self._attempt(running, number, probe, load))
        self._in_flight.add(task)
        task.add_done_callback(partial(self._ended, running, probe, load))
        return True

    def _accompany(self) -> None:
        """Send requests along where too few trials are there for one to meet many."""
        chat = partial(Chat, dialect=self._capabilities.dialect)
        self._load.accompany(chat, partial(self._sender.send, trial=ACCOMPANYING), self._fill)

    @property
    def _active(self) -> Iterator[ActiveCheck]:
        return chain(self.running.values(), self._repeated.values())

    def _ended(
        self, running: ActiveCheck, probe: Probe, load: LoadKind, task: asyncio.Task[None]
    ) -> None:
        self._in_flight.discard(task)
        self._load.ended(load)
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

    async def _attempt(
        self, running: ActiveCheck, number: int, probe: Probe, load: LoadKind
    ) -> None:
        check, offers = running.planned.check, self._capabilities
        probe = probe.within(offers.unsupported, offers.window)
        about = running.about(probe.id, number)
        send = partial(self._sender.send, trial=about, connection=running.connection)
        chat = Chat(self._load.sending(load, send), offers.dialect, self._context_of(running))
        try:
            score, sent = await self._scored(check, chat, probe)
        except Exception as bug:
            self._evidence.internal_error(about, bug)
            raise
        digest = replies_digest(chat.replies)
        score = self._review.settle(check.id, probe.id, digest, score)
        made = as_made(sent, chat.exchanges, self._sender.in_flight.most)
        trial = Trial.of(made, number, score, chat.exchanges, digest)
        self._record(running, replace(trial, fallback=sent is not probe))

    async def _scored(self, check: Check, chat: Chat, probe: Probe) -> tuple[Score, Probe]:
        """The score of a probe; it is skipped if the endpoint is gone, or the time is spent."""
        if self._sender.gone and not check.whole_run:
            return Score(Outcome.SKIPPED, self._sender.gone), probe
        work = attempted(check, chat, probe, self._evidence.secrets)
        try:
            return await (work if check.whole_run else self._sender.budget.in_time(work))
        except EndpointError as error:
            return error.score, probe

    def _context_of(self, running: ActiveCheck) -> Context:
        state = self._resume_state
        context = replace(
            self._context,
            context_window=self._capabilities.window,
            recorded_exchanges=partial(recorded_exchanges, self._evidence.path),
            defects_only=running.planned.claim.defects_only,
            keep_measurement=self._keep_measurement,
            kept_measurement=KeptMeasurements(state.measurements, state.exchanges),
        )
        return (
            replace(context, shared_fetches=self._repeat_fetches) if running.is_repeat else context
        )

    def _keep_measurement(self, key: str, exchanges: Sequence[int], value: Any) -> None:
        self._evidence.measurement(key, exchanges, to_json(value))

    def _record(self, running: ActiveCheck, trial: Trial) -> None:
        about = running.about(trial.probe, trial.number)
        about |= {FALLBACK: True} if trial.fallback else {}
        self._evidence.trial(about, trial.score, trial.exchanges, trial.reply_digest)
        running.note(trial)


async def attempted(
    check: Check, chat: Chat, probe: Probe, secrets: Secrets
) -> tuple[Score, Probe]:
    """The score of a probe that a check tries in a chat, and the probe as it was tried.

    Where the endpoint declines what a form adds, or nothing can be told in it, the trial is made
    without: what a requirement does not need is no reason to fail it, and none to leave it out.
    """
    score = await _attempted(check, chat, probe, secrets)
    if probe.fallback is None or not (chat.declined or score.outcome is Outcome.UNSUPPORTED):
        return score, probe
    shared = f"{probe.shared}, {DECLINED}" if probe.shared else ""
    instead = replace(probe.fallback, shared=shared)
    return await _attempted(check, chat, instead, secrets), instead


async def _attempted(check: Check, chat: Chat, probe: Probe, secrets: Secrets) -> Score:
    """The score of a probe that a check tries in a chat.

    Whatever else the check raises is its own bug, and never the endpoint's fault.

    Raises:
        CheckMistake: The check ends a trial without a score.
    """
    try:
        score = await check.attempt(chat, probe)
    except EndpointError as error:
        score = error.score
    except AssertionError as error:
        line = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{line.filename}:{line.lineno}"
        raise CheckMistake(f"{where}: an assert ends {check.id}: {SCORES}") from error
    if not isinstance(score, Score):
        raise CheckMistake(f"{check.place}: {check.id} returned {score!r:.40}: {SCORES}")
    return replace(score, reason=secrets.excerpt(score.reason), kind=secrets.printable(score.kind))


def by_dimension(running: Sequence[ActiveCheck]) -> dict[str, Counter[str]]:
    """The progress of each dimension: trials planned, tried, passed, and that are unsupported."""
    counts: dict[str, Counter[str]] = {}
    for each in running:
        count = counts.setdefault(each.planned.check.dimension, Counter())
        trials = list(each.trials.values())
        unsupported = sum(trial.score.outcome is Outcome.UNSUPPORTED for trial in trials)
        count.update(planned=each.total, tried=len(trials), passed=each.passed)
        count.update(unsupported=unsupported)
    return counts
