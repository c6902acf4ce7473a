"""Probes of the dimension `load`: the load steps of each check."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from readiness.load.traffic import LEVELS, PROMPTS, TOKENS
from readiness.probe import Probe

#: The shares of measured throughput at which open-loop requests arrive.
SHARES = (0.5, 0.8, 1.0)
#: For the plan, about: requests of a step, and of that of a smoke run, with their tokens.
REQUESTS_PER_STEP = {"code": 400, "ticket": 80, "copy": 100}
SMALL_REQUESTS, SMALL_TOKENS, SMALL_BUDGET = 16, 150, 24


def steps(key: str, values: Sequence[tuple[str, float]], seed: int, trials: int) -> list[Probe]:
    """The given number of probes, one load step each, going through the values in rounds."""
    rounds = [(*each, number) for number in range(trials) for each in values]
    return [
        Probe(
            f"load.{scenario}.{value:g}-{key}.{number}@v1",
            [],
            {"scenario": scenario, key: value, "seed": f"{seed}/{number}"},
            budget=REQUESTS_PER_STEP[scenario] * PROMPTS[scenario]["budget"],
            family=scenario,
            labels={key: f"{value:g}"},
            tokens=REQUESTS_PER_STEP[scenario] * TOKENS[scenario],
            fewer=SMALL_REQUESTS * SMALL_TOKENS,
            small_budget=SMALL_REQUESTS * SMALL_BUDGET,
            shared=f"load/{scenario}/{key}/{value:g}/{number}",
        )
        for scenario, value, number in rounds[:trials]
    ]


#: Each scenario at each number of clients; each at its highest; and open-loop arrivals.
by_level = partial(steps, "clients", [(name, each) for name in LEVELS for each in LEVELS[name]])
by_scenario = partial(steps, "clients", [(name, LEVELS[name][-1]) for name in LEVELS])
by_share = partial(steps, "share", [("code", each) for each in SHARES])


def objective_probes(seed: int, trials: int) -> list[Probe]:
    """Probes for the policy's SLO, which share the steps of other checks where shapes are equal."""
    return [
        Probe(f"load.promised.{at}@v1", [], {"seed": f"{seed}/{at}"}, tokens=0)
        for at in range(trials)
    ]
