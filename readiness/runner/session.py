"""The opening of a run: what is reached, taken over and started, and how it is all ended."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from readiness.baseline import earlier_runs
from readiness.chat import Dialect, Scope
from readiness.evidence.log import Evidence
from readiness.exchange import Call, Exchange
from readiness.load.meters.meter import Meter
from readiness.load.meters.nvml import sources
from readiness.load.meters.prometheus import MetricsMeter
from readiness.load.workers import LoadWorkerPool, load_worker_pool, ray_started
from readiness.policy.plan import PlannedCheck
from readiness.protocol.capability import Models, Unassessable, WrongKey, choose, explore
from readiness.runner import provenance
from readiness.runner.event_loop import Background
from readiness.runner.resume import ResumeError, ResumeState, read, set_aside
from readiness.runner.run import Run, utc
from readiness.runner.scheduler import Scheduler
from readiness.runner.sender import AdaptiveConcurrency, Sender
from readiness.runner.settings import Settings
from readiness.score import EndpointError
from readiness.search import FindingsStore
from readiness.transport.address import Address
from readiness.transport.budget import UsageBudget
from readiness.transport.client import EndpointClient, RequestLimits

MODELS = Call(None, "/models", "GET")
PROBING = {"check": "capability"}


@contextmanager
def open_run(settings: Settings, planned: Sequence[PlannedCheck]) -> Generator[Run]:
    """Reach the endpoint and settle what it offers; in the end, compare the run with its baseline.

    Raises:
        LookupError: The user must choose another model, key, baseline, earlier run or run to
            resume, or mend findings.
        UnsoundError: The evidence of the run to resume cannot be trusted.
    """
    made_with = provenance.run_provenance(settings, planned)
    if settings.baseline_run:
        provenance.require_comparable(settings.baseline_run, made_with)
    earlier_runs.require_poolable(settings.earlier, planned, made_with)
    with Background() as background, ExitStack() as stack:
        if settings.load_workers:
            stack.enter_context(
                ray_started(settings.load_workers, crews=2 if settings.baseline_settings else 1)
            )
        rival = None
        if settings.baseline_settings:
            rival = stack.enter_context(
                _opened(background, settings.baseline_settings, planned, "-baseline")
            )
            if rival.problem:
                raise LookupError(
                    f"--baseline {settings.baseline_settings.address.url}: {rival.problem}"
                )
        run = stack.enter_context(_opened(background, settings, planned))
        if not run.problem:
            earlier_runs.require_same_build(settings.earlier, run.identity)
        if rival:
            run.baseline_run = rival
            run.runner.alternate_with(rival.runner)
        yield run


@contextmanager
def _opened(
    background: Background, settings: Settings, planned: Sequence[PlannedCheck], suffix: str = ""
) -> Generator[Run]:
    made_with = provenance.run_provenance(settings, planned)
    with (
        _reached(background, settings.address, settings.limits) as endpoint,
        _metered(background, settings) as meters,
        _load_worker_pool(settings) as crew,
    ):
        started = datetime.now(UTC)
        listed = background.start(endpoint.send(MODELS)).result()
        model, models, problem = _model(listed, settings)
        about = {**_about(settings, model), **made_with}
        findings = FindingsStore(settings.reports / "findings.json")
        past, folder = _resume_state(settings, about), settings.resume
        if folder is None:
            name = settings.secrets.redact(model) or "unknown"
            folder = _folder(settings.reports, started, f"{name}{suffix}")
        ledger = UsageBudget(settings.most_requests, settings.most_tokens, settings.most_minutes)
        for exchange, attempt in zip(past.exchanges, past.attempts, strict=True):
            if attempt:
                ledger.take_over(exchange, attempt)
        path, seen = folder / "evidence.jsonl", len(past.exchanges)
        with Evidence(path, settings.secrets, past.head, seen) as evidence:
            # No condition: a run may be resumed with labels for what it has left open.
            reviewed = {"review_sha256": settings.review.digest}
            evidence.open({**about, **reviewed, "started": utc(started)}, resumed=bool(seen))
            evidence.exchange(listed, PROBING)
            sender = Sender(
                endpoint, evidence, ledger, AdaptiveConcurrency(settings.concurrency), past
            )
            fleet = partial(crew.run_step, ledger) if crew else None
            scope = Scope(
                findings=findings,
                given=settings.context,
                meters=meters,
                warm=settings.warm_prefix_cache,
                fleet=fleet,
            )
            runner = Scheduler(
                background,
                sender,
                evidence,
                scope,
                past,
                settings.review,
                curtails=not settings.keep_going,
                fast=settings.use_sequential_tests,
            )
            plan = {each.check.id: each for each in planned}
            run = Run(settings, plan, started, model, folder, evidence, ledger, runner, past)
            run.problem = settings.secrets.printable(problem)
            if not problem:
                _explore(run, background, sender, models)
            try:
                yield run
            finally:
                # Nothing may be added to the evidence once it is compared, or its digest taken.
                background.settle()
                run.compare()


def _resume_state(settings: Settings, about: Mapping[str, Any]) -> ResumeState:
    """What is known of the run to resume.

    Raises:
        ResumeError: It tried something else, or with something else; the message names it.
        UnsoundError: Its evidence cannot be trusted.
    """
    if settings.resume is None:
        return ResumeState(settings.secrets)
    path = settings.resume / "evidence.jsonl"
    past = read(path, settings.secrets)
    for name, now in about.items():
        if (then := past.about.get(name)) != now:
            raise ResumeError(f"{settings.resume} has another {name}: {then}, and not {now}")
    if past.torn:
        set_aside(path, past.torn)
    return past


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
    if (metrics := settings.context.metrics) is None:
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


def _model(listed: Exchange, settings: Settings) -> tuple[str, Models, str]:
    """Which model is tried, what the endpoint lists, and what stands in the way."""
    try:
        models = Models.read(listed)
        return choose(models, settings.model), models, ""
    except Unassessable as error:
        return settings.model, Models(), str(error)
    except LookupError as error:
        raise LookupError(_told(error, settings)) from None


def _explore(run: Run, background: Background, sender: Sender, models: Models) -> None:
    ask = partial(sender.send, trial=PROBING)
    asked = Dialect(run.model, sampling=run.settings.sampling, extra_body=run.settings.extra)
    work = explore(ask, models, asked)
    try:
        run.capabilities = background.start(work).result()
    except (Unassessable, EndpointError) as error:
        run.problem = run.settings.secrets.printable(str(error))
    except LookupError as error:
        raise LookupError(_told(error, run.settings)) from None


def _told(error: LookupError, settings: Settings) -> str:
    """What the user must settle, and where the key is to be put that is wrong."""
    where = f" (set {settings.key})" if isinstance(error, WrongKey) else ""
    return settings.secrets.printable(f"{error}{where}")


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


def _about(settings: Settings, model: str) -> dict[str, Any]:
    return {
        "schema": "readiness-evidence/1",
        "endpoint": settings.address.url,
        "model": model,
    }
