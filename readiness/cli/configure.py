"""Configuration: reads command line options and the environment into settings."""

from __future__ import annotations

import json
import os
import secrets
import shlex
from argparse import Namespace
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from readiness.baseline import earlier_runs, finished_run
from readiness.baseline.finished_run import read_finished_run
from readiness.check import Check
from readiness.checks.deployment.facts import Deployment
from readiness.checks.deployment.gather import DeploymentError, gather_deployment
from readiness.checks.license.gather import LicenseEvidenceError, gather
from readiness.checks.webui.accounts import WebuiAccounts
from readiness.cli.options import BASE_URL_VARIABLE, DECODING, EMBEDDED, near
from readiness.context import Context
from readiness.embedded import EmbeddedError, serve
from readiness.embedded.weights import license_evidence
from readiness.evidence import run_folder
from readiness.evidence.log import EvidenceIntegrityError
from readiness.evidence.redaction import Secrets
from readiness.evidence.run_folder import REVIEW, SUMS, FolderError
from readiness.load.workers import LoadWorkerSettings
from readiness.policy import plan, policy, waiver
from readiness.policy.plan import PlannedCheck
from readiness.policy.policy import Policy, PolicyError
from readiness.policy.policy_file import built_in, choose
from readiness.policy.waiver import Waiver
from readiness.reporters.consistency import contradictions, other_reports
from readiness.runner.concurrency import MANY
from readiness.runner.settings import Settings
from readiness.transport.address import API_KEY_VARIABLE, BASELINE_API_KEY_VARIABLE, Address
from readiness.transport.client import RequestLimits
from readiness.verdict import labels
from readiness.verdict.exit_status import FailOn
from readiness.verdict.labels import Review

EMBEDDED_SLOTS = 4
#: Drawn seeds are below this: short enough to be typed again.
MAX_SEED = 10**6


def plan_checks(option: Namespace, rules: Policy, checks: Sequence[Check]) -> list[PlannedCheck]:
    """Plan the trials of each check by a policy.

    Raises:
        pytest.UsageError: The policy is invalid; the message names the place.
    """
    try:
        return plan.plan(checks, rules, option.profile, option.seed)
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from error


def settings(option: Namespace, rules: Policy, url: str, checks: Sequence[Check]) -> Settings:
    """The settings of a run, from its options and its policy.

    Raises:
        pytest.UsageError: An option is invalid; the message names it and says what to do.
        FinishedRunError: A run cannot be used: the user must name another.
        EvidenceIntegrityError: The evidence of a run fails its integrity check.
    """
    for name, path in _runs(option):
        _require_consistent(name, path)
    _require_writable(option.reports)
    own = _own_settings(option, rules, url, checks)
    if not option.baseline:
        return own
    if "://" in option.baseline:
        return replace(own, baseline_settings=_baseline_settings(option, own))
    return replace(own, baseline_run=read_finished_run(Path(option.baseline)))


def _runs(option: Namespace) -> Iterator[tuple[str, Path]]:
    """The runs that the user names, each with the option that names it."""
    if option.resume:
        yield "resume", option.resume
    if option.baseline and "://" not in option.baseline:
        yield "baseline", Path(option.baseline)
    yield from (("earlier", each) for each in option.earlier)


def _resumed(path: Path | None) -> Path | None:
    """The folder of the run to resume itself: `latest` may be another once another run ends."""
    return path.parent / path.readlink() if path and path.is_symlink() else path


def _require_writable(reports: Path) -> None:
    """Require that a folder can be written to, or made, before anything is sent.

    Raises:
        pytest.UsageError: It cannot.
    """
    found = next(each for each in (reports, *reports.absolute().parents) if each.exists())
    try:
        with TemporaryDirectory(dir=found):
            pass
    except OSError as error:
        why = f"nothing can be written to {found} ({error.strerror})"
        raise pytest.UsageError(f"--reports {reports}: {why}") from None


def _require_consistent(name: str, path: Path) -> None:
    """Require that nothing in a finished run contradicts its record.

    Raises:
        pytest.UsageError: There is no such run.
        EvidenceIntegrityError: Something does.
    """
    if not path.exists():
        raise pytest.UsageError(f"--{name} {path}: there is none: name the folder of a run")
    folder = path if path.is_dir() else path.parent
    if not (folder / SUMS).exists():
        return  # An interrupted run has no record yet, or one of before.
    try:
        run_folder.refuse_changed(folder)
        record = run_folder.read(folder)
    except FolderError:
        return  # Who reads the run says what is wrong.
    for wrong in chain(contradictions(record), other_reports(record, folder)):
        raise EvidenceIntegrityError(f"{folder} contradicts itself: {wrong}")


def choose_seed(option: Namespace) -> int:
    """The seed that the user gives, or of the run to resume or to compare with, or a drawn one.

    By the same seed the same requests come, and a cache of replies answers for a dead model.
    """
    if option.seed is not None:
        return int(option.seed)
    compared = Path(option.baseline) if option.baseline and "://" not in option.baseline else None
    found = [finished_run.seed(each) for each in (option.resume, compared) if each]
    return next((each for each in found if each is not None), secrets.randbelow(MAX_SEED))


