"""The GPUs of this machine, through NVIDIA's own library: whole ones, and parts that MIG makes."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from readiness.load.meters.meter import Meter, MeterError, MeterReading
from readiness.load.meters.process import LocalServer, ProcessMeter
from readiness.transport.address import Address


@dataclass(frozen=True)
class Unit:
    """A GPU, or a part of one.

    Args:
        name: What the driver calls it.
        used: The bytes that are taken.
        pids: The processes that compute on it; None where they are not to be seen.
    """

    name: str
    used: int
    pids: frozenset[int] | None


@dataclass(frozen=True)
class GpuMeter:
    """Reads what the processes of a server take of the GPUs here."""

    server: LocalServer
    source: str = "NVML"

    async def read(self) -> MeterReading:
        """Read all GPUs."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> MeterReading:
        try:
            pids = self.server.pids
        except MeterError:
            pids = frozenset()  # In a container it may be, and yet on a GPU.
        return server_memory(units(), pids)


def sources(where: Address) -> list[Meter]:
    """The meters of a server on this machine: its processes, and the GPUs; none elsewhere."""
    if not where.port_here:
        return []
    server = LocalServer(where.port_here)
    return [GpuMeter(server), ProcessMeter(server)]


def server_memory(found: list[Unit], pids: Collection[int]) -> MeterReading:
    """What a server takes: of the units that it computes on, or where none shows it, of all."""
    if not found:
        raise MeterError("no GPU here")
    own = [each for each in found if each.pids and not each.pids.isdisjoint(pids)]
    taken = own or found
    # A process in a container has another number outside: it may be on any of them.
    doubt = "" if own else "no GPU shows a process of the server: the bytes are those of all GPUs"
    others = {pid for each in own for pid in each.pids or () if pid not in pids}
    if others:
        doubt = f"shared GPU: {len(others)} other processes compute on it"
    names = tuple(each.name for each in taken)
    return MeterReading(gpu=sum(each.used for each in taken), devices=names, doubt=doubt)


def units() -> list[Unit]:
    """All GPUs of this machine.

    Raises:
        MeterError: There is no driver, or it tells nothing.
    """
    try:
        import pynvml
    except ModuleNotFoundError as error:
        raise MeterError(
            "reading GPUs needs nvidia-ml-py: pip install 'llm-readiness[host]'"
        ) from error
    try:
        pynvml.nvmlInit()
        try:
            return list(_units(pynvml))
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        raise MeterError(f"the GPUs tell nothing: {error}") from error


def _units(nvml: Any) -> Iterator[Unit]:
    for number in range(nvml.nvmlDeviceGetCount()):
        gpu = nvml.nvmlDeviceGetHandleByIndex(number)
        parts = list(_parts(nvml, gpu))
        for handle in parts or [gpu]:
            yield _unit(nvml, gpu, handle)


def _parts(nvml: Any, gpu: Any) -> Iterator[Any]:
    """The parts that MIG has made of a GPU: none on most."""
    try:
        if nvml.nvmlDeviceGetMigMode(gpu)[0] != nvml.NVML_DEVICE_MIG_ENABLE:
            return
        places = range(nvml.nvmlDeviceGetMaxMigDeviceCount(gpu))
    except nvml.NVMLError_NotSupported:
        return
    for place in places:
        try:
            yield nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, place)
        except nvml.NVMLError_NotFound:
            continue  # Not every place has a part.


def _unit(nvml: Any, gpu: Any, handle: Any) -> Unit:
    # The second version tells what the driver keeps for itself apart.
    used = int(nvml.nvmlDeviceGetMemoryInfo(handle, nvml.nvmlMemory_v2).used)
    try:
        running = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        pids = frozenset(int(each.pid) for each in running)
    except (nvml.NVMLError_NoPermission, nvml.NVMLError_NotSupported):
        pids = None
    return Unit(str(nvml.nvmlDeviceGetName(gpu)), used, pids)
