"""What a check may know of the run that its trials belong to: types only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

# What is carried belongs to rooms above this one, so that here it is named and no more.
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
    """What a check may know of the run that its trials belong to.

    Args:
        context_window: The context window that the endpoint declares, in tokens; None where it
            does not.
        defects_only: Whether the trials cannot show readiness, so that smaller ones will do.
        shared_fetches: What trials have fetched for each other, and the chats that did.
        findings: What searches of earlier runs have found; None where nothing is kept.
        meters: What tells how much memory the server takes.
        warm_prefix_cache: Whether prompts of a load test share all but their end.
        run_distributed_step: Makes the steps of a load test, where load workers do; None where
            this process does.
        license_evidence: What there is to show of the licence; None where nothing was given.
        accepted_license_conditions: The licence conditions that the policy accepts, by their ids.
        slo: What the policy promises to users.
        hardware: The machine that the user declares; None where none was declared.
        metrics_address: Where the server or an exporter publishes metrics; None where nobody says.
        restart_command: The command that restarts the endpoint; "" where nobody may.
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
        """The digest of each file that tells of the licence, of the model and of each ancestor."""
        line = self.license_evidence.ancestry() if self.license_evidence else ()
        return {name: dict(evidence.file_digests) for name, evidence in line}
