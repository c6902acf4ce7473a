"""The opening of a run: what is reached, taken over and started, and how it is all ended."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from readiness.baseline import earlier_runs
from readiness.baseline.comparability import require_comparable
from readiness.context import Context
from readiness.evidence.log import Evidence
from readiness.evidence.printable import utc
from readiness.evidence.run_folder import EVIDENCE
from readiness.exchange import Exchange
from readiness.load.meters.meter import Meter
from readiness.load.meters.nvml import sources
from readiness.load.meters.prometheus import MetricsMeter
from readiness.load.workers import LoadWorkerPool, load_worker_pool, ray_started
from readiness.policy.plan import PlannedCheck
from readiness.protocol.capability import (
    LIST_MODELS,
    PROBING,
    Models,
    Unassessable,
    WrongKey,
    choose,
    explore,
)
from readiness.protocol.dialect import Dialect
from readiness.runner.event_loop import Background
from readiness.runner.provenance import run_provenance
from readiness.runner.resume import ResumeError, ResumeState, read, set_aside
from readiness.runner.run import Run
from readiness.runner.scheduler import Scheduler
from readiness.runner.sender import AdaptiveConcurrency, Sender
from readiness.runner.settings import Settings
from readiness.score import EndpointError
from readiness.search import FindingsStore
from readiness.transport.address import Address
from readiness.transport.budget import UsageBudget
from readiness.transport.client import EndpointClient, RequestLimits


@contextmanager
def open_run(settings: Settings, planned: Sequence[PlannedCheck]) -> Generator[Run]:
    """Reach the endpoint and settle what it offers; in the end, compare the run with its baseline.

    Raises:
        LookupError: The user must choose another model, key, baseline, earlier run or run to
            resume, or mend findings.
        EvidenceIntegrityError: The evidence of the run to resume cannot be trusted.
    """
    made_with = run_provenance(settings, planned)
    if settings.baseline_run:
        require_comparable(settings.baseline_run, made_with)
    earlier_runs.require_poolable(settings.earlier, planned, made_with)
    with (
        Background() as background,
        _ray(settings),
        _baseline_opened(background, settings, planned) as baseline,
        _opened(background, settings, planned) as run,
    ):
        if not run.problem:
            earlier_runs.require_same_build(settings.earlier, run.identity)
        if baseline:
            run.baseline_run = baseline
            run.runner.alternate_with(baseline.runner)
        yield run


@contextmanager
def _ray(settings: Settings) -> Generator[None]:
    """Ray, where load workers are wanted: with room for those of the baseline, too."""
    if settings.load_workers is None:
        yield
        return
    with ray_started(settings.load_workers, crews=2 if settings.baseline_settings else 1):
        yield


@contextmanager
def _baseline_opened(
    background: Background, settings: Settings, planned: Sequence[PlannedCheck]
) -> Generator[Run | None]:
    """The run of the endpoint that is the baseline; None where there is none.

    Raises:
        LookupError: It cannot be tried.
    """
    if settings.baseline_settings is None:
        yield None
        return
    with _opened(background, settings.baseline_settings, planned, "-baseline") as baseline:
        if baseline.problem:
            url = settings.baseline_settings.address.url
            raise LookupError(f"--baseline {url}: {baseline.problem}")
        yield baseline


@contextmanager
def _opened(
    background: Background, settings: Settings, planned: Sequence[PlannedCheck], suffix: str = ""
) -> Generator[Run]:
    """The run of one endpoint, from the first request to the record."""
    with _connected(background, settings) as connection:
        target = _target(connection, settings)
        header = {**_about(settings, target.model), **run_provenance(settings, planned)}
        past = _resume_state(settings, header)
        budget = _budget(settings, past)
        context = _context(connection, settings, budget)
        folder = settings.resume or _new_folder(settings, target, suffix)
        with _evidence(folder, settings, past) as evidence:
            _write_header(evidence, settings, header, target)
            slots = AdaptiveConcurrency(settings.concurrency)
            sender = Sender(connection.endpoint, evidence, budget, slots, past)
            runner = Scheduler(background, sender, context, settings)
            plan = {each.check.id: each for each in planned}
            run = Run(
                settings, plan, target.started, target.model, folder, evidence, budget, runner, past
            )
            _explore(run, connection, sender, target)
            with _finished(background, run):
                yield run


@dataclass(frozen=True)
class _Connection:
    """What an endpoint is reached by.

    Args:
        background: The event loop that all is sent on.
        endpoint: Sends requests.
        meters: What tells how much memory the server takes.
        load_workers: What makes the steps of load tests; None where this process does.
    """

    background: Background
    endpoint: EndpointClient
    meters: Sequence[Meter]
    load_workers: LoadWorkerPool | None


@contextmanager
def _connected(background: Background, settings: Settings) -> Generator[_Connection]:
    with (
        _reached(background, settings.address, settings.limits) as endpoint,
        _metered(background, settings) as meters,
        _load_worker_pool(settings) as load_workers,
    ):
        yield _Connection(background, endpoint, meters, load_workers)


@contextmanager
def _reached(
    background: Background, where: Address, limits: RequestLimits
) -> Generator[EndpointClient]:
    endpoint = EndpointClient(where, limits)
    try:
        yield endpoint
    finally:
        background.start(endpoint.close()).result()


@contextmanager
def _metered(background: Background, settings: Settings) -> Generator[Sequence[Meter]]:
    """What tells how much memory the server takes."""
    if (metrics := settings.context.metrics_address) is None:
        yield sources(settings.address)
        return
    with _reached(background, metrics, settings.limits) as page:
        yield [*sources(settings.address), MetricsMeter(page)]


@contextmanager
def _load_worker_pool(settings: Settings) -> Generator[LoadWorkerPool | None]:
    """The load workers, where the user wants any."""
    if settings.load_workers is None:
        yield None
        return
    with load_worker_pool(
        settings.load_workers, settings.address, settings.limits, settings.secrets
    ) as crew:
        yield crew


@dataclass(frozen=True)
class _Target:
    """Which model is tried.

    Args:
        started: When the endpoint was first asked.
        listed: What it answered, asked for its models.
        models: What it serves.
        model: The model that is tried.
        problem: What stands in the way; "" where nothing does.
    """

    started: datetime
    listed: Exchange
    models: Models
    model: str
    problem: str = ""


def _target(connection: _Connection, settings: Settings) -> _Target:
    """Settle which model is tried.

    Raises:
        LookupError: The user must say, or the key is wrong.
    """
    started = datetime.now(UTC)
    listed = connection.background.start(connection.endpoint.send(LIST_MODELS)).result()
    try:
        models = Models.read(listed)
        return _Target(started, listed, models, choose(models, settings.model))
    except Unassessable as error:
        return _Target(started, listed, Models(), settings.model, str(error))
    except LookupError as error:
        raise LookupError(_told(error, settings)) from None


def _told(error: LookupError, settings: Settings) -> str:
    """What the user must settle, and where the key is to be put that is wrong."""
    where = f" (set {settings.key})" if isinstance(error, WrongKey) else ""
    return settings.secrets.printable(f"{error}{where}")


def _about(settings: Settings, model: str) -> dict[str, Any]:
    return {
        "schema": "readiness-evidence/1",
        "endpoint": settings.address.url,
        "model": model,
    }


def _resume_state(settings: Settings, about: Mapping[str, Any]) -> ResumeState:
    """What is known of the run to resume.

    Raises:
        ResumeError: It tried something else, or with something else; the message names it.
        EvidenceIntegrityError: Its evidence cannot be trusted.
    """
    if settings.resume is None:
        return ResumeState(settings.secrets)
    path = settings.resume / EVIDENCE
    past = read(path, settings.secrets)
    for name, now in about.items():
        if (then := past.about.get(name)) != now:
            raise ResumeError(f"{settings.resume} has another {name}: {then}, and not {now}")
    if past.torn:
        set_aside(path, past.torn)
    return past


def _budget(settings: Settings, past: ResumeState) -> UsageBudget:
    """What may be sent, less what was sent before the run was resumed."""
    budget = UsageBudget(settings.max_requests, settings.max_tokens, settings.max_minutes)
    for exchange, attempt in zip(past.exchanges, past.attempts, strict=True):
        if attempt:
            budget.take_over(exchange, attempt)
    return budget


def _context(connection: _Connection, settings: Settings, budget: UsageBudget) -> Context:
    """What checks may know of the run.

    Raises:
        LookupError: The file of findings is none of ours.
    """
    workers = connection.load_workers
    return replace(
        settings.context,
        shared_fetches={},  # What one endpoint has answered is none of another's.
        findings=FindingsStore(settings.reports / "findings.json"),
        meters=connection.meters,
        run_distributed_step=partial(workers.run_step, budget) if workers else None,
    )


def _new_folder(settings: Settings, target: _Target, suffix: str) -> Path:
    name = f"{settings.secrets.redact(target.model) or 'unknown'}{suffix}"
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "model"
    stem = f"{target.started:%Y%m%dT%H%M%SZ}-{name}"
    for number in range(1, 1000):
        folder = settings.reports / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{settings.reports} has too many runs of this second")


def _evidence(folder: Path, settings: Settings, past: ResumeState) -> Evidence:
    """The run's evidence, which goes on where that of a run to resume ends."""
    return Evidence(folder / EVIDENCE, settings.secrets, past.head, len(past.exchanges))


