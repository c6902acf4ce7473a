"""The session of a run: connects, resumes and starts it, and ends it in every case."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

from readiness.baseline import earlier_runs
from readiness.baseline.comparability import require_comparable
from readiness.baseline.finished_run import FinishedRun
from readiness.baseline.identity import drift, identity
from readiness.context import Context
from readiness.evidence import run_folder
from readiness.evidence.log import Evidence, EvidenceIntegrityError, entries
from readiness.evidence.run_folder import EVIDENCE, FolderError
from readiness.exchange import Call, Exchange, Fault
from readiness.load.workers import ray_started
from readiness.policy.plan import PlannedCheck, plan
from readiness.protocol.capability import (
    FAULT_REMEDIES,
    LIST_MODELS,
    PROBING,
    ApiKeyRejected,
    Capabilities,
    Models,
    Unassessable,
    choose,
    explore,
    require_base_url,
)
from readiness.protocol.dialect import Dialect
from readiness.runner.concurrency import AdaptiveConcurrency, at_most
from readiness.runner.connection import Connection, connected
from readiness.runner.event_loop import BackgroundEventLoop
from readiness.runner.provenance import run_provenance, run_sections, session_facts
from readiness.runner.recorded_runs import require_borne_out, require_rescored, require_unchanged
from readiness.runner.rescoring import Unrecorded, recorded_capabilities
from readiness.runner.resume import ResumeError, ResumeState, move_torn_line, read
from readiness.runner.run import Run
from readiness.runner.scheduler import Scheduler
from readiness.runner.sender import Sender
from readiness.runner.settings import Settings
from readiness.score import EndpointError
from readiness.search import FindingsStore
from readiness.transport.budget import UsageBudget

#: What is asked of a web interface, and what shows that there is none.
FRONT_PAGE = Call(None, "/", "GET")
NOT_THERE = (Fault.NO_HOST, Fault.NO_TLS, Fault.UNTRUSTED, Fault.UNREACHABLE)


@contextmanager
def open_run(settings: Settings, planned: Sequence[PlannedCheck]) -> Generator[Run]:
    """Connect to the endpoint and detect its capabilities; on exit, compare with the baseline.

    Raises:
        Unassessable: The endpoint, or that of the baseline, cannot be tried.
        LookupError: The user must choose another model, key, baseline, earlier run or run to
            resume, or repair the findings file.
        EvidenceIntegrityError: The evidence of the run to resume fails its integrity check.
    """
    made_with = run_provenance(settings, planned)
    if settings.baseline_run:
        require_comparable(settings.baseline_run, made_with)
    earlier_runs.require_poolable(settings.earlier, planned, made_with)
    with (
        _event_loop(settings, planned) as background,
        _ray(settings),
        _baseline_opened(background, settings, planned) as baseline,
        _opened(background, settings, planned) as run,
    ):
        if not run.problem:
            earlier_runs.require_same_build(settings.earlier, run.identity)
            _find_same_build(run, {**_target_header(settings, run.model), **made_with}, baseline)
        if baseline:
            run.baseline_run = baseline
            run.problem = run.problem or baseline.problem
            run.runner.alternate_with(baseline.runner)
        yield run


def _find_same_build(run: Run, about: Mapping[str, Any], baseline: Run | None) -> None:
    """Find other runs of the same build in the folder of reports, and name them in the evidence."""
    settings = run.settings
    compared = [settings.baseline_run] if settings.baseline_run else []
    used = [each.evidence.parent for each in (*settings.earlier, *compared)]
    used += [baseline.folder] if baseline else []
    found = earlier_runs.of_the_same_build(
        settings.reports, run.identity, about, [run.folder, *used]
    )
    where = settings.baseline_settings.address.url if settings.baseline_settings else ""
    run.same_build = [
        earlier_runs.of_the_same_files(each, about)
        for each in found
        if each.evidence_header["endpoint"] != where
    ]
    if run.same_build or settings.resume:
        run.evidence.same_build(run_sections(run.same_build))


@contextmanager
def _event_loop(
    settings: Settings, planned: Sequence[PlannedCheck]
) -> Generator[BackgroundEventLoop]:
    """The event loop of the run, once the finished runs that it is judged with were scored again.

    Raises:
        EvidenceIntegrityError: The exchanges of one do not bear out what it says.
    """
    with BackgroundEventLoop() as background:
        if settings.baseline_run:
            require_borne_out(background, settings, planned, settings.baseline_run)
        for run in settings.earlier:
            require_borne_out(background, settings, _of_its_seed(settings, planned, run), run)
        yield background


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
        Unassessable: The baseline endpoint cannot be tried.
    """
    if settings.baseline_settings is None:
        yield None
        return
    url = settings.baseline_settings.address.url
    with ExitStack() as stack:
        opened = _opened(background, settings.baseline_settings, planned, "-baseline")
        try:
            baseline = stack.enter_context(opened)
        except Unassessable as error:
            raise Unassessable(f"--baseline {url}: {error}") from None
        if baseline.problem:
            baseline.problem = f"--baseline {url}: {baseline.problem}"
        yield baseline