@contextmanager
def serving(option: Namespace) -> Generator[str]:
    """The URL of the endpoint that the user names; the embedded one is served in the context."""
    url, embedded = _endpoint(option), _embedded(option)
    if embedded is None:
        yield url
        return
    try:
        with serve(embedded if embedded.name else None) as started:
            yield started.url
    except EmbeddedError as error:
        raise pytest.UsageError(f"--endpoint {url}: {error}") from error


def concurrency(option: Namespace) -> int:
    """The maximum number of trials in flight; by default, the slots of an embedded server, or 8."""
    embedded = str(option.endpoint).partition(":")[0] == EMBEDDED
    return int(option.concurrency or (EMBEDDED_SLOTS if embedded else 8))


def burst(option: Namespace) -> int:
    """The maximum for trials that are to meet many others: where the user named one, it holds."""
    usual, embedded = concurrency(option), str(option.endpoint).partition(":")[0] == EMBEDDED
    return usual if option.concurrency or embedded else max(usual, MANY)


def _own_settings(option: Namespace, rules: Policy, url: str, checks: Sequence[Check]) -> Settings:
    """The settings of the endpoint under test, without a baseline."""
    where = _address("--endpoint", url, api_key(), _headers(option.header))
    context = _context(option, rules, url)
    return Settings(
        address=where,
        model=option.model,
        profile=option.profile,
        policy=rules,
        concurrency=concurrency(option),
        burst=burst(option),
        reports=option.reports,
        seed=option.seed,
        limits=RequestLimits(
            option.connect_timeout,
            option.first_byte_timeout,
            option.silence_timeout,
            option.reply_timeout,
        ),
        sampling=DECODING[option.decoding],
        extra=_extra(option.extra_body),
        max_requests=option.max_requests,
        max_tokens=option.max_tokens_total,
        max_minutes=option.max_minutes,
        max_evidence=option.max_evidence,
        keep_going=option.keep_going,
        use_sequential_tests=option.fast,
        resume=_resumed(option.resume),
        secrets=Secrets(_secrets(option, context, where)),
        review=_review(option),
        context=context,
        load_workers=_load_workers(option),
        earlier=earlier_runs.read(option.earlier),
        fail_on=FailOn(option.fail_on),
        waivers=_waivers(option, rules, checks),
        build=option.build,
    )


def _baseline_settings(option: Namespace, own: Settings) -> Settings:
    """The settings of the baseline endpoint: those of the candidate, with a key of its own."""
    if option.resume:
        raise pytest.UsageError(
            "--resume continues a run of one endpoint: give --baseline the folder of a run"
        )
    key = api_key(BASELINE_API_KEY_VARIABLE)
    where = _address("--baseline", option.baseline, key, {})
    if not key and where.origin == own.address.origin:
        # On the same server, the endpoint's own key is valid.
        where = _address("--baseline", option.baseline, api_key(), {})
    # What is around the candidate is its own; its headers may hold its secrets.
    return replace(
        own,
        address=where,
        model=option.baseline_model,
        key=BASELINE_API_KEY_VARIABLE,
        earlier=(),
        waivers={},
        build="",
        context=replace(
            own.context,
            license_evidence=None,
            deployment=None,
            metrics_address=None,
            restart_command="",
            webui_address=None,
            webui_accounts=None,
        ),
    )


def api_key(variable: str = API_KEY_VARIABLE) -> str:
    """The API key in an environment variable, without the line break that mounted files end with.

    Raises:
        pytest.UsageError: No header can carry it.
    """
    key = os.environ.get(variable, "").strip()
    if not key.isprintable():
        raise pytest.UsageError(f"{variable} has a line break or another control character in it")
    return key


def key_notes() -> Iterator[str]:
    """What the user should know of the variables that hold keys."""
    for name in (API_KEY_VARIABLE, BASELINE_API_KEY_VARIABLE):
        if os.environ.get(name, "") != os.environ.get(name, "").strip():
            yield f"{name} begins or ends with white space, which is not sent"


def _secrets(option: Namespace, context: Context, where: Address) -> Iterator[str]:
    """All that must not be shown, of the endpoint, its baseline, and what is around them."""
    yield from (api_key(), api_key(BASELINE_API_KEY_VARIABLE))
    yield from context.deployment.secrets if context.deployment else ()
    if "://" in option.baseline:
        yield from _address("--baseline", option.baseline, "", {}).secrets
    for each in (where, context.metrics_address, context.webui_address):
        yield from each.secrets if each else ()
    yield from context.webui_accounts.secrets if context.webui_accounts else ()
    # A word such as TOKEN=… sets the environment of the command.
    for word in _words(option.restart_command):
        name, _, value = word.partition("=")
        if name.isidentifier():
            yield value


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise pytest.UsageError(f"--restart-command: {error}") from error


