"""Meters: how much memory a server takes, from whatever source there is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
EVERY = 0.2  # seconds
#: What reports call the gauges that servers have, each under a name of its own.
RUNNING, QUEUED, CACHE = "requests running", "requests waiting", "key-value cache in use"
GPU, HOST = "GPU memory", "main memory"


class MeterError(Exception):
    """A source tells nothing, and why."""


@dataclass(frozen=True)
class MeterReading:
    """What a meter shows at one moment.

    Args:
        gpu: The bytes of GPU memory that are taken; None where the source does not tell.
        host: The bytes of main memory; None where the source does not tell.
        devices: What the GPUs are called.
        doubt: Why the bytes may be another's too; they are then the most that it can be.
        gauges: What else it shows, as shares and counts.
    """

    gpu: int | None = None
    host: int | None = None
    devices: tuple[str, ...] = ()
    doubt: str = ""
    gauges: Mapping[str, float] = field(default_factory=dict)


class Meter(Protocol):
    """A source of readings."""

    @property
    def source(self) -> str:
        """What reports call it."""

    async def read(self) -> MeterReading:
        """Read it once.

        Raises:
            MeterError: It tells nothing.
        """


@dataclass(frozen=True)
class PeakUsage:
    """What the meters showed while something went on.

    Args:
        readings: All readings of each source.
        errors: Why a source told nothing.
    """

    readings: Mapping[str, Sequence[MeterReading]]
    errors: Mapping[str, str]

    @property
    def gpu(self) -> int | None:
        """The most bytes of GPU memory that was shown."""
        return max((each.gpu for each in self._gpus if each.gpu is not None), default=None)

    @property
    def host(self) -> int | None:
        """The most bytes of main memory that any source showed."""
        return max((each.host for each in self._all if each.host is not None), default=None)

    @property
    def devices(self) -> tuple[str, ...]:
        """What the GPUs are called."""
        return tuple(dict.fromkeys(name for each in self._gpus for name in each.devices))

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the bytes may be another's too."""
        return tuple(dict.fromkeys(each.doubt for each in self._gpus if each.doubt))

    @property
    def gauges(self) -> dict[str, float]:
        """The most that each gauge showed."""
        found: dict[str, float] = {}
        for each in self._all:
            found |= {key: max(value, found.get(key, value)) for key, value in each.gauges.items()}
        return found

    @property
    def _gpus(self) -> list[MeterReading]:
        """The readings of GPUs: those in doubt only where there are no others."""
        told = [each for each in self._all if each.gpu is not None]
        return [each for each in told if not each.doubt] or told

    @property
    def _all(self) -> list[MeterReading]:
        return [each for several in self.readings.values() for each in several]


async def read_gauges(meters: Sequence[Meter]) -> Mapping[str, float]:
    """What all meters show at this moment, by the names of the gauges; memory in bytes."""
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
    """Do the work, and read the meters before, meanwhile and after."""
    readings: dict[str, list[MeterReading]] = {}
    errors: dict[str, str] = {}

    async def read() -> None:
        for meter in meters:
            try:
                readings.setdefault(meter.source, []).append(await meter.read())
            except MeterError as error:
                errors[meter.source] = str(error)

    async def go_on() -> None:
        while True:
            await read()
            await asyncio.sleep(EVERY)

    await read()
    beside = asyncio.ensure_future(go_on())
    try:
        done = await work
    finally:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)
    await read()
    return done, PeakUsage({name: each for name, each in readings.items() if each}, errors)
