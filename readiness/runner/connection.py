"""The connection of a run: to its endpoint, and to what is asked beside it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from readiness.load.meters.meter import Meter
from readiness.load.meters.metrics_page import MetricsMeter
from readiness.load.meters.nvml import local_meters
from readiness.load.workers import LoadWorkerPool, load_worker_pool
from readiness.runner.event_loop import BackgroundEventLoop
from readiness.runner.settings import Settings
from readiness.transport.address import Address
from readiness.transport.client import EndpointClient, RequestLimits


@dataclass(frozen=True)
class Connection:
    """The connection to an endpoint.

    Args:
        background: The event loop.
        endpoint: The HTTP client.
        webui: The HTTP client of the web interface; None where the user names none.
        meters: The meters of the server's memory.
        load_workers: The pool that runs load test steps; None where this process runs them.
    """

    background: BackgroundEventLoop
    endpoint: EndpointClient
    webui: EndpointClient | None
    meters: Sequence[Meter]
    load_workers: LoadWorkerPool | None


@contextmanager
def connected(background: BackgroundEventLoop, settings: Settings) -> Generator[Connection]:
    """The connection to the endpoint of a run, and to what stands beside it."""
    with (
        _client(background, settings.address, settings.limits) as endpoint,
        _webui(background, settings) as webui,
        _meters(background, settings) as meters,
        _load_worker_pool(settings) as load_workers,
    ):
        yield Connection(background, endpoint, webui, meters, load_workers)


@contextmanager
def _client(
    background: BackgroundEventLoop, where: Address, limits: RequestLimits
) -> Generator[EndpointClient]:
    endpoint = EndpointClient(where, limits)
    try:
        yield endpoint
    finally:
        background.submit(endpoint.close()).result()


@contextmanager
def _webui(background: BackgroundEventLoop, settings: Settings) -> Generator[EndpointClient | None]:
    """The client of the web interface; None where the user names none."""
    if (where := settings.context.webui_address) is None:
        yield None
        return
    with _client(background, where, settings.limits) as webui:
        yield webui


@contextmanager
def _meters(background: BackgroundEventLoop, settings: Settings) -> Generator[Sequence[Meter]]:
    """The meters of the server's memory."""
    if (metrics := settings.context.metrics_address) is None:
        yield local_meters(settings.address)
        return
    with _client(background, metrics, settings.limits) as page:
        yield [*local_meters(settings.address), MetricsMeter(page)]


@contextmanager
def _load_worker_pool(settings: Settings) -> Generator[LoadWorkerPool | None]:
    """The load worker pool; None where the user wants no load workers."""
    if settings.load_workers is None:
        yield None
        return
    with load_worker_pool(
        settings.load_workers, settings.address, settings.limits, settings.secrets
    ) as pool:
        yield pool
