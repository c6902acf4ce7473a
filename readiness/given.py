"""What the user gives along with an endpoint, for what no reply can tell."""

from __future__ import annotations

from dataclasses import dataclass

from readiness.dossier import Dossier


@dataclass(frozen=True)
class Given:
    """What the user gives along with an endpoint.

    Args:
        dossier: What there is to show of the licence; None where nothing was given.
        accepted: The licence conditions that the policy accepts, by their ids.
    """

    dossier: Dossier | None = None
    accepted: frozenset[str] = frozenset()
