"""Meters of a server's memory and gauges, from several sources."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
READ_INTERVAL = 0.2  # seconds
#: The names in reports of the gauges that each server names differently.
RUNNING, QUEUED, CACHE = "requests running", "requests waiting", "key-value cache in use"
GPU, HOST = "GPU memory", "main memory"


class MeterError(Exception):
    """A source has no reading; the message says why."""


@dataclass(frozen=True)
class MeterReading:
    """One reading of a meter.

    Args:
        gpu: The GPU memory in use, in bytes; None where unknown.
        host: The main memory in use, in bytes; None where unknown.
        devices: The names of the GPUs.
        doubt: Why the bytes may include those of other processes: they are then an upper bound.
        gauges: Other gauges, as shares and counts.
        cache_config: The labels of vLLM's configuration of its key-value cache.
    """

    gpu: int | None = None
    host: int | None = None
    devices: tuple[str, ...] = ()
    doubt: str = ""
    gauges: Mapping[str, float] = field(default_factory=dict)
    cache_config: Mapping[str, str] = field(default_factory=dict)


class Meter(Protocol):
    """A source of readings."""

    @property
    def source(self) -> str:
        """Its name in reports."""

    async def read(self) -> MeterReading:
        """Read it once.

        Raises:
            MeterError: It has no reading.
        """


@dataclass(frozen=True)
class PeakUsage:
    """The readings of meters during some work, and their maxima.

    Args:
        readings: All readings of each source.
        errors: Why a source had no reading, by source.
    """

    readings: Mapping[str, Sequence[MeterReading]]
    errors: Mapping[str, str]

    @property
    def gpu(self) -> int | None:
        """The maximum GPU memory in bytes; None where unknown."""
        return max((each.gpu for each in self._gpus if each.gpu is not None), default=None)

    @property
    def host(self) -> int | None:
        """The maximum main memory in bytes of any source; None where unknown."""
        return max((each.host for each in self._all if each.host is not None), default=None)

    @property
    def devices(self) -> tuple[str, ...]:
        """The names of the GPUs."""
        return tuple(dict.fromkeys(name for each in self._gpus for name in each.devices))

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the bytes of GPU memory may include those of other processes."""
        return tuple(dict.fromkeys(each.doubt for each in self._gpus if each.doubt))

    @property
    def gauges(self) -> dict[str, float]:
        """The maximum of each gauge."""
        found: dict[str, float] = {}
        for each in self._all:
            found |= {key: max(value, found.get(key, value)) for key, value in each.gauges.items()}
        return found

    @property
    def _gpus(self) -> list[MeterReading]:
        """The readings of GPUs: those in doubt only where there are no others."""
        known = [each for each in self._all if each.gpu is not None]
        return [each for each in known if not each.doubt] or known

    @property
    def _all(self) -> list[MeterReading]:
        return [each for several in self.readings.values() for each in several]


async def read_gauges(meters: Sequence[Meter]) -> Mapping[str, float]:
    """The current gauges of all meters by name; memory in bytes."""
    readings: dict[str, list[MeterReading]] = {}
    for meter in meters:
        with suppress(MeterError):
            readings[meter.source] = [await meter.read()]
    peak = PeakUsage(readings, {})
    memory = {GPU: None if peak.doubts else peak.gpu, HOST: peak.host}
    return peak.gauges | {name: float(each) for name, each in memory.items() if each is not None}


async def measure_peak_usage(
    meters: Sequence[Meter], work: Coroutine[Any, Any, T]
) -> tuple[T, PeakUsage]:
    """Await the work, and read the meters before, during and after it."""
    readings: dict[str, list[MeterReading]] = {}
    errors: dict[str, str] = {}

    async def read() -> None:
        for meter in meters:
            try:
                readings.setdefault(meter.source, []).append(await meter.read())
            except MeterError as error:
                errors[meter.source] = str(error)

    async def read_repeatedly() -> None:
        while True:
            await read()
            await asyncio.sleep(READ_INTERVAL)

    await read()
    background = asyncio.ensure_future(read_repeatedly())
    try:
        done = await work
    finally:
        background.cancel()
        await asyncio.gather(background, return_exceptions=True)
    await read()
    return done, PeakUsage({name: each for name, each in readings.items() if each}, errors)
