"""What no client should send, by hand and made up: it is refused, and harms nobody."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import fuzz_cases
from readiness.checks.api import probes as hostile
from readiness.checks.api.probes import NEIGHBOUR, probes
from readiness.checks.api.requests import beside, sent
from readiness.checks.api.scoring_replies import untouched
from readiness.probe import Probe
from readiness.score import Score
from readiness.scoring.rejection import refused, survived
from readiness.search import Case, Search, nothing


@check(probes("survives_odd_input"), in_order=True)
async def survives_odd_input(chat: Chat, probe: Probe) -> Score:
    """Empty, odd or senseless input MUST be answered or refused with a 4xx, and break nothing."""
    odd = survived(await sent(chat, probe))
    return untouched(odd, await chat.send(hostile.NEIGHBOUR, budget=16))


@check(probes("survives_invalid_utf8"))
async def survives_invalid_utf8(chat: Chat, probe: Probe) -> Score:
    """A body that is no UTF-8 MUST be answered or refused with a 4xx, and break nothing."""
    return survived(await sent(chat, probe))


@check(probes("refuses_invalid_utf8"))
async def refuses_invalid_utf8(chat: Chat, probe: Probe) -> Score:
    """A body that is no UTF-8 SHOULD be refused with a 4xx."""
    return refused(await sent(chat, probe))


@check(hostile.heavy("survives_a_huge_body"), alone=True)
async def survives_a_huge_body(chat: Chat, probe: Probe) -> Score:
    """A body of 32 MB MUST be answered or refused within a minute, and harm no neighbour."""
    return await beside(chat, hostile.padded(probe, chat.dialect))


@check(hostile.heavy("survives_many_tools"), needs=["tools"], alone=True)
async def survives_many_tools(chat: Chat, probe: Probe) -> Score:
    """Two thousand tools MUST be taken or refused within a minute, and harm no neighbour."""
    return await beside(chat, hostile.many_tools(probe, chat.dialect))


@check(hostile.nested(), alone=True)
async def survives_deep_nesting(chat: Chat, probe: Probe) -> Score:
    """Values nested a hundred thousand deep MUST be taken or refused, and harm no neighbour."""
    return await beside(chat, hostile.deep(probe, chat.dialect))


#: A batch. Shrinking may take as many calls again, and twice more.
BATCH = Search("api.survives_fuzz", fuzz_cases.cases, examples=20, calls=80)


def batches(seed: int, trials: int) -> Sequence[Probe]:
    """A seed for each batch."""
    random = Random(f"api.fuzz/{seed}")
    seeds = [random.randrange(2**32) for _ in range(trials)]
    return [
        Probe(f"api.fuzz.{at:02}@v1", NEIGHBOUR, {"seed": each}) for at, each in enumerate(seeds)
    ]


async def attempt(chat: Chat, case: Case) -> Score:
    """Send one request that is wrong."""
    return survived(await chat.call(fuzz_cases.call(case, chat.dialect)))


@check(batches, trials=1, in_order=True)
async def survives_fuzz(chat: Chat, probe: Probe) -> Score:
    """Requests that are wrong at random SHOULD be answered or refused with a 4xx."""
    found = await BATCH.smallest(partial(attempt, chat), probe.expect["seed"], chat.scope.findings)
    batch = nothing(found, lambda case: fuzz_cases.curl(fuzz_cases.call(case, chat.dialect)))
    return untouched(batch, await chat.send(NEIGHBOUR, budget=16))
