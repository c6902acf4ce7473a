"""The state of an interrupted run: finished trials, and the replies of unfinished ones."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from readiness.evidence.log import (
    FALLBACK,
    GENESIS,
    MEASUREMENT,
    REPEAT,
    SAME_BUILD,
    EvidenceIntegrityError,
    entries,
    exchange_of,
    request_digest,
    sha256,
)
from readiness.evidence.redaction import Secrets
from readiness.evidence.run_folder import TORN
from readiness.exchange import NOT_SENT, Call, Exchange
from readiness.policy.plan import PlannedCheck
from readiness.probe import Probe
from readiness.protocol.capability import PROBING, Capabilities
from readiness.runner.concurrency import as_made
from readiness.score import Measure, Outcome, Score
from readiness.verdict.result import Trial

Entry = Mapping[str, Any]
#: Which trial, or which shared key, and the method, path and digest of the request.
RequestKey = tuple[object, ...]
SHARED = "shared"
#: Responses that say nothing about later, as a refused connection says nothing: a limiter's, and
#: those to a key that had ended.
NOT_REPLAYED = (401, 402, 429, 503)


class ResumeError(LookupError):
    """The run cannot be resumed; the message says why."""


@dataclass
class ResumeState:
    """The state of a run before it was interrupted; empty for a new run.

    Args:
        secrets: The secrets, which are redacted in the evidence.
        about: The header of the evidence: the target and the settings.
        latest: The last header: that of the run, or of its last resumption.
        head: The digest of the last complete line of the evidence.
        heads: The digests of all complete lines.
        torn: The size in bytes of an incomplete last line.
        exchanges: All exchanges, without their requests.
        keys: By what request of what trial each was sent.
        attempts: The attempt of each exchange, from 1; 0 where it belongs to no trial.
        trials: The finished trials by number, by check and whether they are repeats.
        skipped: The trials that were not executed, likewise.
        replies: The exchanges of unfinished trials, by request.
        most_in_flight: How many requests were in flight at most during an exchange, by its number.
        begun: How many exchanges it had when it began, or was resumed last.
        same_build: The other runs of the same build that it was judged with, as it says.
        measurements: The entries of its measurements of many requests, by key.
    """

    secrets: Secrets
    about: Entry = field(default_factory=dict)
    latest: Entry = field(default_factory=dict)
    head: str = GENESIS
    heads: set[str] = field(default_factory=set)
    torn: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    keys: list[RequestKey] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)
    trials: dict[tuple[str, bool], dict[int, Entry]] = field(default_factory=dict)
    skipped: dict[tuple[str, bool], dict[int, Entry]] = field(default_factory=dict)
    replies: dict[RequestKey, deque[Exchange]] = field(default_factory=dict)
    most_in_flight: dict[int, int] = field(default_factory=dict)
    begun: int = 0
    same_build: Sequence[Entry] = ()
    measurements: dict[str, Entry] = field(default_factory=dict)

    def pop_reply(self, call: Call, about: Entry) -> Exchange | None:
        """Remove and return the exchange of the same request of the same trial; None for none."""
        if not self.replies:
            return None
        digest = request_digest(call.kept, self.secrets)
        waiting = self.replies.get(_key(about, call.method, call.path, digest))
        return replace(waiting.popleft(), request=call.kept) if waiting else None

    @cached_property
    def ended(self) -> frozenset[int]:
        """The numbers of the exchanges of finished trials."""
        finished = (each for of_check in self.trials.values() for each in of_check.values())
        return frozenset(seq for each in finished for seq in each["exchanges"])

    @property
    def passed(self) -> dict[str, int]:
        """How many trials of each check passed."""
        return {
            check: sum(each["outcome"] == Outcome.PASS for each in ended.values())
            for (check, repeated), ended in self.trials.items()
            if not repeated
        }

    def of(self, planned: PlannedCheck, offers: Capabilities) -> list[Trial]:
        """The finished trials of a check; skipped ones are not finished.

        Raises:
            ResumeError: The probes of the check have changed.
        """
        return self._trials(planned, offers, self.trials.get((planned.check.id, False), {}))

    def of_all(self, planned: PlannedCheck, offers: Capabilities) -> list[Trial]:
        """All recorded trials of a check, in their order; with those that were not executed.

        Raises:
            ResumeError: The probes of the check have changed.
        """
        of_check = planned.check.id, False
        recorded = {**self.trials.get(of_check, {}), **self.skipped.get(of_check, {})}
        return self._trials(planned, offers, dict(sorted(recorded.items())))

    def _trials(
        self, planned: PlannedCheck, offers: Capabilities, ended: Mapping[int, Entry]
    ) -> list[Trial]:
        probes, check = [*planned.probes, *planned.extension], planned.check
        for number, entry in ended.items():
            if number >= len(probes) or probes[number].id != entry["probe"]:
                raise ResumeError(f"{check.id} has other probes now than {entry['probe']}")
        tried = not offers.unsupported_reason(check.needs)
        found = []
        for number, entry in ended.items():
            probe = self._as_tried(probes[number], entry, offers) if tried else probes[number]
            trial = Trial.of(probe, number, _score(entry), entry["exchanges"], entry["said"])
            found.append(replace(trial, fallback=entry.get(FALLBACK, False)))
        return found

    def _as_tried(self, probe: Probe, entry: Entry, offers: Capabilities) -> Probe:
        """A probe in the form in which it was sent; as it was planned, if it was not."""
        if not entry.get("made", True):
            return probe
        sent = probe.within(offers.unsupported, offers.window)
        if entry.get(FALLBACK) and sent.fallback:
            sent = sent.fallback
        return as_made(sent, entry["exchanges"], self.most_in_flight)


def read(path: Path, secrets: Secrets) -> ResumeState:
    """Read the evidence of a run that was interrupted, or is to be scored again.

    Raises:
        ResumeError: The evidence cannot be read.
        EvidenceIntegrityError: The chain is broken, other than by an incomplete last line.
    """
    state, size = ResumeState(secrets), 0
    try:
        for entry, line in entries(path):
            size += len(line)
            state.head = sha256(line[:-1])
            state.heads.add(state.head)
            if entry["kind"] in ("run", "resumed"):
                state.about, state.latest = state.about or entry, entry
                state.begun = len(state.exchanges)
            elif entry["kind"] == MEASUREMENT:
                state.measurements[entry["key"]] = entry
            elif entry["kind"] == SAME_BUILD:
                state.same_build = entry["runs"]
            elif entry["kind"] == "exchange":
                digest = request_digest(entry["request"], secrets)
                state.keys.append(_key(entry, entry["method"], entry["path"], digest))
                if entry["seq"] != len(state.exchanges):
                    raise EvidenceIntegrityError(f"{path.name} lacks exchanges")
                state.exchanges.append(replace(exchange_of(entry), request=None))
                state.attempts.append(entry.get("attempt", 0))
                state.most_in_flight[entry["seq"]] = entry.get("in_flight", 0)
            elif entry["kind"] == "trial":
                _add_trial(state, entry)
    except OSError as error:
        raise ResumeError(f"{path} cannot be read: {error.strerror}") from error
    except EvidenceIntegrityError as error:
        if not error.torn:
            raise
        state.torn = path.stat().st_size - size
    ended = state.ended
    for exchange in state.exchanges:
        key = state.keys[exchange.seq]
        says_nothing = exchange.status in NOT_REPLAYED or exchange.fault in NOT_SENT
        again = says_nothing and exchange.seq not in ended
        probing = key[0] == PROBING["check"]  # It is asked afresh: it may be another by now.
        if (exchange.seq not in ended or key[0] is SHARED) and not (again or probing):
            state.replies.setdefault(key, deque()).append(exchange)
    return state


def _add_trial(state: ResumeState, entry: Entry) -> None:
    check, number = (entry["check"], entry.get(REPEAT, False)), entry["trial"]
    state.skipped.setdefault(check, {}).pop(number, None)
    finished = entry["outcome"] != Outcome.SKIPPED
    (state.trials if finished else state.skipped).setdefault(check, {})[number] = entry


def move_torn_line(path: Path, torn: int) -> None:
    """Move the incomplete last line of an evidence file, of `torn` bytes, to a file next to it."""
    size = path.stat().st_size - torn
    with path.open("r+b") as file:
        file.seek(size)
        rest = file.read()
        path.with_name(TORN).write_bytes(rest)
        file.truncate(size)
        os.fsync(file.fileno())


def _key(about: Entry, method: str, path: str, request: str) -> RequestKey:
    if shared := about.get("shared"):
        return SHARED, shared, method, path, request
    trial = (about["check"], about.get("probe"), about.get("trial"), about.get(REPEAT, False))
    return *trial, method, path, request


def _score(entry: Entry) -> Score:
    measures = tuple(Measure(**each) for each in entry["measures"])
    return Score(
        Outcome(entry["outcome"]),
        entry["reason"],
        measures,
        made=entry.get("made", True),
        met_in_reasoning=entry.get("met_in_reasoning", False),
        settled_by=entry.get("settled_by", ""),
        kind=entry.get("reason_kind", ""),
    )
