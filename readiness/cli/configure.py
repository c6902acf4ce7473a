"""What the user gives along with an endpoint, from words of the command line."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from readiness.checks.license.gather import LicenseEvidenceError, gather
from readiness.context import Context
from readiness.embedded.weights import license_evidence
from readiness.policy.policy import Policy
from readiness.transport.address import Address


def read_user_context(option: Namespace, rules: Policy, url: str, embedded: Path | None) -> Context:
    """What no reply can tell. Of the embedded model, its maker's own words are at hand.

    Raises:
        pytest.UsageError: There is no such evidence, or no such address.
    """
    paths, metrics = tuple(option.license_evidence), option.metrics
    if embedded is not None:
        paths = paths or license_evidence(embedded)
        metrics = metrics or f"{url.removesuffix('/v1')}/metrics"
    try:
        where = Address.read(metrics, "", {}) if metrics else None
    except ValueError as error:
        raise pytest.UsageError(f"--metrics: {error}") from error
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
