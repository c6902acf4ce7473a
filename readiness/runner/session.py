"""The session of a run: connects, resumes and starts it, and ends it in every case."""

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
from readiness.load.meters.nvml import local_meters
from readiness.load.meters.prometheus import MetricsMeter
from readiness.load.workers import LoadWorkerPool, load_worker_pool, ray_started
from readiness.policy.plan import PlannedCheck
from readiness.protocol.capability import (
    LIST_MODELS,
    PROBING,
    ApiKeyRejected,
    Models,
    Unassessable,
    choose,
    explore,
)
from readiness.protocol.dialect import Dialect
from readiness.runner.event_loop import BackgroundEventLoop
from readiness.runner.provenance import run_provenance
from readiness.runner.resume import ResumeError, ResumeState, move_torn_line, read
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
    """Connect to the endpoint and detect its capabilities; on exit, compare with the baseline.

    Raises:
        LookupError: The user must choose another model, key, baseline, earlier run or run to
            resume, or repair the findings file.
        EvidenceIntegrityError: The evidence of the run to resume fails its integrity check.
    """
    made_with = run_provenance(settings, planned)
    if settings.baseline_run:
        require_comparable(settings.baseline_run, made_with)
    earlier_runs.require_poolable(settings.earlier, planned, made_with)
    with (
        BackgroundEventLoop() as background,
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
    """Start Ray where the user wants load workers, with capacity for the baseline's as well."""
    if settings.load_workers is None:
        yield
        return
    with ray_started(settings.load_workers, pools=2 if settings.baseline_settings else 1):
        yield


@contextmanager
def _baseline_opened(
    background: BackgroundEventLoop, settings: Settings, planned: Sequence[PlannedCheck]
) -> Generator[Run | None]:
    """The run against the baseline endpoint; None where there is none.

    Raises:
        LookupError: The baseline endpoint cannot be tried.
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
    background: BackgroundEventLoop,
    settings: Settings,
    planned: Sequence[PlannedCheck],
    suffix: str = "",
) -> Generator[Run]:
    """The run against one endpoint, from the first request to the comparison."""
    with _connected(background, settings) as connection:
        target = _target(connection, settings)
        header = {**_target_header(settings, target.model), **run_provenance(settings, planned)}
        state = _resume_state(settings, header)
        budget = _budget(settings, state)
        context = _context(connection, settings, budget)
        folder = settings.resume or _new_folder(settings, target, suffix)
        with _evidence(folder, settings, state) as evidence:
            _write_header(evidence, settings, header, target)
            slots = AdaptiveConcurrency(settings.concurrency)
            sender = Sender(connection.endpoint, evidence, budget, slots, state)
            runner = Scheduler(background, sender, context, settings)
            plan = {each.check.id: each for each in planned}
            run = Run(
                settings,
                plan,
                target.started,
                target.model,
                folder,
                evidence,
                budget,
                runner,
                state,
            )
            _explore(run, connection, sender, target)
            with _finished(background, run):
                yield run


@dataclass(frozen=True)
class _Connection:
    """The connection to an endpoint.

    Args:
        background: The event loop.
        endpoint: The HTTP client.
        meters: The meters of the server's memory.
        load_workers: The pool that runs load test steps; None where this process runs them.
    """

    background: BackgroundEventLoop
    endpoint: EndpointClient
    meters: Sequence[Meter]
    load_workers: LoadWorkerPool | None


@contextmanager
def _connected(background: BackgroundEventLoop, settings: Settings) -> Generator[_Connection]:
    with (
        _client(background, settings.address, settings.limits) as endpoint,
        _meters(background, settings) as meters,
        _load_worker_pool(settings) as load_workers,
    ):
        yield _Connection(background, endpoint, meters, load_workers)


@contextmanager
def _client(
    background: BackgroundEventLoop, where: Address, limits: RequestLimits
) -> Generator[EndpointClient]:
    endpoint = EndpointClient(where, limits)
    try:
        yield endpoint
    finally:
        background.submit(endpoint.close()).result()


@contextmanager
def _meters(background: BackgroundEventLoop, settings: Settings) -> Generator[Sequence[Meter]]:
    """The meters of the server's memory."""
    if (metrics := settings.context.metrics_address) is None:
        yield local_meters(settings.address)
        return
    with _client(background, metrics, settings.limits) as page:
        yield [*local_meters(settings.address), MetricsMeter(page)]


@contextmanager
def _load_worker_pool(settings: Settings) -> Generator[LoadWorkerPool | None]:
    """The load worker pool; None where the user wants no load workers."""
    if settings.load_workers is None:
        yield None
        return
    with load_worker_pool(
        settings.load_workers, settings.address, settings.limits, settings.secrets
    ) as pool:
        yield pool


@dataclass(frozen=True)
class _Target:
    """The model under test.

    Args:
        started: When the first request was sent.
        listed: The exchange that lists the models.
        models: The models that the endpoint lists.
        model: The model to try.
        problem: Why the endpoint cannot be tried, or an empty string.
    """

    started: datetime
    listed: Exchange
    models: Models
    model: str
    problem: str = ""


def _target(connection: _Connection, settings: Settings) -> _Target:
    """List the models, and choose the one to try.

    Raises:
        LookupError: The user must choose a model, or the key is rejected.
    """
    started = datetime.now(UTC)
    listed = connection.background.submit(connection.endpoint.send(LIST_MODELS)).result()
    try:
        models = Models.read(listed)
        return _Target(started, listed, models, choose(models, settings.model))
    except Unassessable as error:
        return _Target(started, listed, Models(), settings.model, str(error))
    except LookupError as error:
        raise LookupError(_error_message(error, settings)) from None


def _error_message(error: LookupError, settings: Settings) -> str:
    """The message of a user error; for a rejected key, with the variable that holds it."""
    where = f" (set {settings.key})" if isinstance(error, ApiKeyRejected) else ""
    return settings.secrets.printable(f"{error}{where}")


def _target_header(settings: Settings, model: str) -> dict[str, Any]:
    return {
        "schema": "readiness-evidence/1",
        "endpoint": settings.address.url,
        "model": model,
    }


def _resume_state(settings: Settings, about: Mapping[str, Any]) -> ResumeState:
    """The state of the run to resume; empty for a new run.

    Raises:
        ResumeError: Its target or settings differ; the message names the difference.
        EvidenceIntegrityError: Its evidence fails the integrity check.
    """
    if settings.resume is None:
        return ResumeState(settings.secrets)
    path = settings.resume / EVIDENCE
    state = read(path, settings.secrets)
    for name, now in about.items():
        if (then := state.about.get(name)) != now:
            raise ResumeError(f"{settings.resume} has another {name}: {then}, and not {now}")
    if state.torn:
        move_torn_line(path, state.torn)
    return state


def _budget(settings: Settings, state: ResumeState) -> UsageBudget:
    """The budget, with the usage from before the run was resumed."""
    budget = UsageBudget(settings.max_requests, settings.max_tokens, settings.max_minutes)
    for exchange, attempt in zip(state.exchanges, state.attempts, strict=True):
        if attempt:
            budget.take_over(exchange, attempt)
    return budget


def _context(connection: _Connection, settings: Settings, budget: UsageBudget) -> Context:
    """The context of the checks.

    Raises:
        LookupError: The findings file is invalid.
    """
    workers = connection.load_workers
    return replace(
        settings.context,
        shared_fetches={},  # Each endpoint's replies are its own.
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


def _evidence(folder: Path, settings: Settings, state: ResumeState) -> Evidence:
    """The run's evidence log, which continues that of a run to resume."""
    return Evidence(folder / EVIDENCE, settings.secrets, state.head, len(state.exchanges))


def _write_header(
    evidence: Evidence, settings: Settings, header: Mapping[str, Any], target: _Target
) -> None:
    """Write the header of the evidence, and the exchange that lists the models."""
    # Not part of the header that must match: a run may be resumed with new labels.
    reviewed = {"review_sha256": settings.review.digest}
    resumed = bool(evidence.exchanges)
    evidence.open({**header, **reviewed, "started": utc(target.started)}, resumed=resumed)
    evidence.exchange(target.listed, PROBING)


def _explore(run: Run, connection: _Connection, sender: Sender, target: _Target) -> None:
    """Detect what the endpoint supports, or why it cannot be tried.

    Raises:
        LookupError: The user must choose another model or key.
    """
    settings, problem = run.settings, target.problem
    dialect = Dialect(target.model, sampling=settings.sampling, extra_body=settings.extra)
    send = partial(sender.send, trial=PROBING)
    try:
        if not problem:
            work = explore(send, target.models, dialect)
            run.capabilities = connection.background.submit(work).result()
    except (Unassessable, EndpointError) as error:
        problem = str(error)
    except LookupError as error:
        raise LookupError(_error_message(error, settings)) from None
    run.problem = settings.secrets.printable(problem)


@contextmanager
def _finished(background: BackgroundEventLoop, run: Run) -> Generator[None]:
    """On exit, also after an error, compare the run with its baseline."""
    try:
        yield
    finally:
        # Nothing may be added to the evidence once it is compared or hashed.
        background.cancel_all()
        run.compare()