def _context(option: Namespace, rules: Policy, url: str) -> Context:
    """The context of checks; the embedded model has licence evidence and metrics by default."""
    paths, metrics = tuple(option.license_evidence), option.metrics
    if (embedded := _embedded(option)) is not None:
        paths = paths or license_evidence(embedded)
        metrics = metrics or f"{url.removesuffix('/v1')}/metrics"
    where = _address("--metrics", metrics, "", {}) if metrics else None
    try:
        evidence = gather(paths) if paths else None
    except (LicenseEvidenceError, OSError) as error:
        raise pytest.UsageError(f"--license-evidence: {error}") from error
    webui = _address("--webui", option.webui, "", {}) if option.webui else None
    return Context(
        warm_prefix_cache=option.warm,
        step_seconds=rules.step_seconds.get(option.profile, Context.step_seconds),
        license_evidence=evidence,
        deployment=_deployment(option.deployment),
        accepted_license_conditions=rules.accepts,
        slo=rules.slo,
        hardware=rules.hardware.get(option.hardware),
        metrics_address=where,
        webui_address=webui,
        webui_accounts=_webui_accounts(option) if webui else None,
        restart_command=option.restart_command,
    )


def _deployment(paths: Sequence[Path]) -> Deployment | None:
    """Read the files of the deployment that the user names."""
    try:
        return gather_deployment(paths) if paths else None
    except (DeploymentError, OSError) as error:
        raise pytest.UsageError(f"--deployment: {error}") from error


def _webui_accounts(option: Namespace) -> WebuiAccounts:
    """The accounts of the web interface that the environment has."""
    try:
        return WebuiAccounts.read(os.environ, allows_admin=option.webui_admin)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error


def chosen_policy(option: Namespace) -> Policy:
    """The policy that the user names, for the declared hardware; what an option asks for gates.

    Raises:
        pytest.UsageError: There is none, or it is invalid.
    """
    named = option.policy
    if named and not named.exists() and str(named) not in (known := built_in()):
        remedy = near(str(named), known) or f": {choose(known)}"
        raise pytest.UsageError(f"--policy {named} is neither a file nor built in{remedy}")
    try:
        found = policy.load(named)
        asked = {"deployment": option.deployment, "webui": option.webui}
        for dimension in filter(asked.get, asked):
            found = found.requiring(dimension)
        return found.on(option.hardware) if option.hardware else found
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from error


def _waivers(option: Namespace, rules: Policy, checks: Sequence[Check]) -> Mapping[str, Waiver]:
    """Load the waivers that the user names, of checks in the policy or in this session."""
    if option.waivers is None:
        return {}
    if not option.waivers.exists():
        raise pytest.UsageError(f"--waivers {option.waivers}: no such file")
    known = rules.checks | {check.id for check in checks}
    try:
        return waiver.load(option.waivers, known, datetime.now(UTC).date(), rules.waiver_days)
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from error


def _review(option: Namespace) -> Review:
    """The labels that the user names, or else those of the run to resume."""
    path = option.review
    if option.resume and not path and (option.resume / REVIEW).exists():
        path = option.resume / REVIEW
    try:
        return labels.load(path)
    except OSError as error:
        raise pytest.UsageError(f"--review {path}: {error.strerror}") from error
    except ValueError as error:
        raise pytest.UsageError(f"--review: {error}") from error


def _load_workers(option: Namespace) -> LoadWorkerSettings | None:
    """The load workers that the user asks for."""
    if not option.load_workers:
        if option.ray_address:
            raise pytest.UsageError("--ray-address needs --load-workers: how many are to run there")
        return None
    if find_spec("ray") is None:
        raise pytest.UsageError(
            "--load-workers needs Ray: pip install 'llm-readiness[distributed]'"
        )
    return LoadWorkerSettings(option.load_workers, option.ray_address)


def _endpoint(option: Namespace) -> str:
    found = option.endpoint or os.environ.get(BASE_URL_VARIABLE, "")
    if not found:
        raise pytest.UsageError(
            "name an endpoint with --endpoint URL or OPENAI_BASE_URL "
            "(--endpoint embedded starts a small real model on this machine)"
        )
    return str(found)


def _embedded(option: Namespace) -> Path | None:
    """The weights to serve, "." for the bundled model; None for an endpoint at a URL."""
    kind, _, path = _endpoint(option).partition(":")
    return Path(path) if kind == EMBEDDED else None


def _address(name: str, url: str, key: str, headers: Mapping[str, str]) -> Address:
    """The address that an option names."""
    try:
        return Address.read(url, key, headers)
    except ValueError as error:
        raise pytest.UsageError(f"{name}: {error}") from error


def _headers(given: Sequence[str]) -> dict[str, str]:
    headers = {}
    for each in given:
        name, colon, value = each.partition(":")
        if not colon or not name.strip():
            raise pytest.UsageError("--header takes a name and a value, as in 'X-Team: platform'")
        if not each.isprintable():
            raise pytest.UsageError("--header has a line break or another control character in it")
        headers[name.strip()] = value.strip()
    return headers


def _extra(given: str) -> dict[str, Any]:
    try:
        extra = json.loads(given)
    except ValueError as error:
        raise pytest.UsageError(f"--extra-body is not JSON: {error}") from error
    if not isinstance(extra, dict):
        raise pytest.UsageError("--extra-body takes a JSON object, as in '{\"top_k\": 1}'")
    return extra
