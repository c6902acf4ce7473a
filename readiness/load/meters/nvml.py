"""The GPUs of this machine through NVML: whole ones, and MIG instances."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from readiness.load.meters.meter import Meter, MeterError, MeterReading
from readiness.load.meters.process import LocalServer, ProcessMeter
from readiness.transport.address import Address


@dataclass(frozen=True)
class GpuDevice:
    """A GPU or a MIG instance.

    Args:
        name: Its name, from the driver.
        used: The memory in use, in bytes.
        pids: The processes that compute on it; None where they are not visible.
    """

    name: str
    used: int
    pids: frozenset[int] | None


@dataclass(frozen=True)
class GpuMeter:
    """Reads the GPU memory of a server's processes on this machine."""

    server: LocalServer
    source: str = "NVML"

    async def read(self) -> MeterReading:
        """Read all GPUs."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> MeterReading:
        try:
            pids = self.server.pids
        except MeterError:
            pids = frozenset()  # The server may be in a container, and use a GPU.
        return server_memory(units(), pids)


def local_meters(where: Address) -> list[Meter]:
    """The meters of a server on this machine, of its processes and the GPUs; else none."""
    if not where.port_here:
        return []
    server = LocalServer(where.port_here)
    return [GpuMeter(server), ProcessMeter(server)]


def server_memory(found: list[GpuDevice], pids: Collection[int]) -> MeterReading:
    """The memory of the GPUs that a server computes on, or of all if none shows a process of it."""
    if not found:
        raise MeterError("no GPU here")
    own = [each for each in found if each.pids and not each.pids.isdisjoint(pids)]
    taken = own or found
    # A process in a container has another pid outside: it may use any GPU.
    doubt = "" if own else "no GPU shows a process of the server: the bytes are those of all GPUs"
    others = {pid for each in own for pid in each.pids or () if pid not in pids}
    if others:
        doubt = f"shared GPU: {len(others)} other processes compute on it"
    names = tuple(each.name for each in taken)
    return MeterReading(gpu=sum(each.used for each in taken), devices=names, doubt=doubt)


def units() -> list[GpuDevice]:
    """All GPUs of this machine.

    Raises:
        MeterError: There is no driver, or it fails.
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


def _units(nvml: Any) -> Iterator[GpuDevice]:
    for number in range(nvml.nvmlDeviceGetCount()):
        gpu = nvml.nvmlDeviceGetHandleByIndex(number)
        parts = list(_parts(nvml, gpu))
        for handle in parts or [gpu]:
            yield _unit(nvml, gpu, handle)


def _parts(nvml: Any, gpu: Any) -> Iterator[Any]:
    """The MIG instances of a GPU; none on most."""
    try:
        if nvml.nvmlDeviceGetMigMode(gpu)[0] != nvml.NVML_DEVICE_MIG_ENABLE:
            return
        indexes = range(nvml.nvmlDeviceGetMaxMigDeviceCount(gpu))
    except nvml.NVMLError_NotSupported:
        return
    for index in indexes:
        try:
            yield nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, index)
        except nvml.NVMLError_NotFound:
            continue  # Not every index has an instance.


def _unit(nvml: Any, gpu: Any, handle: Any) -> GpuDevice:
    # Version 2 reports the memory that the driver reserves separately.
    used = int(nvml.nvmlDeviceGetMemoryInfo(handle, nvml.nvmlMemory_v2).used)
    try:
        running = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        pids = frozenset(int(each.pid) for each in running)
    except (nvml.NVMLError_NoPermission, nvml.NVMLError_NotSupported):
        pids = None
    return GpuDevice(str(nvml.nvmlDeviceGetName(gpu)), used, pids)
