"""Hardware profiles: the performance expected of a machine that the user declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: The figures that may have a minimum, in tokens/s.
FIGURES = ("decode", "prefill", "aggregate")


@dataclass(frozen=True)
class HardwareProfile:
    """The performance expected of a machine.

    Args:
        name: The name by which the user declares it.
        gpu: A part of the driver's name of the GPU, as in "RTX 3060".
        gates: The dimensions that are required where this machine is declared.
        bandwidth: The memory bandwidth, in GB/s; 0 where unknown.
        floors: The minimum of each figure in tokens/s, by its name.
        most_memory: Maximum GPU memory in use, in GB; 0 for no limit.
    """

    name: str
    gpu: str
    gates: frozenset[str]
    bandwidth: float
    floors: Mapping[str, float]
    most_memory: float

    @classmethod
    def read(cls, name: str, section: Mapping[str, Any]) -> HardwareProfile:
        """Read a machine from a policy."""
        floors = {figure: float(section[figure]) for figure in FIGURES if figure in section}
        gates, bandwidth = frozenset(section["gates"]), section.get("bandwidth", 0)
        return cls(name, section["gpu"], gates, bandwidth, floors, section.get("memory", 0))