def _write_header(
    evidence: Evidence, settings: Settings, header: Mapping[str, Any], target: _Target
) -> None:
    """Write what is tried and with what, and what the endpoint has answered so far."""
    # No condition: a run may be resumed with labels for what it has left open.
    reviewed = {"review_sha256": settings.review.digest}
    resumed = bool(evidence.exchanges)
    evidence.open({**header, **reviewed, "started": utc(target.started)}, resumed=resumed)
    evidence.exchange(target.listed, PROBING)


def _explore(run: Run, connection: _Connection, sender: Sender, target: _Target) -> None:
    """Settle what the endpoint offers, or why it cannot be tried.

    Raises:
        LookupError: The user must settle which model or key it is.
    """
    settings, problem = run.settings, target.problem
    asked = Dialect(target.model, sampling=settings.sampling, extra_body=settings.extra)
    send = partial(sender.send, trial=PROBING)
    try:
        if not problem:
            work = explore(send, target.models, asked)
            run.capabilities = connection.background.start(work).result()
    except (Unassessable, EndpointError) as error:
        problem = str(error)
    except LookupError as error:
        raise LookupError(_told(error, settings)) from None
    run.problem = settings.secrets.printable(problem)


@contextmanager
def _finished(background: Background, run: Run) -> Generator[None]:
    """Compare the run with its baseline when the context ends, however it does."""
    try:
        yield
    finally:
        # Nothing may be added to the evidence once it is compared, or its digest taken.
        background.settle()
        run.compare()
