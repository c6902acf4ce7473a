"""What a policy asks of a candidate that is held against a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from readiness.verdict.claim import Gate


@dataclass(frozen=True)
class Upgrade:
    """What a candidate has to show beside the baseline.

    Args:
        margin: How much lower than the baseline's its rate may truly be.
        non_inferiority: Whether it must show that its rate is no lower than that.
        identity: Whether it must be the same model on the same server.
    """

    margin: float = 0.05
    non_inferiority: Gate = Gate.ADVISORY
    identity: Gate = Gate.ADVISORY

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Upgrade:
        """Read what a policy says; what it leaves open is as above."""
        gates = {key: Gate(said[key]) for key in ("non_inferiority", "identity") if key in said}
        return cls(said.get("margin", cls.margin), **gates)


def upgrades(policy: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What a policy says of upgrades: of all, and by the ids of dimensions and checks."""
    found = {"": policy.get("upgrade", {})}
    for dimension, said in policy["dimensions"].items():
        found[dimension] = said.get("upgrade", {})
        checks = said.get("checks", {}).items()
        found |= {f"{dimension}.{name}": each.get("upgrade", {}) for name, each in checks}
    return found
