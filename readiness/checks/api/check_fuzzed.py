"""Fuzz: requests that are wrong in ways which nobody thought of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.api import fuzz_cases
from readiness.checks.api.probes_hostile import NEIGHBOUR
from readiness.checks.api.scoring_replies import untouched
from readiness.probe import Probe
from readiness.score import Score
from readiness.scoring.rejection import survived
from readiness.search import Case, Search, nothing

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
