"""A run: one endpoint tried once, from the first request to the record."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from readiness import resources
from readiness.address import Address
from readiness.background import Background
from readiness.capability import Capabilities, Models, Unassessable, choose, explore
from readiness.chat import Scope
from readiness.endpoint import Endpoint, Limits
from readiness.evidence import Evidence
from readiness.exchange import Call, Exchange
from readiness.given import Given
from readiness.matrix import Matrix, matrix
from readiness.meter_gpu import sources
from readiness.meter_metrics import MetricsMeter
from readiness.meters import Meter
from readiness.plan import Planned
from readiness.policy import Policy
from readiness.redaction import Secrets
from readiness.result import Result
from readiness.runner import Runner
from readiness.score import EndpointError
from readiness.sender import Ledger, Sender
from readiness.slots import Slots

MOST_LISTED = 10
MODELS = Call(None, "/models", "GET")
PROBING = {"check": "capability"}
DISTRIBUTION = "llm-readiness"


@dataclass(frozen=True)
class Settings:
    """What the user asks for.

    Args:
        where: The endpoint's address, with the key among its headers.
        model: The model's id; "" where the endpoint is to say.
        profile: How many trials: smoke, ci or full.
        policy: Thresholds, margins, and which dimensions gate.
        concurrency: Most trials in flight.
        reports: Where run folders are written.
        seed: What the probes are generated from.
        limits: How long to wait for what.
        extra: What is added to the body of every request.
        most_requests: Most requests to send; 0 for any number.
        most_tokens: Most tokens to use, of prompts and replies; 0 for any number.
        secrets: What must stand in no file.
        given: What no reply of the endpoint can tell.
    """

    where: Address
    model: str
    profile: str
    policy: Policy
    concurrency: int
    reports: Path
    seed: int
    limits: Limits
    extra: Mapping[str, Any]
    most_requests: int
    most_tokens: int
    secrets: Secrets
    given: Given


@dataclass
class Run:
    """One endpoint, tried once.

    Args:
        settings: What the user asked for.
        plan: What is to be tried, by the ids of the checks.
        started: When the run began.
        model: The model under test.
        folder: Where the run is written.
        evidence: What has been seen so far.
        ledger: What has been sent so far.
        runner: What makes the trials.
        capabilities: What the endpoint offers; None where it cannot be tried.
        problem: Why the endpoint cannot be tried; "" where it can.
        results: What has been shown so far.
        bugs: Whether a check raised what no check may raise.
    """

    settings: Settings
    plan: Mapping[str, Planned]
    started: datetime
    model: str
    folder: Path
    evidence: Evidence
    ledger: Ledger
    runner: Runner
    capabilities: Capabilities | None = None
    problem: str = ""
    results: list[Result] = field(default_factory=list)
    bugs: bool = False

    def start(self, planned: Sequence[Planned]) -> None:
        """Start checks."""
        assert self.capabilities is not None
        self.runner.start(planned, self.capabilities)

    def result(self, check_id: str) -> Result:
        """Wait for the result of a check."""
        try:
            result = self.runner.result(check_id)
        except Exception:
            self.bugs = True
            raise
        self.results.append(result)
        return result

    def where(self, result: Result) -> str:
        """Where the evidence is of the trials that did not pass."""
        seqs = [seq for each in result.counted if not each.score.passed for seq in each.exchanges]
        listed = ", ".join(map(str, seqs[:MOST_LISTED]))
        numbers = f", exchanges {listed}{', …' if seqs[MOST_LISTED:] else ''}" if seqs else ""
        return f"{self.evidence.path}{numbers}"

    @property
    def matrix(self) -> Matrix:
        """What the run has shown so far."""
        policy = self.settings.policy
        gates = {each: policy.gate(each) for each in policy.dimensions}
        expected = {each: policy.expected(each) for each in policy.dimensions}
        for planned in self.plan.values():
            if planned.check.dimension not in gates:
                ids = expected.get(planned.check.dimension, ())
                expected[planned.check.dimension] = (*ids, planned.check.id)
        return matrix(self.results, gates, expected)


@contextmanager
def opened(settings: Settings, planned: Sequence[Planned]) -> Generator[Run]:
    """Reach the endpoint and settle what it offers; the record is written however this ends.

    Raises:
        LookupError: The user must choose another model or key.
    """
    from readiness.reporters import record

    with (
        Background() as background,
        _reached(background, settings.where, settings.limits) as endpoint,
        _metered(background, settings) as meters,
    ):
        started = datetime.now(UTC)
        listed = background.start(endpoint.send(MODELS)).result()
        model, models, problem = _model(listed, settings.model)
        folder = _folder(settings.reports, started, model or "unknown")
        ledger, slots = (
            Ledger(settings.most_requests, settings.most_tokens),
            Slots(settings.concurrency),
        )
        with Evidence(folder / "evidence.jsonl", settings.secrets) as evidence:
            evidence.open(_about(settings, model, started))
            evidence.exchange(listed, PROBING)
            sender = Sender(endpoint, evidence, ledger, slots)
            runner = Runner(
                background, sender, evidence, Scope(given=settings.given, meters=meters)
            )
            plan = {each.check.id: each for each in planned}
            run = Run(settings, plan, started, model, folder, evidence, ledger, runner)
            run.problem = settings.secrets.printable(problem)
            if not problem:
                _explore(run, background, sender, models)
            try:
                yield run
            finally:
                record.write(run)


@contextmanager
def _reached(background: Background, where: Address, limits: Limits) -> Generator[Endpoint]:
    endpoint = Endpoint(where, limits)
    try:
        yield endpoint
    finally:
        background.start(endpoint.close()).result()


@contextmanager
def _metered(background: Background, settings: Settings) -> Generator[Sequence[Meter]]:
    """What tells how much memory the server takes."""
    if (metrics := settings.given.metrics) is None:
        yield sources(settings.where)
        return
    with _reached(background, metrics, settings.limits) as page:
        yield [*sources(settings.where), MetricsMeter(page)]


def _model(listed: Exchange, wanted: str) -> tuple[str, Models, str]:
    """Which model is tried, what the endpoint lists, and what stands in the way."""
    try:
        models = Models.read(listed)
        return choose(models, wanted), models, ""
    except Unassessable as error:
        return wanted, Models(), str(error)


def _explore(run: Run, background: Background, sender: Sender, models: Models) -> None:
    ask = partial(sender.send, trial=PROBING)
    work = explore(ask, models, run.model, run.settings.extra)
    try:
        run.capabilities = background.start(work).result()
    except (Unassessable, EndpointError) as error:
        run.problem = run.settings.secrets.printable(str(error))
    except LookupError as error:
        raise LookupError(run.settings.secrets.printable(str(error))) from None


def _folder(reports: Path, started: datetime, model: str) -> Path:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", model).strip("-.")[:60] or "model"
    stem = f"{started:%Y%m%dT%H%M%SZ}-{name}"
    for number in range(1, 1000):
        folder = reports / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{reports} has too many runs of this second")


def _about(settings: Settings, model: str, started: datetime) -> dict[str, Any]:
    return {
        "schema": "readiness-evidence/1",
        "endpoint": settings.where.url,
        "model": model,
        "profile": settings.profile,
        "seed": settings.seed,
        "started": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        "harness": harness(settings.policy),
        "license_evidence": settings.given.digests,
    }


def harness(policy: Policy) -> dict[str, str]:
    """What the endpoint was tried with: the version of this program, and digests of its data."""
    return {
        "version": version(DISTRIBUTION),
        "policy": policy.name,
        "policy_sha256": policy.digest,
        "prompts_sha256": _digest("prompts"),
        "openai_sdk": version("openai"),
    }


def _digest(kind: str) -> str:
    """One digest over all files of a folder, in the order of their names."""
    total = hashlib.sha256()
    for path in sorted(resources.home(kind).iterdir()):
        total.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()
