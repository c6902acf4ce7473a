"""The api dimension against the reference endpoint, over HTTP in one process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from pkgutil import iter_modules

from aiohttp import web

from readiness.chat import Chat
from readiness.check import Check
from readiness.checks import api
from readiness.exchange import Call, Exchange
from readiness.mutants.catalog import FLAWLESS
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.endpoint.server import application
from readiness.mutants.flaw import Flaw
from readiness.probe import Probe
from readiness.protocol.dialect import Dialect
from readiness.score import EndpointError, Outcome, Score
from readiness.transport.address import Address
from readiness.transport.client import EndpointClient, RequestLimits

KEY = "sk-readiness-test"
#: The outcomes that show no defect.
CLEAN = (Outcome.PASS, Outcome.UNSUPPORTED)
MODULES = [import_module(f"{api.__name__}.{each.name}") for each in iter_modules(api.__path__)]
CHECKS = {
    each.id: each
    for module in MODULES
    for each in vars(module).values()
    if isinstance(each, Check) and each.attempt.__module__ == module.__name__
}
MUST = [each for each in CHECKS.values() if "MUST" in each.requirement]


@asynccontextmanager
async def serving(flaw: Flaw = FLAWLESS, key: str = KEY) -> AsyncIterator[EndpointClient]:
    """An endpoint with a flaw, over HTTP."""
    # aiohttp logs rejected requests, which are expected here.
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    runner = web.AppRunner(application(flaw, key), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=256).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    endpoint = EndpointClient(
        Address.read(url, key, {}), RequestLimits(first_byte=20, silence=20, total=40)
    )
    try:
        # As a run does, before any check.
        await endpoint.send(Call(None, "/models", "GET"))
        yield endpoint
    finally:
        await endpoint.close()
        await runner.cleanup()


async def attempt(endpoint: EndpointClient, check: Check, probe: Probe) -> Score:
    """Try one probe."""
    lane = check.id if check.in_order else ""

    async def send(call: Call) -> Exchange:
        exchange = await endpoint.send(call, lane)
        # As the sender does, but without waiting.
        return await send(call) if exchange.status == 429 else exchange

    try:
        return await check.attempt(Chat(send, Dialect(MODEL)), probe)
    except EndpointError as error:
        return error.score


async def tried(endpoint: EndpointClient, check: Check) -> list[Score]:
    """Run a check's trials, in order or concurrently, as it requires."""
    found = check.probes(0, check.trials)
    if check.in_order:
        return [await attempt(endpoint, check, probe) for probe in found]
    return list(await asyncio.gather(*(attempt(endpoint, check, probe) for probe in found)))


def scores(
    checks: Sequence[Check], flaw: Flaw = FLAWLESS, key: str = KEY
) -> dict[str, list[Score]]:
    """The scores of checks, by their ids."""

    async def all_of_them() -> dict[str, list[Score]]:
        async with serving(flaw, key) as endpoint:
            return {each.id: await tried(endpoint, each) for each in checks}

    return asyncio.run(all_of_them())


def failing(checks: Sequence[Check], flaw: Flaw = FLAWLESS, key: str = KEY) -> dict[str, str]:
    """The reasons of checks that find a defect, by id."""
    found = scores(checks, flaw, key)
    reasons = {
        name: next((f"{score.outcome}: {score.reason}" for score in each
                    if score.outcome not in CLEAN), None)
        for name, each in found.items()
    }  # fmt: skip
    return {name: reason for name, reason in reasons.items() if reason is not None}
