"""The run's state and settings that a check may read: types only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

# These packages import this module: here they are imported for type annotations only.
if TYPE_CHECKING:
    from readiness.chat import Chat
    from readiness.checks.deployment.facts import Deployment
    from readiness.checks.license.license_evidence import LicenseEvidence
    from readiness.checks.webui.accounts import WebuiAccounts
    from readiness.exchange import RecordedExchange
    from readiness.load.meters.meter import Meter
    from readiness.load.step import Shape, StepResult
    from readiness.policy.hardware import HardwareProfile
    from readiness.policy.slo import Slo
    from readiness.search import FindingsStore
    from readiness.transport.address import Address


@dataclass(frozen=True)
class Context:
    """The run's state and settings that a check may read.

    Args:
        context_window: The context window that the endpoint declares, in tokens; None where it
            declares none.
        defects_only: Whether the run can show defects but not readiness, so that smaller probes
            suffice.
        shared_fetches: The results that trials share, each with the chat that fetches it.
        findings: The counterexamples that searches of earlier runs found; None where none are
            stored.
        meters: The meters of the server's memory.
        warm_prefix_cache: Whether the prompts of a load test share their prefix.
        step_seconds: How long a step of a load test is measured at least.
        run_distributed_step: Runs a step of a load test on the load workers; None where this
            process runs it.
        license_evidence: The licence evidence; None where the user supplied none.
        deployment: What the files of the deployment say; None where the user named none.
        accepted_license_conditions: The ids of the licence conditions that the policy accepts.
        slo: The policy's service level objectives.
        hardware: The hardware profile that the user declares; None where none is declared.
        metrics_address: The address of the server's or an exporter's metrics; None where unknown.
        webui_address: The address of the web interface in front of the endpoint; None where the
            user names none.
        webui_accounts: The accounts that may be used there; None where the user names none.
        restart_command: The command that restarts the endpoint; "" where none may be run.
        recorded_exchanges: Reads the exchanges of the run so far, those from before it was resumed
            included, one at a time; None where nothing is recorded.
        keep_measurement: Keeps a measurement as evidence, by key, with the numbers of its
            exchanges; None where nothing is recorded.
        kept_measurement: Reads a measurement of a type from evidence, by key; None without.
    """

    context_window: int | None = None
    defects_only: bool = False
    shared_fetches: dict[Hashable, tuple[Chat, asyncio.Future[Any]]] = field(default_factory=dict)
    findings: FindingsStore | None = None
    meters: Sequence[Meter] = ()
    warm_prefix_cache: bool = False
    step_seconds: float = 12.0
    run_distributed_step: Callable[[Chat, Shape], Awaitable[StepResult]] | None = None
    license_evidence: LicenseEvidence | None = None
    deployment: Deployment | None = None
    accepted_license_conditions: frozenset[str] = frozenset()
    slo: Slo = ()
    hardware: HardwareProfile | None = None
    metrics_address: Address | None = None
    webui_address: Address | None = None
    webui_accounts: WebuiAccounts | None = None
    restart_command: str = ""
    recorded_exchanges: Callable[[], Iterator[RecordedExchange]] | None = None
    keep_measurement: Callable[[str, Sequence[int], Any], None] | None = None
    kept_measurement: Callable[[str, Any], Any] | None = None

    @property
    def license_evidence_digests(self) -> dict[str, dict[str, str]]:
        """The digests of the licence files of the model and of each ancestor, by model and file."""
        line = self.license_evidence.ancestry() if self.license_evidence else ()
        return {name: dict(evidence.file_digests) for name, evidence in line}

    @property
    def deployment_digests(self) -> dict[str, str]:
        """The digests of the files of the deployment, by file."""
        return dict(self.deployment.digests) if self.deployment else {}
