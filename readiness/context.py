"""What the user gives along with an endpoint, for what no reply can tell."""

from __future__ import annotations

from dataclasses import dataclass

from readiness.checks.license.license_evidence import LicenseEvidence
from readiness.policy.hardware import HardwareProfile
from readiness.policy.slo import Slo
from readiness.transport.address import Address


@dataclass(frozen=True)
class Given:
    """What the user gives along with an endpoint.

    Args:
        dossier: What there is to show of the licence; None where nothing was given.
        accepted: The licence conditions that the policy accepts, by their ids.
        slo: What the policy promises to users.
        hardware: The machine that the user declares; None where none was declared.
        metrics: Where the server or an exporter tells of itself; None where nobody says.
        restart: The command that restarts the endpoint; "" where nobody may.
    """

    dossier: LicenseEvidence | None = None
    accepted: frozenset[str] = frozenset()
    slo: Slo = ()
    hardware: HardwareProfile | None = None
    metrics: Address | None = None
    restart: str = ""

    @property
    def digests(self) -> dict[str, dict[str, str]]:
        """The digest of each file that tells of the licence, of the model and of each ancestor."""
        line = self.dossier.ancestry() if self.dossier else ()
        return {name: dict(dossier.files) for name, dossier in line}
