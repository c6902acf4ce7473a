"""The processes of a server on this machine: those that listen, and their descendants."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from readiness.load.meters.meter import MeterError, MeterReading


@dataclass(frozen=True)
class LocalServer:
    """A server on this machine, by the port that it listens on."""

    port: int

    @cached_property
    def listening(self) -> frozenset[int]:
        """The processes that listen on the port.

        Raises:
            MeterError: None is visible.
        """
        psutil = psutil_module()
        try:
            found = {each.pid for each in psutil.net_connections("tcp") if self._is_ours(each)}
        except psutil.AccessDenied as error:
            raise MeterError(f"the processes here are not to be seen: {error}") from error
        if pids := frozenset(pid for pid in found if pid):
            return pids
        raise MeterError(f"no process of yours listens to port {self.port}: is it in a container?")

    @property
    def pids(self) -> frozenset[int]:
        """The processes that listen on the port, and their descendants."""
        psutil, found = psutil_module(), set(self.listening)
        for pid in self.listening:
            try:
                found |= {each.pid for each in psutil.Process(pid).children(recursive=True)}
            except psutil.NoSuchProcess:
                continue
        return frozenset(found)

    def _is_ours(self, connection: Any) -> bool:
        listens = connection.status == psutil_module().CONN_LISTEN
        return listens and bool(connection.laddr.port == self.port)


@dataclass(frozen=True)
class ProcessMeter:
    """Reads the main memory of a server's processes."""

    server: LocalServer
    source: str = "processes"

    async def read(self) -> MeterReading:
        """The sum of the resident memory; shared pages are counted in each process."""
        return MeterReading(host=await asyncio.to_thread(self._resident))

    def _resident(self) -> int:
        psutil, total = psutil_module(), 0
        for pid in self.server.pids:
            try:
                total += int(psutil.Process(pid).memory_info().rss)
            except psutil.NoSuchProcess:
                continue  # It has ended since.
            except psutil.AccessDenied as error:
                raise MeterError(f"process {pid} is another user's") from error
        return total


def psutil_module() -> Any:
    """The psutil module.

    Raises:
        MeterError: It is not installed.
    """
    try:
        import psutil
    except ModuleNotFoundError as error:
        why = "reading processes needs psutil: pip install 'llm-readiness[host]'"
        raise MeterError(why) from error
    return psutil
