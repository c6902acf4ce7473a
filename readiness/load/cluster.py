"""A fleet: load workers on this machine, with a Ray of their own, or on a Ray cluster."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from readiness.evidence.redaction import Secrets
from readiness.load.workers import Crew
from readiness.runner.settings import Fleet
from readiness.transport.address import Address
from readiness.transport.client import Limits

#: How long to wait for a cluster to take a connection, in seconds.
PATIENCE = 5.0
#: Room for what workers send at once, the least that Ray takes, in bytes.
ROOM = 80 * 2**20


@contextmanager
def started(fleet: Fleet, crews: int = 1) -> Generator[None]:
    """Ray, for as long as the context lasts: a cluster's, or one of our own with room for all.

    Raises:
        LookupError: There is no cluster at that address.
    """
    import ray

    _see(fleet.address)
    # Ray tells its makers how it is used, unless it is told not to.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        here: dict[str, Any] = {
            "address": "local",
            "num_cpus": fleet.workers * crews,
            "include_dashboard": False,
            "object_store_memory": ROOM,
            "_temp_dir": folder,
        }
        given = {"address": fleet.address} if fleet.address else here
        try:
            ray.init(**given, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            option = f"--ray-address {fleet.address}" if fleet.address else "--load-workers"
            raise LookupError(f"{option}: Ray does not start: {error!s:.200}") from error
        try:
            yield
        finally:
            ray.shutdown()


@contextmanager
def crewed(fleet: Fleet, where: Address, limits: Limits, secrets: Secrets) -> Generator[Crew]:
    """A crew for one endpoint, for as long as the context lasts; Ray has been started."""
    crew = Crew(fleet.workers, where, limits, secrets)
    try:
        yield crew
    finally:
        crew.dismiss()


def _see(address: str) -> None:
    """See that somebody answers at the address of a cluster: Ray itself would try for minutes.

    Raises:
        LookupError: Nobody does.
    """
    if address in ("", "auto"):
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), PATIENCE).close()
    except (OSError, ValueError, OverflowError) as error:
        why = "give HOST:PORT, on a machine of the cluster" if not port.isdecimal() else error
        raise LookupError(f"--ray-address {address}: no Ray cluster answers: {why}") from error
