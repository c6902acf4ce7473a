"""A run that is over, as its folder tells of it."""

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
    """The user must name another run."""


@dataclass(frozen=True, slots=True)
class RecordedTrial:
    """A trial of a run that is over; not made where it could have changed nothing."""

    probe: str
    outcome: Outcome
    exchanges: tuple[int, ...] = ()
    made: bool = True


@dataclass(frozen=True)
class FinishedRun:
    """A run that is over.

    Args:
        evidence: Where its evidence is.
        evidence_header: The first line of its evidence: what was tried, with what.
        trials: Its trials, by check and number.
        repeated_trials: Those that it made again, by the same.
        seconds: How long each of its exchanges took.
        target: What the endpoint said of itself.
        concurrency: Most trials in flight.
        verdict: What it showed; "" where it is not over.
        head: The SHA-256 of its last line of evidence.
        doubtful: The checks whose passed trials may show nothing.
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

    def took(self, exchanges: Collection[int]) -> float:
        """How long exchanges took together."""
        return sum(self.seconds[each] for each in exchanges)

    @property
    def repeat_disagreement(self) -> tuple[int, int]:
        """Of its trials that were made twice, how many came out otherwise, and how many those are.

        What says nothing, in either, is left out.
        """
        twice = [
            (self.trials[name].outcome, tried.outcome)
            for name, tried in self.repeated_trials.items()
            if name in self.trials
        ]
        told = [both for both in twice if UNSETTLED.isdisjoint(both)]
        return sum((one is Outcome.PASS) != (two is Outcome.PASS) for one, two in told), len(told)

    def replies(self, exchanges: Collection[int]) -> dict[int, str]:
        """What came back in exchanges, by their numbers."""
        wanted = frozenset(exchanges)
        lines = _lines(self.evidence) if wanted else ()
        found = (each for each in lines if each["kind"] == "exchange" and each["seq"] in wanted)
        return {each["seq"]: _said(each) for each in found}


def read(evidence: Path) -> FinishedRun:
    """Read what a file of evidence tells."""
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
    """Read the run that another is to be held against: its folder, or the record in it.

    Raises:
        FinishedRunError: There is no such run, or it shows nothing.
        EvidenceIntegrityError: Its evidence is not what it was when the run ended.
    """
    # `latest` points elsewhere as soon as this run ends.
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    record = _record(folder)
    evidence = folder / EVIDENCE
    if not evidence.exists():
        raise FinishedRunError(f"{path}: there is no {EVIDENCE} beside the record")
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


def _said(line: Mapping[str, Any]) -> str:
    """What the model said in an exchange; where that cannot be read, what came, or what did not."""
    # Of a large request the evidence may have the digest alone; that it streamed, the reply tells.
    streams = line["headers"].get("content-type", "").startswith(completion.STREAM)
    exchange = replace(exchange_of(line), request={"stream": streams})
    try:
        message = completion.read(exchange).message
    except EndpointError as error:
        return f"{error}: {exchange.body.decode('utf-8', 'replace')}"
    said = {key: value for key, value in message.items() if value and key != "role"}
    return json.dumps(said, ensure_ascii=False)
