"""Provenance: the settings, program version and data digests that a run is made with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from readiness import resources
from readiness.policy.plan import PlannedCheck
from readiness.policy.policy import Policy
from readiness.runner.settings import Settings


def run_provenance(settings: Settings, planned: Sequence[PlannedCheck]) -> dict[str, Any]:
    """The provenance that is compared when runs are compared, pooled or resumed."""
    return {
        "profile": settings.profile,
        "seed": settings.seed,
        "harness": harness(settings.policy),
        "fast": settings.use_sequential_tests,
        "sampling": dict(settings.sampling),
        "warm": settings.context.warm_prefix_cache,
        "license_evidence": settings.context.license_evidence_digests,
        "extra_body_sha256": _sha256(json.dumps(settings.extra, sort_keys=True).encode()),
        "items": {each.check.id: each.probes_digest for each in planned},
    }


def harness(policy: Policy) -> dict[str, str]:
    """The version of this program, and the digests of its policy and prompts."""
    return {
        "version": version(resources.DISTRIBUTION),
        "policy": policy.name,
        "policy_sha256": policy.digest,
        "prompts_sha256": _digest("prompts"),
        "openai_sdk": version("openai"),
    }


def _digest(kind: str) -> str:
    """One digest of all files of a folder, in the order of their names."""
    total = hashlib.sha256()
    for path in sorted(resources.home(kind).iterdir()):
        total.update(f"{path.name}\0{_sha256(path.read_bytes())}\n".encode())
    return total.hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