@contextmanager
def _opened(
    background: BackgroundEventLoop,
    settings: Settings,
    planned: Sequence[PlannedCheck],
    suffix: str = "",
) -> Generator[Run]:
    """The run against one endpoint, from the first request to the comparison."""
    with _held(settings.resume), connected(background, settings) as connection:
        target = _target(connection, settings)
        _require_webui(connection, settings)
        header = {**_target_header(settings, target.model), **run_provenance(settings, planned)}
        state = _resume_state(settings, header)
        require_rescored(background, settings, planned, state)
        budget = _budget(settings, state)
        asked = _asked_again(connection, settings, target, state, budget)
        context = _context(connection, settings, budget)
        folder = settings.resume or _new_folder(settings, target, suffix)
        with (
            _removed_if_untried(None if settings.resume else folder),
            _held(None if settings.resume else folder),
            _evidence(folder, settings, state) as evidence,
        ):
            _write_header(evidence, context, settings, header, target)
            slots = AdaptiveConcurrency(settings.concurrency)
            sender = Sender(connection.endpoint, evidence, budget, slots, state, connection.webui)
            runner = Scheduler(background, sender, context, settings)
            run = Run(
                settings,
                {each.check.id: each for each in planned},
                target.started,
                target.model,
                folder,
                evidence,
                budget,
                runner,
                state,
            )
            if asked:
                run.capabilities = asked.capabilities
                for entry in asked.exchanges:
                    evidence.append_exchange(entry, {})
            else:
                _explore(run, connection, sender, target)
            with _finished(background, run):
                yield run


@contextmanager
def _removed_if_untried(folder: Path | None) -> Generator[None]:
    """Remove a new run's folder, if one is given, where an endpoint turns out not to be usable."""
    try:
        yield
    except Unassessable:
        if folder:
            rmtree(folder)
        raise


@contextmanager
def _held(folder: Path | None) -> Generator[None]:
    """Hold a run's folder, if one is given, so that no other process writes to it.

    Raises:
        ResumeError: Another process does.
    """
    with ExitStack() as stack:
        try:
            if folder:
                stack.enter_context(run_folder.locked(folder))
        except (OSError, FolderError) as error:
            raise ResumeError(str(error)) from error
        yield


@dataclass(frozen=True)
class _Target:
    """The model under test.

    Args:
        started: When the first request was sent.
        listed: The exchange that lists the models.
        models: The models that the endpoint lists.
        model: The model to try.
    """

    started: datetime
    listed: Exchange
    models: Models
    model: str


def _target(connection: Connection, settings: Settings) -> _Target:
    """List the models, and choose the one to try.

    Raises:
        Unassessable: There is no such API at the address.
        LookupError: The user must choose a model, or the key is rejected.
    """
    started, send = datetime.now(UTC), connection.endpoint.send
    listed = connection.background.submit(send(LIST_MODELS)).result()
    try:
        models = Models.read(listed)
        connection.background.submit(require_base_url(send, settings.address.url, models)).result()
        return _Target(started, listed, models, choose(models, settings.model))
    except Unassessable as error:
        raise Unassessable(settings.secrets.printable(str(error))) from None
    except LookupError as error:
        raise LookupError(error_message(error, settings)) from None


def _require_webui(connection: Connection, settings: Settings) -> None:
    """Require that something answers where the user says that the web interface is.

    Raises:
        Unassessable: Nothing does, and so nothing can be said of it.
    """
    if connection.webui is None:
        return
    page = connection.background.submit(connection.webui.send(FRONT_PAGE)).result()
    if page.fault in NOT_THERE:
        why = f"--webui: {page.fault}: {page.detail}: {FAULT_REMEDIES[page.fault]}"
        raise Unassessable(settings.secrets.printable(why))


def error_message(error: LookupError, settings: Settings) -> str:
    """The message of a user error; for a rejected key, with the variable that holds it."""
    given = any(name.lower() == "authorization" for name in settings.address.headers)
    how = f"set {settings.key}" if given else f"none was given: set {settings.key}"
    where = f" ({how})" if isinstance(error, ApiKeyRejected) else ""
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
    require_unchanged(settings.resume, state)
    for name, now in about.items():
        if (then := state.about.get(name)) != now:
            raise ResumeError(f"{settings.resume} has another {name}: {then}, and not {now}")
    return state


def _of_its_seed(
    settings: Settings, planned: Sequence[PlannedCheck], run: FinishedRun
) -> list[PlannedCheck]:
    """The plan of an earlier run, by its own seed."""
    checks = [each.check for each in planned]
    return plan(checks, settings.policy, settings.profile, run.evidence_header["seed"])


@dataclass(frozen=True)
class _AskedAgain:
    """What the endpoint of a run to resume says of itself now.

    Args:
        capabilities: What it supports.
        exchanges: The entries of the exchanges that show it.
    """

    capabilities: Capabilities
    exchanges: Sequence[Mapping[str, Any]]


