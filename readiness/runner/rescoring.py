"""Rescoring: the recorded trials of a run are scored again, from its exchanges alone."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from readiness.chat import Chat
from readiness.context import Context
from readiness.evidence.log import (
    FALLBACK,
    REPEAT,
    EvidenceIntegrityError,
    request_digest,
    score_entry,
)
from readiness.evidence.redaction import Secrets
from readiness.exchange import NOT_SENT, Call, Exchange, Send
from readiness.policy.plan import PlannedCheck
from readiness.probe import Probe
from readiness.protocol.capability import (
    LIST_MODELS,
    PROBING,
    Capabilities,
    Models,
    Unassessable,
    explore,
)
from readiness.protocol.dialect import Dialect
from readiness.runner.active_check import ActiveCheck
from readiness.runner.measurements import KeptMeasurements, MeasurementError
from readiness.runner.resume import SHARED, Entry, RequestKey, ResumeState
from readiness.runner.scheduler import attempted
from readiness.runner.sender import OVERLOADED
from readiness.score import EndpointError, Outcome, Score
from readiness.search import RecordedFindings
from readiness.verdict.labels import Review
from readiness.verdict.result import Result, replies_digest

Fetches = dict[Hashable, tuple[Chat, asyncio.Future[Any]]]
#: Their scores need more than exchanges: clocks, meters, a restart, the files of a deployment,
#: tokens that are redacted.
NOT_IN_EVIDENCE = frozenset({"deployment", "webui"})
#: All that their trials send is part of a measurement, which the evidence has.
MEASURED = frozenset({"load", "low_resource", "stability"})
#: It waits for the endpoint to come back, and keeps nothing of the time until then.
UNMEASURED = "stability.recovers_after_restart"
#: The dimension, and the check, that read the evidence of the licence.
DOCUMENTS = frozenset({"license", "low_resource.plausible_measurements"})
#: How many turns of the event loop a reply waits at most for those that came before it.
MAX_TURNS = 1000


class Unrecorded(Exception):
    """A trial sends what the evidence does not have."""


class Measured(Exception):
    """A trial sends the requests of many users, whose times alone tell its score."""


@dataclass(frozen=True)
class Difference:
    """A recorded trial that its exchanges do not bear out.

    Args:
        check: The id of its check.
        number: Its number.
        probe: The id of its probe, as it is recorded.
        why: What is recorded, and what its exchanges show.
    """

    check: str
    number: int
    probe: str
    why: str

    def __str__(self) -> str:
        return f"trial {self.number} of {self.check} ({self.probe}): {self.why}"


@dataclass(frozen=True)
class Rescorer:
    """Scores the trials of a run again.

    Args:
        state: What the evidence of the run has.
        capabilities: What the endpoint supports.
        context: What the checks may read of the run.
        review: The labels of undetermined replies.
        taken: The ids of the checks of trials that were taken as recorded, for they measure.
    """

    state: ResumeState
    capabilities: Capabilities
    context: Context
    review: Review
    taken: list[str] = field(default_factory=list)
    _fetches: Mapping[bool, Fetches] = field(default_factory=lambda: {False: {}, True: {}})

    @classmethod
    async def of(cls, state: ResumeState, context: Context, review: Review) -> Self:
        """The rescorer of a run, with what its evidence says of the endpoint.

        Raises:
            EvidenceIntegrityError: It does not say it.
        """
        about = state.about
        extra = about.get("extra_body", {})
        asked = Dialect(about["model"], sampling=about["sampling"], extra_body=extra)
        try:
            capabilities = await recorded_capabilities(state, asked)
        except (Unrecorded, LookupError, Unassessable, EndpointError) as error:
            raise EvidenceIntegrityError(f"trials without capabilities: {error}") from error
        findings = RecordedFindings(about.get("findings", {}))
        return cls(state, capabilities, replace(context, findings=findings, meters=()), review)

    async def differences(self, planned: Sequence[PlannedCheck]) -> list[Difference]:
        """The recorded trials of some checks that their exchanges do not bear out."""
        recorded = [
            (each, number, entry)
            for each in planned
            if self.scores_again(each)
            for repeated in (False, True)
            for number, entry in self.state.trials.get((each.check.id, repeated), {}).items()
        ]
        # As they ended, for what they share is fetched as the first of them asks for it.
        recorded.sort(key=lambda each: max(each[2]["exchanges"], default=-1))
        found = [await self._difference(*each) for each in recorded]
        return [each for each in found if each]

    def scores_again(self, planned: PlannedCheck) -> bool:
        """Whether a check's score follows from what the evidence has."""
        shown = self.state.about.get("license_evidence") == self.context.license_evidence_digests
        if not shown and not DOCUMENTS.isdisjoint({planned.check.dimension, planned.check.id}):
            return False
        # While the run goes on, its checks of the whole run are tried again.
        ended = self.context.recorded_exchanges is not None or not planned.check.whole_run
        return ended and planned.check.dimension not in NOT_IN_EVIDENCE

    async def _difference(
        self, planned: PlannedCheck, number: int, entry: Entry
    ) -> Difference | None:
        """How a recorded trial differs from its score by its exchanges; None where it does not."""
        trial = planned.check.id, number, entry["probe"]
        probes = [*planned.probes, *planned.extension]
        if number >= len(probes) or probes[number].id != entry["probe"]:
            return Difference(*trial, "the check has no such probe")
        try:
            score, digest, fallback = await self._scored(planned, probes[number], entry)
        except Measured:
            measured = planned.check.dimension in MEASURED and planned.check.id != UNMEASURED
            if entry["outcome"] == Outcome.PASS and measured:
                return Difference(*trial, "it passed, and no measurement is in the evidence")
            self.taken.append(planned.check.id)
            return None
        except MeasurementError as error:
            return Difference(*trial, str(error))
        except Unrecorded as lacking:
            return Difference(*trial, str(lacking))
        if fallback is not entry.get(FALLBACK, False):
            return Difference(*trial, "it was not made in the form that its entry says")
        settled = self.review.settle(planned.check.id, entry["probe"], digest, score)
        found = [_shown(each, digest, self.state.secrets) for each in (score, settled)]
        recorded = {key: entry.get(key) for key in found[0]}
        if recorded in found:
            return None
        return Difference(*trial, _named(recorded, found[1]))

    async def _scored(
        self, planned: PlannedCheck, probe: Probe, entry: Entry
    ) -> tuple[Score, str, bool]:
        """The score of a trial by its exchanges, the digest of its replies, and the form it took.

        That is whether it was made without what the endpoint declined of it.
        """
        offers, secrets = self.capabilities, self.state.secrets
        if reason := offers.unsupported_reason(planned.check.needs):
            return Score(Outcome.UNSUPPORTED, reason), "", False
        context = replace(
            self.context,
            context_window=offers.window,
            defects_only=planned.claim.defects_only,
            shared_fetches=self._fetches[entry.get(REPEAT, False)],
            run_distributed_step=None,
            kept_measurement=KeptMeasurements(self.state.measurements, self.state.exchanges),
            restart_command="",
        )
        chat = Chat(self._send(entry), offers.dialect, context)
        probe = probe.within(offers.unsupported, offers.window)
        score, sent = await attempted(planned.check, chat, probe, secrets)
        return score, replies_digest(chat.replies), sent is not probe

    def _send(self, entry: Entry) -> Send:
        """Sends nothing: finds each request among the exchanges of a trial.

        Replies come in the order in which they came then.
        """
        numbers = entry["exchanges"]
        keys, waiting = self.state.keys, set(numbers)
        ended = self.state.ended
        trial = entry["check"], entry["probe"], entry["trial"], entry.get(REPEAT, False)
        used: set[int] = set()

        async def send(call: Call) -> Exchange:
            if call.crowd:
                raise Measured
            request = call.method, call.path, request_digest(call.kept, self.state.secrets)
            shared = self._numbers.get((SHARED, call.shared, *request), ())
            # Those that a limiter refused are in no trial.
            among = [each for each in shared if each in ended] if call.shared else numbers
            found = [each for each in among if each not in used and keys[each][-3:] == request]
            if not found and self._was_limited((*trial, *request)):
                raise EndpointError("rate limited", Outcome.SKIPPED)
            if not found:
                raise Unrecorded(f"it sends a request to {call.path} that it is not recorded with")
            used.add(found[0])
            own = keys[found[0]][0] is not SHARED
            for _ in range(MAX_TURNS if own else 0):
                await asyncio.sleep(0)
                if not any(each < found[0] and keys[each][0] is not SHARED for each in waiting):
                    break
            waiting.discard(found[0])
            return replace(self.state.exchanges[found[0]], request=call.kept)

        return send

    def _was_limited(self, key: RequestKey) -> bool:
        """Whether a limiter refused a request of a trial, which has no part in its score."""
        statuses = (self.state.exchanges[each].status for each in self._numbers.get(key, ()))
        return not {*statuses}.isdisjoint(OVERLOADED)

    @cached_property
    def _numbers(self) -> Mapping[RequestKey, Sequence[int]]:
        """The numbers of the exchanges, by request."""
        found: dict[RequestKey, list[int]] = {}
        for number, key in enumerate(self.state.keys):
            found.setdefault(key, []).append(number)
        return found


