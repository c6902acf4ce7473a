"""A finished run, read from its folder."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from readiness.evidence import run_folder
from readiness.evidence.log import (
    MAX_LINE,
    REPEAT,
    EvidenceIntegrityError,
    chain_end,
    exchange_of,
    read_exchanges,
)
from readiness.evidence.run_folder import EVIDENCE, SUMS, DamagedRecordError, FolderError
from readiness.exchange import NS, Exchange
from readiness.protocol import completion
from readiness.resources import opened
from readiness.score import UNSETTLED, EndpointError, Outcome


class FinishedRunError(LookupError):
    """A run cannot be used: the user must name another."""


@dataclass(frozen=True, slots=True)
class RecordedTrial:
    """A trial of a finished run; `made` is false where it was not executed."""

    probe: str
    outcome: Outcome
    exchanges: tuple[int, ...] = ()
    made: bool = True


@dataclass(frozen=True)
class FinishedRun:
    """A finished run.

    Args:
        evidence: The path of its evidence.
        evidence_header: The first line of its evidence: the target and the settings.
        trials: Its trials, by check and number.
        repeated_trials: Its repeated trials, by check and number.
        seconds: The duration of each exchange in seconds, by number.
        target: What the endpoint reported about itself.
        concurrency: Maximum number of trials in flight.
        verdict: Its verdict; "" where it is unknown.
        head: The SHA-256 of its last line of evidence.
        doubtful: The ids of checks with doubts about their passed trials.
        verdicts: The verdicts of its checks, as its record has them, by id.
    """

    evidence: Path
    evidence_header: Mapping[str, Any]
    trials: Mapping[tuple[str, int], RecordedTrial]
    seconds: Mapping[int, float]
    repeated_trials: Mapping[tuple[str, int], RecordedTrial] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)
    concurrency: int = 0
    verdict: str = ""
    head: str = ""
    doubtful: frozenset[str] = frozenset()
    verdicts: Mapping[str, str] = field(default_factory=dict)

    def duration(self, exchanges: Collection[int]) -> float:
        """The total duration of exchanges, in seconds."""
        return sum(self.seconds[each] for each in exchanges)

    @property
    def repeat_disagreement(self) -> tuple[int, int]:
        """How many repeated trials changed their outcome, and how many of them are conclusive."""
        twice = [
            (self.trials[name].outcome, tried.outcome)
            for name, tried in self.repeated_trials.items()
            if name in self.trials
        ]
        conclusive = [both for both in twice if UNSETTLED.isdisjoint(both)]
        changed = sum((one is Outcome.PASS) != (two is Outcome.PASS) for one, two in conclusive)
        return changed, len(conclusive)

    def replies(self, exchanges: Collection[int]) -> dict[int, str]:
        """The replies of exchanges, by number."""
        found = read_exchanges(self.evidence, exchanges)
        return {seq: _reply_text(exchange_of(entry)) for seq, entry in found.items()}


def read(evidence: Path) -> FinishedRun:
    """Read a run from its evidence file, without checking the hash chain."""
    about: Mapping[str, Any] = {}
    trials: dict[bool, dict[tuple[str, int], RecordedTrial]] = {False: {}, True: {}}
    seconds = {}
    for line in _lines(evidence):
        match line["kind"]:
            case "run":
                about = line
            case "exchange":
                seconds[line["seq"]] = line["end"] / NS
            case "trial":
                exchanges = tuple(line["exchanges"])
                tried = RecordedTrial(
                    line["probe"], Outcome(line["outcome"]), exchanges, line.get("made", True)
                )
                trials[line.get(REPEAT, False)][line["check"], line["trial"]] = tried
    return FinishedRun(evidence, about, trials[False], seconds, trials[True])


def read_finished_run(path: Path) -> FinishedRun:
    """Read a finished run from its folder, or from the record in it, and check its evidence.

    Raises:
        FinishedRunError: There is no such run, or it tried no check.
        EvidenceIntegrityError: Its evidence was changed.
    """
    # Resolved now, because `latest` is another run as soon as this one ends.
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    record = _record(folder)
    _require_unchanged(folder)
    evidence = folder / EVIDENCE
    if not evidence.exists():
        raise FinishedRunError(f"{path}: there is no {EVIDENCE} next to the record")
    try:
        head = chain_end(evidence)
    except EvidenceIntegrityError as error:
        why = f"{path}: the chain of evidence is broken: {error}"
        raise EvidenceIntegrityError(why) from error
    if head != record["evidence"]["head"]:
        raise EvidenceIntegrityError(f"{path}: {EVIDENCE} does not end where the record says")
    found = read(evidence)
    if not found.trials:
        raise FinishedRunError(f"{path}: no check was tried in that run: choose another")
    trials = found.trials.items()
    require_counted(
        Counter(check for (check, _), each in trials if each.outcome is Outcome.PASS), record
    )
    target, concurrency, verdict = (record[key] for key in ("target", "concurrency", "verdict"))
    checks = [check for each in record["dimensions"] for check in each["checks"]]
    return replace(
        found,
        target=target,
        concurrency=concurrency,
        verdict=verdict,
        head=head,
        doubtful=frozenset(check["id"] for check in checks if check["doubts"]),
        verdicts={check["id"]: check["verdict"] for check in checks},
    )


def seed(path: Path) -> int | None:
    """The seed of a run, by its folder or the record in it; None where it cannot be read."""
    evidence = (path if path.is_dir() else path.parent) / EVIDENCE
    try:
        with opened(evidence) as lines:
            found = json.loads(lines.readline(MAX_LINE))["seed"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return found if type(found) is int else None


def _require_unchanged(folder: Path) -> None:
    """Require that the files of a run are as its digests say, where it has any.

    Raises:
        EvidenceIntegrityError: One was changed.
    """
    try:
        if (folder / SUMS).exists():
            run_folder.refuse_changed(folder)
    except FolderError as error:
        raise EvidenceIntegrityError(str(error)) from error


def require_counted(passed: Mapping[str, int], record: run_folder.Record) -> None:
    """Require that a record counts the passed trials that the evidence has, by check.

    Raises:
        EvidenceIntegrityError: It counts others.
    """
    for check in (check for each in record["dimensions"] for check in each["checks"]):
        counted, recorded = (
            check["passed"] + check["controls"]["passed"],
            passed.get(check["id"], 0),
        )
        if counted != recorded:
            why = f"{check['id']} has {counted} passed trials, and {recorded} in evidence"
            raise EvidenceIntegrityError(why)


def _record(folder: Path) -> run_folder.Record:
    try:
        return run_folder.read(folder)
    except DamagedRecordError as error:
        raise EvidenceIntegrityError(str(error)) from error
    except FolderError as error:
        raise FinishedRunError(str(error)) from error


def _lines(evidence: Path) -> Iterator[dict[str, Any]]:
    with evidence.open("rb") as file:
        yield from map(json.loads, file)


def _reply_text(exchange: Exchange) -> str:
    """The reply of an exchange as JSON; where it is unreadable, the error and the body."""
    try:
        message = completion.read_recorded(exchange).message
    except EndpointError as error:
        return f"{error}: {exchange.body.decode('utf-8', 'replace')}"
    fields = {key: value for key, value in message.items() if value and key != "role"}
    return json.dumps(fields, ensure_ascii=False)