def _asked_again(
    connection: Connection,
    settings: Settings,
    target: _Target,
    state: ResumeState,
    budget: UsageBudget,
) -> _AskedAgain | None:
    """Ask the endpoint of a run to resume what it is; None for a new run.

    The run's folder stays as it is until the endpoint is known to be the same.

    Raises:
        ResumeError: The budget is spent, or it is another than when the run began.
        Unassessable: It cannot be tried.
        LookupError: The key is rejected.
    """
    if settings.resume is None:
        return None
    nothing = ResumeState(settings.secrets)
    with TemporaryDirectory(prefix="readiness-resume-") as scratch:
        path = Path(scratch) / EVIDENCE
        with Evidence(path, settings.secrets) as evidence:
            slots = AdaptiveConcurrency(settings.concurrency)
            sender = Sender(connection.endpoint, evidence, budget, slots, nothing)
            try:
                found = _explored(connection.background, sender, settings, target)
            except EndpointError as error:
                raise ResumeError(f"{settings.resume} cannot be resumed: {error}") from None
        asked = [_without_place(entry) for entry, _ in entries(path)]
    _require_same_endpoint(connection.background, settings, state, target, found)
    return _AskedAgain(found, asked)


def _without_place(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of an exchange without its place in a log."""
    return {name: each for name, each in entry.items() if name not in ("prev", "kind", "seq")}


def _require_same_endpoint(
    background: BackgroundEventLoop,
    settings: Settings,
    state: ResumeState,
    target: _Target,
    now: Capabilities,
) -> None:
    """Require that an endpoint still says of itself what it said when the run began.

    Raises:
        ResumeError: It does not; the message names the differences.
    """
    if not state.trials:
        return  # It may have been interrupted before it had asked everything.
    dialect = Dialect(target.model, sampling=settings.sampling, extra_body=settings.extra)
    try:
        then = background.submit(recorded_capabilities(state, dialect)).result()
    except (Unrecorded, LookupError, Unassessable, EndpointError) as error:
        raise EvidenceIntegrityError(f"trials without capabilities: {error}") from error
    if changed := drift(identity(target.model, then), identity(target.model, now)):
        changes = settings.secrets.printable("; ".join(map(str, changed)))
        why = "the endpoint is not what it was when the run began"
        raise ResumeError(f"{settings.resume} cannot be resumed: {why}: {changes}. Start a new run")


def _budget(settings: Settings, state: ResumeState) -> UsageBudget:
    """The budget, with the usage from before the run was resumed."""
    budget = UsageBudget(settings.max_requests, settings.max_tokens, settings.max_minutes)
    for exchange, attempt in zip(state.exchanges, state.attempts, strict=True):
        if attempt:
            budget.take_over(exchange, attempt)
    return budget


def _context(connection: Connection, settings: Settings, budget: UsageBudget) -> Context:
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
    run_folder.begin(folder)
    if state.torn:
        move_torn_line(folder / EVIDENCE, state.torn)
    path, limit = folder / EVIDENCE, settings.max_evidence
    return Evidence(path, settings.secrets, state.head, len(state.exchanges), limit)


def _write_header(
    evidence: Evidence,
    context: Context,
    settings: Settings,
    header: Mapping[str, Any],
    target: _Target,
) -> None:
    """Write the header of the evidence, and the exchange that lists the models."""
    # Not part of the header that must match: a run may be resumed with new labels.
    findings = context.findings.waiting if context.findings else {}
    used = {**session_facts(settings, target.started), "findings": findings}
    evidence.open({**header, **used}, resumed=bool(evidence.exchanges))
    try:
        evidence.exchange(target.listed, PROBING)
    except EndpointError as error:
        raise LookupError(f"{error}: allow more with --max-evidence") from None


def _explore(run: Run, connection: Connection, sender: Sender, target: _Target) -> None:
    """Detect what the endpoint supports; a budget that is spent by then is the run's problem.

    Raises:
        Unassessable: The endpoint cannot be tried.
        LookupError: The user must choose another model or key.
    """
    try:
        run.capabilities = _explored(connection.background, sender, run.settings, target)
    except EndpointError as error:
        run.problem = run.settings.secrets.printable(str(error))


def _explored(
    background: BackgroundEventLoop, sender: Sender, settings: Settings, target: _Target
) -> Capabilities:
    """What the endpoint supports.

    Raises:
        EndpointError: The budget is spent.
        Unassessable: The endpoint cannot be tried.
        LookupError: The user must choose another model or key.
    """
    dialect = Dialect(target.model, sampling=settings.sampling, extra_body=settings.extra)
    send = at_most(settings.concurrency, partial(sender.send, trial=PROBING))
    try:
        work = sender.budget.in_time(explore(send, target.models, dialect))
        return background.submit(work).result()
    except Unassessable as error:
        raise Unassessable(settings.secrets.printable(str(error))) from None
    except LookupError as error:
        raise LookupError(error_message(error, settings)) from None


@contextmanager
def _finished(background: BackgroundEventLoop, run: Run) -> Generator[None]:
    """On exit, also after an error or an interrupt, end its checks, and compare it."""
    try:
        yield
    finally:
        # Nothing may be added to the evidence once it is compared or hashed.
        run.runner.stop()
        background.cancel_all()
        run.end()
        run.evidence.close()
        run.verify_evidence()
        run.compare()
