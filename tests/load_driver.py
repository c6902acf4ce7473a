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
from readiness.load.meters.metrics_page import MetricsMeter
from readiness.mutants.catalog import find
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.endpoint.server import WEBUI, application
from readiness.mutants.flaw import Flaw
from readiness.protocol.dialect import Dialect
from readiness.runner.concurrency import AdaptiveConcurrency
from readiness.runner.resume import ResumeState
from readiness.runner.sender import Sender
from readiness.transport.address import Address
from readiness.transport.budget import UsageBudget
from readiness.transport.client import EndpointClient, RequestLimits

T = TypeVar("T")
QUICK = RequestLimits(connect=10, first_byte=60, silence=60, total=120)


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
    root = url.removesuffix("/v1")
    page = EndpointClient(Address.read(f"{root}/metrics", "", {}), QUICK)
    named = context.webui_address if context else None
    webui = EndpointClient(named or Address.read(f"{root}{WEBUI}", "", {}), QUICK)
    with (
        tempfile.TemporaryDirectory() as folder,
        Evidence(Path(folder) / "evidence.jsonl", secrets) as evidence,
    ):
        budget, resumed = ledger or UsageBudget(), ResumeState(secrets)
        sender = Sender(endpoint, evidence, budget, slots, resumed, webui)
        send = partial(sender.send, trial={"check": "test"})
        try:
            metered = replace(context or Context(), meters=[MetricsMeter(page)])
            if metered.webui_accounts:
                metered = replace(metered, webui_address=webui.where)
            return await work(Chat(send, Dialect(MODEL), metered))
        finally:
            for each in (endpoint, page, webui):
                await each.close()
