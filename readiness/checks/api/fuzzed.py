"""Fuzz: requests that are wrong in ways which nobody thought of."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from readiness.chat import Chat
from readiness.check import check
from readiness.fuzz import smallest
from readiness.probe import Probe
from readiness.probes.api_hostile import NEIGHBOUR
from readiness.score import Score
from readiness.scorers.api_reply import harmless

#: A control request follows each batch. Shrinking may take as many calls again, and twice more.
BATCH = 20
MOST_CALLS = 80


def batches(seed: int, trials: int) -> Sequence[Probe]:
    """A seed for each batch."""
    random = Random(f"api.fuzz/{seed}")
    seeds = [random.randrange(2**32) for _ in range(trials)]
    return [
        Probe(f"api.fuzz.{at:02}@v1", NEIGHBOUR, {"seed": each}) for at, each in enumerate(seeds)
    ]


@check(batches, trials=1, in_order=True)
async def survives_fuzz(chat: Chat, probe: Probe) -> Score:
    """Requests that are wrong at random SHOULD be answered or refused with a 4xx."""
    harm = await smallest(chat, probe.expect["seed"], BATCH, MOST_CALLS)
    return harmless(harm, await chat.send(NEIGHBOUR, budget=16))
