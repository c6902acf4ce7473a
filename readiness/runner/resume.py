"""The state of an interrupted run: finished trials, and the replies of unfinished ones."""

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
    """The run cannot be resumed; the message says why."""


@dataclass
class ResumeState:
    """The state of a run before it was interrupted; empty for a new run.

    Args:
        secrets: The secrets, which are redacted in the evidence.
        about: The header of the evidence: the target and the settings.
        head: The digest of the last complete line of the evidence.
        torn: The size in bytes of an incomplete last line.
        exchanges: All exchanges, without their requests.
        attempts: The attempt of each exchange, from 1; 0 where it belongs to no trial.
        trials: The finished trials by number, by check and whether they are repeats.
        replies: The exchanges of unfinished trials, by request.
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
        """Remove and return the exchange of the same request of the same trial; None for none."""
        if not self.replies:
            return None
        digest = request_digest(call.kept, self.secrets)
        waiting = self.replies.get(_key(about, call.method, call.path, digest))
        return replace(waiting.popleft(), request=call.kept) if waiting else None

    def of(self, check: str, probes: Sequence[Probe]) -> list[Trial]:
        """The finished trials of a check; skipped ones are not finished.

        Raises:
            ResumeError: The probes of the check have changed.
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
    """Read the evidence of an interrupted run.

    Raises:
        ResumeError: The evidence cannot be read.
        EvidenceIntegrityError: The chain is broken, other than by an incomplete last line.
    """
    state, size = ResumeState(secrets), 0
    keys: dict[int, tuple[object, ...]] = {}
    try:
        for entry, line in entries(path):
            size += len(line)
            state.head = sha256(line[:-1])
            if entry["kind"] == "run":
                state.about = entry
            elif entry["kind"] == "exchange":
                digest = request_digest(entry["request"], secrets)
                keys[entry["seq"]] = _key(entry, entry["method"], entry["path"], digest)
                state.exchanges.append(replace(exchange_of(entry), request=None))
                state.attempts.append(entry.get("attempt", 0))
            elif entry["kind"] == "trial" and entry["outcome"] != Outcome.SKIPPED:
                of_check = entry["check"], entry.get(REPEAT, False)
                state.trials.setdefault(of_check, {})[entry["trial"]] = entry
    except OSError as error:
        raise ResumeError(f"{path} cannot be read: {error.strerror}") from error
    except EvidenceIntegrityError as error:
        if not error.torn:
            raise
        state.torn = path.stat().st_size - size
    ended = {
        seq for each in state.trials.values() for of in each.values() for seq in of["exchanges"]
    }
    for exchange in state.exchanges:
        key = keys[exchange.seq]
        if exchange.seq not in ended or key[0] is SHARED:
            state.replies.setdefault(key, deque()).append(exchange)
    return state


def move_torn_line(path: Path, torn: int) -> None:
    """Move the incomplete last line of an evidence file, of `torn` bytes, to a file next to it."""
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
