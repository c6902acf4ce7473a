"""The past of a run that goes on: trials that had ended, and replies to those that had not."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from readiness.evidence.log import (
    GENESIS,
    REPEAT,
    EvidenceIntegrityError,
    entries,
    exchange_of,
    request_digest,
    sha256,
)
from readiness.evidence.redaction import Secrets
from readiness.evidence.run_folder import TORN
from readiness.exchange import Call, Exchange
from readiness.probe import Probe
from readiness.score import Measure, Outcome, Score
from readiness.verdict.result import Trial

Entry = Mapping[str, Any]
SHARED = "shared"


class ResumeError(LookupError):
    """A run cannot be resumed in this way."""


@dataclass
class ResumeState:
    """What a run had seen before it was ended; of a run that begins, nothing.

    Args:
        secrets: What stands redacted in the evidence.
        about: What was tried, with what.
        head: The digest of the evidence's last whole line.
        torn: How many bytes a line has that was being written when the run was ended.
        exchanges: All that was exchanged, without what was sent.
        attempts: Which attempt of the run's own each was, from 1; 0 of what is no trial's.
        trials: The trials that ended, by number, of each check and of what it made again.
        replies: What came of requests of trials that did not end, by what is known of each.
    """

    secrets: Secrets
    about: Entry = field(default_factory=dict)
    head: str = GENESIS
    torn: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)
    trials: dict[tuple[str, bool], dict[int, Entry]] = field(default_factory=dict)
    replies: dict[tuple[object, ...], deque[Exchange]] = field(default_factory=dict)

    def pop_reply(self, call: Call, about: Entry) -> Exchange | None:
        """What came of the same request of the same trial, once; None where it was not sent."""
        if not self.replies:
            return None
        known = request_digest(call.kept, self.secrets)
        waiting = self.replies.get(_key(about, call.method, call.path, known))
        return replace(waiting.popleft(), request=call.kept) if waiting else None

    def of(self, check: str, probes: Sequence[Probe]) -> list[Trial]:
        """The trials of a check that ended, whatever their outcome: those skipped did not.

        Raises:
            ResumeError: The check has other probes now.
        """
        ended = self.trials.get((check, False), {})
        for number, entry in ended.items():
            if number >= len(probes) or probes[number].id != entry["probe"]:
                raise ResumeError(f"{check} has other probes now than {entry['probe']}")
        return [
            Trial.of(probes[number], number, _score(entry), entry["exchanges"], entry["said"])
            for number, entry in ended.items()
        ]


def read(path: Path, secrets: Secrets) -> ResumeState:
    """Read the evidence of a run that was ended.

    Raises:
        ResumeError: There is none.
        EvidenceIntegrityError: Its chain is broken elsewhere than in a last line that was being
            written.
    """
    past, size = ResumeState(secrets), 0
    keys: dict[int, tuple[object, ...]] = {}
    try:
        for entry, line in entries(path):
            size += len(line)
            past.head = sha256(line[:-1])
            if entry["kind"] == "run":
                past.about = entry
            elif entry["kind"] == "exchange":
                known = request_digest(entry["request"], secrets)
                keys[entry["seq"]] = _key(entry, entry["method"], entry["path"], known)
                past.exchanges.append(replace(exchange_of(entry), request=None))
                past.attempts.append(entry.get("attempt", 0))
            elif entry["kind"] == "trial" and entry["outcome"] != Outcome.SKIPPED:
                of_check = entry["check"], entry.get(REPEAT, False)
                past.trials.setdefault(of_check, {})[entry["trial"]] = entry
    except OSError as error:
        raise ResumeError(f"{path} cannot be read: {error.strerror}") from error
    except EvidenceIntegrityError as error:
        if not error.torn:
            raise
        past.torn = path.stat().st_size - size
    ended = {
        seq for each in past.trials.values() for of in each.values() for seq in of["exchanges"]
    }
    for exchange in past.exchanges:
        key = keys[exchange.seq]
        if exchange.seq not in ended or key[0] is SHARED:
            past.replies.setdefault(key, deque()).append(exchange)
    return past


def set_aside(path: Path, torn: int) -> None:
    """Move the torn end of an evidence file into a file of its own beside it."""
    size = path.stat().st_size - torn
    with path.open("r+b") as file:
        file.seek(size)
        rest = file.read()
        path.with_name(TORN).write_bytes(rest)
        file.truncate(size)
        os.fsync(file.fileno())


def _key(about: Entry, method: str, path: str, request: str) -> tuple[object, ...]:
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
        met_in_reasoning=entry.get("met_in_reasoning", False),
        settled_by=entry.get("settled_by", ""),
        kind=entry.get("reason_kind", ""),
    )