async def recorded_capabilities(state: ResumeState, asked: Dialect) -> Capabilities:
    """What the endpoint of a run supported, by the exchanges that asked it.

    Raises:
        Unrecorded: The evidence lacks one of them.
        LookupError: The endpoint could not be tried.
    """
    # A run that was resumed has asked it again.
    last = zip(state.keys[state.begun :], state.exchanges[state.begun :], strict=True)
    rest = [(key[-3:], each) for key, each in last if key[0] == PROBING["check"]]

    async def send(call: Call) -> Exchange:
        wanted = (call.method, call.path, request_digest(call.kept, state.secrets))
        found = [at for at, (key, _) in enumerate(rest) if key == wanted]
        if not found:
            raise Unrecorded("the endpoint's capabilities are not in the evidence")
        exchange = rest.pop(found[0])[1]
        # Refused connections are retried.
        return (
            await send(call)
            if _is_retried(exchange) and found[1:]
            else replace(exchange, request=call.kept)
        )

    return await explore(send, Models.read(await send(LIST_MODELS)), asked)


def _is_retried(exchange: Exchange) -> bool:
    return exchange.fault in NOT_SENT or exchange.status in OVERLOADED


def _shown(score: Score, digest: str, secrets: Secrets) -> dict[str, Any]:
    """What the entry of a trial has of its score and replies, as it is read back."""
    text = secrets.redact(json.dumps({**score_entry(score), "said": digest}))
    found: dict[str, Any] = json.loads(text)
    return found


def _named(recorded: Entry, found: Entry) -> str:
    """The first fields that differ, as a message."""
    names = [name for name in found if recorded[name] != found[name]]
    shown = (f"its {each} is {recorded[each]!r:.80} and not {found[each]!r:.80}" for each in names)
    return next(shown)


def result_of(state: ResumeState, planned: PlannedCheck, offers: Capabilities) -> Result:
    """The result of a check by its recorded trials.

    Raises:
        EvidenceIntegrityError: Not all of its trials are recorded.
    """
    trials = state.of_all(planned, offers)
    extended = any(each.number >= len(planned.probes) for each in trials)
    test = planned.test if state.about["fast"] else None
    running = ActiveCheck(planned, deque(), extended=extended, test=test)
    for each in trials:
        running.note(each)
    if len(trials) != running.total:
        why = f"{planned.check.id} has {len(trials)} of {running.total} trials in the evidence"
        raise EvidenceIntegrityError(why)
    return Result(planned.check, planned.claim, trials, running.verdict)
