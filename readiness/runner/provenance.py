"""Provenance: the settings, program version and data digests that a run is made with."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from typing import Any

from readiness import resources
from readiness.baseline.finished_run import FinishedRun
from readiness.context import Context
from readiness.evidence.printable import utc
from readiness.load.workers import LoadWorkerSettings
from readiness.policy.plan import PlannedCheck
from readiness.policy.policy import Policy
from readiness.policy.waiver import Waiver
from readiness.runner.settings import Settings


def run_provenance(settings: Settings, planned: Sequence[PlannedCheck]) -> dict[str, Any]:
    """The provenance that is compared when runs are compared, pooled or resumed."""
    return {
        "profile": settings.profile,
        "build": settings.build,
        "seed": settings.seed,
        "harness": harness(settings.policy),
        "fast": settings.use_sequential_tests,
        "sampling": dict(settings.sampling),
        "warm": settings.context.warm_prefix_cache,
        "license_evidence": settings.context.license_evidence_digests,
        "deployment": settings.context.deployment_digests,
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


def machine(context: Context) -> dict[str, str]:
    """The declared hardware, quantization, metrics address and web interface of the server."""
    evidence = context.license_evidence
    return {
        "hardware": context.hardware.name if context.hardware else "",
        "quantization": evidence.quantization if evidence else "",
        "metrics": context.metrics_address.url if context.metrics_address else "",
        "webui": context.webui_address.url if context.webui_address else "",
    }


def client(workers: LoadWorkerSettings | None) -> dict[str, Any]:
    """The machine that the endpoint was tried from, which affects measured times."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "load_workers": workers.workers if workers else 0,
        "cluster": workers.address if workers else "",
    }


def waiver_fields(waiver: Waiver) -> dict[str, Any]:
    """A waiver as JSON."""
    return {**asdict(waiver), "expiry": waiver.expiry.isoformat()}


def run_sections(runs: Sequence[FinishedRun]) -> list[dict[str, Any]]:
    """Runs that another is judged with, with the last digests of their evidence."""
    return [
        {
            "run": each.evidence.parent.name,
            "started": each.evidence_header["started"],
            "seed": each.evidence_header["seed"],
            "verdict": each.verdict,
            "head": each.head,
        }
        for each in runs
    ]


def session_facts(settings: Settings, started: datetime) -> dict[str, Any]:
    """What may differ when a run is resumed, and its record has to say."""
    return {
        "review_sha256": settings.review.digest,
        "extra_body": settings.extra,
        "waivers": [waiver_fields(each) for each in settings.waivers.values()],
        "concurrency": settings.concurrency,
        "machine": machine(settings.context),
        "client": client(settings.load_workers),
        "started": utc(started),
    }


def _digest(kind: str) -> str:
    """One digest of all files of a folder, in the order of their names."""
    total = hashlib.sha256()
    for path in sorted(resources.home(kind).iterdir()):
        total.update(f"{path.name}\0{_sha256(path.read_bytes())}\n".encode())
    return total.hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
