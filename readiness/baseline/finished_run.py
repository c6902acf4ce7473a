"""A finished run, read from its folder."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from readiness.evidence import run_folder
from readiness.evidence.log import REPEAT, EvidenceIntegrityError, chain_end, exchange_of
from readiness.evidence.run_folder import EVIDENCE, DamagedRecordError, FolderError
from readiness.exchange import NS
from readiness.protocol import completion
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
        wanted = frozenset(exchanges)
        lines = _lines(self.evidence) if wanted else ()
        found = (each for each in lines if each["kind"] == "exchange" and each["seq"] in wanted)
        return {each["seq"]: _reply_text(each) for each in found}


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
    target, concurrency, verdict = (record[key] for key in ("target", "concurrency", "verdict"))
    checks = (check for each in record["dimensions"] for check in each["checks"])
    return replace(
        found,
        target=target,
        concurrency=concurrency,
        verdict=verdict,
        head=head,
        doubtful=frozenset(check["id"] for check in checks if check["doubts"]),
    )


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


def _reply_text(line: Mapping[str, Any]) -> str:
    """The reply of an exchange as JSON; where it is unreadable, the error and the body."""
    # Evidence may have only the digest of a large request: the response shows whether it streamed.
    streams = line["headers"].get("content-type", "").startswith(completion.STREAM)
    exchange = replace(exchange_of(line), request={"stream": streams})
    try:
        message = completion.read(exchange).message
    except EndpointError as error:
        return f"{error}: {exchange.body.decode('utf-8', 'replace')}"
    fields = {key: value for key, value in message.items() if value and key != "role"}
    return json.dumps(fields, ensure_ascii=False)
