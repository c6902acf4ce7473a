"""Configuration: reads command line options and the environment into settings."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from readiness.baseline import earlier_runs
from readiness.baseline.finished_run import read_finished_run
from readiness.check import Check
from readiness.checks.license.gather import LicenseEvidenceError, gather
from readiness.cli.options import DECODING, EMBEDDED
from readiness.context import Context
from readiness.embedded import EmbeddedError, serve
from readiness.embedded.weights import license_evidence
from readiness.evidence.redaction import Secrets
from readiness.evidence.run_folder import REVIEW
from readiness.load.workers import LoadWorkerSettings
from readiness.policy import plan, policy, waiver
from readiness.policy.plan import PlannedCheck
from readiness.policy.policy import Policy, PolicyError
from readiness.policy.waiver import Waiver
from readiness.runner.settings import API_KEY_VARIABLE, BASELINE_API_KEY_VARIABLE, Settings
from readiness.transport.address import Address
from readiness.transport.client import RequestLimits
from readiness.verdict import labels
from readiness.verdict.labels import Review

EMBEDDED_SLOTS = 2


def plan_checks(option: Namespace, checks: Sequence[Check]) -> list[PlannedCheck]:
    """Plan the trials of each check by the policy.

    Raises:
        pytest.UsageError: The policy is invalid; the message names the place.
    """
    try:
        return plan.plan(checks, _policy(option), option.profile, option.seed)
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from error


def settings(option: Namespace, url: str, checks: Sequence[Check]) -> Settings:
    """The settings of a run, from its options.

    Raises:
        pytest.UsageError: An option is invalid; the message names it and says what to do.
        FinishedRunError: A run cannot be used: the user must name another.
        EvidenceIntegrityError: The evidence of a run fails its integrity check.
    """
    own = _own_settings(option, url, checks)
    if not option.baseline:
        return own
    if "://" in option.baseline:
        return replace(own, baseline_settings=_baseline_settings(option, own))
    return replace(own, baseline_run=read_finished_run(Path(option.baseline)))


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


def _own_settings(option: Namespace, url: str, checks: Sequence[Check]) -> Settings:
    """The settings of the endpoint under test, without a baseline."""
    key, headers, rules = (
        os.environ.get(API_KEY_VARIABLE, ""),
        _headers(option.header),
        _policy(option),
    )
    where = _address("--endpoint", url, key, headers)
    return Settings(
        address=where,
        model=option.model,
        profile=option.profile,
        policy=rules,
        concurrency=concurrency(option),
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
        keep_going=option.keep_going,
        use_sequential_tests=option.fast,
        resume=option.resume,
        secrets=Secrets([key, *where.secrets, *headers.values()]),
        review=_review(option),
        context=_context(option, rules, url),
        load_workers=_load_workers(option),
        earlier=earlier_runs.read(option.earlier),
        waivers=_waivers(option, rules, checks),
    )


def _baseline_settings(option: Namespace, own: Settings) -> Settings:
    """The settings of the baseline endpoint: those of the candidate, with a key of its own."""
    if option.resume:
        raise pytest.UsageError(
            "--resume continues a run of one endpoint: give --baseline the folder of a run"
        )
    own_key, key = (
        os.environ.get(name, "") for name in (API_KEY_VARIABLE, BASELINE_API_KEY_VARIABLE)
    )
    where = _address("--baseline", option.baseline, key, {})
    if not key and where.origin == own.address.origin:
        # On the same server, the endpoint's own key is valid.
        where = _address("--baseline", option.baseline, own_key, {})
    # Licence, metrics and restart command are the candidate's; its headers may hold its secrets.
    return replace(
        own,
        address=where,
        model=option.baseline_model,
        key=BASELINE_API_KEY_VARIABLE,
        secrets=Secrets([own_key, key, *where.secrets]),
        earlier=(),
        waivers={},
        context=replace(
            own.context, license_evidence=None, metrics_address=None, restart_command=""
        ),
    )


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
    return Context(
        warm_prefix_cache=option.warm,
        license_evidence=evidence,
        accepted_license_conditions=rules.accepts,
        slo=rules.slo,
        hardware=rules.hardware.get(option.hardware),
        metrics_address=where,
        restart_command=option.restart_command,
    )


def _policy(option: Namespace) -> Policy:
    """Load the policy that the user names."""
    try:
        found = policy.load(option.policy)
        return found.on(option.hardware) if option.hardware else found
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from error


def _waivers(option: Namespace, rules: Policy, checks: Sequence[Check]) -> Mapping[str, Waiver]:
    """Load the waivers that the user names, of checks in the policy or in this session."""
    if option.waivers is None:
        return {}
    known = rules.checks | {check.id for check in checks}
    try:
        return waiver.load(option.waivers, known, datetime.now(UTC).date())
    except PolicyError as error:
        raise pytest.UsageError(str(error)) from error


def _review(option: Namespace) -> Review:
    """The labels that the user names, or else those of the run to resume."""
    path = option.review
    if option.resume and not path and (option.resume / REVIEW).exists():
        path = option.resume / REVIEW
    try:
        return labels.load(path)
    except (OSError, ValueError) as error:
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
    found = option.endpoint or os.environ.get("OPENAI_BASE_URL", "")
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
