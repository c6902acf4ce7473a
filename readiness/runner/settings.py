"""The settings of a run, as the user chose them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from readiness.baseline.finished_run import FinishedRun
from readiness.context import Context
from readiness.evidence.redaction import Secrets
from readiness.load.workers import LoadWorkerSettings
from readiness.policy.policy import Policy
from readiness.policy.waiver import Waiver
from readiness.transport.address import API_KEY_VARIABLE, Address
from readiness.transport.client import RequestLimits
from readiness.verdict.exit_status import FailOn
from readiness.verdict.labels import Review


@dataclass(frozen=True)
class Settings:
    """The settings of a run, as the user chose them.

    Args:
        address: The endpoint's address, with the API key in its headers.
        model: The model's id; "" for the only one that is served.
        profile: The profile, which sets the number of trials: smoke, ci or full.
        policy: Thresholds, margins, and which dimensions gate.
        concurrency: Maximum number of trials in flight.
        burst: The same for trials that are to meet many others: more only where the user named no
            maximum.
        reports: The folder in which run folders are created.
        seed: The seed of generated probes.
        limits: Timeouts, and the maximum size of a response.
        sampling: The sampling parameters; empty for the endpoint's defaults.
        extra: Fields added to the body of every request.
        max_requests: Maximum number of requests; 0 for no limit.
        max_tokens: Maximum number of tokens, of prompts and replies; 0 for no limit.
        max_minutes: Maximum duration in minutes; 0 for no limit.
        max_evidence: Maximum size of the evidence in bytes; 0 for no limit.
        keep_going: Whether to run all trials of a check that can no longer be ready.
        use_sequential_tests: Whether sequential tests may end checks of a rate early.
        resume: The folder of the run to resume; None for a new run.
        key: The environment variable that holds the endpoint's API key.
        secrets: The secrets to redact.
        review: The labels of a person or a judge.
        context: What checks may read of the run.
        load_workers: The load workers of load tests; None where this process runs them.
        baseline_run: The finished run to compare with.
        baseline_settings: The settings of a baseline endpoint, which is tried concurrently; None
            without one.
        earlier: Finished runs of the same build to pool with this one.
        waivers: The waivers, by check.
        fail_on: The mildest verdict for which the run fails.
    """

    address: Address
    model: str
    profile: str
    policy: Policy
    concurrency: int
    burst: int
    reports: Path
    seed: int
    limits: RequestLimits
    sampling: Mapping[str, Any]
    extra: Mapping[str, Any]
    max_requests: int
    max_tokens: int
    max_minutes: float
    max_evidence: int
    keep_going: bool
    use_sequential_tests: bool
    resume: Path | None
    secrets: Secrets
    review: Review
    context: Context
    key: str = API_KEY_VARIABLE
    load_workers: LoadWorkerSettings | None = None
    baseline_run: FinishedRun | None = None
    baseline_settings: Settings | None = None
    earlier: Sequence[FinishedRun] = ()
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
    build: str = ""
    fail_on: FailOn = FailOn.INCONCLUSIVE
