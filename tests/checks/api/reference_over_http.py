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
from readiness.context import Context
from readiness.exchange import Call, Exchange
from readiness.mutants.catalog import FLAWLESS
from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.endpoint.server import application
from readiness.mutants.flaw import Flaw
from readiness.probe import Probe
from readiness.protocol.capability import LIST_MODELS, Capabilities, Models, explore
from readiness.protocol.dialect import Dialect
from readiness.score import EndpointError, Outcome, Score
from readiness.transport.address import Address
from readiness.transport.client import EndpointClient, RequestLimits
from tests.reference_in_process import probes_of

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
#: Those that send requests: the others judge what these have sent.
SENDING = [each for each in CHECKS.values() if not each.whole_run]


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


async def explored(endpoint: EndpointClient) -> Capabilities:
    """What the capability probe finds, as before every run."""
    models = Models.read(await endpoint.send(LIST_MODELS))
    return await explore(endpoint.send, models, Dialect(MODEL))


async def attempt(
    endpoint: EndpointClient, check: Check, probe: Probe, found: Capabilities | None = None
) -> Score:
    """Try one probe, as the capabilities that were found allow."""
    if found and (reason := found.unsupported_reason(check.needs)):
        return Score(Outcome.UNSUPPORTED, reason)
    context = Context(context_window=found.window if found else None)
    dialect = found.dialect if found else Dialect(MODEL)
    lane = check.id if check.in_order else ""

    async def send(call: Call) -> Exchange:
        exchange = await endpoint.send(call, lane)
        # As the sender does, but without waiting.
        return await send(call) if exchange.status == 429 else exchange

    try:
        return await check.attempt(Chat(send, dialect, context), probe)
    except EndpointError as error:
        return error.score


async def tried(
    endpoint: EndpointClient, check: Check, capable: Capabilities | None = None
) -> list[Score]:
    """Run a check's trials, in order or concurrently, as it requires."""
    found = probes_of(check, 0, check.trials)
    if check.in_order:
        return [await attempt(endpoint, check, probe, capable) for probe in found]
    return list(
        await asyncio.gather(*(attempt(endpoint, check, probe, capable) for probe in found))
    )


def scores(
    checks: Sequence[Check], flaw: Flaw = FLAWLESS, key: str = KEY, *, explores: bool = False
) -> dict[str, list[Score]]:
    """The scores of checks, by their ids; after the capability probe, if asked."""

    async def all_of_them() -> dict[str, list[Score]]:
        async with serving(flaw, key) as endpoint:
            found = await explored(endpoint) if explores else None
            return {each.id: await tried(endpoint, each, found) for each in checks}

    return asyncio.run(all_of_them())


def failing(
    checks: Sequence[Check], flaw: Flaw = FLAWLESS, key: str = KEY, *, explores: bool = False
) -> dict[str, str]:
    """The reasons of checks that find a defect, by id."""
    found = scores(checks, flaw, key, explores=explores)
    reasons = {
        name: next((f"{score.outcome}: {score.reason}" for score in each
                    if score.outcome not in CLEAN), None)
        for name, each in found.items()
    }  # fmt: skip
    return {name: reason for name, reason in reasons.items() if reason is not None}
