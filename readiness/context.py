"""The context of a run, as its checks see it: types only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

# These types belong to packages above this one, which it must not import at run time.
if TYPE_CHECKING:
    from readiness.chat import Chat
    from readiness.checks.license.license_evidence import LicenseEvidence
    from readiness.load.meters.meter import Meter
    from readiness.load.step import Shape, StepResult
    from readiness.policy.hardware import HardwareProfile
    from readiness.policy.slo import Slo
    from readiness.search import FindingsStore
    from readiness.transport.address import Address


@dataclass(frozen=True)
class Context:
    """The context of a run: what the user declared, and what its trials share.

    Args:
        context_window: The context window that the endpoint declares, in tokens; None if it
            declares none.
        defects_only: Whether the run has too few trials to show readiness, so that smaller ones do.
        shared_fetches: Results that trials share, each with the chat that fetched it, by key.
        findings: The counterexamples of earlier runs' searches; None if none are stored.
        meters: The meters of the server's memory and queues.
        warm_prefix_cache: Whether prompts of a load test share all but their end.
        run_distributed_step: Runs a load step on load workers; None if this process runs it.
        license_evidence: The evidence of the model's licence; None if none was given.
        accepted_license_conditions: The licence conditions that the policy accepts, by their ids.
        slo: The policy's service level objectives.
        hardware: The hardware that the user declares; None if none.
        metrics_address: Where the server or an exporter publishes metrics; None if unknown.
        restart_command: The command that restarts the endpoint; "" if none was given.
    """

    context_window: int | None = None
    defects_only: bool = False
    shared_fetches: dict[Hashable, tuple[Chat, asyncio.Future[Any]]] = field(default_factory=dict)
    findings: FindingsStore | None = None
    meters: Sequence[Meter] = ()
    warm_prefix_cache: bool = False
    run_distributed_step: Callable[[Chat, Shape], Awaitable[StepResult]] | None = None
    license_evidence: LicenseEvidence | None = None
    accepted_license_conditions: frozenset[str] = frozenset()
    slo: Slo = ()
    hardware: HardwareProfile | None = None
    metrics_address: Address | None = None
    restart_command: str = ""

    @property
    def license_evidence_digests(self) -> dict[str, dict[str, str]]:
        """The digest of each file of licence evidence, by model and ancestor."""
        models = self.license_evidence.ancestry() if self.license_evidence else ()
        return {name: dict(evidence.file_digests) for name, evidence in models}
