"""Load: which steps are made, and for which checks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from readiness.load.traffic import LEVELS, PROMPTS, TOKENS
from readiness.probe import Probe

#: Shares of the throughput that was measured, at which requests arrive by themselves.
SHARES = (0.5, 0.8, 1.0)
EACH = 50  # About as many requests does a step make.


def steps(key: str, made: Sequence[tuple[str, float]], seed: int, trials: int) -> list[Probe]:
    """So many probes, each of a step: its scenario and one figure; all of them round by round."""
    rounds = [(*each, around) for around in range(trials) for each in made]
    return [
        Probe(
            f"load.{scenario}.{figure:g}-{key}.{around}@v1",
            [],
            {"scenario": scenario, key: figure, "seed": f"{seed}/{around}"},
            budget=EACH * PROMPTS[scenario]["budget"],
            family=scenario,
            labels={key: f"{figure:g}"},
            tokens=EACH * TOKENS[scenario],
        )
        for scenario, figure, around in rounds[:trials]
    ]


#: Each scenario at each number of clients; at the most of them; and requests that come as they may.
by_level = partial(steps, "clients", [(name, each) for name in LEVELS for each in LEVELS[name]])
by_scenario = partial(steps, "clients", [(name, LEVELS[name][-1]) for name in LEVELS])
by_share = partial(steps, "share", [("code", each) for each in SHARES])


def objective_probes(seed: int, trials: int) -> list[Probe]:
    """Probes for all that a policy promises: its steps are those of the others, where it can be."""
    return [
        Probe(f"load.promised.{at}@v1", [], {"seed": f"{seed}/{at}"}, tokens=0)
        for at in range(trials)
    ]
