"""The reference endpoint or a mutant on loopback, and a chat with it that records evidence."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from readiness.chat import Chat
from readiness.context import Context
from readiness.evidence.log import Evidence
from readiness.evidence.redaction import Secrets
from readiness.load.meters.prometheus import MetricsMeter
from readiness.mutants.catalog import find
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.endpoint.server import application
from readiness.mutants.flaw import Flaw
from readiness.protocol.dialect import Dialect
from readiness.runner.resume import ResumeState
from readiness.runner.sender import AdaptiveConcurrency, Sender
from readiness.transport.address import Address
from readiness.transport.budget import UsageBudget
from readiness.transport.client import EndpointClient, RequestLimits

T = TypeVar("T")
QUICK = RequestLimits(connect=2, first_byte=20, silence=20, total=60)


def tried(
    mutant: str | Flaw, work: Callable[[Chat], Awaitable[T]], context: Context | None = None
) -> T:
    """What comes of some work with a mutant, or with the reference."""
    flaw = find(mutant) if isinstance(mutant, str) else mutant
    return asyncio.run(_tried(flaw, work, context))


async def _tried(flaw: Flaw, work: Callable[[Chat], Awaitable[T]], context: Context | None) -> T:
    runner = web.AppRunner(application(flaw, ""), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=512).start()
    try:
        return await _at(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", work, context)
    finally:
        await runner.cleanup()


def at(
    url: str,
    work: Callable[[Chat], Awaitable[T]],
    context: Context | None = None,
    ledger: UsageBudget | None = None,
) -> T:
    """What comes of some work with the endpoint at a base URL."""
    return asyncio.run(_at(url, work, context, ledger))


async def _at(
    url: str,
    work: Callable[[Chat], Awaitable[T]],
    context: Context | None,
    ledger: UsageBudget | None = None,
) -> T:
    secrets, slots = Secrets([]), AdaptiveConcurrency(4)
    endpoint = EndpointClient(Address.read(url, "", {}), QUICK)
    page = EndpointClient(Address.read(f"{url.removesuffix('/v1')}/metrics", "", {}), QUICK)
    with (
        tempfile.TemporaryDirectory() as folder,
        Evidence(Path(folder) / "evidence.jsonl", secrets) as evidence,
    ):
        sender = Sender(endpoint, evidence, ledger or UsageBudget(), slots, ResumeState(secrets))
        send = partial(sender.send, trial={"check": "test"})
        try:
            metered = replace(context or Context(), meters=[MetricsMeter(page)])
            return await work(Chat(send, Dialect(MODEL), metered))
        finally:
            await endpoint.close()
            await page.close()
