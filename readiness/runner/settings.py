"""Settings: what the user asks for."""

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
from readiness.transport.address import Address
from readiness.transport.client import RequestLimits
from readiness.verdict.labels import Review

#: Where keys come from: that of the endpoint, and that of one which is the baseline.
KEY, BASELINE_KEY = "OPENAI_API_KEY", "READINESS_BASELINE_API_KEY"


@dataclass(frozen=True)
class Settings:
    """What the user asks for.

    Args:
        address: The endpoint's address, with the key among its headers.
        model: The model's id; "" where the endpoint is to say.
        profile: How many trials: smoke, ci or full.
        policy: Thresholds, margins, and which dimensions gate.
        concurrency: Most trials in flight.
        reports: Where run folders are written.
        seed: What the probes are generated from.
        limits: How long to wait for what.
        sampling: How replies are to be drawn; empty where the endpoint decides, as for its users.
        extra: What is added to the body of every request.
        max_requests: Most requests to send; 0 for any number.
        max_tokens: Most tokens to use, of prompts and replies; 0 for any number.
        max_minutes: How long to send; 0 for any time.
        keep_going: Whether to make all trials of a check that cannot be ready any more.
        use_sequential_tests: Whether sequential tests may end checks of a rate.
        resume: The folder of a run that is to go on; None for a new run.
        key: The variable of the environment that holds the endpoint's key.
        secrets: What must stand in no file.
        review: What a person or a judge has settled.
        context: What checks may know that no reply of the endpoint can tell.
        load_workers: The load workers that make the steps of load tests; None where this process
            does.
        baseline_run: The run that this one is held against.
        baseline_settings: How the endpoint is tried that is the baseline, beside this one; None
            without one.
        earlier: Runs of the same build that add to what this one shows.
        waivers: What the gate lets through, by checks.
    """

    address: Address
    model: str
    profile: str
    policy: Policy
    concurrency: int
    reports: Path
    seed: int
    limits: RequestLimits
    sampling: Mapping[str, Any]
    extra: Mapping[str, Any]
    max_requests: int
    max_tokens: int
    max_minutes: float
    keep_going: bool
    use_sequential_tests: bool
    resume: Path | None
    secrets: Secrets
    review: Review
    context: Context
    key: str = KEY
    load_workers: LoadWorkerSettings | None = None
    baseline_run: FinishedRun | None = None
    baseline_settings: Settings | None = None
    earlier: Sequence[FinishedRun] = ()
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
