"""A hardware profile: what a machine is said to reach, where the user declares that it serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: What a floor may be asked of, in tokens/s.
FIGURES = ("decode", "prefill", "aggregate")


@dataclass(frozen=True)
class HardwareProfile:
    """What a machine is said to reach.

    Args:
        name: What the user declares it by.
        gpu: What the driver's name of the card has in it, as in "RTX 3060".
        gates: The dimensions that count where this machine is declared.
        bandwidth: That of the memory, in GB/s; 0 where it is not known.
        floors: The least of each figure, by its name.
        most_memory: The most GPU memory that may be taken, in GB; 0 where nothing limits it.
    """

    name: str
    gpu: str
    gates: frozenset[str]
    bandwidth: float
    floors: Mapping[str, float]
    most_memory: float

    @classmethod
    def read(cls, name: str, said: Mapping[str, Any]) -> HardwareProfile:
        """Read what a policy says of a machine."""
        floors = {figure: float(said[figure]) for figure in FIGURES if figure in said}
        gates, bandwidth = frozenset(said["gates"]), said.get("bandwidth", 0)
        return cls(name, said["gpu"], gates, bandwidth, floors, said.get("memory", 0))
